"""`make soak`: a class of 200 for half an hour. Do memory, delay, files and connections stay what they were?

The first part of the run is a warm-up; of the rest, the last third is compared with the first. Ends with 1 where a
service's memory grew by more than the tolerance (or 1 MB, if that is more), the delay by more than half (or 50 ms),
or open files or connections by more than 16.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks import machine, processes, product  # noqa: E402
from benchmarks.endurance.crowd import Crowd  # noqa: E402
from benchmarks.endurance.data import UP_DATA, data_folder  # noqa: E402
from emotions.simulation.pictures import synthetic_bank  # noqa: E402

SAMPLES = 60
MORE_FILES = 16
"""Open files that come and go: connections, and tables' files that Postgres's processes keep open for a while."""
SLOWER = 1.5
FEWEST_MS = 50.0
"""Delays below this are not told apart: on a shared machine they swing by more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `memory`: MB of each service with its processes, without what Postgres shares among them (its size is
    a setting); `files`: their open descriptors; `p95`: of the delays since the look before, milliseconds."""

    memory: dict[str, float]
    files: dict[str, int]
    connections: int
    p95: float


def look(roots: Mapping[str, int], crowd: Crowd, since: float, until: float) -> Sample:
    trees = {name: processes.tree(pid) for name, pid in roots.items()}
    delays = sorted(delay for notes in crowd.notes for delay in notes.delays(since, until))
    return Sample(
        {name: sum(map(processes.own_mb, pids)) for name, pids in trees.items()},
        {name: sum(map(_open_files, pids)) for name, pids in trees.items()},
        _connections(),
        1000 * delays[len(delays) * 95 // 100] if delays else 0.0,
    )


def _open_files(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended meanwhile


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def soak(
    students: int, warm_up: float, seconds: float, say: Callable[[float], None], data: Path | None = None
) -> list[Sample]:
    """Looks over `seconds`, evenly spread, after the warm-up. `data`: as `data_folder` takes it."""
    with data_folder(data) as folder, product.running(folder, 1) as running:
        plan = product.school(running.ws_url, students, 0.0)
        with Crowd(running.ws_url, plan.tickets, synthetic_bank(1, lambda done, total: None)) as crowd:
            _pass(warm_up, say)
            roots = {name: pid for name, pid in running.pids().items() if name != "up"} | machine.parts()
            samples = []
            for _ in range(SAMPLES):
                began = time.monotonic()
                _pass(seconds / SAMPLES, say)
                # Frames of the last second may still be on their way.
                samples.append(look(roots, crowd, began - 1, time.monotonic() - 1))
        product.end_sessions()
    return samples


def _pass(seconds: float, say: Callable[[float], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        step = min(1.0, left)
        time.sleep(step)
        say(step)


def compare(samples: Sequence[Sample], tolerance: float) -> dict[str, Any]:
    """The medians of the last third against the first, and whether each is flat. `tolerance`: for memory, a share."""
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]
    rows = [
        _row(
            f"{name}: memory, MB", [s.memory[name] for s in first], [s.memory[name] for s in last], 1 + tolerance, 1.0
        )
        for name in first[0].memory
    ]
    rows += [
        _row(f"{name}: open files", [s.files[name] for s in first], [s.files[name] for s in last], 1.0, MORE_FILES)
        for name in first[0].files
    ]
    rows.append(
        _row("database connections", [s.connections for s in first], [s.connections for s in last], 1.0, MORE_FILES)
    )
    rows.append(_row("delay, p95 ms", [s.p95 for s in first], [s.p95 for s in last], SLOWER, FEWEST_MS))
    return {"rows": rows, "flat": all(row["flat"] for row in rows)}


def _row(what: str, first: Sequence[float], last: Sequence[float], times: float, plus: float) -> dict[str, Any]:
    """Flat: no more than `times` as much, or `plus` more."""
    a, b = statistics.median(first), statistics.median(last)
    return {"what": what, "first": round(a, 1), "last": round(b, 1), "flat": b <= max(a * times, a + plus)}


def show(console: Console, found: dict[str, Any]) -> None:
    table = Table("figure", "first third", "last third", "flat")
    for row in found["rows"]:
        table.add_row(row["what"], f"{row['first']:g}", f"{row['last']:g}", "yes" if row["flat"] else "NO")
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance soak")
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=3.0, help="minutes before anything is compared")
    parser.add_argument("--tolerance", type=float, default=0.03, help="share that a service's memory may grow")
    parser.add_argument("--up-data", type=Path, help=UP_DATA)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    console = Console(stderr=True)
    total = 60 * (options.minutes + options.warm_up)
    with Progress(console=console) as progress:
        task = progress.add_task(f"{options.students} students", total=total)
        samples = soak(
            options.students,
            60 * options.warm_up,
            60 * options.minutes,
            lambda step: progress.advance(task, step),
            options.up_data,
        )
    found = {"students": options.students, "minutes": options.minutes} | compare(samples, options.tolerance)
    show(console, found)
    print(json.dumps(found))
    return 0 if found["flat"] else 1


if __name__ == "__main__":
    sys.exit(main())
