"""What a change in the classroom means for readings: in the same transaction what belongs to the database, after the
commit what belongs to Redis and the sockets.

Redis may be away then. The change stands all the same: the database refuses what the sockets would still let in, the
ticker reads consent from the database, and slots and live readings expire by themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import redis
from django.db import transaction
from django.dispatch import receiver
from redis.exceptions import RedisError

from classroom import signals
from classroom.actions import hand_up_ms
from classroom.models import ClassSession, Participant
from emotions import actions, publish
from emotions.frames import slots
from emotions.messages import CloseCode, HandChanged, MarkersChanged, RoomChanged, TilesGone
from emotions.readings import live
from emotions.reports import rollups, selectors
from emotions.store import presence_key, sync_redis

log = logging.getLogger(__name__)


@receiver(signals.consent_changed)
def consent_changed(participant: Participant, **_: Any) -> None:
    """What was taken under the earlier consent goes; the socket learns the new one, or closes if there is none."""
    epoch, scope = participant.consent_epoch, participant.scope

    def tell(pipe: redis.client.Pipeline) -> None:
        _drop(pipe, participant, there=scope != Participant.Scope.NONE)
        publish.consent_changed(pipe, participant.pk, epoch, scope)

    _after_commit(tell)


@receiver(signals.participant_left)
def participant_left(participant: Participant, **_: Any) -> None:
    _turn_out(participant, CloseCode.WITHDRAWN)


@receiver(signals.participant_removed)
def participant_removed(participant: Participant, **_: Any) -> None:
    _turn_out(participant, CloseCode.REMOVED)


@receiver(signals.participant_erased)
def participant_erased(participant: Participant, **_: Any) -> dict[str, int]:
    rollups.hold(participant.session_id)
    gone = actions.forget_participant(participant.session_id, participant.pk)
    _turn_out(participant, CloseCode.WITHDRAWN)
    return gone


@receiver(signals.minutes_erased)
def minutes_erased(participant: Participant, since: datetime, **_: Any) -> dict[str, int]:
    """The minute in which `since` lies is counted anew; what of that time is in Redis goes, as with a new consent."""
    rollups.hold(participant.session_id)
    gone = actions.forget_since(participant.session_id, participant.pk, since)
    gone |= {"MinuteRollup": rollups.recount_participant(participant.session_id, participant.pk, since)}
    consent_changed(participant)
    return gone


@receiver(signals.hand_changed)
def hand_changed(participant: Participant, **_: Any) -> None:
    """To the student's own page, also where the teacher lowered it. Dashboards learn it with the next tick."""
    changed, pk = HandChanged(for_ms=hand_up_ms(participant)), participant.pk
    _after_commit(lambda pipe: publish.hand_changed(pipe, pk, changed))


@receiver(signals.session_changed)
def session_changed(session: ClassSession, **_: Any) -> None:
    changed = selectors.as_changed(session)
    _after_commit(lambda pipe: publish.session_changed(pipe, session.pk, changed))


@receiver(signals.markers_changed)
def markers_changed(session: ClassSession, **_: Any) -> None:
    """All of them, as they are after the commit: a dashboard that missed one change is right after the next."""

    def tell(pipe: redis.client.Pipeline) -> None:
        placed = selectors.placed_markers(session)
        publish.markers_changed(pipe, session.pk, MarkersChanged(markers=placed))

    _after_commit(tell)


@receiver(signals.session_ended)
def session_ended(session: ClassSession, **_: Any) -> None:
    """Sockets close, dashboards learn it, and the last minutes are counted, so that the report is whole at once."""
    changed, pk = selectors.as_changed(session), session.pk

    def tell(pipe: redis.client.Pipeline) -> None:
        publish.session_ended(pipe, pk)
        publish.session_changed(pipe, pk, changed)

    _after_commit(tell)
    transaction.on_commit(lambda: _count(pk), robust=True)


@receiver(signals.session_purged)
def session_purged(session: ClassSession, **_: Any) -> dict[str, int]:
    return actions.forget_session(session.pk)


def _turn_out(participant: Participant, code: CloseCode) -> None:
    session_pk, participant_pk = participant.session_id, participant.pk

    def tell(pipe: redis.client.Pipeline) -> None:
        _drop(pipe, participant)
        pipe.hdel(presence_key(session_pk), str(participant_pk))
        publish.turned_out(pipe, participant_pk, code)

    _after_commit(tell)


def _drop(pipe: redis.client.Pipeline, participant: Participant, *, there: bool = False) -> None:
    """The frame that waits, the last reading, and the tile: not only with the ticker's next second. Of a room's
    camera students hear whether it is `there`."""
    if participant.kind == Participant.Kind.ROOM:
        publish.room_changed(pipe, participant.session_id, RoomChanged(room=there))
    slots.empty(pipe, participant.pk)
    live.forget(pipe, participant.session_id, [participant.pk])
    publish.tiles_gone(pipe, participant.session_id, TilesGone(gone=[participant.public_id]))


def _count(session_pk: int) -> None:
    rollups.close_session(session_pk)


def _after_commit(tell: Callable[[redis.client.Pipeline], None]) -> None:
    """`tell` queues its commands on a pipeline; one round trip, one transaction."""

    def send() -> None:
        try:
            with sync_redis().pipeline(transaction=True) as pipe:
                tell(pipe)
                pipe.execute()
        except (RedisError, OSError) as error:
            log.warning("a change is stored, but sockets were not told: %s", error)

    transaction.on_commit(send, robust=True)
