"""The Celery application: wiring only. Tasks live in `emotions.tasks`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")

app = Celery("roomtone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["emotions"])
