"""Raised hands: from the student's socket to the teacher's page, and down again."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classroom import actions
from classroom.errors import NotPresentError, SessionEndedError
from classroom.models import ClassSession, Participant
from emotions.messages import Hand
from emotions.mood import snapshots
from emotions.mood.ticker import Ticker
from tests.emotions.conftest import Join
from tests.emotions.parts import MeanEstimator
from tests.emotions.sockets import browser, student_cookies, web_process
from tests.emotions.test_ticker import sit


@pytest.fixture
def one(keys: str) -> Ticker:
    return Ticker(MeanEstimator())


def up(session: ClassSession) -> list[Hand]:
    return snapshots.build(session).notices.hands


def raised(student: Participant, ago: timedelta = timedelta(0)) -> None:
    Participant.objects.filter(pk=student.pk).update(hand_raised_at=timezone.now() - ago)


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["none", "aggregate", "individual"])
def test_a_raised_hand_bears_its_name_whatever_is_shared(
    session: ClassSession, one: Ticker, join: Join, scope: str
) -> None:
    ada, now = join("Ada", scope), time.time() * 1000
    actions.raise_hand(ada)
    sit(ada, "off")
    one.tick(now)
    assert [(hand.id, hand.name) for hand in up(session)] == [(ada.public_id, "Ada")]
    actions.lower_hand(ada)
    one.tick(now + 1000)
    assert up(session) == []


@pytest.mark.django_db
def test_who_waits_longest_comes_first_and_a_forgotten_hand_goes_down(
    session: ClassSession, one: Ticker, join: Join
) -> None:
    students = {name: join(name) for name in ("Ada", "Ben", "Cy", "Di")}
    for name, ago in [("Ada", 10), ("Ben", 200), ("Cy", 301)]:
        raised(students[name], timedelta(seconds=ago))
    for student in students.values():
        sit(student, "off")
    one.tick(time.time() * 1000)
    assert [hand.name for hand in up(session)] == ["Ben", "Ada"]


@pytest.mark.django_db
def test_nobody_calls_on_an_empty_chair(session: ClassSession, one: Ticker, join: Join) -> None:
    ada, ben, now = join("Ada"), join("Ben"), time.time() * 1000
    for student in (ada, ben):
        actions.raise_hand(student)
    sit(ada)
    one.tick(now)
    assert [hand.name for hand in up(session)] == ["Ada"]
    actions.leave(ada)
    assert up(session) == []
    ada.refresh_from_db()
    assert ada.hand_raised_at is None


@pytest.mark.django_db
def test_no_hand_outlives_the_session(session: ClassSession, join: Join) -> None:
    ada = join("Ada")
    actions.raise_hand(ada)
    actions.end_session(session)
    ada.refresh_from_db()
    assert ada.hand_raised_at is None
    with pytest.raises(SessionEndedError):
        actions.raise_hand(ada)


@pytest.mark.django_db
def test_who_has_left_raises_no_hand(join: Join) -> None:
    ada = join("Ada")
    actions.leave(ada)
    with pytest.raises(NotPresentError):
        actions.raise_hand(ada)


@pytest.mark.django_db
def test_only_the_sessions_teacher_lowers_a_hand(
    session: ClassSession, join: Join, alice: User, bob: User, client: Client, pages: None
) -> None:
    ada = join("Ada")
    actions.raise_hand(ada)
    address = reverse("lower_hand", args=[session.public_id])
    values: dict[str, Any] = {"participant": str(ada.public_id)}
    for user, status, still_up in [(None, 404, True), (bob, 404, True), (alice, 302, False)]:
        if user:
            client.force_login(user)
        assert client.post(address, values).status_code == status
        ada.refresh_from_db()
        assert bool(ada.hand_raised_at) == still_up


@pytest.mark.django_db(transaction=True)
async def test_a_student_raises_a_hand_and_hears_when_the_teacher_lowers_it(
    session: ClassSession, one: Ticker, join: Join
) -> None:
    ada = await sync_to_async(join)("Ada", "none")
    cookies = await sync_to_async(student_cookies)(ada)
    path = f"/ws/camera/{session.public_id}/"
    async with web_process():
        async with browser(path, cookies) as page:
            assert (await page.hear())["type"] == "welcome"
            await page.say(type="hand", up=True)
            assert 299_000 < (await page.hear())["for_ms"] <= 300_000
        async with browser(path, cookies) as reloaded:
            assert (await reloaded.hear())["type"] == "welcome"
            assert 290_000 < (await reloaded.hear())["for_ms"] <= 300_000
            await sync_to_async(actions.lower_hand)(ada)
            assert await reloaded.hear() == {"type": "hand.changed", "for_ms": 0}
