"""Students by minute, who was there, and the lanes in which both are drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import actions, consent
from classroom.models import ClassSession, ConsentEvent, Participant
from emotions.models import EmotionEvent, MinuteRollup
from emotions.reports import lanes, page, people, rollups, selectors, sharers, student_page, tables
from emotions.reports.heat import HeatMap, heat_map
from emotions.reports.rows import Attendee, StudentMinutes
from ml.labels import INDEX, LABELS
from tests.emotions.conftest import Join
from tests.emotions.lectures import NAMES, hold
from tests.emotions.mood_data import CALM, store_event, store_rollup

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    hold(session, START, 12)
    return session


def heat_of(session: ClassSession) -> HeatMap:
    sharing, said = sharers.of_session(session), selectors.said(session).words
    return heat_map(session, sharing, people.roll(session, sharing), selectors.minutes(session), [], said)


def drawn(lane: str, kind: str) -> list[tuple[int, int]]:
    """The runs (column, length) of a kind."""
    found = re.search(rf'<path class="{kind}" d="([^"]*)"', lane)
    return [(int(x), int(n)) for x, n in re.findall(r"M(\d+) 5h(\d+)", found[1])] if found else []


def test_a_minute_has_the_label_read_most_often(lecture: ClassSession) -> None:
    sharing = sharers.of_session(lecture)
    for sharer, minutes in zip(sharing, people.minutes_by_student(lecture, sharing), strict=True):
        events = EmotionEvent.objects.filter(participant=sharer.pk)
        by_minute: dict[int, list[EmotionEvent]] = {}
        for event in events:
            by_minute.setdefault(people.minute_of(event.captured_at), []).append(event)
        assert list(minutes.at) == sorted(by_minute)
        for at, label, unsure in zip(minutes.at, minutes.labels, minutes.unsure, strict=True):
            labels = [INDEX[event.label] for event in by_minute[at]]
            assert labels.count(label) == max(map(labels.count, labels))
            assert unsure == (2 * sum(event.uncertain for event in by_minute[at]) > len(labels))


def test_a_tie_goes_to_the_label_with_the_larger_sum_and_not_to_the_first_of_the_list(
    session: ClassSession, join: Join
) -> None:
    """One reading just angry, one clearly neutral: not an angry minute, on any page and in any file."""
    student = join("Ada")
    ConsentEvent.objects.update(at=START)
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=START + timedelta(minutes=1))
    session.refresh_from_db()
    sums, counts = [0.0] * len(LABELS), [0] * len(LABELS)
    for label, probability in (("angry", 0.4), ("neutral", 0.9)):
        sums[INDEX[label]], counts[INDEX[label]] = probability, 1
    MinuteRollup.objects.create(
        session=session, participant=student, minute=START, readings=2, uncertain=0,
        probability_sums=sums, label_counts=counts,
    )  # fmt: skip
    (sharer,) = sharers.of_session(session)
    assert people.minutes_by_student(session, [sharer])[0].labels == [INDEX["neutral"]]
    assert people.minutes_of(session, sharer)[0].label == INDEX["neutral"]
    assert page.build(session).students[0].words.startswith("Most often neutral, 50")
    (row,) = next(list(sheet.rows) for sheet in tables.tables(session) if sheet.name == "students")
    assert row[tables.STUDENT_COLUMNS.index("most_often")] == "neutral"


def test_only_who_shares_individually_has_a_lane(lecture: ClassSession) -> None:
    heat = heat_of(lecture)
    assert [line.name for line in heat.lines] == [name for n, name in enumerate(NAMES) if n % 3 != 2]
    assert heat.class_lane.count("<path") == 8


def test_a_lane_ends_where_the_student_left_and_is_thin_where_nothing_was_read(session: ClassSession) -> None:
    hold(session, START, 12, NAMES[:11])
    heat = heat_of(session)
    lanes_of = {line.name: line for line in heat.lines}
    gone, hidden = lanes_of["Aarav"], lanes_of["Tara"]
    begin = people.minute_of(START) - heat.axis.first
    assert sum(n for kind in re.findall(r'class="([a-z ]+)" d', gone.lane) for _, n in drawn(gone.lane, kind)) == 10
    assert drawn(hidden.lane, "blank")[-1] == (begin + 8, 4)
    assert "no reading in 4" in hidden.words


@pytest.mark.parametrize("last_round", [0, 1])
def test_of_a_live_session_no_minute_is_missing_between_two_rounds(
    session: ClassSession, join: Join, last_round: int
) -> None:
    """Nor counted twice, where somebody's erasure has counted the running minute already."""
    student, hidden = join("Ada"), join("Bea", "aggregate")
    now = timezone.now()
    ClassSession.objects.filter(pk=session.pk).update(started_at=now - timedelta(minutes=9))
    ConsentEvent.objects.update(at=now - timedelta(minutes=9))
    session.refresh_from_db()
    times = [now - timedelta(seconds=20 * n) for n in range(12)]
    for n, at in enumerate(times):
        for one in (student, hidden):
            store_event(one, at, "sad" if n < 3 else "happy", n)
    rollups.close_minutes(now - timedelta(minutes=last_round))
    store_rollup(student, now, "angry", 1)
    (sharer,) = sharers.of_session(session)
    (summed,) = sharers.students(session, [sharer])
    assert summed.readings == len(times)
    (minutes,) = people.minutes_by_student(session, [sharer])
    assert set(minutes.at) == {people.minute_of(at) for at in times}
    assert LABELS[minutes.labels[-1]] == "sad"
    every = people.minutes_of(session, sharer)
    assert [one.minute for one in every] == list(minutes.at)
    assert sum(one.readings for one in every) == len(times)


