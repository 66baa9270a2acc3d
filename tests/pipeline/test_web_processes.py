"""Several processes for pages and sockets under one port (`up --web N`): answers find their way, none is left."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from benchmarks.processes import tree
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course
from emotions.models import EmotionEvent
from tests.pipeline.test_simulate import ALL_BY_NAME, simulate
from tests.processes import Collected, alive

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files"),
]
STUDENTS = 24


@pytest.fixture(scope="module")
def doubled(
    product: RunningProduct, tmp_path_factory: pytest.TempPathFactory, collected: Collected
) -> Iterator[RunningProduct]:
    """Two web processes beside the product's one, with its database and its worker. The last test kills them."""
    arguments = ["--no-demo", "--workers", "0", "--web", "2"]
    data = tmp_path_factory.mktemp("doubled") / "data"
    collected.lend(data)
    running = RunningProduct(data, product.environment, arguments)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def serving(product: RunningProduct) -> set[int]:
    """Those that the first web process began."""
    return set(tree(product.pids()["web"])[1:])


def test_students_of_several_processes_are_one_class(doubled: RunningProduct, alice: User) -> None:
    session = ClassSession.objects.create(course=Course.objects.create(title="Calculus 1", instructor=alice))
    chosen = ("--students", str(STUDENTS), "--seconds", "8", "--on-device", "0.5")
    done = simulate(doubled, session.join_code, *chosen, *ALL_BY_NAME)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["lost"] == summary["rejected"] == summary["pending"] == 0
    stored = EmotionEvent.objects.filter(session=session)
    assert set(stored.values_list("source", flat=True)) == {"server", "device"}


def test_none_stays_when_the_first_of_them_or_up_itself_is_killed(doubled: RunningProduct) -> None:
    """One that stays would hold the port."""
    first = doubled.pids()["web"]
    doubled.wait_until(lambda: len(serving(doubled)) >= 2, 30, "two processes")
    before = serving(doubled)
    doubled.kill("web")
    doubled.wait_for_restart("web", first)
    doubled.wait_until(lambda: len(serving(doubled)) >= 2, 30, "two new processes")
    after = serving(doubled)
    assert not after & before
    doubled.kill("up")
    until = time.monotonic() + 20
    while left := [process for process in before | after if alive(process)]:
        assert time.monotonic() < until, f"{left} still run"
        time.sleep(0.1)
