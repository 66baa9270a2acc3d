"""Whether the web process answers, and whether the worker still reads frames."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import redis

from classroom.local.certificate import Certificate

CHECK_EVERY_SECONDS = 5.0
# beat asks the worker for a sign of life every few seconds; this many without one is a hang.
STALLED_SECONDS = 60.0


def probe(base_url: str, certificate: Certificate | None) -> Callable[[], bool]:
    """A function that says whether /healthz answers 200 now."""
    context = ssl.create_default_context(cafile=str(certificate.certificate)) if certificate else None

    def answers() -> bool:
        try:
            # The address is our own, http or https on localhost.
            with urllib.request.urlopen(f"{base_url}/healthz", timeout=5, context=context) as reply:  # noqa: S310  # nosec B310
                return bool(reply.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return answers


class DrainWatch:
    """Watches the sign of life that the worker leaves with its work ({prefix}:drained, Unix seconds)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._redis = redis.Redis.from_url(environment["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
        self._key = f"{environment.get('ROOMTONE_REDIS_PREFIX') or 'roomtone'}:drained"
        self._next = 0.0
        self._seen: bytes | None = None
        self._changed = 0.0

    def stalled(self, now: float) -> bool:
        """Whether the sign has stood still for too long (`now`: monotonic seconds); True once per stand-still.

        No sign at all says nothing: the worker may not have begun.
        """
        if now < self._next:
            return False
        self._next = now + CHECK_EVERY_SECONDS
        sign = self._sign()
        if sign is None or sign != self._seen:
            self._seen, self._changed = sign, now
        elif now - self._changed > STALLED_SECONDS:
            self._changed = now
            return True
        return False

    def _sign(self) -> bytes | None:
        try:
            sign: bytes | None = self._redis.get(self._key)
        except redis.RedisError:
            # Valkey itself is down: that is not the worker's fault, and the supervisor brings it back.
            return b"no answer"
        return sign
