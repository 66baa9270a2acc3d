"""An instructor's socket: a snapshot, then what each second changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from classroom.models import ClassSession
from emotions.consumers.admission import admit_instructor
from emotions.consumers.base import DOWN, in_database, log
from emotions.consumers.guard import Guarded
from emotions.messages import CloseCode, MoodSnapshot, session_group
from emotions.mood import snapshots


class DashboardConsumer(Guarded):
    """/ws/dashboard/<session>/[?after=SEQUENCE]. Says nothing but what everybody with this session's page sees."""

    kind = "dashboard"
    group: str | None = None
    sequence = 0

    async def enter(self) -> None:
        after = _after(self.scope.get("query_string", b""))
        session_id = self.scope["url_route"]["kwargs"]["session_id"]
        admitted = await in_database(admit_instructor, self.scope["cookies"], session_id)
        if after is None:
            await self.turn_away(CloseCode.MALFORMED)
        elif isinstance(admitted, CloseCode):
            await self.turn_away(admitted)
        else:
            await self._watch(admitted, after)

    async def _watch(self, session: ClassSession, after: int) -> None:
        """The group first. Ticks that are published meanwhile wait in the channel until this handler is done; those
        that the snapshot includes are then passed over."""
        self.session = session
        self.group = session_group(session.pk)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self._tell_snapshot(after)
        if session.live:
            self.begin_guard(session.public_id)
        else:
            await self.turn_away(CloseCode.SESSION_ENDED)

    def admitted_again(self, cookies: Mapping[str, str], session_public_id: UUID) -> object:
        """Also tells a dashboard of the end that did not hear of it."""
        again = admit_instructor(cookies, session_public_id)
        return again if isinstance(again, CloseCode) or again.live else CloseCode.SESSION_ENDED

    async def _tell_snapshot(self, after: int) -> None:
        """And the session as it is: who was cut off has heard of no new code and no lock."""
        snapshot: MoodSnapshot = await in_database(snapshots.build, self.session, after)
        self.sequence = snapshot.sequence
        await self.tell(snapshot)
        await self.tell(await in_database(snapshots.session_now, self.session))

    async def leave(self) -> None:
        self.end_guard()
        if self.group is None:
            return
        try:
            await self.channel_layer.group_discard(self.group, self.channel_name)
        except DOWN as error:
            log.warning("a dashboard's end is not noted: %s", error)

    # -- From the browser: nothing

    async def text_received(self, text: str) -> None:
        await self.turn_away(CloseCode.MALFORMED)

    async def binary_received(self, data: bytes) -> None:
        await self.turn_away(CloseCode.MALFORMED)

    # -- From emotions.publish

    async def mood_tick(self, event: dict[str, Any]) -> None:
        """A tick that was lost on the way (Redis restarted) would leave tiles wrong for ever: begin anew then."""
        if event["sequence"] <= self.sequence:
            return
        if event["sequence"] > self.sequence + 1:
            await self._resume()
            return
        self.sequence = event["sequence"]
        await self.tell_text(event["text"])

    async def _resume(self) -> None:
        try:
            await self._tell_snapshot(self.sequence)
        except DOWN as error:
            log.warning("no snapshot now, the next tick tries again: %s", error)

    async def tiles_gone(self, event: dict[str, Any]) -> None:
        await self.tell_text(event["text"])

    async def session_changed(self, event: dict[str, Any]) -> None:
        await self.tell_text(event["text"])

    async def markers_changed(self, event: dict[str, Any]) -> None:
        await self.tell_text(event["text"])


def _after(query: bytes) -> int | None:
    """The sequence that a dashboard has already; 0 without one, None for what is no such number."""
    text = parse_qs(query.decode("latin-1")).get("after", ["0"])[-1]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
