"""The supervisor: restarts what dies, stops in order, leaves no orphan, keeps the last words of what failed."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from classroom.local.folder import CHECKOUT, DataFolder
from classroom.local.process import Program
from classroom.local.product import Choices, Product
from classroom.local.screen import Screen
from classroom.local.supervisor import FailedError, Stopped, Supervisor
from tests.processes import alive


def program(name: str, code: str, *, stage: int = 0, stop_seconds: float = 2.0) -> Program:
    return Program(name, (sys.executable, "-c", code), stage=stage, stop_seconds=stop_seconds)


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def lines() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def supervisor(lines: list[tuple[str, str]]) -> Iterator[Supervisor]:
    made = Supervisor(lambda name, line: lines.append((name, line)))
    yield made
    made.stop()


def test_a_killed_process_is_started_again(supervisor: Supervisor) -> None:
    supervisor.keep(program("sleeper", "import time; time.sleep(60)"))
    first = supervisor.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)

    def restarted() -> bool:
        supervisor.step()
        return supervisor.pids().get("sleeper", first) != first

    wait_for(restarted)
    assert alive(supervisor.pids()["sleeper"])
    assert not alive(first)


def test_a_full_disk_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What runs is kept running, though state.json can't say so; the first change afterwards is in it again."""
    product = Product(Choices(folder=tmp_path), Screen(quiet=True))
    own = product._supervisor

    def killed_and_started_again() -> int:
        first = own.pids()["sleeper"]
        os.kill(first, signal.SIGKILL)

        def restarted() -> bool:
            own.step()
            return own.pids().get("sleeper", first) != first

        wait_for(restarted)
        return own.pids()["sleeper"]

    def full(folder: DataFolder, state: dict[str, object]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    try:
        own.keep(program("sleeper", "import time; time.sleep(60)"))
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(DataFolder, "write_state", full)
            assert alive(killed_and_started_again())
        assert "state.json is not written" in capsys.readouterr().out
        pid = killed_and_started_again()
        assert json.loads((tmp_path / "state.json").read_text())["pids"]["sleeper"] == pid
    finally:
        own.stop()
        product._folder.close()


def test_pauses_between_restarts_grow(supervisor: Supervisor, lines: list[tuple[str, str]]) -> None:
    supervisor.keep(program("broken", "raise SystemExit(3)"))

    def ended() -> list[str]:
        supervisor.step()
        return [line for _, line in lines if line.startswith("ended")]

    wait_for(lambda: len(ended()) >= 2)
    assert ended() == ["ended (exit 3), starting again in 0.5 s", "ended (exit 3), starting again in 1 s"]


def test_stages_stop_in_falling_order(supervisor: Supervisor, tmp_path: Path) -> None:
    record = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    time.sleep(0.2)\n"
        "    open({record!r}, 'a').write({name!r} + ' ')\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    started: list[str] = []
    own = Supervisor(lambda name, line: started.append(name))
    for name, stage in (("database", 0), ("worker", 3), ("web", 4)):
        own.keep(program(name, code.format(record=str(record), name=name), stage=stage))
    wait_for(lambda: set(started) == {"database", "worker", "web"})
    own.stop()
    assert record.read_text().split() == ["web", "worker", "database"]


def test_a_process_that_ignores_the_stop_is_killed_in_its_time(supervisor: Supervisor) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    ready: list[str] = []
    own = Supervisor(lambda name, line: ready.append(line))
    own.keep(program("stubborn", code, stop_seconds=0.5))
    pid = own.pids()["stubborn"]
    wait_for(lambda: ready)
    begun = time.monotonic()
    own.stop()
    assert 0.4 < time.monotonic() - begun < 3
    assert not alive(pid)


def test_children_of_a_dead_process_are_ended_too(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    supervisor.keep(program("parent", code))
    wait_for(lambda: note.exists() and note.read_text())
    child = int(note.read_text())

    def gone() -> bool:
        supervisor.step()
        return not alive(child)

    wait_for(gone)


def test_running_to_the_end_returns_the_output(supervisor: Supervisor) -> None:
    assert supervisor.run(program("once", "print('one'); print('two')")) == ["one", "two"]


def test_a_failed_run_says_what_it_printed(supervisor: Supervisor) -> None:
    with pytest.raises(FailedError, match=r"migrate failed \(exit 2\):\n.*no such table"):
        supervisor.run(program("migrate", "import sys; print('no such table'); sys.exit(2)"))


def test_waiting_ends_when_the_process_keeps_failing(supervisor: Supervisor) -> None:
    supervisor.keep(program("web", "print('address already in use'); raise SystemExit(1)"))
    begun = time.monotonic()
    with pytest.raises(
        FailedError, match=re.escape("The web process does not answer. \nweb | address already in use")
    ):
        supervisor.wait("The web process does not answer", lambda: False, 60, "web")
    assert time.monotonic() - begun < 15


def test_a_stop_that_is_asked_for_interrupts_waiting(supervisor: Supervisor) -> None:
    supervisor.stop_asked = True
    with pytest.raises(Stopped):
        supervisor.wait("Nothing", lambda: False, 60)


def test_environment_and_input_reach_the_process(supervisor: Supervisor) -> None:
    code = "import os, sys; print(os.environ['WORD'], sys.stdin.read(), len(os.environ) < 4)"
    given = Program(
        "reader", (sys.executable, "-c", code), environment={"WORD": "yes", "LC_ALL": "C"}, standard_input=b"text"
    )
    assert supervisor.run(given) == ["yes text True"]


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from classroom.local.process import Program\n"
        "from classroom.local.supervisor import Supervisor\n"
        "s = Supervisor(lambda name, line: None)\n"
        "for name in ('one', 'two'):\n"
        "    s.keep(Program(name, (sys.executable, '-c', 'import time; time.sleep(60)')))\n"
        "time.sleep(1)\n"
        f"Path({str(note)!r}).write_text(' '.join(map(str, s.pids().values())))\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(CHECKOUT)}) as parent:
        wait_for(lambda: note.exists() and note.read_text())
        children = [int(word) for word in note.read_text().split()]
        assert all(alive(pid) for pid in children)
        parent.kill()
    wait_for(lambda: not any(alive(pid) for pid in children))
