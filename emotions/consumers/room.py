"""A room camera's socket: as a student's, but opened by the session's owner, and guarded as their dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings

from emotions.consumers.admission import StudentAdmission, admit_room
from emotions.consumers.base import in_database
from emotions.consumers.camera import CameraConsumer
from emotions.consumers.gate import RoomGate
from emotions.consumers.guard import Guarded
from emotions.messages import CloseCode, FromRoom

INTERVAL_MS = 2_000
LONGEST_INTERVAL_MS = 5_000
"""However seldom students are read: a half minute needs its pictures (emotions.mood.rooms), for a mean of fewer would
show what one face changed."""


class RoomConsumer(Guarded, CameraConsumer):
    """/ws/room/<session>/. Pictures in; how many faces were counted out."""

    kind = "room"
    gate_class = RoomGate
    understood = FromRoom
    # It has a guard, which asks more often.
    in_roll_call = False

    async def enter(self) -> None:
        await super().enter()
        if self.seated and not self.closing:
            self.begin_guard(self._session_id())

    async def leave(self) -> None:
        self.end_guard()
        await super().leave()

    def admitted_again(self, cookies: Mapping[str, str], session_public_id: UUID) -> object:
        return admit_room(cookies, session_public_id)

    async def _admission(self) -> StudentAdmission | CloseCode:
        return await in_database(admit_room, self.scope["cookies"], self._session_id())

    def interval_ms(self) -> int:
        return min(LONGEST_INTERVAL_MS, max(INTERVAL_MS, int(settings.SAMPLE_INTERVAL_MS)))
