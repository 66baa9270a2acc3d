"""The demo's own people and their course, as `manage.py seed_demo` makes them."""

from __future__ import annotations

COURSE = "Calculus 1"
INSTRUCTOR, ADMIN = "instructor", "admin"
