"""A process of ours may hold more sockets than the usual limit of 1,024 open files."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from classroom.config import open_files
from classroom.local.folder import CHECKOUT

SAY = "import classroom.config, resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def test_a_process_raises_its_own_limit() -> None:
    begun = f"ulimit -Sn 256 && ulimit -Hn 4096 && exec {sys.executable} -c '{SAY}'"
    ended = subprocess.run(["bash", "-c", begun], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["4096", "4096"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 1_048_576), [(open_files.ENOUGH, 1_048_576)]),
        ((1024, resource.RLIM_INFINITY), [(open_files.ENOUGH, resource.RLIM_INFINITY)]),
        ((100_000, 1_048_576), []),
        ((1024, 1024), []),
    ],
)
def test_it_takes_what_is_enough_and_gives_nothing_back(
    before: tuple[int, int], after: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: before)
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    open_files.allow_many_open_files()
    assert asked == after
