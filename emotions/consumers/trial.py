"""A visitor's socket of the try page: every face in the picture, nothing stored."""

from __future__ import annotations

import asyncio
import time
import uuid

from django.conf import settings

from emotions.consumers import visitors
from emotions.consumers.base import DOWN, TRY_AGAIN_LATER, Socket, log
from emotions.frames.frame import HEADER_BYTES, FrameHeader, SlotFrame, fault_of, largest_message
from emotions.frames.intake import Intake
from emotions.frames.limits import TokenBucket
from emotions.hub import Hub
from emotions.messages import CloseCode, FrameRejected, RejectReason
from emotions.store import async_redis

FRAMES_PER_SECOND, FRAMES_AT_ONCE = 2.0, 4.0
MESSAGES_PER_SECOND = 50.0
STILL_HERE_SECONDS = 20.0


class TryConsumer(Socket):
    """/ws/try/. For anybody, where the deployment opens it and lets frames leave a device; sessions come first."""

    kind = "try"
    connection: uuid.UUID
    entered = False

    async def enter(self) -> None:
        connection = uuid.uuid4()
        if not settings.TRY_PAGE_OPEN or settings.READING_PLACE == "device":
            await self.turn_away(CloseCode.NO_SUCH_SESSION)
        elif not await visitors.enter(async_redis(), connection):
            await self.turn_away(CloseCode.TOO_MANY)
        else:
            await self._begin(connection)

    async def _begin(self, connection: uuid.UUID) -> None:
        self.connection, self.entered = connection, True
        self.messages = TokenBucket(MESSAGES_PER_SECOND, burst=MESSAGES_PER_SECOND)
        self.frames = TokenBucket(FRAMES_PER_SECOND, FRAMES_AT_ONCE)
        self.last, self.said_here = -1, time.monotonic()
        self.going = asyncio.create_task(self._send_away_when_gone())
        await Hub.here().open(connection, self.tell_text)

    async def leave(self) -> None:
        if not self.entered:
            return
        self.going.cancel()
        Hub.here().close(self.connection)
        try:
            await visitors.leave(async_redis(), self.connection)
        except DOWN as error:
            log.warning("a visitor's end is not noted, it will expire: %s", error)

    async def text_received(self, text: str) -> None:
        await self.turn_away(CloseCode.MALFORMED)

    async def binary_received(self, data: bytes) -> None:
        if not self.messages.take(time.monotonic()):
            await self.turn_away(CloseCode.TOO_MANY)
        elif len(data) > largest_message():
            await self.turn_away(CloseCode.TOO_LARGE)
        else:
            await self._examine(data)

    async def _examine(self, data: bytes) -> None:
        try:
            header = FrameHeader.unpack(data)
        except ValueError:
            await self.tell(FrameRejected(sequence=None, reason="bad_header"))
            return
        jpeg = data[HEADER_BYTES:]
        reason = self._refusal(header, jpeg)
        if reason:
            await self.tell(FrameRejected(sequence=header.sequence, reason=reason))
            return
        if not await self._still_here():
            await self.turn_away(CloseCode.TOO_MANY)
            return
        now_ms = time.time() * 1000
        Intake.here().offer(SlotFrame(self.connection, 0, 0, header.sequence, 0, "none", now_ms, now_ms, jpeg))

    def _refusal(self, header: FrameHeader, jpeg: bytes) -> RejectReason | None:
        repeated, self.last = header.sequence <= self.last, max(header.sequence, self.last)
        if not self.frames.take(time.monotonic()):
            return "too_fast"
        return "repeated" if repeated else fault_of(jpeg)

    async def _still_here(self) -> bool:
        """Whether the visitor has a place yet, which is said now and then. A place that ran out is anybody's."""
        if time.monotonic() - self.said_here <= STILL_HERE_SECONDS:
            return True
        if not await visitors.enter(async_redis(), self.connection):
            return False
        self.said_here = time.monotonic()
        return True

    async def _send_away_when_gone(self) -> None:
        """A place without pictures runs out, and somebody else may have it: the socket goes with it. A page that
        wakes up, as after a laptop's sleep, comes back by itself."""
        while (left := self.said_here + visitors.GONE_AFTER_SECONDS - time.monotonic()) > 0:
            await asyncio.sleep(left)
        await self.turn_away(TRY_AGAIN_LATER)
