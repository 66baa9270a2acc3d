"""`manage.py simulate`: a class of synthetic students, and the load generator."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from classroom import actions
from classroom.codes import normalise
from classroom.models import ClassSession, Participant
from emotions.simulation.joining import JoinRefusedError, display_name
from emotions.simulation.moods import counts_of
from emotions.simulation.run import Plan, run


class Command(BaseCommand):
    help = "Joins synthetic students over HTTP and streams their frames over real sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--students", type=int, default=24, help="how many (default 24)")
        add("--seconds", type=float, default=30, help="how long frames are sent; 0: until stopped")
        add("--showing", help="instead of moods that drift, how many show each, all the time: happy=8,sad=12")
        add("--fps", type=float, default=1.0, help="frames a second and student (default 1)")
        add("--faces", type=Path, help="labelled faces: FER2013's CSV (plain, .gz, .xz, .zip) or a folder of images")
        add("--most-pictures", type=int, default=1500, help="of --faces, at most so many different ones")
        add("--individual", type=float, default=0.6, help="share of students whose own readings the teacher sees")
        add("--on-device", type=float, default=0.0, help="share of students whose own device reads their pictures")
        add("--url", default="ws://127.0.0.1:8000", help="the server: ws://host:port or wss://host:port")
        add("--session", help="join code (default: the newest live session of this database)")
        add("--ca", type=Path, help="certificate to trust for wss:// (PEM)")
        add("--again", action="store_true", help="students whom an earlier run left in the session leave first")
        add("--seed", type=int, default=1)
        add("--json", action="store_true", help="print one JSON object at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = _plan(options)
        if options["again"]:
            _see_off(plan)
        with _Bars(quiet=options["json"] and not sys.stderr.isatty()) as bars:
            try:
                summary = run(plan, bars.show)
            except (JoinRefusedError, ValueError) as error:
                raise CommandError(str(error)) from error
            except httpx.HTTPError as error:
                raise CommandError(f"{plan.url} does not answer ({error}). Is Roomtone running?") from error
            except KeyboardInterrupt:
                raise CommandError("stopped") from None
        self._print(summary, as_json=options["json"])

    def _print(self, summary: dict[str, object], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summary))
            return
        for name, value in summary.items():
            self.stdout.write(f"{name.replace('_', ' '):>18}  {value}")


def _plan(options: dict[str, Any]) -> Plan:
    if options["students"] < 1 or options["fps"] <= 0 or options["seconds"] < 0:
        raise CommandError("--students must be 1 or more, --fps more than 0, --seconds 0 or more")
    url = str(options["url"]).rstrip("/")
    if not url.startswith(("ws://", "wss://")):
        raise CommandError(f"--url {url}: expected ws://host:port or wss://host:port")
    showing = _showing(options["showing"])
    return Plan(
        url=url,
        code=normalise(options["session"]) if options["session"] else _newest_code(),
        students=sum(showing.values()) if showing else options["students"],
        seconds=options["seconds"],
        fps=options["fps"],
        faces=options["faces"],
        individual=options["individual"],
        on_device=options["on_device"],
        seed=options["seed"],
        most_pictures=options["most_pictures"],
        tls=_tls(url, options["ca"]),
        showing=showing,
    )


def _showing(text: str | None) -> dict[str, int] | None:
    try:
        return counts_of(text) if text else None
    except ValueError as error:
        raise CommandError(f"--showing {error}") from error


def _see_off(plan: Plan) -> None:
    """Those who bear this run's names leave: their sockets died with the run that joined them."""
    names = [display_name(number) for number in range(plan.students)]
    sessions = ClassSession.objects.live().filter(join_code=plan.code)
    for participant in Participant.objects.present().filter(session__in=sessions, display_name__in=names):
        actions.leave(participant)


def _tls(url: str, ca: Path | None) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(ca) if ca else None) if url.startswith("wss://") else None


def _newest_code() -> str:
    session = ClassSession.objects.live().filter(joining_locked=False).order_by("-started_at").first()
    if session is None:
        raise CommandError("no live session to join: start one, or name its code with --session")
    return session.join_code


class _Bars:
    """One progress bar per stage, on the error stream."""

    def __init__(self, *, quiet: bool) -> None:
        words, bar = TextColumn("{task.description}"), BarColumn()
        self._progress = Progress(words, bar, console=Console(stderr=True), disable=quiet)
        self._stage = ""
        self._task: TaskID | None = None

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._progress.stop()

    def show(self, words: str, done: int, total: int) -> None:
        stage = words.split(":", maxsplit=1)[0]
        if self._task is None or stage != self._stage:
            self._stage, self._task = stage, self._progress.add_task(words, total=total or None)
        self._progress.update(self._task, completed=done, description=words)
