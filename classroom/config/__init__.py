"""Wiring: settings, addresses, the web application and the Celery application (`celery -A classroom.config`)."""

from __future__ import annotations

# Whoever sends a task (the web process, a command) must have made the application first.
from classroom.config.celery import app as celery_app

__all__ = ["celery_app"]
