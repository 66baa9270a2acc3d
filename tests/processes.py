"""Processes that tests watch, hold still and start. Who is below one: benchmarks.processes.tree."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from benchmarks.processes import tree
from classroom.local.running import RunningProduct


class Collected:
    """The pages' files as the first `up` of this run has collected and compressed them, which takes seconds: later
    ones find them in their data folder, as at a person's second start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lend(self, data: Path) -> None:
        """To an `up` that has not started yet. Where the pages' files have changed since, it collects anew."""
        if self._folder.exists():
            shutil.copytree(self._folder, data, dirs_exist_ok=True)

    def keep(self, data: Path) -> None:
        """Of an `up` that is ready."""
        if not self._folder.exists():
            shutil.copytree(data / "static", self._folder / "static")
            shutil.copy2(data / "static.stamp", self._folder)


ENDED = FileNotFoundError, ProcessLookupError
"""What reading in /proc raises of a process that is gone."""


def name_of(pid: int) -> str:
    """Its program's; empty for one that is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except ENDED:
        return ""


def alive(pid: int) -> bool:
    """One that has ended and waits to be noticed is not: it holds no port and no file."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except ENDED:
        return False


def leave_no_core_dump(pids: Iterable[int]) -> None:
    """A dump of any of them could hold a frame, and would lie on a disk."""
    for pid in pids:
        with contextlib.suppress(*ENDED):
            limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
            (line,) = [line for line in limits if line.startswith("Max core file size")]
            assert line.split()[4:6] == ["0", "0"], f"{pid}: {line}"


@contextlib.contextmanager
def core_dumps_allowed() -> Iterator[None]:
    """To what is started meanwhile, as from a person's shell. The tests' own process has forbidden them, and only
    root (with CAP_SYS_RESOURCE) gets that back: for others nothing changes."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


@contextlib.contextmanager
def stopped(product: RunningProduct, name: str) -> Iterator[None]:
    """The service with all its processes stands still, as if the machine had no time for it."""
    pids = tree(product.pids()[name])
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # `up` has lost patience and started another
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def simulating(product: RunningProduct, code: str, *words: str) -> Iterator[None]:
    """A class of synthetic students, until the block ends. `words`: further options of `manage.py simulate`."""
    command = [sys.executable, "manage.py", "simulate", "--url", product.ws_url, "--session", code, "--seconds", "0"]
    students = subprocess.Popen(
        [*command, *words],
        cwd=settings.BASE_DIR,
        env=product.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        students.terminate()
        students.wait(20)
