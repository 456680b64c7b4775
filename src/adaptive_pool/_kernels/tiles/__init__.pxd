"""Tiles: what a job computes, and how its input is read."""
