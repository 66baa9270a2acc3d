"""The whole product under load: what it holds, what a frame costs, and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse

from benchmarks import processes
from benchmarks.load import LoadPlan
from classroom import access, actions, consent
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course, Participant

WARM_UP_SECONDS = 5.0
CLASS_SIZE = 50
"""Students of one session: a school has many classes at once, not one of a thousand."""


@dataclass(frozen=True, slots=True)
class Run:
    """One load. `load`: what the generator counted. `cpu_ms`: CPU milliseconds per analysed frame of each service,
    generator included. `pss_mb`: memory of each service's largest process at the end."""

    load: dict[str, Any]
    cpu_ms: dict[str, float]
    pss_mb: dict[str, float]
    stored: int


@contextmanager
def running(folder: Path, workers: int) -> Iterator[RunningProduct]:
    """`manage.py up` without its demo class, on this process's Postgres and Valkey."""
    product = RunningProduct(folder, os.environ, ["--no-demo", "--workers", str(workers)])
    try:
        product.wait_until_ready()
        yield product
    finally:
        product.stop()


def measure(product: RunningProduct, parts: Mapping[str, int], students: int, seconds: float, fps: float = 1.0) -> Run:
    """Join `students`, let them stream, count. `parts`: process ids of Postgres and Valkey."""
    plan = LoadPlan(product.ws_url, tickets(students), WARM_UP_SECONDS, seconds, fps)
    roots = product.pids() | dict(parts)
    roots.pop("up")
    before = _events()
    with _generator(plan) as generator:
        _await(generator, "counting")
        at_start = processes.cpu_by_name(roots)
        _await(generator, "counted")
        spent = {name: cpu - at_start[name] for name, cpu in processes.cpu_by_name(roots).items()}
        memory = {name: max(map(processes.pss_mb, processes.tree(pid))) for name, pid in roots.items()}
        load = json.loads(generator.stdout.read())  # type: ignore[union-attr]
    spent["load generator"] = load["cpu_seconds"]
    frames = max(1, load["results_received"])
    return Run(load, {name: round(1000 * cpu / frames, 3) for name, cpu in spent.items()}, memory, _events() - before)


def tickets(students: int) -> list[tuple[str, str, str]]:
    """Students in live sessions of CLASS_SIZE, with the cookies that their browsers would hold."""
    owner, _ = User.objects.get_or_create(username="bench")
    found: list[tuple[str, str, str]] = []
    for first in range(0, students, CLASS_SIZE):
        session = actions.start_session(Course.objects.create(title=f"Class {first}", instructor=owner))
        count = min(CLASS_SIZE, students - first)
        found += [_ticket(session, number) for number in range(count)]
    return found


def _ticket(session: ClassSession, number: int) -> tuple[str, str, str]:
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


def _events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM emotions_emotionevent")
        count: int = cursor.fetchone()[0]
    return count


def end_sessions() -> None:
    """So that the next load begins with an empty school."""
    for session in ClassSession.objects.live():
        actions.end_session(session)
