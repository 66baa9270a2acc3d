"""The Celery application: wiring only. Tasks live in `emotions.tasks`."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, task_postrun, worker_process_init, worker_process_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")

LONGEST_LINE = 1_000
"""Tasks of a queue that wait. Where workers work, there are a few; where none does, nearly all have long expired, and
the rest (purging, counting again) is asked for once more by beat or by a person."""
MEASURED_EVERY = 100

app = Celery("roomtone")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["emotions"])


@worker_process_init.connect
def _count(**_: Any) -> None:
    """Each process of a worker sends its own counts; it ends without Python's exit handlers."""
    from emotions.meters import sending

    sender = sending.start("worker")
    worker_process_shutdown.connect(lambda **_: sender.finish(), weak=False)


@task_postrun.connect
def _let_broken_connections_go(**_: Any) -> None:
    """After a restart of the database. Celery itself would look at a connection only after CELERY_DB_REUSE_MAX tasks,
    which for a process that only keeps house is an hour."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close()


_published = count(1)


@after_task_publish.connect
def _keep_the_line_short(**_: Any) -> None:
    """A task that has expired leaves the broker only when a worker takes it: without one they would fill Redis, and
    push out what is alive. The oldest go first."""
    if next(_published) % MEASURED_EVERY:
        return
    from redis.exceptions import RedisError

    from emotions.store import sync_redis

    prefix = app.conf.broker_transport_options["global_keyprefix"]
    with suppress(RedisError, OSError):  # it is kept short when Redis is back
        for queue in ("frames", app.conf.task_default_queue):
            sync_redis().ltrim(prefix + queue, 0, LONGEST_LINE - 1)
