"""Whether the web process answers, and whether the worker still reads frames."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import redis

from classroom.local.certificate import Certificate

CHECK_EVERY_SECONDS = 5.0
# Frames live for five seconds and are read within one: this long without a reader is a hang, not a load.
STALLED_SECONDS = 20.0
# A worker that was just restarted needs so long to begin.
GRACE_SECONDS = 30.0


def probe(base_url: str, certificate: Certificate | None) -> Callable[[], bool]:
    """A function that says whether /healthz answers 200 now."""
    context = ssl.create_default_context(cafile=str(certificate.certificate)) if certificate else None
    # Without proxies: a school's proxy knows nothing of this machine's own addresses.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )

    def answers() -> bool:
        try:
            # The address is our own, http or https on this machine.
            with opener.open(f"{base_url}/healthz", timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return answers


class DrainWatch:
    """Whether frames wait and nobody reads them (docs/redis-keys.md: `ready`, `drained`). Does not need Django."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._redis = redis.Redis.from_url(environment["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
        self._prefix = environment.get("ROOMTONE_REDIS_PREFIX") or "roomtone"
        self._shards = int(environment.get("ROOMTONE_FRAME_SHARDS") or 4)
        self._next = 0.0

    def due_and_stalled(self, now: float) -> bool:
        """`stalled`, asked every few seconds (`now`: monotonic seconds); after a yes the restart gets its time."""
        if now < self._next:
            return False
        stalled = self.stalled()
        self._next = now + (GRACE_SECONDS if stalled else CHECK_EVERY_SECONDS)
        return stalled

    def stalled(self) -> bool:
        """Whether a frame has waited for STALLED_SECONDS while no worker took any. A silent Redis is no answer."""
        try:
            oldest, drained = self._oldest_waiting_ms(), self._drained_ms()
        except redis.RedisError:
            return False
        limit = (time.time() - STALLED_SECONDS) * 1000
        return oldest is not None and max(oldest, drained) < limit

    def close(self) -> None:
        self._redis.close()

    def _oldest_waiting_ms(self) -> float | None:
        """When the frame arrived that waits longest (Unix ms); None when none waits."""
        with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(self._shards):
                pipe.zrange(f"{self._prefix}:ready:{shard}", 0, 0, withscores=True)
            return min((rows[0][1] for rows in pipe.execute() if rows), default=None)

    def _drained_ms(self) -> float:
        return float(self._redis.get(f"{self._prefix}:drained") or 0)
