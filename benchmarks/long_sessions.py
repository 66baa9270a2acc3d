"""Pages, lists, exports and the ticker with two million readings in one session and a thousand sessions: how long?

    .venv/bin/python -m classroom.local -- .venv/bin/python -m benchmarks.long_sessions [--json]

makes a database of its own on the server that DATABASE_URL names (classroom.local starts a throw-away one), fills it
by COPY, measures through Django's own views, prints one JSON object (or a table), and removes the database.

Each figure is the median of several calls after one that is not counted; queries are counted in a call of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Figure = dict[str, Any]


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        print("DATABASE_URL and REDIS_URL are not set: run it behind `python -m classroom.local --`", file=sys.stderr)
        return 2
    with own_database(os.environ["DATABASE_URL"]) as url, tempfile.TemporaryDirectory() as static:
        _set_up(url, static)
        # It names the models: not before Django is set up.
        from benchmarks.long_sessions_measures import measured

        result = measured(options, _bars)
    if options.json:
        print(json.dumps(result))
    else:
        _print(result)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_sessions", description=__doc__.split("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--sessions", type=int, default=1_000, help="how many, the long one included")
    parser.add_argument("--students", type=int, default=200, help="of the long session")
    parser.add_argument("--hours", type=float, default=3.0, help="its length")
    parser.add_argument("--events", type=int, default=2_000_000, help="readings stored in it")
    parser.add_argument("--elsewhere", type=int, default=1_000_000, help="readings of all other sessions together")
    return parser.parse_args(arguments)


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A new database beside the one that `url` names; removed afterwards."""
    name = f"long_sessions_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _set_up(url: str, static: str) -> None:
    """The product's own settings, but for what a browser on HTTPS would need."""
    chosen = {"DATABASE_URL": url, "ROOMTONE_PROFILE": "demo", "ROOMTONE_HTTPS": "0", "ROOMTONE_DEBUG": "0"}
    chosen |= {"ROOMTONE_SECRET_KEY": secrets.token_urlsafe(50), "ROOMTONE_LOG_LEVEL": "WARNING"}
    chosen |= {"ROOMTONE_STATIC_ROOT": static, "ROOMTONE_ALLOWED_HOSTS": "testserver"}
    chosen |= {"ROOMTONE_REDIS_PREFIX": f"long-sessions-{uuid.uuid4().hex[:8]}"}
    os.environ.update(chosen, DJANGO_SETTINGS_MODULE="classroom.config.settings")
    import django
    from django.conf import settings

    django.setup()
    # Nobody has collected the pages' files for this run.
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


# -- What is shown


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """One bar per kind of row, on the error stream."""
    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, Any] = {}

        def show(words: str, done: int, total: int) -> None:
            if words not in tasks:
                tasks[words] = progress.add_task(words, total=total)
            progress.update(tasks[words], completed=done)

        yield show


def _print(result: Figure) -> None:
    console = Console()
    calls = Table("call", "median ms", "worst ms", "queries", title="With " + _words(result["size"]))
    for name, figure in result["calls"].items():
        calls.add_row(name, f"{figure['ms']:.1f}", f"{figure['worst_ms']:.1f}", str(figure["queries"] or "–"))
    console.print(calls)
    console.print("readings CSV:", _words(result["readings_csv"]))
    for name, figure in result["storage"].items():
        console.print(f"{name.replace('_', ' ')}:", _words(figure))


def _words(figures: Figure) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
