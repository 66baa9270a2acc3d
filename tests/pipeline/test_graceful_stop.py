"""SIGTERM, as a deployment sends it: what was begun is finished, nothing that was told is lost, pages come back."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import httpx
import pytest
from django.contrib.auth.models import User

from classroom.local.running import RunningProduct
from emotions.models import EmotionEvent
from tests.pipeline.students import camera, closing_connections, new_session, new_student, portrait, until

pytestmark = pytest.mark.pipeline

COMING_BACK = 1012
"""Close code "service restart": browsers come back soon (emotions/static/emotions/js/camera/frame-socket.js)."""
LONGEST_PAUSE = 15.0


def terminate(product: RunningProduct, name: str) -> int:
    """As a container engine does; returns the process id that it had."""
    pid = product.pids()[name]
    os.kill(pid, signal.SIGTERM)
    return pid


def answers(product: RunningProduct) -> bool:
    try:
        return httpx.get(f"{product.base_url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@closing_connections
async def test_a_worker_that_is_told_to_stop_stores_what_it_told(product: RunningProduct, alice: User) -> None:
    student = new_student(new_session(alice), "Sam")
    async with camera(product, student) as tab:
        streaming = asyncio.create_task(tab.stream(60, 0.4, portrait()))
        await tab.wait_for(lambda: len(tab.readings()) >= 3)
        before = terminate(product, "worker")
        await asyncio.to_thread(product.wait_for_restart, "worker", before)
        told = len(tab.readings())
        await tab.wait_for(lambda: len(tab.readings()) > told, 20)
        streaming.cancel()
        await asyncio.sleep(1)
        told_sequences = tab.readings()
    stored = set(EmotionEvent.objects.filter(participant=student).values_list("sequence", flat=True))
    assert told_sequences <= stored
    assert EmotionEvent.objects.filter(participant=student).count() == len(stored)


@closing_connections
async def test_a_web_process_that_is_told_to_stop_sends_its_browsers_away_to_come_back(
    product: RunningProduct, alice: User
) -> None:
    student = new_student(new_session(alice), "Sam")
    async with camera(product, student) as tab:
        began = time.monotonic()
        before = terminate(product, "web")
        assert await tab.closed_with(10) == COMING_BACK
    await asyncio.to_thread(product.wait_for_restart, "web", before)
    await asyncio.to_thread(
        product.wait_until, lambda: answers(product), LONGEST_PAUSE, "an answer of the web process"
    )
    async with camera(product, student) as tab:
        await tab.show(portrait())
        await until(tab.readings)
    assert time.monotonic() - began < LONGEST_PAUSE
