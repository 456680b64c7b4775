"""What processors do better than compilers."""
