"""The containers' own checks: `python -m classroom.local.health web|worker|ticker`. Exit 0: well.

Compose restarts what ends, not what hangs: a worker that leaves frames waiting is ended by its own check.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import redis

from classroom.local.readiness import DrainWatch, probe


def web() -> bool:
    """Whether the pages answer, with Postgres and Redis behind them."""
    return probe("http://localhost:8000", None)()


def worker() -> bool:
    """Whether frames are read. Where they are not, the worker beside us is killed: the restart policy starts it."""
    watch = DrainWatch(os.environ)
    stalled = watch.stalled()
    watch.close()
    if stalled:
        for pid in children_of(1):
            os.kill(pid, signal.SIGKILL)
    return not stalled


def ticker() -> bool:
    """Whether some ticker holds the lease; a second one stands by in good health."""
    prefix = os.environ.get("ROOMTONE_REDIS_PREFIX") or "roomtone"
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2) as client:
        return bool(client.exists(f"{prefix}:ticker"))


def children_of(parent: int) -> list[int]:
    """The processes that `parent` started. In a container 1 is its init, and its child the service."""
    processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in processes if _parent_of(entry) == parent]


def _parent_of(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return None


CHECKS = {"web": web, "worker": worker, "ticker": ticker}


def main(arguments: list[str]) -> int:
    """Run the named check; 0 for well, 1 for unwell, 2 for a name that there is not."""
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        print(f"expected one of {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    return 0 if CHECKS[arguments[0]]() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
