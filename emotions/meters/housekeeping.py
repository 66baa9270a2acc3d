"""When housekeeping was done last. That deletion has stopped would be seen by nobody: no page stands still then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from emotions.store import housekeeping_key, sync_redis

KEPT_SECONDS = 7 * 24 * 3600


def note(task: str) -> None:
    """It has just ended well. Raises redis.RedisError."""
    with sync_redis().pipeline(transaction=True) as pipe:
        pipe.hset(housekeeping_key(), task, int(time.time()))
        pipe.expire(housekeeping_key(), KEPT_SECONDS)
        pipe.execute()


def ages() -> dict[str, float]:
    """Seconds since each task ended well; none for one that did not since Redis began. Raises redis.RedisError."""
    now = time.time()
    done: Mapping[Any, Any] = sync_redis().hgetall(housekeeping_key())
    return {task.decode(): max(0.0, now - float(at)) for task, at in done.items()}