def test_minutes_before_the_consent_in_force_have_no_lane(session: ClassSession, join: Join) -> None:
    student = join("Ada", "aggregate")
    store_rollup(student, timezone.now() - timedelta(minutes=3))
    actions.record_consent(student, "individual", consent.text_for(session).sha256)
    store_rollup(student, timezone.now() + timedelta(minutes=3))
    session.ended_at = timezone.now() + timedelta(minutes=4)
    (minutes,) = people.minutes_by_student(session, sharers.of_session(session))
    assert minutes.at == [people.minute_of(timezone.now() + timedelta(minutes=3))]
    (line,) = heat_of(session).lines
    assert "Happy 1 of" in line.words


def test_unsure_minutes_are_told_apart_by_shape() -> None:
    axis = lanes.axis(100, 110)
    lane = lanes.lane(axis, StudentMinutes([100, 101, 103], [3, 3, 6], [False, True, True]), lanes.Stay(100, 105))
    left = 100 - axis.first
    assert drawn(lane, "happy") == [(left, 1)]
    assert drawn(lane, "happy unsure") == [(left + 1, 1)]
    assert drawn(lane, "neutral unsure") == [(left + 3, 1)]
    assert drawn(lane, "blank") == [(left + 2, 1), (left + 4, 1)]
    assert 'aria-label="Happy 2, neutral 1 of 5 minutes; unsure in 2; no reading in 2"' in lane


def test_the_class_is_stacked_and_open_under_the_floor() -> None:
    axis = lanes.axis(100, 101)
    lane = lanes.columns(axis, [(100, CALM), (101, None)], "words")
    assert lane.count("<path") == 8
    heights = [float(value) for value in re.findall(r"h1v([\d.]+)h-1z", lane)]
    assert sum(heights) == pytest.approx(40, abs=0.5)
    assert max(heights) == pytest.approx(CALM[INDEX["neutral"]] * 40, abs=0.1)
    assert re.search(r'class="blank" d="M\d+ 20h1"', lane)


def test_words_stand_on_the_timeline_as_bars_and_in_words(lecture: ClassSession) -> None:
    """Of four who say that they are lost, one shares only in the aggregate, with too few others to be counted."""
    (lost,) = heat_of(lecture).said
    assert (lost.title, lost.total) == ("Lost", 3)
    assert 'aria-label="Lost: 09:09 2 times, 09:10 1 time"' in lost.lane
    bars = re.search(r'class="bar" d="([^"]*)"', lost.lane)
    assert bars
    assert bars[1] == "M6 20v-20.0h1v20.0zM7 20v-10.0h1v10.0z"  # the axis begins at 09:03


