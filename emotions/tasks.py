"""Celery's tasks, each a few lines. Only numbers cross the broker, never a frame.

Drains are acknowledged when they start and store no result: one that is lost loses samples, not events.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from celery import shared_task

from classroom import retention
from classroom.actions import expire
from classroom.errors import RefusedError
from classroom.models import ClassSession
from emotions.frames import slots
from emotions.reports import counting, rollups
from emotions.store import sync_redis

log = logging.getLogger(__name__)

# A drain that waited longer than this on the broker has long been followed by another.
DRAIN_EXPIRES_SECONDS = 10
PURGES_A_ROUND = 4


@shared_task(ignore_result=True)
def analyse_pending(lane: int) -> None:
    """Drain one lane of the sessions."""
    from emotions.readings import draining

    if draining.drain(lane):
        send_drain(lane)


@shared_task(ignore_result=True)
def analyse_try() -> None:
    """Drain the try page's lane."""
    from emotions.readings import draining

    if draining.drain_try():
        send_drain(slots.TRY_LANE)


@shared_task(ignore_result=True)
def sweep_lanes() -> None:
    """Drains for the lanes whose drain was lost (its worker was killed, its message expired)."""
    for lane in slots.left_behind(sync_redis(), [*slots.lanes(), slots.TRY_LANE]):
        send_drain(lane)


@shared_task(ignore_result=True)
def close_minutes() -> None:
    """Write the rollups of the minutes that have closed."""
    rollups.close_minutes()


@shared_task(ignore_result=True)
def purge_expired() -> None:
    """Delete the sessions that were kept long enough, each with a record, and ask for the rest.

    Few at a time: frames get their turn. What is lost on the way is found again by the next that beat sends.
    """
    found = list(retention.expired()[: PURGES_A_ROUND + 1])
    deleted = sum([_deleted(session) for session in found[:PURGES_A_ROUND]])
    # Where somebody else deleted all of these, they go on; so there never are two such chains for long.
    if deleted and len(found) > PURGES_A_ROUND:
        purge_expired.apply_async()


def _deleted(session: ClassSession) -> bool:
    with suppress(RefusedError):  # somebody erased it meanwhile
        expire(session)
        return True
    return False


@shared_task(ignore_result=True)
def count_session(session_pk: int, done: int) -> None:
    """Count a session's next minutes again, after the first `done`, and ask for the rest: drains get their turn."""
    done_now = counting.step(session_pk, done)
    if done_now is not None:
        count_session.apply_async((session_pk, done_now))


def count_again(session: ClassSession) -> None:
    """Count all minutes of a session again, unless that is under way. Raises CountingError where nobody can."""
    if not counting.begin(session):
        return
    try:
        count_session.apply_async((session.pk, 0), retry=False)
    except count_session.OperationalError as error:
        counting.give_up(session)
        raise counting.CountingError from error


def send_drain(lane: int) -> None:
    """Ask for a drain. Where the broker can't be reached, the lane's lease goes, and the next frame asks again."""
    try:
        if lane == slots.TRY_LANE:
            analyse_try.apply_async(expires=DRAIN_EXPIRES_SECONDS, retry=False)
        else:
            analyse_pending.apply_async((lane,), expires=DRAIN_EXPIRES_SECONDS, retry=False)
    except analyse_pending.OperationalError as error:
        log.warning("no drain for lane %d: the broker does not answer (%s)", lane, error)
        slots.release(sync_redis(), lane)
