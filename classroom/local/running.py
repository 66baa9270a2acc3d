"""A product started by a program, for tests and benchmarks: `manage.py up` as a child, and what it says of itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from classroom.local.folder import CHECKOUT
from classroom.local.network import free_port
from classroom.local.process import Program, tethered

START_SECONDS = 120.0
STOP_SECONDS = 40.0


class RunningProduct:
    """A running `manage.py up`. It dies with the process that started it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
        """Start it with its data in `folder`, on a free port; returns at once (see `wait_until_ready`)."""
        self.environment = dict(environment)
        self.log_file = folder / "up.log"
        self._state_file = folder / "state.json"
        folder.mkdir(parents=True, exist_ok=True)
        words = ("manage.py", "up", "--port", str(free_port()), "--data", str(folder), *arguments)
        program = Program("up", (sys.executable, *words), orphan_signal=signal.SIGTERM)
        with self.log_file.open("wb") as log:
            self._popen = subprocess.Popen(
                tethered(program), stdout=log, stderr=log, cwd=CHECKOUT, env=self.environment, start_new_session=True
            )

    @property
    def base_url(self) -> str:
        """http://localhost:PORT"""
        return str(self._state()["base_url"])

    @property
    def ws_url(self) -> str:
        """ws://localhost:PORT"""
        return self.base_url.replace("http", "ws", 1)

    def pids(self) -> dict[str, int]:
        """The process id of each service that runs now, and of `up` itself."""
        return dict(self._state().get("pids", {}))

    def kill(self, name: str) -> int:
        """SIGKILL the named service; returns the process id that it had."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_for_restart(self, name: str, old_pid: int, seconds: float = 30.0) -> int:
        """Wait until the named service has a new process; returns its id."""
        self.wait_until(lambda: self.pids().get(name, old_pid) != old_pid, seconds, f"a new {name}")
        return self.pids()[name]

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: bool(self._state().get("ready")), START_SECONDS, "readiness")

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Poll; raises AssertionError with the end of the log when it does not come in time."""
        end = time.monotonic() + seconds
        while not condition():
            if self._popen.poll() is not None:
                raise AssertionError(f"`up` ended (exit {self._popen.returncode}):\n{self.tail()}")
            if time.monotonic() > end:
                raise AssertionError(f"No {what} within {seconds:g} s:\n{self.tail()}")
            time.sleep(0.05)

    def log(self) -> str:
        """Everything that `up` and its processes printed."""
        return self.log_file.read_text(errors="replace")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log().splitlines()[-lines:])

    def stop(self) -> int:
        """Stop as Ctrl-C does; returns the exit code (a kill after STOP_SECONDS shows as a negative one)."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
        try:
            return self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()

    def _state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return {}
        # What a killed run left there says nothing about ours.
        return state if state["pids"]["up"] == self._popen.pid else {}
