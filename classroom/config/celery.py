"""The Celery application: wiring only. Tasks live in `emotions.tasks`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")

app = Celery("roomtone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["emotions"])


@worker_process_init.connect
def _count(**_: Any) -> None:
    """Each process of a worker sends its own counts; it ends without Python's exit handlers."""
    from emotions.meters import sending

    sender = sending.start("worker")
    worker_process_shutdown.connect(lambda **_: sender.finish(), weak=False)
