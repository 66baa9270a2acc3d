"""Faces that belong to nobody: what the demo class and the tests look like."""
