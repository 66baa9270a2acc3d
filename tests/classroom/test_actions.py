"""What can happen in a classroom: rules, signals, and what two people do at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, codes, consent
from classroom.config.profile import PROFILES
from classroom.errors import (
    AlreadyLiveError,
    InferenceOffError,
    JoiningLockedError,
    NotPresentError,
    RefusedError,
    SessionEndedError,
    TextRefusedError,
)
from classroom.models import CheckIn, ClassSession, ConsentEvent, Course, Participant

Agree = Callable[..., None]


# -- Sessions


def test_a_session_starts_live_with_a_code(course: Course) -> None:
    session = actions.start_session(course, "camera", "  Chain   rule ")
    assert session.live
    assert session.title == "Chain rule"
    assert len(session.join_code) == codes.LENGTH


def test_a_course_has_one_live_session(course: Course, session: ClassSession) -> None:
    with pytest.raises(AlreadyLiveError) as refusal:
        actions.start_session(course)
    assert refusal.value.session == session
    actions.end_session(session)
    assert actions.start_session(course).live


def test_cameras_are_refused_where_the_profile_forbids_inference(course: Course, settings: Settings) -> None:
    settings.PROFILE = PROFILES["eu"]
    with pytest.raises(InferenceOffError, match="AI Act"):
        actions.start_session(course, "camera")
    assert actions.start_session(course, "check_ins").mode == "check_ins"


def test_an_unknown_mode_is_refused(course: Course) -> None:
    with pytest.raises(RefusedError, match="telepathy"):
        actions.start_session(course, "telepathy")


def test_a_session_ends_once(session: ClassSession, heard: Any) -> None:
    assert actions.end_session(session) is True
    first = session.ended_at
    assert actions.end_session(session) is False
    session.refresh_from_db()
    assert session.ended_at == first
    assert heard.names == ["session_ended"]


def test_a_session_that_starts_in_the_future_can_end(course: Course) -> None:
    """A database clock behind the web server's must not keep a session from ending."""
    session = ClassSession.objects.create(course=course, started_at=timezone.now() + timedelta(seconds=5))
    assert actions.end_session(session)
    assert session.ended_at == session.started_at


def test_lock_unlock_and_renew_tell_everybody(session: ClassSession, heard: Any) -> None:
    before = session.join_code
    locked = []
    for action in (actions.lock_joining, actions.unlock_joining):
        action(session)
        locked.append(session.joining_locked)
    assert locked == [True, False]
    assert actions.renew_code(session) == session.join_code != before
    assert heard.names == ["session_changed"] * 3


@pytest.mark.parametrize("action", [actions.lock_joining, actions.unlock_joining, actions.renew_code])
def test_an_ended_session_does_not_change(session: ClassSession, action: Callable[[ClassSession], object]) -> None:
    actions.end_session(session)
    before = ClassSession.objects.values().get(pk=session.pk)
    with pytest.raises(SessionEndedError):
        action(session)
    assert ClassSession.objects.values().get(pk=session.pk) == before


