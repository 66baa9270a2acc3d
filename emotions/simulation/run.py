"""A whole run: pictures, joining, streaming, the summary."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from emotions.simulation.joining import Joiner, Ticket, join_class
from emotions.simulation.moods import DriftingMood, SteadyMood, shown_by
from emotions.simulation.pictures import PictureBank, labelled_bank, synthetic_bank
from emotions.simulation.student import Camera, DeviceStudent, MoodyCamera, Schedule, ShufflingCamera, Student
from emotions.simulation.tally import Tally

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What `simulate` was asked for. `url`: ws:// or wss://, host and port; `faces`: None for synthetic ones;
    `individual`: the share of students who let the teacher see their own readings, 0..1; `on_device`: of those whose
    own device reads their pictures; `showing`: how many students show each label all the time, None for moods."""

    url: str
    code: str
    students: int
    seconds: float
    fps: float
    faces: Path | None
    individual: float
    on_device: float
    seed: int
    most_pictures: int
    tls: ssl.SSLContext | None
    showing: Mapping[str, int] | None = None


def run(plan: Plan, progress: Progress) -> dict[str, object]:
    """Raises JoinRefusedError, httpx.HTTPError (server not there) or ValueError (unreadable faces)."""
    bank = _bank(plan, partial(progress, "Drawing faces"))
    return asyncio.run(_simulate(plan, bank, progress))


def _bank(plan: Plan, progress: Callable[[int, int], None]) -> PictureBank:
    if plan.faces is None:
        return synthetic_bank(plan.seed, progress)
    return labelled_bank(plan.faces, plan.most_pictures, plan.seed, progress)


async def _simulate(plan: Plan, bank: PictureBank, progress: Progress) -> dict[str, object]:
    tickets = await _join(plan, partial(progress, "Joining"))
    tally, before, start = Tally(), time.process_time(), time.monotonic()
    students = _students(plan, bank, tickets, tally, start)
    watching = asyncio.create_task(_watch(tally, start, plan.seconds, progress))
    try:
        await asyncio.gather(*(student.run(plan.tls) for student in students))
    finally:
        watching.cancel()
    return tally.summary(plan.students, time.monotonic() - start, time.process_time() - before)


async def _join(plan: Plan, progress: Callable[[int, int], None]) -> list[Ticket]:
    base = plan.url.replace("ws", "http", 1)
    rng = np.random.default_rng(plan.seed)
    scopes = ["individual" if share < plan.individual else "aggregate" for share in rng.random(plan.students)]
    async with httpx.AsyncClient(verify=plan.tls or True, timeout=30, trust_env=False) as client:
        return await join_class(Joiner(client, base, plan.code), scopes, progress)


def _students(plan: Plan, bank: PictureBank, tickets: list[Ticket], tally: Tally, start: float) -> list[Student]:
    interval = 1.0 / plan.fps
    first = len(tickets) - round(plan.on_device * len(tickets))
    return [
        (Student if number < first else DeviceStudent)(
            plan.url,
            ticket,
            _camera(plan, bank, number),
            # Half a second to connect; then spread evenly over the interval.
            Schedule(start, 0.5 + interval * number / len(tickets), interval, plan.seconds),
            tally,
        )
        for number, ticket in enumerate(tickets)
    ]


def _camera(plan: Plan, bank: PictureBank, number: int) -> Camera:
    rng = np.random.default_rng((plan.seed, number))
    if plan.faces is not None:
        return ShufflingCamera(bank.all, rng)
    mood = SteadyMood(shown_by(plan.showing, number)) if plan.showing else DriftingMood(rng)
    return MoodyCamera(mood, lambda label: bank.showing(label, rng))


async def _watch(tally: Tally, start: float, seconds: float, progress: Progress) -> None:
    """Tell once a second how far the run is."""
    while True:
        await asyncio.sleep(1)
        words = f"Streaming: {tally.sent} sent, {tally.results} read, {tally.replaced} replaced, {tally.lost} lost"
        progress(words, int(time.monotonic() - start), int(seconds))
