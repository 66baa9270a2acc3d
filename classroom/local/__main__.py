"""`python -m classroom.local -- COMMAND ...`: run a command with a throw-away Postgres and Valkey.

Where DATABASE_URL and REDIS_URL are both set, the command runs with those. Ends with the command's exit code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType

from classroom.local.folder import DataFolder
from classroom.local.parts import start_parts
from classroom.local.supervisor import FailedError, Stopped, Supervisor
from classroom.local.wheels import PartsMissingError


def main(arguments: Sequence[str]) -> int:
    """Run `arguments` (after an optional --); returns the exit code."""
    command = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return subprocess.call(command)
    try:
        return with_parts(command)
    except (FailedError, PartsMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped:
        return 130


def with_parts(command: Sequence[str]) -> int:
    """Start throw-away parts, run the command with their addresses, stop and remove them."""
    folder = DataFolder.throw_away()
    supervisor = Supervisor(lambda name, line: None)
    _stop_on_signals(supervisor)
    try:
        print("Starting a throw-away Postgres and Valkey", file=sys.stderr, flush=True)
        addresses = start_parts(supervisor, folder, throw_away=True)
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
