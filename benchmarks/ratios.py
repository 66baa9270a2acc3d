"""What follows from the figures of one run: ratios of what was measured side by side, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
"""A load as the report prints it, with the bare loop that was measured right before it."""


def held(growth: Sequence[Row]) -> int:
    """The largest school of these rows that was held; 0 where none was."""
    return max((row["students"] for row in growth if row["held"]), default=0)


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """`found`: sections by name. Those that are missing, or that were skipped, are left out."""
    made: dict[str, float] = {}
    if "recipes" in found:
        made["ours_to_haar_and_predict"] = found["recipes"]["ours"] / found["recipes"]["haar_and_predict"]
        made["ours_to_haar_and_litert"] = found["recipes"]["ours"] / found["recipes"]["haar_and_litert"]
    if found.get("fer", {}).get("per_core"):
        made["ours_to_fer"] = found["fer"]["ours"] / found["fer"]["per_core"]
    if "growth" in found:
        made["students_held"] = held(found["growth"])
    if rows := _loads(found):
        made |= _pipeline(max(rows, key=lambda row: float(row["read_per_second"])))
    return {name: round(value, 2) for name, value in made.items()}


def _loads(found: Mapping[str, Any]) -> list[Row]:
    """The rows of growth and saturation that were measured."""
    rows = [*found.get("growth", ()), found.get("saturation", {})]
    return [row for row in rows if "bare_loop" in row]


def _pipeline(row: Row) -> dict[str, float]:
    """The busiest row against its own bare loop on the cores that the load generator left over; and what an event
    costs outside the analysis, from the same row."""
    cost, read, bare = row["cpu_ms_per_frame"], row["read_per_second"], row["bare_loop"]
    left = 1 - cost["load generator"] * read / 1000 / bare["processes"]
    analysing = 1000 / bare["per_core"]
    return {
        "students_of_the_busiest_row": row["students"],
        "pipeline_to_bare_loop": read / (bare["frames_per_second"] * left),
        "cpu_ms_outside_the_analysis": sum(cost.values()) - cost["load generator"] - analysing,
    }
