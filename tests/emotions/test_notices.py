"""Who may need the teacher, by way of the real ticker, Redis and pages."""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from classroom import actions
from classroom.models import ClassSession, Participant
from emotions.messages import Attention, Notices
from emotions.mood import attention, snapshots
from emotions.mood.attention import Watch
from emotions.mood.ticker import Ticker
from emotions.readings import live
from emotions.readings.observations import FaceRead
from emotions.store import sync_redis, watch_key
from tests.emotions.conftest import Join
from tests.emotions.parts import MeanEstimator, frame_of, observation
from tests.emotions.sockets import browser, student_cookies, web_process
from tests.emotions.test_ticker import sit

SAD = (0.003, 0.001, 0.003, 0.001, 0.98, 0.002, 0.01)


@pytest.fixture
def one(keys: str) -> Ticker:
    return Ticker(MeanEstimator())


def look_sad(*students: Participant, at_ms: float, uncertain: bool = False) -> None:
    """Each is here, and read as sad."""
    faces = (FaceRead((0.1, 0.2, 0.3, 0.4), SAD, "sad", 0.98, uncertain=uncertain),)
    with sync_redis().pipeline() as pipe:
        live.update(pipe, [observation(frame_of(s, captured_ms=at_ms), SAD, faces=faces) for s in students])
        pipe.execute()
    for student in students:
        sit(student, seen_ms=at_ms)


def usual(student: Participant, at_ms: float, since_ms: float | None = None, recent: float = 0.0) -> None:
    """What an earlier ticker knows of a student: a calm baseline of five minutes."""
    watch = Watch(student.consent_epoch, at_ms, 0.0, recent, 0.0, 300.0, since_ms)
    sync_redis().set(watch_key(student.session_id), attention.dump({student.pk: watch}))


def told(session: ClassSession) -> list[Attention]:
    return snapshots.build(session).notices.attention


@pytest.mark.django_db
def test_who_looks_troubled_for_long_is_named_once_and_across_tickers(session: ClassSession, join: Join) -> None:
    """Every 20 seconds another ticker takes over: what they know goes on."""
    ada, now = join("Ada"), time.time() * 1000
    usual(ada, now - 1000)
    for second in range(0, 160, 2):
        if second % 20 == 0:
            running = Ticker(MeanEstimator())
        look_sad(ada, at_ms=now + second * 1000)
        running.tick(now + second * 1000)
        named = told(session)
        assert not named or second >= 120
    [row] = named
    assert row.id == ada.public_id
    assert row.troubled_ms == pytest.approx(now + 10_000, abs=5000)
    assert (row.unsure, row.lost_ms) == (False, None)


@pytest.mark.django_db
def test_ticks_carry_the_list_only_when_it_changes(session: ClassSession, one: Ticker, join: Join) -> None:
    ada, now, heard = join("Ada"), time.time() * 1000, []

    def keep(_pipe: Any, _session: int, tick: Any) -> None:
        heard.append(tick.notices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emotions.publish.mood_tick", keep)
        for second in range(4):
            if second == 2:
                actions.save_check_in(ada, "lost")
            sit(ada, seen_ms=now + second * 1000)
            one.tick(now + second * 1000)
    said = ada.check_ins.get().at.timestamp() * 1000
    row = Attention(id=ada.public_id, troubled_ms=None, unsure=False, lost_ms=said)
    assert heard == [Notices(), None, Notices(attention=[row]), None]


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["aggregate", "none"])
def test_who_does_not_share_individually_is_never_named(
    session: ClassSession, one: Ticker, join: Join, scope: str
) -> None:
    ben, now = join("Ben", scope), time.time() * 1000
    usual(ben, now - 1000, since_ms=now - 600_000, recent=-0.7)
    actions.save_check_in(ben, "lost")
    look_sad(ben, at_ms=now)
    one.tick(now)
    assert told(session) == []
    assert attention.load(sync_redis().get(watch_key(session.pk)) or b"{}") == {}
    assert session.mood_points.get().pace["lost"] == 0


