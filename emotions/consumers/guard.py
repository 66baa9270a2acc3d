"""Sockets of instructors, asked about again and again: their owner may sign out, or the course go to another. As
often they hear that the line lives: of an empty room there is no other news."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from uuid import UUID

from emotions.consumers.base import DOWN, Socket, in_database
from emotions.messages import CloseCode, StillHere

log = logging.getLogger(__name__)

ASKED_AGAIN_SECONDS = 5.0


class Guarded(Socket):
    """Closes when whoever opened it may no longer have it."""

    guard: asyncio.Task[None] | None = None

    def admitted_again(self, cookies: Mapping[str, str], session_public_id: UUID) -> object:
        """Asks the database, by the browser's sign-in. A CloseCode closes the socket."""
        raise NotImplementedError

    def begin_guard(self, session_public_id: UUID) -> None:
        self.guard = asyncio.create_task(self._guarded(session_public_id))

    def end_guard(self) -> None:
        if self.guard is not None:
            self.guard.cancel()

    async def _guarded(self, session_public_id: UUID) -> None:
        """As long as the socket is open, whatever goes wrong in one round."""
        while not self.closing:
            await asyncio.sleep(ASKED_AGAIN_SECONDS)
            try:
                await self._once(session_public_id)
            except DOWN as error:
                log.warning("who watches is not asked now, and nothing can be shown either: %s", error)
            except Exception:
                log.exception("who watches could not be asked")

    async def _once(self, session_public_id: UUID) -> None:
        # Before the question: a database that is slow or away is no dead line.
        await self.tell(StillHere(now_ms=time.time() * 1000))
        again = await in_database(self.admitted_again, self.scope["cookies"], session_public_id)
        if isinstance(again, CloseCode):
            await self.turn_away(again)
