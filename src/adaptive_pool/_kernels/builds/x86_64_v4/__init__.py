"""The kernels, built for x86-64-v4 (AVX-512), where the build has made them."""
