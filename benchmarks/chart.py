"""`python -m benchmarks.chart BENCH.json OUT.png`: how cost and delay grow with the school."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

LIMIT_MS = 500
SERVICES = ("worker", "web", "postgres", "valkey", "ticker", "beat", "load generator")


def draw(growth: list[dict[str, Any]], out: Path) -> None:
    """CPU milliseconds per frame by service, and the delay from capture to result, over the number of students."""
    figure, (cost, delay) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    students = [str(row["students"]) for row in growth]
    below = [0.0] * len(growth)
    for service in SERVICES:
        values = [row["cpu_ms_per_frame"].get(service, 0.0) for row in growth]
        cost.bar(students, values, bottom=below, label=service)
        below = [total + value for total, value in zip(below, values, strict=True)]
    cost.set(title="Processor time of a frame, by service", xlabel="students at one frame a second", ylabel="CPU ms")
    cost.legend(frameon=False, fontsize="small")
    for percentile in ("p50", "p95"):
        delay.plot(students, [row["latency_ms"][percentile] for row in growth], marker="o", label=percentile)
    delay.axhline(LIMIT_MS, linestyle=":", color="grey")
    delay.set(title="From capture to the student's own result", xlabel="students at one frame a second", ylabel="ms")
    delay.set_yscale("log")
    delay.legend(frameon=False)
    figure.savefig(out, dpi=130)


def main() -> None:
    found, out = map(Path, sys.argv[1:3])
    out.parent.mkdir(parents=True, exist_ok=True)
    draw(json.loads(found.read_text())["growth"], out)


if __name__ == "__main__":
    main()
