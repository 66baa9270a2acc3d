"""One child process: how it is started, read and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")
Output = Callable[[str, str], None]  # (process's name, line)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a program runs as, when root starts it."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. Stages start in rising order and stop in falling order."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    stage: int = 0
    account: Account | None = None
    standard_input: bytes = b""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    # What the kernel sends when the supervisor itself is killed.
    orphan_signal: signal.Signals = signal.SIGKILL


class Running:
    """A started program. It leads a session of its own: Ctrl-C in the terminal reaches the supervisor alone."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self._popen = subprocess.Popen(
            tethered(program),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**program.environment},
            cwd=program.folder,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()
        self._feed(program.standard_input)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; after its end the rest of its process group is ended too."""
        code = self._popen.poll()
        if code is not None:
            self.kill()
            self._reader.join(timeout=1)
        return code

    def ask_to_stop(self) -> None:
        """Send the program's own stop signal, to the leader only: it tells its children itself."""
        if self._popen.poll() is None:
            self._popen.send_signal(self.program.stop_signal)

    def kill(self) -> None:
        """End the whole process group, now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def _feed(self, text: bytes) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._popen.stdin as stream:
            stream.write(text)

    def _read(self, output: Output) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as stream:
            for line in stream:
                output(self.program.name, line.decode(errors="replace").rstrip())


def tethered(program: Program) -> list[str]:
    """The command line that starts the program through tether.py."""
    words = [sys.executable, "-I", "-S", str(TETHER), "--parent", str(os.getpid())]
    words += ["--signal", str(int(program.orphan_signal))]
    if program.account is not None:
        words += ["--account", f"{program.account.uid}:{program.account.gid}"]
    return [*words, "--", *program.command]
