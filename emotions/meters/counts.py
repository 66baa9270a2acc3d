"""What a process counts while it works: plain numbers in dictionaries, so that a count costs a fraction of a
microsecond. `emotions.meters.sending` takes the growth to Redis now and then; nothing here does I/O.

Each meter is written from one thread of its process (the event loop, or the worker's only one); where a web process
stores readings of devices two threads do it, and a count may be lost now and then. Frames and readings
are those of sessions; batches, waits and sockets include the try page's.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

METERS: dict[str, Counter | Histogram] = {}
"""By name, in the order in which the page shows them."""


class Counter:
    """Only grows. With a `label`, one number for each of its values."""

    def __init__(self, name: str, words: str, label: str = "") -> None:
        self.name, self.words, self.label = name, words, label
        self._values: defaultdict[str, float] = defaultdict(float)
        METERS[name] = self

    def add(self, value: str = "", amount: float = 1) -> None:
        """`value`: of the label."""
        self._values[value] += amount

    def fields(self) -> Iterator[tuple[str, float]]:
        """As they are named in Redis."""
        return ((f"{self.name}|{value}", amount) for value, amount in list(self._values.items()))


class Histogram:
    """How often a measure fell under each of `bounds`, and the sum of all."""

    def __init__(self, name: str, words: str, bounds: Sequence[float], label: str = "") -> None:
        self.name, self.words, self.label, self.bounds = name, words, label, tuple(bounds)
        self._rows: defaultdict[str, list[float]] = defaultdict(lambda: [0] * (len(self.bounds) + 2))
        METERS[name] = self

    def observe(self, measure: float, value: str = "") -> None:
        """`value`: of the label."""
        row = self._rows[value]
        row[bisect_left(self.bounds, measure)] += 1
        row[-1] += measure

    @contextmanager
    def timed(self, value: str = "") -> Iterator[None]:
        """Observe how long the block takes, in seconds, however it ends."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - begun, value)

    def fields(self) -> Iterator[tuple[str, float]]:
        """As they are named in Redis: by the bucket's place, and the sum."""
        for value, row in list(self._rows.items()):
            yield from ((f"{self.name}|{value}|{place}", count) for place, count in enumerate(row[:-1]) if count)
            yield f"{self.name}|{value}|sum", row[-1]


class Level:
    """How many there are now, by kind. Belongs to the process: it goes with it."""

    def __init__(self, name: str, words: str, label: str) -> None:
        self.name, self.words, self.label = name, words, label
        self._values: defaultdict[str, int] = defaultdict(int)

    @contextmanager
    def one_more(self, value: str) -> Iterator[None]:
        """For as long as the block runs."""
        self._values[value] += 1
        try:
            yield
        finally:
            self._values[value] -= 1

    def now(self) -> dict[str, int]:
        return dict(self._values)


def totals() -> dict[str, float]:
    """Every field of this process, as it stands."""
    meters: Iterable[Counter | Histogram] = METERS.values()
    return {field: amount for meter in meters for field, amount in meter.fields()}


_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

RECEIVED = Counter("roomtone_frames_received", "Frames that came in on students' sockets")
READINGS = Counter("roomtone_device_readings_received", "Readings that came in from students' own devices")
REJECTED = Counter("roomtone_frames_rejected", "Frames that were refused, by why", "reason")
REPLACED = Counter("roomtone_frames_replaced", "Frames that a newer one of the same student took the place of")
ANALYSED = Counter("roomtone_frames_analysed", "Frames that were answered with a reading, or with no face", "outcome")
STORED = Counter("roomtone_events_stored", "Readings that were stored")
BATCH = Histogram("roomtone_batch_frames", "Frames in a batch", (1, 2, 4, 8, 16, 32, 48, 64, 128))
STAGE = Histogram("roomtone_stage_seconds", "Time that a batch spends in a stage of the worker", _SECONDS, "stage")
SLOT_WAIT = Histogram("roomtone_slot_wait_seconds", "From a frame's arrival to its being taken", _SECONDS)
ANSWERED = Histogram("roomtone_capture_to_answer_seconds", "From capture to the answer's sending", _SECONDS)
TICK = Histogram("roomtone_tick_seconds", "Time that one second's work of the ticker takes", _SECONDS)
TICKS_FAILED = Counter("roomtone_ticks_failed", "Seconds without mood points because a part was down")
CLASSES_FAILED = Counter("roomtone_classes_failed", "Seconds of one class without a mood point, by a fault of ours")
POINTS = Counter("roomtone_mood_points_stored", "Mood points that were stored, of all sessions")
CLOSED = Counter("roomtone_sockets_closed", "Sockets that the server closed, by close code", "code")
OPEN = Level("roomtone_connections", "Open sockets, by kind", "kind")
