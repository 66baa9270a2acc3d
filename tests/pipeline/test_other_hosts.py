"""Workers on other hosts: the product's own stands still, and everybody is read all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from django.contrib.auth.models import User

from benchmarks import hosts
from classroom.local.running import RunningProduct
from emotions.models import EmotionEvent
from tests.pipeline.students import camera, closing_connections, new_session, new_student, portrait, until
from tests.processes import stopped

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

STUDENTS = 8
READ = 5


@pytest.fixture
def other_hosts(product: RunningProduct) -> Iterator[list[hosts.Host]]:
    if why := hosts.refusal():
        pytest.skip(why)
    with hosts.workers(2, product.environment) as running:
        yield running


@closing_connections
async def test_workers_on_other_hosts_read_everybody(
    product: RunningProduct, alice: User, other_hosts: list[hosts.Host]
) -> None:
    session = new_session(alice)
    students = [new_student(session, f"Student {n}") for n in range(STUDENTS)]
    with stopped(product, "worker"):
        async with AsyncExitStack() as stack:
            tabs = [await stack.enter_async_context(camera(product, student)) for student in students]
            streams = [asyncio.create_task(tab.stream(60, 0.5, portrait("happy", n))) for n, tab in enumerate(tabs)]
            await until(lambda: all(len(tab.readings()) >= READ for tab in tabs), 50)
            for stream in streams:
                stream.cancel()
            told = {student.pk: tab.readings() for student, tab in zip(students, tabs, strict=True)}
        stored = set(EmotionEvent.objects.filter(session=session).values_list("participant", "sequence"))
    assert {(pk, sequence) for pk, sequences in told.items() for sequence in sequences} <= stored
