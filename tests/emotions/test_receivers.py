"""What a change in the classroom does to readings: at once, in the database and in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.dispatch import Signal
from django.utils import timezone

from classroom import actions, signals
from classroom.models import CheckIn, ClassSession, Course, Erasure, Participant
from emotions import receivers
from emotions.actions import record_readings
from emotions.frames import slots
from emotions.messages import Pace
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.readings import live
from emotions.reports import rollups
from emotions.store import async_redis, close_async_redis, live_key, presence_key, sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import frame_of, observation

pytestmark = pytest.mark.django_db(transaction=True)


def test_whatever_the_classroom_tells_somebody_hears() -> None:
    told = {name: signal for name, signal in vars(signals).items() if isinstance(signal, Signal)}
    assert [name for name, signal in told.items() if not signal.has_listeners()] == []


def left_in_redis(participant: Participant) -> list[str]:
    """Where something of a participant is found."""
    who, where = participant.pk, participant.session_id
    found = {
        "slot": sync_redis().exists(slots.slot_key(who)),
        "live": sync_redis().hexists(live_key(where), str(who)),
        "presence": sync_redis().hexists(presence_key(where), str(who)),
    }
    return [place for place, there in found.items() if there]


def fill(participant: Participant) -> None:
    """A waiting frame, a live reading, a presence and a stored event."""
    frame = frame_of(participant)
    record_readings([observation(frame)])
    sync_redis().hset(presence_key(participant.session_id), str(participant.pk), "x:on:1")
    with sync_redis().pipeline() as pipe:
        live.update(pipe, [observation(frame)])
        pipe.execute()

    async def put() -> None:
        await slots.put(async_redis(), [frame])
        await close_async_redis()

    asyncio.run(put())


@pytest.mark.parametrize(
    ("what", "left"),
    [
        (actions.withdraw, ["presence"]),
        (actions.leave, []),
        (lambda sam: actions.remove_participant(sam, sam.session.course.instructor), []),
        (actions.erase, []),
    ],
)
def test_what_waits_in_redis_goes_at_once(join: Join, what: Callable[[Participant], Any], left: list[str]) -> None:
    sam, mia = join(), join("Mia")
    fill(sam)
    fill(mia)
    what(sam)
    assert left_in_redis(sam) == left
    assert left_in_redis(mia) == ["slot", "live", "presence"]


def test_erasure_leaves_nothing_of_one_and_everything_of_others(join: Join, session: ClassSession) -> None:
    sam, mia = join(), join("Mia")
    MoodPoint.objects.create(
        session=session, sequence=1, at=timezone.now(), joined=2, connected=2, measured=2, uncertain=0, not_visible=0
    )
    for student in (sam, mia):
        fill(student)
    rollups.close_session(session.pk, timezone.now() + timedelta(minutes=1))
    assert MinuteRollup.objects.count() == 2
    pk = sam.pk
    actions.erase(sam)
    assert not EmotionEvent.objects.filter(participant=pk).exists()
    assert not MinuteRollup.objects.filter(participant=pk).exists()
    assert (EmotionEvent.objects.count(), MinuteRollup.objects.count(), MoodPoint.objects.count()) == (1, 1, 1)


def words_kept(session: ClassSession) -> list[int]:
    """The sequences of the points that still say how many said what."""
    return [point.sequence for point in MoodPoint.objects.filter(session=session) if point.pace]


@pytest.fixture
def spoken(join: Join, session: ClassSession) -> Participant:
    """By a single student, a second before the minutes 0 and 10; points are one a minute, the last now."""
    sam, start = join(), timezone.now() - timedelta(minutes=19)
    counts = dict.fromkeys(("joined", "connected", "measured", "uncertain", "not_visible"), 1)
    for minute in range(20):
        at, pace = start + timedelta(minutes=minute), {"lost": 1}
        MoodPoint.objects.create(session=session, sequence=minute, at=at, pace=pace, **counts)
    for minute in (0, 10):
        CheckIn.objects.create(participant=sam, word="lost", at=start + timedelta(minutes=minute, seconds=-1))
    other = actions.start_session(Course.objects.create(title="Other", instructor=session.course.instructor))
    MoodPoint.objects.create(session=other, sequence=1, at=start, pace={"lost": 1}, **counts)
    return sam


OTHERS = {3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19}


def test_words_that_are_erased_leave_the_class_mood_of_their_time(spoken: Participant) -> None:
    session = spoken.session
    actions.erase(spoken)
    assert set(words_kept(session)) == OTHERS
    first = MoodPoint.objects.filter(session=session).first()
    assert first is not None
    assert (first.as_message().pace, first.joined) == (Pace(), 1)
    assert MoodPoint.objects.exclude(session=session).get().pace == {"lost": 1}


def test_words_of_erased_minutes_do_too_and_others_stay(spoken: Participant) -> None:
    actions.erase_last(spoken, 12)
    assert set(words_kept(spoken.session)) == OTHERS | {0, 1, 2}


def test_after_a_restore_they_go_again(spoken: Participant) -> None:
    receipt = actions.erase_last(spoken, 1)
    now = timezone.now()
    Erasure.objects.filter(pk=receipt.pk).update(since=now - timedelta(minutes=12), until=now - timedelta(minutes=2))
    receipt.refresh_from_db()
    assert actions.erase_again(receipt)
    assert set(words_kept(spoken.session)) == OTHERS | {0, 1, 2}
    assert CheckIn.objects.count() == 1


def test_after_a_restore_a_word_of_just_before_the_minutes_leaves_the_class_mood_too(spoken: Participant) -> None:
    """It may have taken the place of one within them, and goes with them."""
    receipt, said = actions.erase_last(spoken, 1), CheckIn.objects.latest("at")
    since, until = said.at + timedelta(seconds=3), timezone.now() - timedelta(minutes=2)
    Erasure.objects.filter(pk=receipt.pk).update(since=since, until=until)
    receipt.refresh_from_db()
    assert actions.erase_again(receipt)
    assert not CheckIn.objects.filter(pk=said.pk).exists()
    assert set(words_kept(spoken.session)) == OTHERS | {0, 1, 2}


def test_two_erasures_never_clear_one_sessions_words_at_once(
    spoken: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds the session's minutes, also while it looks again after its commit."""
    held: list[tuple[int, bool]] = []
    monkeypatch.setattr(rollups, "hold", lambda pk: held.append((pk, connection.in_atomic_block)))
    actions.erase(spoken)
    assert held == 2 * [(spoken.session_id, True)]


def test_withdrawal_keeps_what_was_given_before(join: Join) -> None:
    sam = join()
    fill(sam)
    actions.withdraw(sam)
    assert EmotionEvent.objects.filter(participant=sam).count() == 1


def test_the_end_of_a_session_counts_its_last_minutes(join: Join, session: ClassSession) -> None:
    fill(join())
    assert not MinuteRollup.objects.exists()
    actions.end_session(session)
    assert MinuteRollup.objects.get().readings == 1


def test_without_redis_the_change_stands(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = join()
    nowhere = redis.Redis(port=1, socket_connect_timeout=0.2)
    monkeypatch.setattr(receivers, "sync_redis", lambda: nowhere)
    actions.withdraw(sam)
    sam.refresh_from_db()
    assert (sam.scope, sam.consent_epoch) == ("none", 2)
