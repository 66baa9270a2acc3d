"""From a process's sockets to the database: readings of devices, gathered for a moment, stored in batches.

No worker is asked: the web process stores them in threads of its own, by the same statement under the same lock, and
answers its own sockets itself.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

import redis
from django.db import DatabaseError, close_old_connections
from redis.exceptions import RedisError

from emotions.hub import Hub
from emotions.meters import counts
from emotions.per_loop import OncePerLoop
from emotions.publish import Answer
from emotions.readings import answers
from emotions.readings.observations import Observation
from emotions.readings.settling import settle
from emotions.threads import database_threads

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
BATCH = 500
WRITERS = 2
"""One stores while the other waits for the database; the second begins only when a batch is full."""
# Some seconds of a full process. Beyond, the database has stopped keeping up: readings are refused, not heaped up.
WAITING_LIMIT = 20_000

_threads = database_threads(WRITERS, "store-readings")


class DeviceIntake(OncePerLoop):
    """Readings that passed the checks, on their way to the database."""

    def __init__(self) -> None:
        self._hub = Hub.here()
        self._waiting: list[Observation] = []
        self._writers: set[asyncio.Task[None]] = set()

    def offer(self, observation: Observation) -> None:
        """Take a reading that passed the checks. Its answer comes through the hub."""
        if len(self._waiting) >= WAITING_LIMIT:
            self._refuse([observation])
            return
        self._waiting.append(observation)
        full = len(self._waiting) >= BATCH and len(self._writers) < WRITERS
        if full or not self._writers:
            self._writers.add(asyncio.get_running_loop().create_task(self._write()))

    async def _write(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < BATCH:
                    await asyncio.sleep(GATHER_SECONDS)
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                if batch:  # the other writer may have taken all
                    await self._settle(batch)
        finally:
            # At once, not when the loop comes round: a reading that comes in between would wait for the next one's.
            self._writers = {task for task in self._writers if task is not asyncio.current_task()}

    async def _settle(self, batch: list[Observation]) -> None:
        """Whatever goes wrong, every reading is answered and counted."""
        told: list[Answer] = []
        try:
            stored = await asyncio.get_running_loop().run_in_executor(_threads, partial(_store, batch, told))
        except Exception:
            log.exception("%d readings of devices are not stored", len(batch))
            stored = bool(told)
        if not stored:
            self._refuse(batch)
        for answer in told:
            self._hub.deliver(answer.connection, answer.text)

    def _refuse(self, batch: list[Observation]) -> None:
        for observation in batch:
            counts.REJECTED.add("busy")
            answer = answers.rejected(observation.frame, "busy")
            self._hub.deliver(answer.connection, answer.text)


def _store(batch: list[Observation], told: list[Answer]) -> bool:
    """In a thread: store, and put the answers into `told`. False where a part is down: nothing is told then."""

    def tell(pipe: redis.client.Pipeline, found: list[Answer]) -> None:
        told.extend(found)

    close_old_connections()
    try:
        settle(batch, tell)
    except (RedisError, DatabaseError, OSError) as error:
        log.warning("%d readings are not shown live: %s", len(batch), error)
        return bool(told)
    finally:
        close_old_connections()
    return True
