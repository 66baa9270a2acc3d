"""`make chaos` and `make soak`, in short; and that their verdicts can fail."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from benchmarks.endurance.chaos import audit, passed
from benchmarks.endurance.crowd import Crowd
from benchmarks.endurance.faults import faults
from benchmarks.endurance.soak import Sample, compare
from classroom import actions
from classroom.models import ClassSession, Course, Participant
from emotions.models import EmotionEvent
from emotions.simulation.pictures import Picture, PictureBank
from tests.processes import Collected

SEVEN = [1 / 7] * 7


@pytest.fixture
def data(collected: Collected, tmp_path: Path) -> Iterator[Path]:
    """For an `up` of its own."""
    made = tmp_path / "data"
    collected.lend(made)
    yield made
    shutil.rmtree(made)


def endurance(run: str, data: Path, *arguments: str) -> dict[str, Any]:
    """Parts of its own, none of those that serve the other tests."""
    command = [sys.executable, "-m", "benchmarks.endurance", run, "--up-data", str(data), *arguments]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.pipeline
def test_whatever_dies_nothing_that_was_told_is_lost(data: Path, record_property: Any) -> None:
    found = endurance("chaos", data, "--students", "10", "--calm", "1.5", "--hold", "3")
    record_property("chaos", json.dumps(found))
    assert [one["fault"] for one in found["faults"]] == [fault.name for fault in faults(3)]
    assert found["faults"][1]["reconnected"] == 10  # the web process takes everybody's socket with it
    assert found["readings_told"] > 100


@pytest.mark.slow
@pytest.mark.pipeline
def test_nothing_grows_while_a_class_sits(data: Path, record_property: Any) -> None:
    """So short a run can't settle: a tenth more memory is let pass here."""
    found = endurance("soak", data, "--students", "10", "--minutes", "0.3", "--warm-up", "0.25", "--tolerance", "0.1")
    record_property("soak", json.dumps(found))
    assert found["flat"]


# -- The verdicts


@pytest.fixture
def session(alice: User) -> ClassSession:
    return actions.start_session(Course.objects.create(title="Optics", instructor=alice))


def event(sam: Participant, sequence: int, label: str = "happy", session: ClassSession | None = None) -> None:
    now = datetime.now(UTC)
    EmotionEvent.objects.create(
        session=session or sam.session, participant=sam, connection=uuid.uuid4(), sequence=sequence,
        captured_at=now, received_at=now, probabilities=SEVEN, label=label, confidence=0.5, uncertain=False,
        box=[0, 0, 1, 1], face_count=1, model_version="test",
    )  # fmt: skip


def audited(sam: Participant, *told: int) -> dict[str, Any]:
    tickets = [(sam.display_name, str(sam.session.public_id), "")]
    crowd = Crowd("ws://nowhere", tickets, PictureBank([Picture(b"", "happy")]))
    for sequence in told:
        crowd.notes[0].sent(sequence)
        crowd.notes[0].heard({"type": "reading.own", "sequence": sequence, "label": "happy"})
    return audit(crowd, tickets) | {"faults": [{"recovered": 1.0}]}


def test_the_audit_passes_what_is_stored_once_as_told(session: ClassSession) -> None:
    sam = actions.join(session, "Sam")
    event(sam, 1)
    event(sam, 2)  # stored, and killed before anybody was told
    found = audited(sam, 1)
    assert passed(found)
    assert (found["readings_told"], found["events_stored"]) == (1, 2)
    assert not passed(found | {"faults": [{"recovered": None}]})


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("told_but_not_stored", (1, 2)),
        ("stored_twice", (1,)),
        ("stored_as_another_reading", (1,)),
        ("in_another_session", (1,)),
    ],
)
def test_the_audit_finds(fault: str, told: tuple[int, ...], session: ClassSession, bob: User) -> None:
    sam = actions.join(session, "Sam")
    other = actions.start_session(Course.objects.create(title="Waves", instructor=bob))
    event(
        sam,
        1,
        "sad" if fault == "stored_as_another_reading" else "happy",
        other if fault == "in_another_session" else None,
    )
    if fault == "stored_twice":
        event(sam, 1)
    found = audited(sam, *told)
    assert {name: found[name] for name in (fault,)} == {fault: 1}
    assert not passed(found)


def samples(memory: float, files: int, p95: float, growth: float = 0.0) -> list[Sample]:
    return [Sample({"web": memory * (1 + growth * n / 29)}, {"web": files + n // 2}, 3, p95) for n in range(30)]


def test_a_soak_that_stays_is_flat_and_one_that_grows_is_not() -> None:
    assert compare(samples(100, 20, 40.0), 0.03)["flat"]
    assert not compare(samples(100, 20, 40.0, growth=0.1), 0.03)["flat"]
    leaking = [Sample({"web": 100.0}, {"web": 20 + 2 * n}, 3, 40.0) for n in range(30)]
    assert not compare(leaking, 0.03)["flat"]
    slower = [*samples(100, 20, 100.0)[:15], *samples(100, 20, 200.0)[15:]]
    assert not compare(slower, 0.03)["flat"]
