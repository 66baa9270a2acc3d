"""Faces, emotions and moods: a plain Python library that knows nothing of the web."""
