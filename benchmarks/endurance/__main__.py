"""`python -m benchmarks.endurance {chaos,soak} [OPTIONS]`: runs one of them with parts of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys

from benchmarks.endurance.disk import DISK, small_disk

RUNS = ("chaos", "soak")
# A server's settings, without HTTPS, with a key for this one run.
SETTINGS = {
    "ROOMTONE_DEBUG": "0",
    "ROOMTONE_PROFILE": "consent",
    "ROOMTONE_HTTPS": "0",
    "ROOMTONE_LOG_LEVEL": "WARNING",
    "ROOMTONE_SECRET_KEY": secrets.token_urlsafe(50),
}
ELSEWHERE = {"DATABASE_URL", "REDIS_URL"}
"""Nobody's database but our own is put through this."""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in RUNS:
        print(__doc__, file=sys.stderr)
        return 2
    own = {name: value for name, value in os.environ.items() if name not in ELSEWHERE} | SETTINGS
    with small_disk() as disk:
        place = ["--data", str(disk)] if disk else []
        known = {DISK: str(disk)} if disk else {}
        parts = [sys.executable, "-m", "classroom.local", "--durable", *place, "--"]
        run = [sys.executable, "-m", f"benchmarks.endurance.{arguments[0]}", *arguments[1:]]
        return subprocess.call([*parts, *run], env=own | known)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
