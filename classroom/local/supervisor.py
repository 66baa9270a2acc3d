"""Keep processes running: start them in order, restart what dies with growing pauses, stop them in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from classroom.local.process import Output, Program, Running

STEP_SECONDS = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# A process that ran this long had started well: its next failure is a first one again.
SETTLED_SECONDS = 30.0


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The person asked to stop."""


class FailedError(Exception):
    """A process did not do what the start needs; the message says which, and what it printed last."""


@dataclass(slots=True)
class _Kept:
    """A program that is to run, and its present process."""

    program: Program
    running: Running | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=15))


class Supervisor:
    """Runs in the thread that made it (the kernel's death signal follows that thread). Call `step` often."""

    def __init__(self, output: Output, changed: Callable[[], None] = lambda: None) -> None:
        self._output = output
        self._changed = changed
        self._kept: dict[str, _Kept] = {}
        self.stop_asked = False

    def keep(self, program: Program) -> None:
        """Start the program and restart it whenever it ends."""
        kept = self._kept[program.name] = _Kept(program)
        self._start(kept)

    def run(self, program: Program) -> list[str]:
        """Run the program to its end; returns its last lines, or raises FailedError with them."""
        lines: deque[str] = deque(maxlen=30)
        running = Running(program, lambda name, line: lines.append(line))
        try:
            while (code := running.exit_code()) is None:
                self.pause()
        finally:
            running.kill()
        if code != 0:
            raise FailedError(f"{program.name} failed ({_in_words(code)}):\n" + "\n".join(lines))
        return list(lines)

    def wait(self, trouble: str, ready: Callable[[], bool], seconds: float, *names: str) -> None:
        """Step until `ready`; raises FailedError after `seconds`, or when a named program failed three times.

        `trouble` says what is wrong then ("Postgres does not answer"); the programs' last lines follow it.
        """
        end = time.monotonic() + seconds
        while not ready():
            broken = [name for name in names if self._kept[name].failures >= 3]
            if broken or time.monotonic() > end:
                lines = "".join(f"\n{name} | {line}" for name in names for line in self._kept[name].last_lines)
                raise FailedError(f"{trouble}. {lines}".strip())
            self.pause()

    def pause(self) -> None:
        """One step of looking after everything; raises Stopped when the person asked to stop."""
        self.step()
        time.sleep(STEP_SECONDS)
        if self.stop_asked:
            raise Stopped

    def step(self) -> None:
        """Notice what ended, start what is due."""
        for kept in self._kept.values():
            if kept.running is not None:
                self._notice_end(kept)
            elif time.monotonic() >= kept.due:
                self._start(kept)

    def restart(self, name: str, reason: str) -> None:
        """Kill a program that hangs; `step` starts it again."""
        self._output(name, f"restarting: {reason}")
        kept = self._kept[name]
        if kept.running is not None:
            kept.running.kill()

    def pids(self) -> dict[str, int]:
        """The process id of each program that runs now."""
        return {name: kept.running.pid for name, kept in self._kept.items() if kept.running is not None}

    def stop(self) -> None:
        """Stop every program, the last stage first; what does not stop in its time is killed."""
        stages = sorted({kept.program.stage for kept in self._kept.values()}, reverse=True)
        for stage in stages:
            _stop_all(kept.running for kept in self._kept.values() if kept.program.stage == stage)
        self._kept.clear()

    def hurry(self) -> None:
        """Kill everything now: for the person who can't wait. Postgres recovers from it at its next start."""
        for kept in self._kept.values():
            if kept.running is not None:
                kept.running.kill()

    def _start(self, kept: _Kept) -> None:
        kept.started = time.monotonic()
        kept.running = Running(kept.program, self._recorded(kept.last_lines))
        self._changed()

    def _notice_end(self, kept: _Kept) -> None:
        assert kept.running is not None
        code = kept.running.exit_code()
        if code is None:
            return
        now = time.monotonic()
        kept.failures = 1 if now - kept.started > SETTLED_SECONDS else kept.failures + 1
        pause = min(FIRST_PAUSE * 2 ** (kept.failures - 1), LONGEST_PAUSE)
        kept.running, kept.due = None, now + pause
        self._output(kept.program.name, f"ended ({_in_words(code)}), starting again in {pause:g} s")
        self._changed()

    def _recorded(self, lines: deque[str]) -> Output:
        def output(name: str, line: str) -> None:
            lines.append(line)
            self._output(name, line)

        return output


def _stop_all(running: Iterable[Running | None]) -> None:
    """Ask all of one stage at once, wait for the slowest, then kill."""
    left = [process for process in running if process is not None]
    for process in left:
        process.ask_to_stop()
    begun = time.monotonic()
    while left:
        for process in left:
            if time.monotonic() - begun > process.program.stop_seconds:
                process.kill()
        left = [process for process in left if process.exit_code() is None]
        time.sleep(0.02)


def _in_words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit {code}"