def test_a_taken_code_is_drawn_again(session: ClassSession, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([session.join_code, session.join_code, "ABCDEFG"])
    monkeypatch.setattr("classroom.actions.sessions.new_join_code", lambda: next(draws))
    other = actions.start_session(Course.objects.create(title="Optics", instructor=bob))
    assert other.join_code == "ABCDEFG"


def test_an_ended_sessions_code_may_come_up_again(
    session: ClassSession, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.end_session(session)
    monkeypatch.setattr("classroom.actions.sessions.new_join_code", lambda: session.join_code)
    other = actions.start_session(Course.objects.create(title="Optics", instructor=bob))
    assert other.join_code == session.join_code


def test_a_marker_is_placed(session: ClassSession, heard: Any) -> None:
    marker = actions.place_marker(session, " Slide 4 ")
    assert marker.label == "Slide 4"
    assert heard.events == [("markers_changed", session)]
    actions.rename_marker(marker, "Quiz")
    actions.remove_marker(marker)
    assert heard.events == [("markers_changed", session)] * 3


def test_a_course_and_a_session_are_renamed_also_afterwards(session: ClassSession) -> None:
    actions.end_session(session)
    actions.rename_course(session.course, " Calculus   2 ")
    actions.rename_session(session, " Chain   rule ")
    kept = ClassSession.objects.select_related("course").get(pk=session.pk)
    assert (kept.course.title, kept.title) == ("Calculus 2", "Chain rule")
    actions.rename_session(session, "  ")
    assert ClassSession.objects.get(pk=session.pk).title == ""


@pytest.mark.parametrize("title", ["x" * 121, "a\x00b"])
def test_a_title_that_cannot_be_shown_renames_nothing(session: ClassSession, title: str) -> None:
    for rename, row in ((actions.rename_course, session.course), (actions.rename_session, session)):
        before = row.title
        with pytest.raises(TextRefusedError):
            rename(row, title)  # type: ignore[arg-type]
        assert row.title == before


def test_a_course_is_never_left_without_a_title(course: Course) -> None:
    with pytest.raises(TextRefusedError, match="The title is empty"):
        actions.rename_course(course, "  ")


@pytest.mark.parametrize("label", ["", "   ", "x" * 61, "a\x00b", "two\nlines"])
def test_a_marker_without_a_proper_label_is_refused(session: ClassSession, label: str) -> None:
    with pytest.raises(TextRefusedError):
        actions.place_marker(session, label)
    assert not session.markers.exists()


def test_a_marker_is_renamed_and_removed_also_after_the_end(session: ClassSession) -> None:
    marker = actions.place_marker(session, "Slide 4")
    actions.end_session(session)
    actions.rename_marker(marker, " Quiz ")
    assert session.markers.get().label == "Quiz"
    with pytest.raises(TextRefusedError):
        actions.rename_marker(marker, "x" * 61)
    actions.remove_marker(marker)
    assert not session.markers.exists()


def test_no_marker_after_the_end(session: ClassSession) -> None:
    actions.end_session(session)
    with pytest.raises(SessionEndedError):
        actions.place_marker(session, "Too late")


# -- Joining, leaving


def test_two_students_may_bear_one_name(session: ClassSession) -> None:
    first, second = actions.join(session, "Sam"), actions.join(session, "Sam")
    assert first.public_id != second.public_id
    assert first.scope == Participant.Scope.NONE


def test_nobody_joins_a_locked_session(session: ClassSession) -> None:
    actions.lock_joining(session)
    with pytest.raises(JoiningLockedError):
        actions.join(session, "Sam")


def test_nobody_joins_an_ended_session(session: ClassSession) -> None:
    stale = ClassSession.objects.get(pk=session.pk)
    actions.end_session(session)
    with pytest.raises(SessionEndedError):
        actions.join(stale, "Sam")


@pytest.mark.parametrize("name", ["", " ", "\u200d", "x" * 41, "a\x07", "a\u202eb", "a\nb", "\u0301"])
def test_a_name_that_cannot_be_shown_is_refused(session: ClassSession, name: str) -> None:
    with pytest.raises(TextRefusedError):
        actions.join(session, name)
    assert not session.participants.exists()


@pytest.mark.parametrize("name", ["आर्या", "नेत्र\u200dा", "José", "李", "Zoë-Ann O’Neil", "x" * 40])
def test_names_of_many_languages_are_welcome(session: ClassSession, name: str) -> None:
    assert actions.join(session, name).display_name


@pytest.mark.parametrize(("action", "signal"), [("leave", "participant_left"), ("remove", "participant_removed")])
def test_who_goes_is_measured_no_more(
    sam: Participant, alice: User, agree: Agree, heard: Any, action: str, signal: str
) -> None:
    agree(sam)
    epoch = sam.consent_epoch
    go = actions.leave if action == "leave" else lambda who: actions.remove_participant(who, by=alice)
    assert go(sam) is True
    assert go(sam) is False
    sam.refresh_from_db()
    assert not sam.measured
    assert sam.consent_epoch == epoch + 1
    assert heard.names == ["consent_changed", signal]


# -- Consent


def test_consent_is_entered_and_in_force(sam: Participant, heard: Any) -> None:
    event = actions.record_consent(sam, "individual", "a" * 64)
    sam.refresh_from_db()
    assert (sam.scope, sam.consent_epoch, sam.measured) == ("individual", 1, True)
    assert (event.kind, event.epoch, event.scope, event.text_hash) == ("given", 1, "individual", "a" * 64)
    assert heard.events == [("consent_changed", sam)]


def test_every_answer_raises_the_epoch_and_only_adds_rows(sam: Participant, agree: Agree) -> None:
    agree(sam, "aggregate")
    before = list(ConsentEvent.objects.values())
    agree(sam, "individual")
    actions.withdraw(sam)
    agree(sam, "none")
    rows = list(ConsentEvent.objects.values())
    assert rows[: len(before)] == before
    assert [(row["epoch"], row["kind"], row["scope"]) for row in rows] == [
        (1, "given", "aggregate"), (2, "given", "individual"), (3, "withdrawn", "none"), (4, "declined", "none"),
    ]  # fmt: skip


@pytest.mark.parametrize("scope", ["individual", "none"])
def test_the_same_answer_again_changes_nothing(sam: Participant, heard: Any, scope: str) -> None:
    event = actions.record_consent(sam, scope, "a" * 64)
    actions.erase_last(sam, 5)  # Raises the epoch, and is no answer.
    epoch, told = sam.consent_epoch, list(heard.names)
    assert actions.record_consent(sam, scope, "a" * 64) == event
    sam.refresh_from_db()
    assert (sam.consent_epoch, heard.names) == (epoch, told)
    assert list(ConsentEvent.objects.all()) == [event]
    assert actions.record_consent(sam, scope, "b" * 64).epoch == epoch + 1, "another text is another answer"


def test_whoever_withdrew_can_agree_to_the_same_again(sam: Participant) -> None:
    actions.record_consent(sam, "aggregate", "a" * 64)
    actions.withdraw(sam)
    assert actions.record_consent(sam, "aggregate", "a" * 64).epoch == 3
    assert sam.scope == "aggregate"


def test_a_withdrawal_names_the_text_that_was_agreed_to(sam: Participant) -> None:
    actions.record_consent(sam, "aggregate", "b" * 64)
    event = actions.withdraw(sam)
    assert event is not None
    assert event.text_hash == "b" * 64


def test_nothing_given_nothing_to_withdraw(sam: Participant, heard: Any) -> None:
    assert actions.withdraw(sam) is None
    assert sam.consent_epoch == 0
    assert heard.names == []


def test_withdrawal_works_after_the_end(session: ClassSession, sam: Participant, agree: Agree) -> None:
    agree(sam)
    actions.end_session(session)
    assert actions.withdraw(sam) is not None


def test_no_consent_after_the_end_or_after_leaving(session: ClassSession, sam: Participant) -> None:
    actions.leave(sam)
    with pytest.raises(NotPresentError):
        actions.record_consent(sam, "aggregate", "a" * 64)
    tom = actions.join(session, "Tom")
    actions.end_session(session)
    with pytest.raises(SessionEndedError):
        actions.record_consent(tom, "aggregate", "a" * 64)
    assert not ConsentEvent.objects.exists()


def test_measuring_cannot_be_consented_to_where_it_is_off(sam: Participant, settings: Settings) -> None:
    settings.PROFILE = PROFILES["check-ins"]
    with pytest.raises(InferenceOffError):
        actions.record_consent(sam, "aggregate", "a" * 64)
    assert actions.record_consent(sam, "none", "a" * 64).kind == "declined"


def test_measuring_cannot_be_consented_to_in_a_check_in_session(course: Course) -> None:
    sam = actions.join(actions.start_session(course, "check_ins"), "Sam")
    with pytest.raises(InferenceOffError, match="without cameras"):
        actions.record_consent(sam, "individual", "a" * 64)


def test_a_stale_instance_does_not_turn_consent_back(sam: Participant, agree: Agree) -> None:
    stale = Participant.objects.get(pk=sam.pk)
    agree(sam)
    actions.withdraw(sam)
    agree(stale, "aggregate")
    assert stale.consent_epoch == 3


# -- Check-ins


def test_a_check_in_is_saved(sam: Participant) -> None:
    check_in = actions.save_check_in(sam, "lost")
    assert (check_in.participant, check_in.word) == (sam, "lost")
    assert list(sam.check_ins.all()) == [check_in]


def test_a_second_word_at_once_takes_the_first_ones_place(sam: Participant) -> None:
    first = actions.save_check_in(sam, "lost")
    second = actions.save_check_in(sam, "got_it")
    assert (second.pk, second.at) == (first.pk, first.at)
    assert list(sam.check_ins.values_list("word", flat=True)) == ["got_it"]


def test_a_word_later_is_a_second_one(sam: Participant) -> None:
    CheckIn.objects.create(participant=sam, word="lost", at=timezone.now() - actions.CHECK_IN_EVERY)
    actions.save_check_in(sam, "got_it")
    assert list(sam.check_ins.values_list("word", flat=True)) == ["lost", "got_it"]


def test_a_word_that_was_changed_within_the_erased_minutes_goes(sam: Participant) -> None:
    """Its row has the time of the word before it."""
    just_before = timezone.now() - timedelta(seconds=63)
    CheckIn.objects.create(participant=sam, word="got_it", at=just_before)
    CheckIn.objects.create(participant=sam, word="lost", at=just_before - timedelta(minutes=1))
    actions.erase_last(sam, 1)
    assert list(sam.check_ins.values_list("word", flat=True)) == ["lost"]


def test_a_word_from_before_the_clock_was_set_back_stays(sam: Participant) -> None:
    CheckIn.objects.create(participant=sam, word="lost", at=timezone.now() + timedelta(hours=1))
    actions.save_check_in(sam, "got_it")
    assert sorted(sam.check_ins.values_list("word", flat=True)) == ["got_it", "lost"]


def test_check_ins_need_no_consent_but_a_live_session(session: ClassSession, sam: Participant) -> None:
    assert actions.save_check_in(sam, "too_fast").word == "too_fast"
    actions.end_session(session)
    with pytest.raises(SessionEndedError):
        actions.save_check_in(sam, "lost")


def test_an_unknown_word_is_an_error(sam: Participant) -> None:
    with pytest.raises(ValueError, match="bored"):
        actions.save_check_in(sam, "bored")


# -- Erasure


def test_erasure_takes_everything_of_one_participant(
    session: ClassSession, sam: Participant, agree: Agree, heard: Any
) -> None:
    tom = actions.join(session, "Tom")
    for who in (sam, tom):
        agree(who)
        actions.save_check_in(who, "lost")
    key = sam.pk
    actions.erase(sam)
    assert sam.pk == key
    assert heard.events[-1] == ("participant_erased", sam)
    assert list(session.participants.all()) == [tom]
    assert list(ConsentEvent.objects.values_list("participant", flat=True)) == [tom.pk]
    assert list(CheckIn.objects.values_list("participant", flat=True)) == [tom.pk]


def test_whoever_is_erased_cannot_act_again(sam: Participant) -> None:
    stale = Participant.objects.get(pk=sam.pk)
    actions.erase(sam)
    with pytest.raises(NotPresentError):
        actions.record_consent(stale, "individual", "a" * 64)


# -- Inside one transaction


def test_a_receiver_that_fails_undoes_the_write(sam: Participant) -> None:
    from classroom import signals

    def fail(sender: object, **kwargs: object) -> None:
        raise RuntimeError("no")

    signals.consent_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            actions.record_consent(sam, "individual", "a" * 64)
    finally:
        signals.consent_changed.disconnect(fail)
    sam.refresh_from_db()
    assert (sam.scope, sam.consent_epoch) == ("none", 0)
    assert not ConsentEvent.objects.exists()


def _at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Each job on a thread and a connection of its own, started together. An exception is a result."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            gate.wait(timeout=10)
            return job()
        except (RefusedError, ValueError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_answers_at_once_each_get_an_epoch_of_their_own(sam: Participant) -> None:
    copies = [Participant.objects.get(pk=sam.pk) for _ in range(8)]
    _at_once([partial(actions.record_consent, copy, "aggregate", f"{n}" * 64) for n, copy in enumerate(copies)])
    assert list(ConsentEvent.objects.values_list("epoch", flat=True)) == list(range(1, 9))
    sam.refresh_from_db()
    assert sam.consent_epoch == 8


@pytest.mark.django_db(transaction=True)
def test_a_double_click_answers_once(sam: Participant) -> None:
    copies = [Participant.objects.get(pk=sam.pk) for _ in range(8)]
    results = _at_once([partial(actions.record_consent, copy, "aggregate", "a" * 64) for copy in copies])
    assert set(results) == {ConsentEvent.objects.get()}


@pytest.mark.django_db(transaction=True)
def test_one_of_many_who_end_a_session_ends_it(session: ClassSession) -> None:
    copies = [ClassSession.objects.get(pk=session.pk) for _ in range(6)]
    results = _at_once([partial(actions.end_session, copy) for copy in copies])
    assert sorted(results) == [False] * 5 + [True]


@pytest.mark.django_db(transaction=True)
def test_a_double_click_starts_one_session(course: Course) -> None:
    results = _at_once([lambda: actions.start_session(course)] * 4)
    assert sum(isinstance(result, ClassSession) for result in results) == 1
    assert sum(isinstance(result, AlreadyLiveError) for result in results) == 3


@pytest.mark.django_db(transaction=True)
def test_sessions_that_draw_one_code_at_once_end_up_with_two(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    courses = [Course.objects.create(title=f"Course {number}", instructor=alice) for number in range(5)]
    drawn = threading.local()

    def draw() -> str:
        drawn.count = getattr(drawn, "count", 0) + 1
        return "AAAAAAA" if drawn.count == 1 else codes.new_join_code()

    monkeypatch.setattr("classroom.actions.sessions.new_join_code", draw)
    sessions = _at_once([partial(actions.start_session, course) for course in courses])
    assert all(isinstance(session, ClassSession) for session in sessions), sessions
    assert len({session.join_code for session in sessions}) == 5
    assert sum(session.join_code == "AAAAAAA" for session in sessions) == 1


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_waits_for_a_batch_that_holds_the_row(sam: Participant, agree: Agree) -> None:
    """Whoever stores readings locks the participants; a withdrawal then comes wholly before or wholly after."""
    agree(sam)
    withdrawn = threading.Event()

    def withdraw() -> None:
        actions.withdraw(Participant.objects.get(pk=sam.pk))
        withdrawn.set()
        connection.close()

    thread = threading.Thread(target=withdraw)
    with transaction.atomic():
        Participant.objects.select_for_update(no_key=True).get(pk=sam.pk)
        thread.start()
        assert not withdrawn.wait(0.3)
    assert withdrawn.wait(5)
    thread.join()


def test_the_text_of_consent_is_what_the_ledger_names(sam: Participant, agree: Agree) -> None:
    agree(sam)
    assert sam.consent_events.get().text_hash == consent.text_for(sam.session).sha256
