"""The load generator: `python -m benchmarks.load`, a process of its own, so that its cost can be told apart.

Reads a plan from standard input (JSON), streams, prints one JSON object. Students have joined already.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
django.setup()

import numpy as np  # noqa: E402

from emotions.simulation.joining import Ticket  # noqa: E402
from emotions.simulation.moods import DriftingMood  # noqa: E402
from emotions.simulation.pictures import PictureBank, synthetic_bank  # noqa: E402
from emotions.simulation.student import Camera, DeviceStudent, MoodyCamera, Schedule, ShufflingCamera, Student  # noqa: E402
from emotions.simulation.tally import Tally  # noqa: E402

CONNECT_PER_SECOND = 40.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`url`: ws://host:port. `tickets`: name, session, cookie of each student. `warm_up`, `seconds`: frames of the
    warm-up are sent but not counted. `fps`: frames a second and student. `drifting`: faces whose mood drifts, as the
    demo class's does, instead of another face in every frame. `on_device`: readings are sent, not frames."""

    url: str
    tickets: list[tuple[str, str, str]]
    warm_up: float
    seconds: float
    fps: float = 1.0
    drifting: bool = False
    on_device: bool = False

    @property
    def frames_due(self) -> int:
        """How many frames everybody together is to send while they are counted."""
        return round(len(self.tickets) * self.seconds * self.fps)

    def to_json(self) -> str:
        return json.dumps(asdict(self))


async def stream(plan: LoadPlan, bank: PictureBank) -> dict[str, object]:
    """Connect everybody, send the warm-up's frames, then count."""
    connecting = len(plan.tickets) / CONNECT_PER_SECOND
    start = time.monotonic() + connecting
    tally = Tally(since=start + plan.warm_up)
    students = [asyncio.create_task(_stream(plan, number, start, bank, tally)) for number in _numbers(plan)]
    await asyncio.sleep(tally.since - time.monotonic())
    _say("counting")
    before = time.process_time()
    await asyncio.sleep(plan.seconds)
    _say("counted")
    cpu = time.process_time() - before
    await asyncio.gather(*students)
    return tally.summary(len(plan.tickets), plan.seconds, cpu) | {"frames_due": plan.frames_due}


def _numbers(plan: LoadPlan) -> range:
    return range(len(plan.tickets))


async def _stream(plan: LoadPlan, number: int, start: float, bank: PictureBank, tally: Tally) -> None:
    """One student, from connecting to the last answer. Frames of a class are spread evenly over the interval."""
    await asyncio.sleep(number / CONNECT_PER_SECOND)
    interval = 1 / plan.fps
    schedule = Schedule(start, interval * number / len(plan.tickets), interval, plan.warm_up + plan.seconds)
    kind = DeviceStudent if plan.on_device else Student
    student = kind(plan.url, Ticket(*plan.tickets[number]), _camera(plan, number, bank), schedule, tally)
    await student.run(None)


def _camera(plan: LoadPlan, number: int, bank: PictureBank) -> Camera:
    rng = np.random.default_rng(number)
    if plan.drifting:
        return MoodyCamera(DriftingMood(rng), lambda label: bank.showing(label, rng))
    return ShufflingCamera(bank.all, rng)


def _say(word: str) -> None:
    """To whoever measures the other processes meanwhile."""
    print(word, file=sys.stderr, flush=True)


def main() -> None:
    plan = LoadPlan(**json.loads(sys.stdin.read()))
    print(json.dumps(asyncio.run(stream(plan, synthetic_bank(1, lambda done, total: None)))))


if __name__ == "__main__":
    main()
