"""`manage.py up`: the whole product on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classroom.local.folder import FolderInUseError
from classroom.local.network import PortBusyError, is_free
from classroom.local.product import Choices, Product
from classroom.local.screen import Screen
from classroom.local.supervisor import FailedError
from classroom.local.wheels import PartsMissingError


class Command(BaseCommand):
    help = (
        "Start everything on this machine: Postgres and Valkey (unless DATABASE_URL and REDIS_URL name them), web, "
        "worker, ticker, beat and, in the demo profile, a class of synthetic students. Ctrl-C stops it in order."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="the web port (default: 8000, or the next free one)")
        parser.add_argument(
            "--host",
            metavar="ADDRESS",
            help="listen there with plain HTTP, for a proxy on another host (default: this machine alone)",
        )
        parser.add_argument("--lan", action="store_true", help="HTTPS for the phones in the local network")
        parser.add_argument("--no-demo", dest="demo", action="store_false", help="no demo accounts, no students")
        parser.add_argument(
            "--workers", type=int, default=1, help="processes that read frames (default: 1; 0: on other hosts)"
        )
        parser.add_argument("--web", type=int, default=1, help="processes for pages and sockets (default: 1)")
        parser.add_argument("--data", type=Path, metavar="DIR", help="where to keep the data")
        parser.add_argument("--quiet", action="store_true", help="don't show the processes' logs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["workers"] < 0:
            raise CommandError(f"--workers {options['workers']}: expected 0 or more")
        if options["web"] < 1:
            raise CommandError(f"--web {options['web']}: expected 1 or more")
        options["host"] = _host(options["host"], lan=options["lan"])
        names = ("port", "host", "lan", "demo", "workers", "web", "quiet")
        choices = Choices(folder=options["data"], **{name: options[name] for name in names})
        try:
            Product(choices, Screen(quiet=choices.quiet)).serve()
        except (FailedError, FolderInUseError, PartsMissingError, PortBusyError) as error:
            raise CommandError(str(error)) from error


def _host(wanted: str | None, *, lan: bool) -> str:
    """Where to listen; raises CommandError for an address that is not this machine's."""
    if not wanted:
        return "127.0.0.1"
    if lan:
        raise CommandError("--lan listens on every address: leave --host out")
    if not is_free(wanted, 0):
        raise CommandError(f"--host {wanted}: expected an IPv4 address of this machine, or 0.0.0.0 for all of them")
    return wanted
