"""`python -m benchmarks`: the figures of docs/performance.md, those of one run taken side by side.

Wants a Postgres and a Valkey of its own (`make bench` starts throw-away ones). Prints tables on the error stream and
one JSON object on standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from rich.console import Console  # noqa: E402

from benchmarks import analysis, browser, dashboards, fer_package, hosts, machine, product, tables  # noqa: E402
from benchmarks.product import Run  # noqa: E402
from classroom.local.running import RunningProduct  # noqa: E402

SECTIONS = (
    "analysis",
    "recipes",
    "fer",
    "cold_start",
    "growth",
    "on_device",
    "saturation",
    "hosts",
    "dashboards",
    "long_sessions",
)
GROWTH = (50, 100, 200, 400, 600, 800, 1_000, 1_200, 1_600)
ON_DEVICE = (400, 800, 1_600, 2_400, 3_200)
LARGE_CLASS = 500
DASHBOARDS = 10
HOSTS = (2, 4)
HOSTS_STUDENTS = 200
# A log file has no width of its own.
console = Console(stderr=True, width=None if sys.stderr.isatty() else 240)


class Bench:
    """The chosen sections, in order; each adds its part to `found`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.parts = machine.parts()
        self.found: dict[str, Any] = {"machine": machine.facts() | {"workers": options.workers, "web": options.web}}

    def run(self) -> dict[str, Any]:
        for section in self.options.sections or SECTIONS:
            with console.status(f"Measuring: {section.replace('_', ' ')}") as status:
                self.found[section] = getattr(self, section)(status.update)
            tables.show(console, section, self.found[section])
        self.found["ratios"] = self.ratios()
        tables.show(console, "ratios", self.found["ratios"])
        return self.found

    # -- Without the product

    def analysis(self, say: Callable[[str], None]) -> dict[str, Any]:
        """The stages of one frame, the bare loop, and whether the quick search loses faces."""
        return {
            "stages_ms": analysis.stages(),
            "recall": analysis.recall(),
            "bare_loop": analysis.bare_loops(machine.cores(), self.options.seconds),
        }

    def recipes(self, say: Callable[[str], None]) -> dict[str, Any]:
        """The usual recipe, and our bare loop again beside it, in the same minute."""
        usual: dict[str, Any] = _in_a_process("benchmarks.recipes")
        return usual | {"ours": analysis.bare_loops(1, self.options.seconds)["per_core"]}

    def fer(self, say: Callable[[str], None]) -> dict[str, Any]:
        found: dict[str, Any] = fer_package.measure(say)
        return found | {"ours": analysis.bare_loops(1, self.options.seconds)["per_core"]}

    def cold_start(self, say: Callable[[str], None]) -> dict[str, Any]:
        found: dict[str, Any] = _in_a_process("benchmarks.cold_start")
        return found

    def long_sessions(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Pages and lists with two million readings in a session, in a database of its own."""
        found: dict[str, Any] = _in_a_process("benchmarks.long_sessions", "--json")
        return found

    # -- With the product

    def growth(self, say: Callable[[str], None]) -> list[dict[str, Any]]:
        """The same school, larger and larger; one product, so that what grows with time shows, too."""
        with self._product() as running:
            return [self._load(running, students, say).summary() for students in self.options.students or GROWTH]

    def on_device(self, say: Callable[[str], None]) -> list[dict[str, Any]]:
        """The same school with every picture read on the students' own devices, and no worker at all."""
        with self._product(workers=0) as running:
            sizes = self.options.students or ON_DEVICE
            return [self._load(running, students, say, on_device=True).summary() for students in sizes]

    def saturation(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Twice what was held: how much is read, and whether memory stays flat."""
        with self._product() as running:
            return self._load(running, 2 * (self._held() or GROWTH[0]), say).summary()

    def hosts(self, say: Callable[[str], None]) -> dict[str, Any]:
        """No worker beside the web: two and four on hosts of their own, one process each. On one machine this shows
        that it works, not that it is faster."""
        if why := hosts.refusal():
            return {"skipped": why}
        found: dict[str, Any] = {}
        for count in HOSTS:
            with self._product(workers=0) as running, hosts.workers(count, os.environ):
                row = self._load(running, HOSTS_STUDENTS, say).summary()
            kept = ("students", "read_per_second", "replaced_share", "lost", "latency_ms")
            found[f"{count}_hosts"] = {name: row[name] for name in kept}
        return found

    def dashboards(self, say: Callable[[str], None]) -> dict[str, Any]:
        """A class of 500 as the demo shows one: what ten dashboards cost, how large a tick is, a browser's work."""
        heard: dict[str, Any] = {"students": LARGE_CLASS}
        seen: dict[str, Any] = {}
        with self._product() as running:
            alone = self._large_class(running, say, lambda session, who: None)
            watched = self._large_class(
                running,
                say,
                lambda session, who: heard.update(
                    dashboards.watch(running.ws_url, session, who, DASHBOARDS, self.options.seconds)
                ),
            )
            self._large_class(
                running,
                say,
                lambda session, who: seen.update(browser.watch(running.base_url, session, who, self.options.seconds)),
            )
        cores = {
            name: run.cpu["web"] / self.options.seconds for name, run in (("alone", alone), ("watched", watched))
        }
        return heard | {"web_cpu_cores": cores, "web_memory_mb": alone.memory["at_end"]["web"], "browser": seen}

    def _large_class(
        self, running: RunningProduct, say: Callable[[str], None], look: Callable[[str, str], None]
    ) -> Run:
        """One class of LARGE_CLASS; `look` gets the session and the instructor's cookie while frames are counted."""
        say(f"{LARGE_CLASS} students join one class")
        plan = product.school(running.ws_url, LARGE_CLASS, self.options.seconds, LARGE_CLASS, drifting=True)
        session, who = plan.tickets[0][1], dashboards.cookie()
        say(f"{LARGE_CLASS} students stream into one class")
        run = product.measure(running, self.parts, plan, lambda: look(session, who))
        product.end_sessions()
        return run

    def _product(self, workers: int | None = None) -> Any:
        folder = Path(tempfile.mkdtemp(prefix="roomtone-bench-"))
        return product.running(folder, self.options.workers if workers is None else workers, self.options.web)

    def _load(self, running: RunningProduct, students: int, say: Callable[[str], None], **kind: bool) -> Run:
        say(f"{students} students join")
        plan = product.school(running.ws_url, students, self.options.seconds, **kind)
        say(f"{students} students stream")
        run = product.measure(running, self.parts, plan)
        product.end_sessions()
        return run

    # -- What follows from it

    def _held(self) -> int:
        return max((row["students"] for row in self.found.get("growth", []) if row["held"]), default=0)

    def ratios(self) -> dict[str, Any]:
        """Only of what was measured in this run."""
        found = self.found
        ratios: dict[str, Any] = {}
        if "recipes" in found:
            ratios["ours_to_haar_and_predict"] = found["recipes"]["ours"] / found["recipes"]["haar_and_predict"]
            ratios["ours_to_haar_and_litert"] = found["recipes"]["ours"] / found["recipes"]["haar_and_litert"]
        if found.get("fer", {}).get("per_core"):
            ratios["ours_to_fer"] = found["fer"]["ours"] / found["fer"]["per_core"]
        if "growth" in found:
            ratios["students_held"] = self._held()
        if "growth" in found and "analysis" in found:
            ratios |= self._pipeline()
        return {name: round(value, 2) for name, value in ratios.items()}

    def _pipeline(self) -> dict[str, float]:
        """The busiest row against the bare loop on the cores that the load generator left over; and what an event
        costs outside the analysis, from the same row."""
        row = max([*self.found["growth"], self.found.get("saturation", {"read_per_second": 0})], key=_read)
        cost, read = row["cpu_ms_per_frame"], row["read_per_second"]
        bare = self.found["analysis"]["bare_loop"]
        left = 1 - cost["load generator"] * read / 1000 / bare["processes"]
        analysing = 1000 / bare["per_core"]
        return {
            "pipeline_to_bare_loop": read / (bare["frames_per_second"] * left),
            "cpu_ms_outside_the_analysis": sum(cost.values()) - cost["load generator"] - analysing,
        }


def _read(row: dict[str, Any]) -> float:
    return float(row["read_per_second"])


def _in_a_process(module: str, *arguments: str) -> Any:
    """What `python -m module` prints: it loads what this process must not, or has to begin cold."""
    answer = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], help="default: all")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each load is counted (default 15)")
    parser.add_argument(
        "--students", type=int, nargs="+", help=f"the sizes of `growth` (default {GROWTH}) and `on_device`"
    )
    parser.add_argument("--workers", type=int, default=machine.cores(), help="reading processes (default: cores)")
    parser.add_argument("--web", type=int, default=1, help="processes for pages and sockets (default 1)")
    return parser.parse_args()


def main() -> None:
    options = _arguments()
    call_command("migrate", verbosity=0)
    print(json.dumps(Bench(options).run()))


if __name__ == "__main__":
    main()
