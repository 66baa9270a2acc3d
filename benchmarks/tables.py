"""The figures as tables to read; `python -m benchmarks.tables build/bench.json` prints them as Markdown."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

GROWTH_COLUMNS = ("students", "read_per_second", "replaced_share", "lost", "held", "why_not")


def show(console: Console, section: str, found: Any) -> None:
    """One section. Loads are rows side by side; everything else is a name and a value a line."""
    console.print(table(section, found))


def table(section: str, found: Any) -> Table:
    """As `show` prints it."""
    rows = found if isinstance(found, list) else [found]
    loads = [row for row in rows if "cpu_ms_per_frame" in row]
    return _loads(section, loads) if loads else _facts(section, found)


def _facts(section: str, found: dict[str, Any]) -> Table:
    table = Table("figure", "value", title=_words(section), title_justify="left")
    for name, value in _flat(found):
        table.add_row(name, f"{value:g}" if isinstance(value, float) else str(value))
    return table


def _flat(found: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    lines: list[tuple[str, Any]] = []
    for name, value in found.items():
        words = f"{above} {_words(name)}".strip()
        lines += _flat(value, f"{words}:") if isinstance(value, dict) else [(words, value)]
    return lines


def _loads(section: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=_words(section), title_justify="left")
    services = list(rows[0]["cpu_ms_per_frame"])
    names = [
        *map(_words, GROWTH_COLUMNS),
        "p50 ms",
        "p95 ms",
        *(f"{name} CPU ms" for name in services),
        "web MB",
        "worker MB",
        "bare loop per second then",
    ]
    for name in names:
        table.add_column(name, justify="right")
    for row in rows:
        latency, memory = row["latency_ms"], row["memory_mb"]["at_end"]
        values = [*(row.get(name, "") for name in GROWTH_COLUMNS), latency["p50"], latency["p95"]]
        values += [*row["cpu_ms_per_frame"].values(), memory["web"], memory.get("worker", "–")]
        values.append(row.get("bare_loop", {}).get("frames_per_second", "–"))
        table.add_row(*map(str, values))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    console = Console(width=400)
    for section, found in json.loads(Path(sys.argv[1]).read_text()).items():
        one = table(section, found)
        one.box = box.MARKDOWN
        console.print(one)


if __name__ == "__main__":
    main()
