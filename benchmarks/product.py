"""The whole product under load: what it holds, what a frame costs, and where."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse

from benchmarks import processes
from benchmarks.load import LoadPlan
from classroom import access, actions, consent
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course, Participant

WARM_UP_SECONDS = 5.0
CLASS_SIZE = 50
"""Students of one session: a school has many classes at once, not one of a thousand."""
LATEST_MS = 500.0
MOST_REPLACED = 0.01
LEAST_READ = 0.99
"""What `held` allows: the delay of 95 % of the results, the share of the sent frames that newer ones replaced, and
the share of the frames that were due (sent or not) whose results came back."""
COUNTS = (
    "students",
    "frames_due",
    "frames_sent",
    "results_received",
    "frames_replaced",
    "rejected",
    "lost",
    "pending",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One load. `load`: what the generator counted, and the frames that were due. `cpu`: CPU seconds of each service
    while it counted, generator included. `memory`: MB of each service's largest process, at the start and the end of
    the count."""

    load: dict[str, Any]
    cpu: dict[str, float]
    memory: dict[str, dict[str, float]]

    @property
    def read_per_second(self) -> float:
        return float(self.load["results_received"] / self.load["seconds"])

    @property
    def replaced(self) -> float:
        """Share of the sent frames that newer ones replaced."""
        return float(self.load["frames_replaced"] / max(1, self.load["frames_sent"]))

    @property
    def p95_ms(self) -> float:
        return float(self.load["latency_ms"]["p95"] or math.inf)

    @property
    def held(self) -> bool:
        return not self.why_not

    @property
    def why_not(self) -> tuple[str, ...]:
        """Why it is not held, a word a reason: as the tables print it.

        The generator waits for the last answers before it counts: a frame without any by then is not on its way.
        Students who never connected send nothing, and so their frames are missing.
        """
        load = self.load
        found = {
            "late": self.p95_ms >= LATEST_MS,
            "replaced": self.replaced >= MOST_REPLACED,
            "refused": load["rejected"] > 0,
            "lost": load["lost"] > 0,
            "unanswered": load["pending"] > 0,
            "missing": load["results_received"] < LEAST_READ * load["frames_due"],
        }
        return tuple(word for word, so in found.items() if so)

    def summary(self) -> dict[str, Any]:
        """The row that the report prints. CPU in milliseconds per frame that was read."""
        frames = max(1, self.load["results_received"])
        return {name: self.load[name] for name in COUNTS} | {
            "read_per_second": round(self.read_per_second, 1),
            "replaced_share": round(self.replaced, 4),
            "latency_ms": self.load["latency_ms"],
            "held": self.held,
            "why_not": ", ".join(self.why_not),
            "cpu_ms_per_frame": {name: round(1000 * cpu / frames, 3) for name, cpu in self.cpu.items()},
            "memory_mb": self.memory,
        }


@contextmanager
def running(folder: Path, workers: int, web: int = 1) -> Iterator[RunningProduct]:
    """`manage.py up` without its demo class, on this process's Postgres and Valkey."""
    product = RunningProduct(folder, os.environ, ["--no-demo", "--workers", str(workers), "--web", str(web)])
    try:
        product.wait_until_ready()
        yield product
    finally:
        product.stop()


def measure(
    product: RunningProduct, parts: Mapping[str, int], plan: LoadPlan, meanwhile: Callable[[], None] = lambda: None
) -> Run:
    """One load from the first connection to the last answer. `parts`: process ids of Postgres and Valkey.

    `meanwhile` runs in a thread while frames are counted; what it raises is raised here.
    """
    roots = {name: pid for name, pid in product.pids().items() if name != "up"} | dict(parts)
    with ThreadPoolExecutor(1) as beside, _generator(plan) as generator:
        _await(generator, "counting")
        other = beside.submit(meanwhile)
        spent = processes.cpu_by_name(roots)
        memory = {"at_start": _memory(roots)}
        _await(generator, "counted")
        spent = {name: cpu - spent[name] for name, cpu in processes.cpu_by_name(roots).items()}
        memory["at_end"] = _memory(roots)
        load = json.loads(generator.stdout.read())  # type: ignore[union-attr]
        other.result()
    spent["load generator"] = load["cpu_seconds"]
    return Run(load, {name: round(cpu, 3) for name, cpu in spent.items()}, memory)


def _memory(roots: Mapping[str, int]) -> dict[str, float]:
    """Each service's largest process, MB."""
    return {name: round(max(map(processes.pss_mb, processes.tree(pid))), 1) for name, pid in roots.items()}


def school(url: str, students: int, seconds: float, class_size: int = CLASS_SIZE, **kind: bool) -> LoadPlan:
    """Students in live sessions of `class_size`, with the cookies that their browsers would hold.

    `kind`: as LoadPlan's `drifting` and `on_device`.
    """
    owner, _ = User.objects.get_or_create(username="bench")
    found: list[tuple[str, str, str]] = []
    for first in range(0, students, class_size):
        session = actions.start_session(Course.objects.create(title=f"Class {first}", instructor=owner))
        found += [_ticket(session, number) for number in range(min(class_size, students - first))]
    return LoadPlan(url, found, WARM_UP_SECONDS, seconds, **kind)


def _ticket(session: ClassSession, number: int) -> tuple[str, str, str]:
    """A student who has joined and consented; three of five with their name."""
    scope = Participant.Scope.INDIVIDUAL if number % 5 < 3 else Participant.Scope.AGGREGATE
    student = actions.join(session, f"Student {number}")
    actions.record_consent(student, scope, consent.text_for(session).sha256)
    response = HttpResponse()
    access.set_participant_cookie(response, student)
    name = access.cookie_name(session.public_id)
    return student.display_name, str(session.public_id), f"{name}={response.cookies[name].value}"


@contextmanager
def _generator(plan: LoadPlan) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        process.stdin.write(plan.to_json())  # type: ignore[union-attr]
        process.stdin.close()  # type: ignore[union-attr]
        yield process


def _await(generator: subprocess.Popen[str], word: str) -> None:
    """Until the generator says the word; raises RuntimeError with what it said where it ends before."""
    said = []
    for line in generator.stderr:  # type: ignore[union-attr]
        if line.strip() == word:
            return
        said.append(line)
    raise RuntimeError(f"the load generator ended:\n{''.join(said)}")


def end_sessions() -> None:
    """So that the next load begins with an empty school."""
    for session in ClassSession.objects.live():
        actions.end_session(session)
