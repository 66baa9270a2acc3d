"""Faces to learn from and to be measured on: files, repeats, votes, and how they are divided."""
