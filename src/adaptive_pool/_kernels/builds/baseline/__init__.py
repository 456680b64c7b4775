"""The kernels, built for the compiler's baseline: SSE2 on x86-64, NEON on arm64."""
