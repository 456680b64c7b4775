"""What was built of the kernels, for which processors."""
