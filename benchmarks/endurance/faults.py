"""What goes wrong, on purpose: each fault begins, is held for some seconds, and is lifted."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.endurance.crowd import Crowd
from benchmarks.processes import tree
from classroom.local.running import RunningProduct

CLOCK_STEP_SECONDS = 3600.0
NEARLY_FULL = 64 * 1024
"""Bytes that a file may have where no disk of our own could be made: Postgres can then extend no table."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the faults act on. `disk`: a small file system that Postgres's data lie on, or None."""

    product: RunningProduct
    crowd: Crowd
    disk: Path | None


@dataclass(frozen=True, slots=True)
class Fault:
    """`begin` and `lift` act at once; between them lie `hold` seconds."""

    name: str
    begin: Callable[[Stage], None]
    lift: Callable[[Stage], None] = lambda stage: None
    hold: float = 0.0


def _kill(name: str) -> Callable[[Stage], None]:
    """SIGKILL for the service and all its processes at once; `up` starts another."""

    def begin(stage: Stage) -> None:
        _signal_all(stage.product.pids()[name], signal.SIGKILL)

    return begin


def _kill_part(name: str) -> Callable[[Stage], None]:
    """The same for Postgres or Valkey; whoever keeps them starts them again, Valkey empty."""

    def begin(stage: Stage) -> None:
        _signal_all(machine.parts()[name], signal.SIGKILL)

    return begin


def _signal_worker(number: signal.Signals) -> Callable[[Stage], None]:
    def send(stage: Stage) -> None:
        _signal_all(stage.product.pids()["worker"], number)

    return send


def _signal_all(pid: int, number: signal.Signals) -> None:
    for one in tree(pid):
        with contextlib.suppress(ProcessLookupError):  # a child that went with its parent
            os.kill(one, number)


def _fill_disk(stage: Stage) -> None:
    """To the last byte; or, where we have no disk of our own, let no file of Postgres's grow."""
    if stage.disk is None:
        _limit_files(NEARLY_FULL)
        return
    with contextlib.suppress(OSError), (stage.disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(2**20))
    with contextlib.suppress(OSError), (stage.disk / "ballast").open("ab", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def _free_disk(stage: Stage) -> None:
    if stage.disk is None:
        _limit_files(resource.RLIM_INFINITY)
    else:
        (stage.disk / "ballast").unlink()


def _limit_files(size: int) -> None:
    """For every process of Postgres; one that was started anew meanwhile has no limit, as if space had been made."""
    with contextlib.suppress(OSError):
        for pid in tree(machine.parts()["postgres"]):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _step_clocks(seconds: float) -> Callable[[Stage], None]:
    """A fifth of the students set their clocks."""

    def step(stage: Stage) -> None:
        for notes in stage.crowd.notes[::5]:
            notes.clock_error += seconds

    return step


def faults(hold: float) -> tuple[Fault, ...]:
    """All of them, in their order. `hold`: seconds, of those that don't end by themselves."""
    stop, go_on = _signal_worker(signal.SIGSTOP), _signal_worker(signal.SIGCONT)
    return (
        Fault("worker killed", _kill("worker")),
        Fault("web killed", _kill("web")),
        Fault("ticker killed", _kill("ticker")),
        Fault("Valkey killed, comes back empty", _kill_part("valkey")),
        Fault("Postgres killed", _kill_part("postgres")),
        Fault(f"Postgres's disk full for {hold:g} s", _fill_disk, _free_disk, hold),
        Fault(f"worker stopped for {hold:g} s", stop, go_on, hold),
        Fault("clocks set back an hour", _step_clocks(-CLOCK_STEP_SECONDS)),
        Fault("clocks set forward an hour", _step_clocks(CLOCK_STEP_SECONDS)),
    )
