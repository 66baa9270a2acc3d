"""Student sockets, asked about again. What changes comes to them as messages, and a message may be lost: while Redis
restarts, say. Without this, whoever was sent out then, or whose class had ended, would go on sending pictures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.conf import settings

from classroom import rooms
from classroom.models import ClassSession, Participant
from emotions.consumers.base import DOWN, in_database
from emotions.mood.presence import Seat
from emotions.per_loop import OncePerLoop

log = logging.getLogger(__name__)

ASKED_AGAIN_SECONDS = 15.0
ANSWER_SECONDS = 10.0
"""For a single socket."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a student who may be here: the consent in force, and whether a camera of the room is declared."""

    consent_epoch: int
    scope: str
    room: bool


class Called(Protocol):
    """A student's socket."""

    seat: Seat

    @property
    def standing(self) -> Standing:
        """As the socket knows it."""

    async def ask_again(self) -> None:
        """Bring the socket to what stands in the database."""


class RollCall(OncePerLoop):
    """One query for all student sockets of a process, every ASKED_AGAIN_SECONDS."""

    def __init__(self) -> None:
        self._sockets: dict[UUID, Called] = {}
        self._task: asyncio.Task[None] | None = None

    def open(self, socket: Called) -> None:
        self._sockets[socket.seat.connection] = socket
        if self._task is None:
            self._task = asyncio.create_task(self._call())

    def close(self, socket: Called) -> None:
        self._sockets.pop(socket.seat.connection, None)

    async def stop(self) -> None:
        """End the task (tests; a process just exits)."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _call(self) -> None:
        """For ever, whatever goes wrong in one round."""
        while True:
            await asyncio.sleep(ASKED_AGAIN_SECONDS)
            try:
                await self._once(list(self._sockets.values()))
            except DOWN as error:
                log.warning("who may be here is not asked now: %s", error)
            except Exception:
                log.exception("who may be here could not be asked")

    async def _once(self, sockets: Collection[Called]) -> None:
        known = await in_database(standings, {socket.seat.participant for socket in sockets}) if sockets else {}
        different = [socket for socket in sockets if known.get(socket.seat.participant) != socket.standing]
        await asyncio.gather(*map(_asked, different))


async def _asked(socket: Called) -> None:
    """One socket that fails, or whose browser takes nothing in, holds up no other."""
    try:
        await asyncio.wait_for(socket.ask_again(), ANSWER_SECONDS)
    except DOWN as error:
        log.debug("a socket could not be asked again: %s", error)
    except Exception:
        log.exception("a socket could not be asked again")


def standings(participant_pks: Collection[int]) -> dict[int, Standing]:
    """Of those of them who may be here. One query, and where rooms may have cameras some for each class."""
    live = Participant.objects.present().filter(pk__in=participant_pks, session__ended_at__isnull=True)
    rows = list(live.values_list("pk", "session_id", "consent_epoch", "scope"))
    seen = _with_room_cameras({session for _pk, session, _epoch, _scope in rows})
    return {pk: Standing(epoch, scope, session in seen) for pk, session, epoch, scope in rows}


def _with_room_cameras(session_pks: Collection[int]) -> set[int]:
    if not settings.ROOM_CAMERAS:
        return set()
    return {session.pk for session in ClassSession.objects.filter(pk__in=session_pks) if rooms.declared(session)}
