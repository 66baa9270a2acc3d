"""Celery's tasks, each a few lines. Only numbers cross the broker, never a frame.

Drains are acknowledged when they start and store no result: one that is lost loses samples, not events.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress

from celery import shared_task
from django.core.management import call_command

from classroom import retention
from classroom.actions import expire_some
from classroom.errors import RefusedError
from classroom.models import ClassSession
from emotions import forgotten
from emotions.frames import slots
from emotions.meters import housekeeping
from emotions.reports import counting, rollups
from emotions.store import purging_key, sync_redis

log = logging.getLogger(__name__)

# A drain that waited longer than this on the broker has long been followed by another.
DRAIN_EXPIRES_SECONDS = 10
PURGES_A_ROUND = 4
PURGE_SECONDS = 2.0
PURGE_LEASE_SECONDS = 60


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
    housekeeping.note("close-minutes")


@shared_task(ignore_result=True)
def end_forgotten() -> None:
    """End the live sessions that nobody ends any more."""
    forgotten.end_forgotten()
    housekeeping.note("end-forgotten")


@shared_task(ignore_result=True)
def clear_sign_ins() -> None:
    """Delete sign-ins that ran out: nobody can use them any more."""
    call_command("clearsessions")
    housekeeping.note("clear-sign-ins")


@shared_task(ignore_result=True)
def purge_expired(goes_on: bool = False) -> None:
    """Delete of the sessions that were kept long enough what two seconds allow, and ask for the rest.

    Little at a time: frames get their turn. What is lost on the way is found again by the next that beat sends;
    while one row of rounds `goes_on`, that one leaves the work to it.
    """
    if not sync_redis().set(purging_key(), 1, nx=not goes_on, ex=PURGE_LEASE_SECONDS):
        return
    more = _purged_some()
    housekeeping.note("purge-expired")
    if more:
        purge_expired.apply_async((True,))
    else:
        sync_redis().delete(purging_key())


def _purged_some() -> bool:
    """Whether something went, and more is left. Where others delete all of these, they go on."""
    until, went = time.monotonic() + PURGE_SECONDS, False
    for session in retention.expired()[:PURGES_A_ROUND]:
        with suppress(RefusedError):  # somebody erased it meanwhile
            expire_some(session, until - time.monotonic())
            went = True
        if time.monotonic() >= until:
            break
    return went and retention.expired().exists()


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
