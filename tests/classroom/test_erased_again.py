"""Traces of erasures: they find somebody in a restored copy, and say nothing to anybody else. The whole way, with
Postgres's own tools, is in tests/pipeline/test_backup.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, rooms
from classroom.models import CheckIn, ClassSession, ConsentEvent, Erasure, Participant
from emotions.models import EmotionEvent, MinuteRollup
from tests.emotions.lectures import hold

pytestmark = pytest.mark.django_db


def again(*options: str) -> str:
    said = StringIO()
    call_command("erase_again", *options, stdout=said)
    return said.getvalue()


def saved(tmp_path: Path, people: Iterable[Participant]) -> str:
    """The ledger as docs/operations.md saves it; the name of the file."""
    columns = ["public_id", "id", "epoch", "kind", "scope", "text_hash", "at", "declared_by_id", "participant_id"]
    lines = [",".join(columns)]
    for event in ConsentEvent.objects.filter(participant__in=people).select_related("participant"):
        values = [getattr(event.participant if name == "public_id" else event, name) for name in columns]
        lines.append(",".join("" if value is None else str(value) for value in values))
    (tmp_path / "answers.csv").write_text("\n".join(lines))
    return f"--answers={tmp_path / 'answers.csv'}"


def as_copied(participant: Participant, epoch: int) -> None:
    """Make of the participant what a copy of then says."""
    participant.consent_events.filter(epoch__gt=epoch).delete()
    last = participant.consent_events.last()
    participant.consent_epoch, participant.scope = epoch, last.scope if last else "none"
    participant.save()


def in_force(participant: Participant) -> tuple[str, int, list[tuple[str, int]]]:
    participant.refresh_from_db()
    entered = list(participant.consent_events.values_list("kind", "epoch"))
    return participant.scope, participant.consent_epoch, entered


def test_who_took_the_consent_back_since_the_copy_has_taken_it_back(
    sam: Participant, agree: Callable[..., None], heard: Any, tmp_path: Path
) -> None:
    agree(sam)
    actions.erase_last(sam, 5)
    copied = sam.consent_epoch
    agree(sam, "aggregate")
    actions.withdraw(sam)
    tim = actions.join(sam.session, "Tim")
    agree(tim)
    before = in_force(sam), list(sam.consent_events.values_list("at", "text_hash"))
    answers = saved(tmp_path, [sam, tim])
    as_copied(sam, copied)
    tim.delete()
    heard.events.clear()
    assert in_force(sam)[0] == "individual"
    assert "2 answers about consent were entered again." in again(answers)
    assert (in_force(sam), list(sam.consent_events.values_list("at", "text_hash"))) == before
    assert heard.names == ["consent_changed", "minutes_erased_again"]
    assert "0 answers about consent were entered again." in again(answers)


def test_what_was_answered_after_the_restore_holds(
    sam: Participant, agree: Callable[..., None], tmp_path: Path
) -> None:
    agree(sam)
    actions.withdraw(sam)
    agree(sam)
    answers = saved(tmp_path, [sam])
    as_copied(sam, 1)
    actions.withdraw(sam)
    assert "0 answers" in again(answers)
    assert in_force(sam)[0] == "none"


def test_a_room_camera_that_was_taken_back_stays_off(
    session: ClassSession, alice: User, settings: Settings, tmp_path: Path
) -> None:
    settings.ROOM_CAMERAS = True
    camera = actions.declare_room(session, alice, rooms.declaration(session).sha256).participant
    actions.withdraw_room(session, alice)
    answers = saved(tmp_path, [camera])
    as_copied(camera, 1)
    assert "1 answers" in again(answers)
    assert in_force(camera) == ("none", 2, [("given", 1), ("withdrawn", 2)])
    assert camera.consent_events.latest("epoch").declared_by == alice


@pytest.mark.parametrize("text", [None, "public_id,epoch\n1,2", "a\nb", "public_id,epoch\nx"])
def test_a_file_that_holds_no_answers_is_refused_in_words(db: None, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "answers.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(CommandError, match="expected what docs/operations"):
        again(f"--answers={file}")


def test_two_receipts_of_one_student_do_not_show_it(sam: Participant) -> None:
    receipts = [actions.erase_last(sam, 5), actions.erase_last(sam, 5), actions.erase(sam)]
    traces = {receipt.trace for receipt in receipts}
    assert len(traces) == 3
    assert all(len(trace) == 64 for trace in traces)


def test_what_came_after_erased_minutes_stays(sam: Participant) -> None:
    """The copy may be of later than the erasure, which then was done in it already."""
    now = timezone.now()
    receipt = actions.erase_last(sam, 5)
    Erasure.objects.filter(pk=receipt.pk).update(since=now - timedelta(minutes=9), until=now - timedelta(minutes=4))
    later, _erased, earlier = [
        CheckIn.objects.create(participant=sam, word="lost", at=now - timedelta(minutes=ago)) for ago in (1, 6, 11)
    ]
    assert "1 of 1 erasures were done again." in again()
    assert set(CheckIn.objects.all()) == {later, earlier}
    assert again() == "0 of 1 erasures were done again.\n"


def test_readings_of_erased_minutes_go_and_their_minutes_are_counted_anew(sam: Participant) -> None:
    anaya = hold(sam.session, timezone.now() - timedelta(hours=1), minutes=12)[1]
    receipt, start = actions.erase_last(anaya, 1), sam.session.started_at
    since, until = start + timedelta(minutes=3), start + timedelta(minutes=6)
    Erasure.objects.filter(pk=receipt.pk).update(since=since, until=until)
    others = EmotionEvent.objects.exclude(participant=anaya).count()
    minutes = MinuteRollup.objects.filter(participant=anaya).count()
    again()
    assert not EmotionEvent.objects.filter(participant=anaya, captured_at__gte=since, received_at__lte=until).exists()
    assert EmotionEvent.objects.filter(participant=anaya, received_at__gt=until).exists()
    assert minutes - MinuteRollup.objects.filter(participant=anaya).count() >= 2
    assert EmotionEvent.objects.exclude(participant=anaya).count() == others


def test_receipts_of_before_traces_find_nobody_and_are_told(sam: Participant) -> None:
    actions.erase_last(sam, 5)
    Erasure.objects.update(trace="")
    CheckIn.objects.create(participant=sam, word="lost", at=timezone.now() - timedelta(minutes=1))
    assert "0 of 1 erasures were done again.\n1 have no trace" in again()
    assert CheckIn.objects.exists()


def test_who_joined_after_an_erasure_is_not_erased_by_it(sam: Participant) -> None:
    """As it came about while a form of before brought the erased number back."""
    number = sam.public_id
    actions.erase(sam)
    anew = Participant.objects.create(session=sam.session, display_name="Sam", public_id=number)
    assert again() == "0 of 1 erasures were done again.\n"
    Participant.objects.filter(pk=anew.pk).update(joined_at=Erasure.objects.get().at - timedelta(minutes=1))
    assert "1 of 1 erasures were done again." in again()


def test_the_administration_shows_no_trace(sam: Participant, dana: User, login: Callable[[User], Client]) -> None:
    receipt = actions.erase(sam)
    office = login(dana)
    listing = reverse("admin:classroom_erasure_changelist")
    page = office.get(reverse("admin:classroom_erasure_change", args=[receipt.pk])).content.decode()
    assert receipt.trace not in page + office.get(listing).content.decode()
    assert office.get(listing, {"trace__startswith": receipt.trace[:2]}).status_code == 400
