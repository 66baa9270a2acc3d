"""What processes cost, read from /proc: CPU seconds of a whole tree, and memory that is its own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM, _CHILD_USER, _CHILD_SYSTEM = 11, 12, 13, 14
"""Places in /proc/PID/stat, counted after the command's name."""


def tree(pid: int) -> list[int]:
    """The process and all its descendants that live now."""
    return [pid, *(below for child in _children(pid) for below in tree(child))]


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far, their finished children's included."""
    return sum(_ticks(pid) for pid in pids) / TICKS


def cpu_by_name(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of each named process with its descendants."""
    return {name: cpu_seconds(tree(pid)) for name, pid in roots.items()}


def pss_mb(pid: int) -> float:
    """Proportional set size: memory of its own, and its part of what it shares. MB."""
    return _memory(pid).get("Pss", 0.0)


def own_mb(pid: int) -> float:
    """The same without memory that was made to be shared, as Postgres's buffers are. MB."""
    memory = _memory(pid)
    return memory.get("Pss", 0.0) - memory.get("Pss_Shmem", 0.0)


def _memory(pid: int) -> dict[str, float]:
    """MB by the names of /proc/PID/smaps_rollup."""
    lines = (line.split() for line in _read(pid, "smaps_rollup").splitlines()[1:])
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines}


def _children(pid: int) -> Iterator[int]:
    for task in _tasks(pid):
        yield from map(int, _read(pid, f"task/{task}/children").split())


def _tasks(pid: int) -> list[str]:
    try:
        return [task.name for task in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return []


def _ticks(pid: int) -> int:
    values = _read(pid, "stat").rpartition(")")[2].split()
    return sum(int(values[place]) for place in (_USER, _SYSTEM, _CHILD_USER, _CHILD_SYSTEM)) if values else 0


def _read(pid: int, name: str) -> str:
    """Empty for a process that has ended, or one of another person."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
