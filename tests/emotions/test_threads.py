"""Threads that keep their database connection, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels.db import database_sync_to_async
from django.db import connection, connections

from emotions.threads import database_threads

pytestmark = pytest.mark.django_db(transaction=True)


def backend() -> int:
    """The process of Postgres that serves this thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    pool = database_threads(1, "test")
    yield pool
    pool.submit(connections.close_all).result()
    pool.shutdown()


async def test_it_is_kept_from_call_to_call(thread: ThreadPoolExecutor) -> None:
    ask = database_sync_to_async(backend, thread_sensitive=False, executor=thread)
    assert await ask() == await ask()


async def test_one_that_postgres_has_ended_is_replaced_unseen(thread: ThreadPoolExecutor) -> None:
    ask = database_sync_to_async(backend, thread_sensitive=False, executor=thread)
    before = await ask()
    await database_sync_to_async(end, thread_sensitive=False)(before)
    assert await ask() != before


def end(process: int) -> None:
    """As a restart of Postgres does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        assert cursor.fetchone() == (True,)
    connection.close()


def test_other_threads_keep_none() -> None:
    """Pages are made in many threads: one each would be too many."""
    assert connection.settings_dict["CONN_MAX_AGE"] == 0