@pytest.mark.django_db
def test_another_word_takes_lost_back(session: ClassSession, one: Ticker, join: Join) -> None:
    ada, now = join("Ada"), time.time() * 1000
    ada.check_ins.create(word="lost")
    one.tick(now)
    assert len(told(session)) == 1
    ada.check_ins.create(word="got_it")
    one.tick(now + 1000)
    assert told(session) == []


@pytest.mark.django_db
def test_who_withdraws_is_named_no_more(session: ClassSession, one: Ticker, join: Join) -> None:
    ada, now = join("Ada"), time.time() * 1000
    actions.save_check_in(ada, "lost")
    one.tick(now)
    assert len(told(session)) == 1
    actions.withdraw(ada)
    assert told(session) == []
    one.tick(now + 1000)
    assert told(session) == []


# -- Seen


def wave_off(client: Client, student: Participant) -> Any:
    address = reverse("dismiss", args=[student.session.public_id])
    return client.post(address, {"participant": str(student.public_id)}, headers={"accept": "application/json"})


@pytest.mark.django_db
def test_seen_takes_a_name_off_until_there_is_a_new_reason(
    session: ClassSession, one: Ticker, join: Join, alice: User, client: Client, pages: None
) -> None:
    ada, now = join("Ada"), time.time() * 1000
    usual(ada, now - 1000, since_ms=now - 600_000, recent=-0.7)
    ada.check_ins.create(word="lost")
    look_sad(ada, at_ms=now)
    one.tick(now)
    assert len(told(session)) == 1
    client.force_login(alice)
    assert wave_off(client, ada).status_code == 200
    look_sad(ada, at_ms=now + 1000)
    one.tick(now + 1000)
    assert told(session) == []
    look_sad(ada, at_ms=now + 9000)
    one.tick(now + 9000)
    assert told(session) == []  # the same spell, going on
    again = ada.check_ins.create(word="lost")
    one.tick(now + 10_000)
    [row] = told(session)
    assert (row.troubled_ms, row.lost_ms) == (None, again.at.timestamp() * 1000)


@pytest.mark.django_db
def test_a_stranger_waves_nobody_off(
    session: ClassSession, join: Join, bob: User, client: Client, pages: None
) -> None:
    ada = join("Ada")
    assert wave_off(client, ada).status_code == 401
    client.force_login(bob)
    assert wave_off(client, ada).status_code == 404


@pytest.mark.django_db
def test_seen_without_redis_is_refused_in_words(
    session: ClassSession, join: Join, alice: User, client: Client, pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as Away

    def away(*_: Any) -> None:
        raise Away

    monkeypatch.setattr("emotions.mood.dismissals.dismiss", away)
    client.force_login(alice)
    answer = wave_off(client, join("Ada"))
    assert (answer.status_code, answer.json()["error"][:20]) == (503, "A part of the server")


# -- The student reads the same


@pytest.mark.django_db(transaction=True)
async def test_the_student_reads_what_the_teacher_reads(session: ClassSession, one: Ticker, join: Join) -> None:
    ada = await sync_to_async(join)("Ada")
    tick, now = sync_to_async(one.tick), time.time() * 1000
    said = await sync_to_async(actions.save_check_in)(ada, "lost")
    await tick(now)
    lost_ms = said.at.timestamp() * 1000
    async with (
        web_process(),
        browser(f"/ws/camera/{session.public_id}/", await sync_to_async(student_cookies)(ada)) as page,
    ):
        assert (await page.hear())["type"] == "welcome"
        assert (await page.hear())["word"] == "lost", "said before this page was opened"
        nothing = {"type": "attention.own", "troubled_ms": None, "unsure": False, "lost_ms": None}
        assert await page.hear() == nothing | {"lost_ms": lost_ms}
        await sync_to_async(actions.save_check_in)(ada, "got_it")
        await tick(now + 1000)
        assert await page.hear() == nothing
