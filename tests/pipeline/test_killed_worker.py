"""SIGKILL in the middle of batches: no stored event lost, none doubled, readings go on within seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from django.contrib.auth.models import User

from benchmarks.processes import tree
from classroom.local.running import RunningProduct
from emotions.models import EmotionEvent
from tests.pipeline.students import camera, closing_connections, new_session, new_student, portrait, until

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

STUDENTS = 8


def kill_children(product: RunningProduct) -> None:
    """The processes in the middle of their batches; their parent lives and makes new ones."""
    for pid in tree(product.pids()["worker"])[1:]:
        os.kill(pid, signal.SIGKILL)


def kill_all(product: RunningProduct) -> None:
    """The whole worker at once, parent first; `up` starts another."""
    for pid in tree(product.pids()["worker"]):
        os.kill(pid, signal.SIGKILL)


@closing_connections
@pytest.mark.parametrize("kill", [kill_children, kill_all])
async def test_a_worker_is_killed(
    product: RunningProduct,
    alice: User,
    kill: Callable[[RunningProduct], None],
    record_property: Callable[[str, object], None],
) -> None:
    session = new_session(alice)
    students = [new_student(session, f"Student {n}") for n in range(STUDENTS)]
    async with AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(camera(product, student)) for student in students]
        await tabs[0].show(portrait())
        await until(tabs[0].readings, 30)
        streams = [asyncio.create_task(tab.stream(20, 0.4, portrait("happy", n))) for n, tab in enumerate(tabs)]
        await until(lambda: all(tab.readings() for tab in tabs), 10)
        before = {tab.sent for tab in tabs}
        kill(product)
        killed = time.monotonic()
        await until(lambda: all(tab.readings() and max(tab.readings()) > max(before) for tab in tabs), 20)
        recovered = time.monotonic() - killed
        for stream in streams:
            stream.cancel()
        await asyncio.sleep(3)
        told = {student.pk: tab.readings() for student, tab in zip(students, tabs, strict=True)}
    stored = Counter(EmotionEvent.objects.filter(session=session).values_list("participant", "sequence"))
    assert max(stored.values()) == 1
    assert {(pk, sequence) for pk, sequences in told.items() for sequence in sequences} <= set(stored)
    assert set(EmotionEvent.objects.filter(session=session).values_list("participant", flat=True)) == set(told)
    record_property("recovered_seconds", round(recovered, 1))
    assert recovered < 15
