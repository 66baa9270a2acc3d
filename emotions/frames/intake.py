"""From a process's sockets to Redis: frames of all students gathered for a moment, written in one round trip."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from redis.exceptions import RedisError

from emotions import tasks
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.hub import Hub
from emotions.meters import counts
from emotions.per_loop import OncePerLoop
from emotions.publish import Answer
from emotions.readings import answers
from emotions.store import async_redis

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.02
BATCH = 128
# Some ten seconds of a full process. Beyond, Redis has stopped keeping up: frames are refused, not heaped up.
WAITING_LIMIT = 2_000

# The broker's client is synchronous: it must not hold up the event loop.
_dispatchers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="send-drain")


class Intake(OncePerLoop):
    """Frames that passed the checks, on their way to their slots."""

    def __init__(self) -> None:
        self._hub = Hub.here()
        self._waiting: list[SlotFrame] = []
        self._writer: asyncio.Task[None] | None = None
        self._putting = asyncio.Lock()

    def offer(self, frame: SlotFrame) -> None:
        """Take a frame that passed the checks. Its answer comes through the hub."""
        if len(self._waiting) >= WAITING_LIMIT:
            self._refuse(frame)
            return
        self._waiting.append(frame)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def forget(self, participant: int) -> None:
        """Nothing of this participant's that came before this call is in Redis afterwards, or comes there.

        Raises redis.RedisError or OSError when Redis does not answer.
        """
        self._waiting = [frame for frame in self._waiting if frame.participant != participant]
        async with self._putting:
            await async_redis().delete(slots.slot_key(participant))

    async def _write(self) -> None:
        """One writer at a time, so that frames reach their slots in the order in which they came."""
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_SECONDS)
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                async with self._putting:
                    await self._put(batch)
        finally:
            self._writer = None

    async def _put(self, batch: list[SlotFrame]) -> None:
        """Where the frames can't be put, whatever the reason, each is answered."""
        try:
            outcome = await slots.put(async_redis(), batch)
        except Exception as error:
            if isinstance(error, (RedisError, OSError)):
                log.warning("%d frames are refused, Redis does not answer: %s", len(batch), error)
            else:
                log.exception("%d frames are refused", len(batch))
            for frame in batch:
                self._refuse(frame)
            return
        counts.REPLACED.add(amount=sum(frame.participant != 0 for frame in outcome.replaced))
        for frame in outcome.replaced:
            self._tell(answers.replaced(frame))
        for lane in outcome.wake:
            asyncio.get_running_loop().run_in_executor(_dispatchers, _send_drain, lane)

    def _refuse(self, frame: SlotFrame) -> None:
        if frame.participant:
            counts.REJECTED.add("busy")
        self._tell(answers.rejected(frame, "busy"))

    def _tell(self, answer: Answer) -> None:
        self._hub.deliver(answer.connection, answer.text)


def _send_drain(lane: int) -> None:
    """In a thread. Whatever goes wrong, the frame is in its slot and the sweep finds it."""
    try:
        tasks.send_drain(lane)
    except (RedisError, OSError) as error:
        log.warning("no drain for lane %d: %s", lane, error)
