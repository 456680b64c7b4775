"""Threads, and the memory they work in."""
