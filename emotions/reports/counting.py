"""Counting a session's minutes again, a few at a time, with progress that the report shows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError

from classroom.errors import RefusedError
from classroom.models import ClassSession
from emotions.reports import rollups
from emotions.store import counting_key, sync_redis

# Minutes a step: under a second for 500 students, so that frames don't wait behind it.
STEP = 10
LEASE_SECONDS = 60


class CountingError(RefusedError):
    """Neither Redis nor the broker can be asked."""

    status = 503
    message = "The readings can't be counted just now. Nothing is lost: try again in a minute."


def begin(session: ClassSession) -> bool:
    """Take the lease. False where the counting is under way. Raises CountingError."""
    state = json.dumps({"done": 0, "total": _total(session)})
    try:
        return bool(sync_redis().set(counting_key(session.pk), state, nx=True, ex=LEASE_SECONDS))
    except (RedisError, OSError) as error:
        raise CountingError from error


def give_up(session: ClassSession) -> None:
    """Let the lease go."""
    sync_redis().delete(counting_key(session.pk))


def step(session_pk: int, done: int) -> int | None:
    """Count the STEP minutes after the first `done`. Idempotent.

    Returns how many are done then; None after the last, or where the session is gone.
    """
    session = ClassSession.objects.filter(pk=session_pk).first()
    done_now = _count(session, done) if session else None
    if session is None or done_now is None:
        sync_redis().delete(counting_key(session_pk))
        return None
    state = json.dumps({"done": done_now, "total": _total(session)})
    sync_redis().set(counting_key(session_pk), state, ex=LEASE_SECONDS)
    return done_now


def _count(session: ClassSession, done: int) -> int | None:
    since, end = rollups.bounds(session)
    begin_at = since + timedelta(minutes=done)
    until = min(end, begin_at + timedelta(minutes=STEP))
    rollups.recount(session.pk, begin_at, until)
    return done + STEP if until < end else None


def _total(session: ClassSession) -> int:
    since, until = rollups.bounds(session)
    return int((until - since).total_seconds() // 60)


def progress(session: ClassSession) -> dict[str, Any]:
    """Whether it is under way (`counting`), how many minutes are `done` of the `total`, and how many are `missing`.

    Raises CountingError.
    """
    try:
        state = sync_redis().get(counting_key(session.pk))
    except (RedisError, OSError) as error:
        raise CountingError from error
    known = json.loads(state) if state else {"done": 0, "total": _total(session)}
    return {"counting": state is not None, "missing": rollups.missing_minutes(session), **known}
