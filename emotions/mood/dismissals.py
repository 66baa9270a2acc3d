"""Whom the teacher has waved off the list of those who may need them: a hash per session in Redis.

Lost with Redis, a name comes back once too often; nothing else depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from emotions import other_versions
from emotions.store import dismissed_key, sync_redis

DISMISSED_SECONDS = 12 * 60 * 60
"""A school day, as a participant's cookie."""


def dismiss(session_pk: int, participant_pk: int) -> None:
    """Every reason of up to now is seen. Raises redis.RedisError."""
    with sync_redis().pipeline(transaction=True) as pipe:
        pipe.hset(dismissed_key(session_pk), str(participant_pk), str(int(time.time() * 1000)))
        pipe.expire(dismissed_key(session_pk), DISMISSED_SECONDS)
        pipe.execute()


def parse(rows: Mapping[Any, Any]) -> dict[int, float]:
    """A session's hash as HGETALL gives it: when each was dismissed, by participant."""
    return other_versions.readable(rows, float, "dismissals")
