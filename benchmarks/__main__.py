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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from rich.console import Console  # noqa: E402

from benchmarks import (  # noqa: E402
    analysis,
    browser,
    dashboards,
    fer_package,
    hosts,
    machine,
    product,
    ratios,
    recall,
    tables,
)
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
BARE_SECONDS = 3.0
"""Of the bare loop right before a load: how fast the machine is changes from one quarter of an hour to the next."""
# A log file has no width of its own.
console = Console(stderr=True, width=None if sys.stderr.isatty() else 240)


class Bench:
    """The chosen sections, in order; each adds its part to `found`."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.parts = machine.parts()
        self.found: dict[str, Any] = {"machine": machine.facts() | {"workers": options.workers, "web": options.web}}

    def run(self) -> dict[str, Any]:
        for section in self.options.sections:
            with console.status(f"Measuring: {section.replace('_', ' ')}") as status:
                self.found[section] = getattr(self, section)(status.update)
            tables.show(console, section, self.found[section])
        self.found["ratios"] = ratios.ratios(self.found)
        tables.show(console, "ratios", self.found["ratios"])
        return self.found

    # -- Without the product

    def analysis(self, say: Callable[[str], None]) -> dict[str, Any]:
        """The stages of one frame, the bare loop, and whether the quick search loses faces."""
        return {
            "stages_ms": analysis.stages(),
            "recall": recall.synthetic(),
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
            return [self._beside_the_bare_loop(running, one, say) for one in self.options.students or GROWTH]

    def on_device(self, say: Callable[[str], None]) -> list[dict[str, Any]]:
        """The same school with every picture read on the students' own devices, and no worker at all."""
        with self._product(workers=0) as running:
            sizes = self.options.students or ON_DEVICE
            return [self._load(running, students, say, on_device=True).summary() for students in sizes]

    def saturation(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Twice what was held: how much is read, and whether memory stays flat."""
        held = ratios.held(self.found["growth"]) if "growth" in self.found else self.options.held
        if not held:
            return {"skipped": "no school of growth was held: there is no number to double"}
        with self._product() as running:
            return self._beside_the_bare_loop(running, 2 * held, say)

    def hosts(self, say: Callable[[str], None]) -> dict[str, Any]:
        """No worker beside the web: two and four on hosts of their own, one process each. On one machine this shows
        that it works, not that it is faster."""
        if why := hosts.refusal():
            return {"skipped": why}
        found: dict[str, Any] = {}
        for count in HOSTS:
            with self._product(workers=0) as running, hosts.workers(count, os.environ):
                row = self._load(running, HOSTS_STUDENTS, say).summary()
            kept = ("students", "read_per_second", "replaced_share", "lost", "held", "why_not", "latency_ms")
            found[f"{count}_hosts"] = {name: row[name] for name in kept}
        return found

    def dashboards(self, say: Callable[[str], None]) -> dict[str, Any]:
        """A class of 500 as the demo shows one: what ten dashboards cost, how large a tick is, a browser's work."""
        heard: dict[str, Any] = {"dashboards": DASHBOARDS}
        seen: dict[str, Any] = {}
        seconds = self.options.seconds
        with self._product() as running:
            run = self._large_class(
                running,
                say,
                dashboards.rounds_take(seconds),
                lambda session, who: heard.update(dashboards.measure(running, session, who, DASHBOARDS, seconds)),
            )
            self._large_class(
                running,
                say,
                seconds,
                lambda session, who: seen.update(browser.watch(running.base_url, session, who, seconds)),
            )
        row = {name: run.summary()[name] for name in ("students", "held", "why_not")}
        return row | heard | {"web_memory_mb": run.memory["at_end"]["web"], "browser": seen}

    def _large_class(
        self, running: RunningProduct, say: Callable[[str], None], seconds: float, look: Callable[[str, str], None]
    ) -> Run:
        """One class of LARGE_CLASS; `look` gets the session and the instructor's cookie while frames are counted."""
        say(f"{LARGE_CLASS} students join one class")
        plan = product.school(running.ws_url, LARGE_CLASS, seconds, LARGE_CLASS, drifting=True)
        session, who = plan.tickets[0][1], dashboards.cookie()
        say(f"{LARGE_CLASS} students stream into one class")
        run = product.measure(running, self.parts, plan, lambda: look(session, who))
        product.end_sessions()
        return run

    @contextmanager
    def _product(self, workers: int | None = None) -> Iterator[RunningProduct]:
        """The product with its data in a folder of its own, which is removed."""
        processes = self.options.workers if workers is None else workers
        with (
            tempfile.TemporaryDirectory(prefix="roomtone-bench-", ignore_cleanup_errors=True) as folder,
            product.running(Path(folder), processes, self.options.web) as running,
        ):
            yield running

    def _beside_the_bare_loop(
        self, running: RunningProduct, students: int, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """A load's row, and what the analysis alone does right before it, on all cores."""
        say(f"The bare loop before {students} students")
        bare = analysis.bare_loops(machine.cores(), BARE_SECONDS)
        return self._load(running, students, say).summary() | {"bare_loop": bare}

    def _load(self, running: RunningProduct, students: int, say: Callable[[str], None], **kind: bool) -> Run:
        say(f"{students} students join")
        plan = product.school(running.ws_url, students, self.options.seconds, **kind)
        say(f"{students} students stream")
        run = product.measure(running, self.parts, plan)
        product.end_sessions()
        return run


def _in_a_process(module: str, *arguments: str) -> Any:
    """What `python -m module` prints: it loads what this process must not, or has to begin cold."""
    answer = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(answer.stdout.splitlines()[-1])


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The sections in the order of SECTIONS, however they were typed. Ends the program where one can't be had."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", type=_section, metavar="section", help=f"of {', '.join(SECTIONS)} (default: all)"
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each load is counted (default 15)")
    parser.add_argument(
        "--students", type=int, nargs="+", help=f"the sizes of `growth` (default {GROWTH}) and `on_device`"
    )
    parser.add_argument(
        "--held", type=int, default=0, help="what `saturation` doubles where `growth` is not measured"
    )
    parser.add_argument("--workers", type=int, default=machine.cores(), help="reading processes (default: cores)")
    parser.add_argument("--web", type=int, default=1, help="processes for pages and sockets (default 1)")
    options = parser.parse_args(words)
    options.sections = [name for name in SECTIONS if name in options.sections or not options.sections]
    if why := _refusal(options):
        parser.exit(2, f"{parser.prog}: {why}\n")
    return options


def _section(name: str) -> str:
    """Not `choices`: where nothing is typed, Python 3.11 looks for the empty list among them."""
    if name not in SECTIONS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(SECTIONS)}, received {name!r}")
    return name


def _refusal(options: argparse.Namespace) -> str | None:
    """What is missing, in one line, before anything is started."""
    if "saturation" in options.sections and "growth" not in options.sections and options.held < 1:
        return "saturation doubles what was held: ask for growth as well, or say what to double with --held N."
    if "dashboards" in options.sections and options.seconds <= browser.SETTLE_SECONDS:
        return f"dashboards wants more than --seconds {browser.SETTLE_SECONDS:g}: so long a page needs to settle."
    return None


def main() -> None:
    options = arguments()
    call_command("migrate", verbosity=0)
    print(json.dumps(Bench(options).run()))


if __name__ == "__main__":
    main()
