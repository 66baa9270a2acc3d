"""`python -m classroom.local [--durable] [--data FOLDER] -- COMMAND ...`: run a command with a throw-away Postgres
and Valkey, and end with its exit code.

Where DATABASE_URL and REDIS_URL are both set, the command runs with those. `--durable`: Postgres writes as safely as
a server's does. `--data`: the data lie in a new folder there, and are removed at the end as well.

`--kept`: with the data that `manage.py up` keeps (in FOLDER, or where it keeps them by itself) instead, while it is
stopped. The command has Postgres's programs on its PATH, and the installation's own secret key.
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

from classroom.config.core_dumps import forbid_core_dumps
from classroom.local.folder import DataFolder, FolderInUseError
from classroom.local.parts import start_parts
from classroom.local.supervisor import FailedError, Stopped, Supervisor
from classroom.local.wheels import PartsMissingError, postgres_programs, unprivileged


def main(arguments: Sequence[str]) -> int:
    """Run `arguments` (after an optional --); returns the exit code."""
    options, command = _parsed(list(arguments))
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    forbid_core_dumps()
    try:
        if options.kept:
            return with_kept(command, options.data)
        if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
            return subprocess.call(command)
        return with_parts(command, options.data, durable=options.durable)
    except (FailedError, FolderInUseError, PartsMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    except Stopped:
        return 130


def _parsed(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and the command after the first --."""
    parser = argparse.ArgumentParser(prog="python -m classroom.local", description=__doc__)
    parser.add_argument("--durable", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--kept", action="store_true")
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


def with_kept(command: Sequence[str], place: Path | None) -> int:
    """As `with_parts`, with what `up` keeps there. Raises FolderInUseError while it runs."""
    folder = DataFolder.open(place)
    supervisor = Supervisor(lambda name, line: None)
    _stop_on_signals(supervisor)
    try:
        environment = os.environ | start_parts(supervisor, folder).environment() | _of_up(folder)
        return _attend(supervisor, subprocess.Popen(command, env=environment))
    finally:
        supervisor.stop()
        folder.close()


def _of_up(folder: DataFolder) -> dict[str, str]:
    """What the processes of `up` have besides, and where pg_dump and psql are."""
    programs = postgres_programs(folder, unprivileged())
    path = os.pathsep.join((str(programs), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "ROOMTONE_SECRET_KEY": folder.secret("secret_key", 50)}


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
