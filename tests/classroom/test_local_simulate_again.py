"""`simulate --again`: the demo class after a restart is one class, not two."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from classroom.models import ClassSession, Course, Participant
from emotions.management.commands import simulate

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(alice: User) -> ClassSession:
    return ClassSession.objects.create(course=Course.objects.create(title="Algebra", instructor=alice))


def join(session: ClassSession, name: str) -> Participant:
    return Participant.objects.create(session=session, display_name=name)


@pytest.mark.parametrize("again", [True, False])
def test_students_of_an_earlier_run_leave_first(
    session: ClassSession, alice: User, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    elsewhere = ClassSession.objects.create(course=Course.objects.create(title="Physics", instructor=alice))
    left_behind = [join(session, name) for name in ("Aarav", "Diya")]
    staying = [join(session, "Somebody Real"), join(elsewhere, "Aarav")]
    present: list[set[Participant]] = []

    def run(plan: Any, progress: Any) -> dict[str, object]:
        present.append(set(Participant.objects.present()))
        return {}

    monkeypatch.setattr(simulate, "run", run)
    options = ["--again"] if again else []
    call_command("simulate", "--students", "2", "--session", session.join_code, "--json", *options)
    assert present == [set(staying) if again else {*staying, *left_behind}]
