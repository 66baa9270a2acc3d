"""Storing readings: one statement, idempotent, and never after a withdrawal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from django.db import connection, transaction

from classroom import actions as classroom_actions
from classroom.models import ClassSession, Participant
from emotions.actions import record_readings
from emotions.measured import measured, measuring
from emotions.models import EmotionEvent
from tests.emotions.conftest import Join
from tests.emotions.parts import HAPPY, frame_of, joined, observation, slot_frame


@pytest.mark.django_db
def test_an_event_holds_what_was_read(join: Join) -> None:
    sam = join()
    seen = observation(frame_of(sam, sequence=7, captured_ms=1e12 + 0.25, received_ms=1e12 + 90), face_count=2)
    assert record_readings([seen]) == ["stored"]
    event = EmotionEvent.objects.get()
    assert (event.participant_id, event.session_id, event.sequence) == (sam.pk, sam.session_id, 7)
    assert event.connection == seen.frame.connection
    assert event.captured_at.timestamp() * 1000 == pytest.approx(1e12, abs=1)
    assert event.received_at.timestamp() * 1000 == pytest.approx(1e12 + 90, abs=1)
    assert tuple(event.probabilities) == HAPPY
    assert tuple(event.box) == (0.1, 0.2, 0.3, 0.4)
    assert (event.label, event.confidence, event.uncertain, event.face_count) == ("happy", 0.8, False, 2)
    assert (event.model_version, event.source) == ("test", "server")


@pytest.mark.django_db
def test_a_batch_is_one_query_and_each_row_keeps_its_own(join: Join, django_assert_num_queries: Any) -> None:
    students = [join(f"Student {n}") for n in range(40)]
    rows = [[n / 1000] * 6 + [1 - 6 * n / 1000] for n in range(40)]
    batch = [observation(frame_of(s), tuple(p)) for s, p in zip(students, rows, strict=True)]
    with django_assert_num_queries(1):
        assert record_readings(batch) == ["stored"] * 40
    stored = dict(EmotionEvent.objects.values_list("participant_id", "probabilities"))
    assert stored == {s.pk: pytest.approx(p) for s, p in zip(students, rows, strict=True)}


@pytest.mark.django_db
def test_a_frame_is_stored_once(join: Join) -> None:
    seen = observation(frame_of(join()))
    assert record_readings([seen]) == ["stored"]
    assert record_readings([seen]) == ["repeated"]
    other = replace(seen, frame=replace(seen.frame, sequence=2))
    assert record_readings([seen, other]) == ["repeated", "stored"]
    assert EmotionEvent.objects.count() == 2


@pytest.mark.django_db
def test_statements_measure_whom_the_model_measures(session: ClassSession) -> None:
    """`measured` in SQL is `Participant.measured`."""
    gone = (None, session.started_at)
    for scope, left_at, removed_at in product(Participant.Scope.values, gone, gone):
        Participant.objects.create(session=session, scope=scope, left_at=left_at, removed_at=removed_at)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM classroom_participant one WHERE {measured('one')}")
        found = {pk for (pk,) in cursor.fetchall()}
    assert found == {one.pk for one in Participant.objects.all() if one.measured}
    assert len(found) == 2


def _withdraw(participant: Participant) -> None:
    classroom_actions.withdraw(participant)


def _leave(participant: Participant) -> None:
    classroom_actions.leave(participant)


def _end(participant: Participant) -> None:
    classroom_actions.end_session(participant.session)


@pytest.mark.django_db
@pytest.mark.parametrize("departure", [_withdraw, _leave, _end])
def test_nothing_is_stored_without_consent_in_force(join: Join, departure: Callable[[Participant], None]) -> None:
    sam, seen = (sam := join()), observation(frame_of(sam))
    departure(sam)
    assert record_readings([seen]) == ["no_consent"]
    assert not EmotionEvent.objects.exists()


@pytest.mark.django_db
def test_before_consent_nothing_is_stored(join: Join) -> None:
    sam = join(scope="")
    assert record_readings([observation(frame_of(sam, scope="individual"))]) == ["no_consent"]


@pytest.mark.django_db
def test_an_earlier_consent_stores_nothing(join: Join) -> None:
    sam = join(scope="individual")
    seen = observation(frame_of(sam))
    classroom_actions.record_consent(sam, "aggregate", "0" * 64)
    assert record_readings([seen, observation(frame_of(sam, sequence=2))]) == ["old_epoch", "stored"]


@pytest.mark.django_db
def test_nobody_and_strangers_are_refused_beside_others(join: Join) -> None:
    batch = [observation(slot_frame(10**9)), observation(frame_of(join()))]
    assert record_readings(batch) == ["no_consent", "stored"]


@pytest.mark.django_db
def test_an_event_belongs_to_the_participants_session_whatever_the_frame_says(
    join: Join, session: ClassSession
) -> None:
    assert record_readings([observation(frame_of(join(), session=10**9))]) == ["stored"]
    assert EmotionEvent.objects.get().session_id == session.pk


@pytest.mark.django_db
def test_no_readings_ask_no_question(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert record_readings([]) == []


def test_an_observation_without_a_face_is_no_reading() -> None:
    with pytest.raises(ValueError, match="with a face"):
        record_readings([observation(slot_frame(), faces=())])


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_that_is_under_way_is_waited_for(join: Join) -> None:
    """The batch begins while the withdrawal holds the row, and must see its outcome."""
    sam = join()
    seen = observation(frame_of(sam))
    verdicts: list[str] = []

    def store() -> None:
        verdicts.extend(record_readings([seen]))
        connection.close()

    writer = threading.Thread(target=store)
    with transaction.atomic():
        classroom_actions.withdraw(sam)
        writer.start()
        writer.join(0.3)
        assert writer.is_alive(), "the batch must wait for the participant's row"
    writer.join(10)
    assert verdicts == ["no_consent"]
    assert not EmotionEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_reading_lands_after_any_withdrawal(session: ClassSession) -> None:
    """A race, twenty times: two writers store as fast as they can while a student withdraws."""
    for round_ in range(20):
        sam = joined(session, f"Sam {round_}")
        stop = threading.Event()

        def store(sam: Participant = sam, stop: threading.Event = stop) -> None:
            sequence = 0
            while not stop.is_set():
                sequence += 1
                record_readings([observation(frame_of(sam, sequence=sequence, consent_epoch=1))])
            connection.close()

        writers = [threading.Thread(target=store) for _ in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(0.02)
        classroom_actions.withdraw(Participant.objects.get(pk=sam.pk))
        after_withdrawal = EmotionEvent.objects.filter(participant=sam).count()
        time.sleep(0.02)
        stop.set()
        for writer in writers:
            writer.join(10)
        assert EmotionEvent.objects.filter(participant=sam).count() == after_withdrawal
    assert EmotionEvent.objects.exists(), "the writers must have stored something for the race to mean anything"


@pytest.mark.django_db
@pytest.mark.parametrize(("mode", "ended"), [*product(ClassSession.Mode, [False, True])])
def test_statements_and_models_agree_on_which_sessions_measure(
    session: ClassSession, mode: ClassSession.Mode, ended: bool
) -> None:
    session.mode = mode
    session.ended_at = session.started_at if ended else None
    session.save()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {measuring('session')} FROM classroom_classsession session")
        assert cursor.fetchall() == [(session.measures and session.live,)]
