"""A whole school opens its join links in the same moment: everybody comes in, and the database is not used up."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection

from classroom import turns
from classroom.local.running import RunningProduct
from emotions.simulation.joining import Joiner, join_class
from tests.pipeline.students import closing_connections, new_session

pytestmark = pytest.mark.pipeline

STUDENTS = 150
OTHERS = 14
"""Connections of sockets, workers, the ticker, health checks, and of this test."""


def connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@closing_connections
async def test_everybody_comes_in_and_postgres_keeps_connections_for_others(
    product: RunningProduct, alice: User
) -> None:
    session = await sync_to_async(new_session)(alice)
    limits = httpx.Limits(max_connections=STUDENTS)
    most = 0
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        joiner = Joiner(client, product.base_url, session.join_code)
        everybody = ["aggregate"] * STUDENTS
        joining = asyncio.create_task(join_class(joiner, everybody, lambda done, of: None, at_once=STUDENTS))
        while not joining.done():
            most = max(most, await sync_to_async(connected)())
            await asyncio.sleep(0.02)
        tickets = await joining
    assert len({ticket.cookie for ticket in tickets}) == STUDENTS
    assert await session.participants.acount() == STUDENTS
    assert most <= turns.AT_ONCE + OTHERS
