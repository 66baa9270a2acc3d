"""Loads that nobody sent: what the generator would have counted."""

from __future__ import annotations

from typing import Any

from benchmarks.product import Run

STUDENTS, SECONDS = 100, 10.0
DUE = 1000


def run(p95: float | None = 50.0, **counted: int) -> Run:
    """100 students for 10 seconds: everything read, but for what is `counted` otherwise, and those have no result."""
    counts = {"frames_sent": DUE, "frames_replaced": 0, "rejected": 0, "lost": 0, "pending": 0} | counted
    results = counts["frames_sent"] - sum(counts[name] for name in counts if name != "frames_sent")
    load: dict[str, Any] = {"students": STUDENTS, "seconds": SECONDS, "frames_due": DUE, "results_received": results}
    delays = {"p50": 20.0, "p95": p95, "p99": p95}
    cpu = {"web": 2.0, "worker": 8.0, "load generator": 1.0}
    return Run(load | counts | {"latency_ms": delays}, cpu, {"at_start": {"web": 90.0}, "at_end": {"web": 91.0}})


def row(students: int, held: bool = True, **more: Any) -> dict[str, Any]:
    """A load as the report prints it."""
    return run(p95=50.0 if held else 900.0).summary() | {"students": students} | more
