"""Wiring: settings, addresses, the web application and the Celery application (`celery -A classroom.config`)."""

from __future__ import annotations

# Whoever sends a task (the web process, a command) must have made the application first.
from classroom.config.celery import app as celery_app
from classroom.config.core_dumps import forbid_core_dumps
from classroom.config.open_files import allow_many_open_files

__all__ = ["celery_app"]

# Every process of ours passes here on its way to the settings: web, worker, ticker, beat, and `up` before its parts.
forbid_core_dumps()
allow_many_open_files()