@pytest.mark.parametrize(("minutes", "step", "ticks"), [(0, 1, 1), (48, 5, 11), (180, 30, 7), (3 * 1440, 720, 7)])
def test_the_axis_stands_on_the_clock(minutes: int, step: int, ticks: int) -> None:
    first = people.minute_of(START)
    axis = lanes.axis(first, first + minutes)
    assert (axis.step, len(axis.ticks)) == (step, ticks)
    assert axis.first <= first < axis.first + step
    assert first + minutes < axis.first + axis.width
    assert all((tick.hour * 60 + tick.minute) % step == 0 for tick in axis.ticks)


def test_everybody_is_on_the_roll_with_the_name_of_the_report(session: ClassSession, join: Join) -> None:
    for scope in ("aggregate", "individual", "none"):
        join("Mia", scope)
    ben = join("Ben", "aggregate")
    actions.leave(ben)
    sharing = sharers.of_session(session)
    roll = people.roll(session, sharing)
    assert [sharer.name for sharer in sharing] == ["Mia (2)"]
    assert [(one.name, one.shares) for one in roll] == [
        ("Ben", False), ("Mia (1)", False), ("Mia (2)", True), ("Mia (3)", False)
    ]  # fmt: skip
    assert [one.how for one in roll] == ["left", "", "", ""]
    assert roll[1].until is None


def test_minutes_there_run_to_the_last_sign_of_a_student(lecture: ClassSession) -> None:
    first = Participant.objects.get(session=lecture, display_name="Anaya")
    seen = START + timedelta(hours=5)
    Participant.objects.filter(pk=first.pk).update(last_seen_at=seen)
    roll = {one.name: one for one in people.roll(lecture, [])}
    assert people.minutes_there(roll["Aarav"], 0) == 10
    assert roll["Anaya"].until == lecture.ended_at


@pytest.mark.parametrize(
    ("joined", "until", "measured", "there"),
    [
        (50, 310, 6, 6),  # 4 min 20 s, which touch six minutes of the clock
        (0, 60, 0, 1),
        (10, 10, 0, 1),
        (10, 50, 2, 2),  # a reading after the last sign
        (10, None, 0, 0),
        (10, None, 1, 1),
    ],
)
def test_minutes_there_are_those_of_the_clock(joined: int, until: int | None, measured: int, there: int) -> None:
    last = None if until is None else START + timedelta(seconds=until)
    one = Attendee(1, uuid4(), "Ada", START + timedelta(seconds=joined), last, "", shares=True)
    assert people.minutes_there(one, measured) == there


def test_nobody_was_measured_for_longer_than_they_were_there(lecture: ClassSession) -> None:
    """In the table, in the file and on the page of the student."""
    seen = {"joined_at": START + timedelta(seconds=50), "last_seen_at": START + timedelta(seconds=610)}
    Participant.objects.filter(session=lecture, display_name="Anaya").update(**seen)
    EmotionEvent.objects.filter(session=lecture, captured_at__gt=seen["last_seen_at"]).delete()
    MinuteRollup.objects.filter(session=lecture, minute__gt=seen["last_seen_at"]).delete()
    lines = {line.attendee.name: line for line in page.build(lecture).roll}
    assert (lines["Anaya"].there, lines["Anaya"].measured) == (11, "11")
    sheets = {sheet.name: list(sheet.rows) for sheet in tables.tables(lecture)}
    assert [row[-2:] for row in sheets["attendance"] if row[0] == "Anaya"] == [[11, 11]]
    own = student_page.build(lecture, lines["Anaya"].attendee.id)
    assert own is not None
    assert own.there == own.line.student.minutes == 11


def test_the_number_of_queries_does_not_grow(
    lecture: ClassSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sharing = sharers.of_session(lecture)
    with django_assert_num_queries(2):
        people.minutes_by_student(lecture, sharing)
        people.roll(lecture, sharing)
