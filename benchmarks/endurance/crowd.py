"""Synthetic students who note every frame that they send and every reading that they are told of."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

from benchmarks.load import CONNECT_PER_SECOND
from emotions.simulation.joining import Ticket
from emotions.simulation.pictures import PictureBank
from emotions.simulation.student import Diary, Schedule, ShufflingCamera, Student
from emotions.simulation.tally import Tally


@dataclass(slots=True)
class Notes(Diary):
    """One student's. Times are monotonic seconds; `told`: sequence -> (label, when); only readings of a face."""

    clock_error: float = 0.0
    connections: list[float] = field(default_factory=list)
    frames: dict[int, float] = field(default_factory=dict)
    told: dict[int, tuple[str, float]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)

    def connected(self) -> None:
        self.connections.append(time.monotonic())

    def sent(self, sequence: int) -> None:
        self.frames[sequence] = time.monotonic()

    def heard(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "reading.own" and message["label"] is not None:
            self.told[message["sequence"]] = message["label"], time.monotonic()
        elif message["type"] == "frame.rejected":
            self.refused[message["reason"]] += 1

    def delays(self, since: float, until: float) -> list[float]:
        """Seconds from sending to the reading, of the frames that were sent between two moments."""
        frames = self.frames
        return [at - frames[seq] for seq, (_label, at) in list(self.told.items()) if since <= frames[seq] < until]

    def told_of_a_frame_sent_after(self, moment: float) -> float | None:
        """When the first such reading came; None while none has."""
        times = [at for sequence, (_label, at) in list(self.told.items()) if self.frames.get(sequence, 0) > moment]
        return min(times, default=None)


class Crowd:
    """The students in a thread of their own, one frame a second each, until the `with` block ends.

    `tickets`: name, session, cookie of each student, who has joined and consented.
    """

    def __init__(self, url: str, tickets: list[tuple[str, str, str]], bank: PictureBank) -> None:
        self._url, self._tickets, self._bank = url, tickets, bank
        self.notes = [Notes() for _ in tickets]
        self.tally = Tally()
        self._running = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._everybody()), daemon=True)

    def __enter__(self) -> Crowd:
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)

    async def _everybody(self) -> None:
        """Until the block ends; what still runs then is cancelled with the loop."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        start = time.monotonic() + len(self._tickets) / CONNECT_PER_SECOND
        streams = [asyncio.create_task(self._stream(number, start)) for number in range(len(self._tickets))]
        self._running.set()
        await self._stop.wait()
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)

    async def _stream(self, number: int, start: float) -> None:
        await asyncio.sleep(number / CONNECT_PER_SECOND)
        camera = ShufflingCamera(self._bank.all, np.random.default_rng(number))
        schedule = Schedule(start, number / len(self._tickets), 1.0, 0.0)
        ticket = Ticket(*self._tickets[number])
        await Student(self._url, ticket, camera, schedule, self.tally, self.notes[number]).run(None)
