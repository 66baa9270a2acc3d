"""From a process's counts to Redis: every two seconds, what they have grown by, in one round trip.

The totals of all processes and hosts are one hash, so any web process can show them; Prometheus takes a total that
begins again (Redis was restarted) for what it is. What is open in a process is a row of its own, which ends with it.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from redis.exceptions import RedisError

from emotions.meters import counts
from emotions.store import key, sync_redis

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
GONE_AFTER_MS = 10_000
TOTALS_SECONDS = 24 * 3600
PROCESSES_SECONDS = 60


def totals_key() -> str:
    return key("meters")


def processes_key() -> str:
    return key("processes")


@dataclass(frozen=True, slots=True)
class Process:
    """One that spoke within GONE_AFTER_MS. `kind`: web, worker, ticker; `levels`: what is open in it, by kind."""

    kind: str
    levels: dict[str, int]


class Sender:
    """A process's own, made in it (after the fork). What was counted before is somebody else's."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._sent = counts.totals()

    def send(self) -> None:
        """All or nothing. Raises redis.RedisError or OSError; then the growth goes with the next call."""
        now = counts.totals()
        row = json.dumps([int(time.time() * 1000), self._kind, counts.OPEN.now()])
        with sync_redis().pipeline(transaction=True) as pipe:
            for field, amount in now.items():
                if grown := amount - self._sent.get(field, 0):
                    pipe.hincrbyfloat(totals_key(), field, grown)
            pipe.expire(totals_key(), TOTALS_SECONDS)
            pipe.hset(processes_key(), self._name, row)
            pipe.expire(processes_key(), PROCESSES_SECONDS)
            pipe.execute()
        self._sent = now

    def clear_up(self) -> None:
        """Drop the rows of processes that died without a word, so that restarts leave nothing behind."""
        rows = sync_redis().hgetall(processes_key())
        if gone := [name for name, row in rows.items() if _age_ms(row) > GONE_AFTER_MS]:
            sync_redis().hdel(processes_key(), *gone)

    def finish(self) -> None:
        """The last counts go, and this process's row."""
        try:
            self.send()
            sync_redis().hdel(processes_key(), self._name)
        except (RedisError, OSError) as error:
            log.debug("the last counts stay unsent: %s", error)

    def run(self, stop: Event) -> None:
        """In a thread of its own. Redis may come and go; the counts are kept meanwhile."""
        self._attempt(self.clear_up)
        while not stop.wait(EVERY_SECONDS):
            self._attempt(self.send)

    @staticmethod
    def _attempt(step: Callable[[], None]) -> None:
        try:
            step()
        except (RedisError, OSError) as error:
            log.debug("the counts wait: %s", error)


def start(kind: str) -> Sender:
    """Begin to send, in this process; at its end call `finish` where it does not end by Python's own means."""
    sender, stop = Sender(kind), Event()
    Thread(target=sender.run, args=(stop,), name="meters", daemon=True).start()
    atexit.register(_end, sender, stop)
    return sender


def _end(sender: Sender, stop: Event) -> None:
    stop.set()
    sender.finish()


def _age_ms(row: bytes | str) -> float:
    return time.time() * 1000 - float(json.loads(row)[0])


def processes() -> list[Process]:
    """Those that live. Raises redis.RedisError."""
    rows = sync_redis().hvals(processes_key())
    living = [json.loads(row) for row in rows if _age_ms(row) <= GONE_AFTER_MS]
    return [Process(kind, levels) for _at, kind, levels in living]


def totals() -> dict[str, float]:
    """Of all processes together, by field. Raises redis.RedisError."""
    fields: Mapping[Any, Any] = sync_redis().hgetall(totals_key())
    return {field.decode(): float(amount) for field, amount in fields.items()}
