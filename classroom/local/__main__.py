"""`python -m classroom.local [--durable] [--data FOLDER] -- COMMAND ...`: run a command with a throw-away Postgres
and Valkey, and end with its exit code.

Where DATABASE_URL and REDIS_URL are both set, the command runs with those. `--durable`: Postgres writes as safely as
a server's does. `--data`: the data lie in a new folder there, and are removed at the end as well.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from classroom.local.folder import DataFolder
from classroom.local.parts import start_parts
from classroom.local.supervisor import FailedError, Stopped, Supervisor
from classroom.local.wheels import PartsMissingError


def main(arguments: Sequence[str]) -> int:
    """Run `arguments` (after an optional --); returns the exit code."""
    options, command = _parsed(list(arguments))
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return subprocess.call(command)
    try:
        return with_parts(command, options.data, durable=options.durable)
    except (FailedError, PartsMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped:
        return 130


def _parsed(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and the command after the first --."""
    parser = argparse.ArgumentParser(prog="python -m classroom.local", description=__doc__)
    parser.add_argument("--durable", action="store_true")
    parser.add_argument("--data", type=Path)
    own, command = [], arguments
    if "--" in arguments:
        end = arguments.index("--")
        own, command = arguments[:end], arguments[end + 1 :]
    return parser.parse_args(own), command


def with_parts(command: Sequence[str], parent: Path | None = None, *, durable: bool = False) -> int:
    """Start throw-away parts, run the command with their addresses, stop and remove them."""
    folder = DataFolder.throw_away(parent)
    supervisor = Supervisor(lambda name, line: None)
    _stop_on_signals(supervisor)
    try:
        print("Starting a throw-away Postgres and Valkey", file=sys.stderr, flush=True)
        addresses = start_parts(supervisor, folder, throw_away=not durable)
        return _attend(supervisor, subprocess.Popen(command, env=os.environ | addresses.environment()))
    finally:
        supervisor.stop()
        folder.remove()


def _attend(supervisor: Supervisor, command: subprocess.Popen[bytes]) -> int:
    """Look after the parts until the command ends. Ctrl-C reaches the command by itself: wait for its own end."""
    signal.signal(signal.SIGINT, lambda number, frame: None)
    while (code := command.poll()) is None:
        try:
            supervisor.pause()
        except Stopped:
            command.send_signal(signal.SIGTERM)
            supervisor.stop_asked = False
    return code if code >= 0 else 128 - code


def _stop_on_signals(supervisor: Supervisor) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stop_asked = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
