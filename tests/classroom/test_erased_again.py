"""Traces of erasures: they find somebody in a restored copy, and say nothing to anybody else. The whole way, with
Postgres's own tools, is in tests/pipeline/test_backup.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classroom import actions
from classroom.models import CheckIn, Erasure, Participant
from emotions.models import EmotionEvent, MinuteRollup
from tests.emotions.lectures import hold

pytestmark = pytest.mark.django_db


def again() -> str:
    said = StringIO()
    call_command("erase_again", stdout=said)
    return said.getvalue()


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


def test_the_administration_shows_no_trace(sam: Participant, dana: User, login: Callable[[User], Client]) -> None:
    receipt = actions.erase(sam)
    office = login(dana)
    listing = reverse("admin:classroom_erasure_changelist")
    page = office.get(reverse("admin:classroom_erasure_change", args=[receipt.pk])).content.decode()
    assert receipt.trace not in page + office.get(listing).content.decode()
    assert office.get(listing, {"trace__startswith": receipt.trace[:2]}).status_code == 400
