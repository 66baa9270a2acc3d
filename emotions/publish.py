"""The only door for live messages between processes: to the groups of sockets, and each student's own results. What a
process answers its own sockets goes by way of `emotions.hub`.

From everywhere by a plain Redis client, in the channel layer's own format: a layer of the event loop can't be used
from a worker, a view's thread or the ticker, and a hundred messages here cost one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from channels_redis.serializers import registry
from django.conf import settings

from emotions import messages
from emotions.messages import (
    HandChanged,
    MarkersChanged,
    MoodTick,
    OwnAttention,
    RoomChanged,
    SessionChanged,
    TilesGone,
)
from emotions.store import own_channel

# What can publish: `publish` on a pipeline only queues.
Publisher = redis.Redis


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished message (JSON) for one socket."""

    connection: UUID
    text: str


def own_readings(publisher: Publisher, answers: Iterable[Answer]) -> None:
    """All answers of a batch in one message; each web process hands on what is for its sockets."""
    payload = [[answer.connection.hex, answer.text] for answer in answers]
    if payload:
        publisher.publish(own_channel(), json.dumps(payload))


def mood_tick(publisher: Publisher, session_pk: int, tick: MoodTick) -> None:
    """To every dashboard of the session."""
    event = {"type": "mood.tick", "sequence": tick.point.sequence, "text": tick.to_json()}
    _to_group(publisher, messages.session_group(session_pk), event)


def tiles_gone(publisher: Publisher, session_pk: int, told: TilesGone) -> None:
    """To every dashboard of the session."""
    _to_group(publisher, messages.session_group(session_pk), {"type": "tiles.gone", "text": told.to_json()})


def session_changed(publisher: Publisher, session_pk: int, changed: SessionChanged) -> None:
    """To every dashboard of the session."""
    _to_group(publisher, messages.session_group(session_pk), {"type": "session.changed", "text": changed.to_json()})


def markers_changed(publisher: Publisher, session_pk: int, changed: MarkersChanged) -> None:
    """To every dashboard of the session."""
    _to_group(publisher, messages.session_group(session_pk), {"type": "markers.changed", "text": changed.to_json()})


def room_changed(publisher: Publisher, session_pk: int, changed: RoomChanged) -> None:
    """To every student's socket of the session: a camera sees the room, or no more."""
    _to_group(publisher, messages.students_group(session_pk), {"type": "room.changed", "text": changed.to_json()})


def session_ended(publisher: Publisher, session_pk: int) -> None:
    """To every student's socket of the session, which closes."""
    _to_group(publisher, messages.students_group(session_pk), {"type": "session.ended"})


def consent_changed(publisher: Publisher, participant_pk: int, epoch: int, scope: str) -> None:
    """To the participant's socket: another epoch counts from now."""
    event = {"type": "consent.changed", "consent_epoch": epoch, "scope": scope}
    _to_group(publisher, messages.participant_group(participant_pk), event)


def hand_changed(publisher: Publisher, participant_pk: int, changed: HandChanged) -> None:
    """To the participant's socket: their hand is up or down."""
    event = {"type": "hand.changed", "text": changed.to_json()}
    _to_group(publisher, messages.participant_group(participant_pk), event)


def own_attention(publisher: Publisher, participant_pk: int, told: OwnAttention) -> None:
    """To the participant's socket: what the teacher's page says of them."""
    event = {"type": "attention.own", "text": told.to_json()}
    _to_group(publisher, messages.participant_group(participant_pk), event)


def turned_out(publisher: Publisher, participant_pk: int, code: messages.CloseCode) -> None:
    """To the participant's socket, which closes with `code`: left, removed, erased."""
    _to_group(publisher, messages.participant_group(participant_pk), {"type": "turned.out", "code": int(code)})


async def taken_over(client: redis.asyncio.Redis, participant_pk: int, connection: UUID, since: float) -> None:
    """To the participant's sockets: all but the newest close. `since`: when the newcomer came, Unix seconds."""
    event = {"type": "taken.over", "connection": connection.hex, "since": since}
    await client.publish(_channel(messages.participant_group(participant_pk)), _serialise(event))


def _to_group(publisher: Publisher, group: str, event: dict[str, Any]) -> None:
    publisher.publish(_channel(group), _serialise(event))


def _channel(group: str) -> str:
    """As channels_redis.pubsub names it under the settings' prefix (a test holds the two together)."""
    return f"{settings.REDIS_PREFIX}:layer__group__{group}"


def _serialise(event: dict[str, Any]) -> bytes:
    return bytes(_serializer().serialize(event))


@lru_cache(maxsize=1)
def _serializer() -> Any:
    return registry.get_serializer("msgpack")
