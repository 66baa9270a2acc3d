"""The report: what it says, which moments it names, and how long it takes."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from classroom import actions, consent
from classroom.models import CheckIn, ClassSession, ConsentEvent, Marker
from classroom.templatetags.roomtone import lasted
from emotions.models import MinuteRollup
from emotions.mood.trouble import troubled
from emotions.reports import page, selectors, student_page, term_page
from emotions.reports.moments import APART_MS, LEAST_ABOVE, moments
from emotions.reports.rows import MarkerRow, MoodRow
from emotions.reports.term import term_rows
from emotions.reports.totals import totals
from tests.emotions.conftest import Join
from tests.emotions.mood_data import CALM, TROUBLED, row, store_points, store_rollup
from tests.emotions.parts import around

UNEASY = (0.10, 0.05, 0.10, 0.10, 0.15, 0.05, 0.45)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUERIES = 17  # One more where there are markers.


def put(session: ClassSession, minutes: float) -> ClassSession:
    """Let it have begun at START and taken so long."""
    times = {"started_at": START, "ended_at": START + timedelta(minutes=minutes)}
    ClassSession.objects.filter(pk=session.pk).update(**times)
    session.refresh_from_db()
    return session


def test_the_report_says_what_happened_and_what_it_rests_on(session: ClassSession, join: Join) -> None:
    student = join("Ada")
    store_rollup(student, START)
    student.consent_events.update(at=START)
    CheckIn.objects.create(participant=student, word="lost", at=START + timedelta(minutes=7))
    Marker.objects.create(session=session, label="quiz", at=START + timedelta(minutes=5))
    store_points(session, START, [CALM] * 300 + [TROUBLED] * 200 + [None] * 100)
    report = page.build(put(session, 10))
    assert report.summary == [
        "10 min, mostly calm; on average about 36\xa0% looked troubled (most likely 25\xa0to\xa047\xa0%).",
        "This rests on 20 of 24 connected students on average, over 83\xa0% of the time.",
        "Students said “lost” once.",
    ]
    assert [line.section.title for line in report.sections] == ["Beginning", "quiz"]
    assert [line.words for line in report.sections] == [
        "Calm, about 13\xa0% looked troubled",
        "Uneasy, about 70\xa0% looked troubled",
    ]
    assert [line.rests_on for line in report.sections] == [
        "20 of 24 (83\xa0%)",
        "20 of 24 (83\xa0%), 67\xa0% of the time",
    ]
    assert [moment.words.split(";")[0] for moment in report.moments] == [
        "At its height, about 14 of 20 looked troubled after “quiz”"
    ]
    assert report.figure is not None
    assert [shape["name"] for shape in report.figure["layout"]["shapes"]] == ["gap", "marker", "moment"]


def test_all_figures_of_a_page_rest_on_the_same_seconds(session: ClassSession) -> None:
    """Of an hour, the mood is known for ten seconds of every twenty in the first half; in the others too few are
    measured for one."""
    store_points(session, START, ([CALM] * 10 + [None] * 10) * 90, measured=5)
    report = page.build(put(session, 60))
    assert report.summary[1] == "This rests on 5 of 24 connected students on average, over 25\xa0% of the time."
    assert [line.rests_on for line in report.sections] == ["5 of 24 (21\xa0%), 25\xa0% of the time"]
    (term,) = term_page.lines(term_rows([session]))
    assert term.rests_on == "5 of 24 students, 25\xa0% of the time"
    assert {row.measured for row in selectors.minutes(session)} == {5}, "nobody's mood rests on four"
    assert dict(totals(session).lines)["Minutes with a class mood"] == "15 of 60"


@pytest.mark.usefixtures("pages")
def test_a_session_that_nobody_joined_says_so_and_no_more(client: Client, session: ClassSession) -> None:
    assert page.build(put(session, 1)).summary == ["1 min. Nobody joined."]
    client.force_login(session.course.instructor)
    text = client.get(reverse("report", args=[session.public_id])).content.decode()
    assert "Nobody joined." in text
    assert "Attendance" not in text
    assert "Attendance" not in client.get(reverse("report_html", args=[session.public_id])).content.decode()


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.6, "Under a minute"), (2.9, "2 min"), (90, "1 h 30 min"), (180, "3 h")]
)
def test_a_session_is_as_long_here_as_on_its_courses_page(session: ClassSession, minutes: float, words: str) -> None:
    assert page.build(put(session, minutes)).summary == [f"{words}. Nobody joined."]
    assert lasted(session) == words.lower()


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["report", "report_html"])
@pytest.mark.parametrize("title", ["Chain rule <i>", ""])
def test_a_title_is_the_heading_and_without_one_the_day_is(
    client: Client, session: ClassSession, name: str, title: str
) -> None:
    ClassSession.objects.filter(pk=session.pk).update(title=title)
    put(session, 48)
    client.force_login(session.course.instructor)
    text = " ".join(client.get(reverse(name, args=[session.public_id])).getvalue().decode().split())
    text = re.sub(r"</?span[^>]*>", "", text)
    heading, above = text.split("<h1>")[1].split("</h1>")[0].strip(), text.split("<h1>")[0].split("<main")[1]
    start = timezone.localtime(START)
    day = f"Monday 2 March 2026, {start:%H:%M}–{start + timedelta(minutes=48):%H:%M}"
    assert heading == (escape(title) or day)
    assert (day in above) is bool(title)


@pytest.mark.usefixtures("pages")
def test_the_report_of_a_running_session_says_until_when(client: Client, session: ClassSession) -> None:
    client.force_login(session.course.instructor)
    for name, until in (("report", r"–now\b"), ("report_html", r"–\d\d:\d\d, so far")):
        text = client.get(reverse(name, args=[session.public_id])).getvalue().decode()
        assert re.search(until, text.split("<h1>")[1].split("</h1>")[0])


def all_along(session: ClassSession) -> None:
    """Let whoever joined have been there from the beginning to the end."""
    session.participants.update(joined_at=START, last_seen_at=session.ended_at)
    ConsentEvent.objects.filter(participant__session=session).update(at=START)


def session_again(session: ClassSession) -> ClassSession:
    """Live once more."""
    ClassSession.objects.filter(pk=session.pk).update(ended_at=None)
    return ClassSession.objects.get(pk=session.pk)


@pytest.mark.usefixtures("pages")
def test_words_that_could_not_be_counted_are_no_zeros(client: Client, session: ClassSession) -> None:
    """Of fewer than five without a name: one who said that they were lost is not nobody."""
    actions.save_check_in(actions.join(session, "Ida"), "lost")
    put(session, 1)
    all_along(session)
    client.force_login(session.course.instructor)

    def cells() -> list[str]:
        text = client.get(reverse("report", args=[session.public_id])).content.decode()
        section = text[text.index("From marker to marker") : text.index("Words about the pace: of those")]
        return [cell.strip() for cell in re.findall(r'<td class="number">([^<]*)</td>', section)]

    assert cells() == ["–"] * 4
    named = actions.join(session_again(session), "Sam")
    actions.record_consent(named, "individual", consent.text_for(session).sha256)
    put(session, 1)
    all_along(session)
    assert cells() == ["–"] * 4, "Ida's word counts no more beside one with a name"
    for number in range(4):
        actions.join(session_again(session), f"Student {number}")
    put(session, 1)
    all_along(session)
    assert cells() == ["0"] * 4


def test_a_session_that_nobody_was_measured_in_has_a_report_too(session: ClassSession) -> None:
    actions.join(session, "Ida")
    report = page.build(put(session, 1))
    why = "too few measured, or too few to keep each of them unseen"
    assert report.summary == [f"1 min. No class mood: {why}."]
    assert [line.words for line in report.sections] == [f"Not shown: {why}"]
    assert report.figure is None
    assert report.students == []


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["report", "report_html"])
def test_a_gap_is_not_put_down_to_too_few_measured_alone(client: Client, session: ClassSession, name: str) -> None:
    """A stored point doesn't say whether its mood lacked measured students or was withheld."""
    store_points(session, START, [CALM] * 60 + [None] * 60)
    put(session, 2)
    client.force_login(session.course.instructor)
    text = " ".join(client.get(reverse(name, args=[session.public_id])).getvalue().decode().split())
    assert "too few measured, or too few to keep each of them unseen" in text
    assert "fewer than five" not in text.lower()


def test_a_live_session_has_its_report_so_far(session: ClassSession) -> None:
    assert "so far" in page.build(session).summary[0]


def test_students_are_described_not_judged(session: ClassSession, join: Join) -> None:
    student = join("Ada")
    store_rollup(student, datetime.now(UTC), "sad")
    session.ended_at = datetime.now(UTC)
    (line,) = page.build(session).students
    assert line.words == "Mostly sad, 100\xa0% of readings"
    assert line.unsure == "10\xa0%"
    assert 'aria-label="Neutral 0\xa0%, Happy 0\xa0%, Surprise 0\xa0%, Sad 100\xa0%,' in line.strip
    assert '<rect class="sad" x="0.00" y="0" width="100.00"' in line.strip


@pytest.mark.parametrize(
    ("uncertain", "words"), [(30, "Mostly sad, 100\xa0% of readings"), (31, "Mostly unsure; most often sad")]
)
def test_what_was_mostly_unsure_is_no_sure_count(
    session: ClassSession, join: Join, uncertain: int, words: str
) -> None:
    student = join("Ada")
    store_rollup(student, datetime.now(UTC), "sad")
    MinuteRollup.objects.filter(participant=student).update(uncertain=uncertain)
    session.ended_at = datetime.now(UTC)
    assert [line.words for line in page.build(session).students] == [words]
    own = student_page.build(session, student.public_id)
    assert own is not None
    assert own.line.words == words
    assert [line.words for line in own.minutes] == [words.split(",")[0].replace("Mostly sad", "Most often sad")]


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["report", "report_html"])
def test_students_rows_are_said_to_be_uncorrected_wherever_they_stand(
    client: Client, session: ClassSession, join: Join, name: str
) -> None:
    """In the table and in the heat map, on the screen and in the file: the class above them is corrected."""
    store_rollup(join("Ada"), session.started_at)
    client.force_login(session.course.instructor)
    text = " ".join(client.get(reverse(name, args=[session.public_id])).getvalue().decode().split())
    assert text.count("of the same faces they show more sad, angry and afraid. Don't compare the two.") == 2
    students = text[text.index('id="students-title"') : text.index('id="attendance-title"')]
    assert "Don't compare the two." in students


def test_a_student_who_shares_the_name_has_their_words_beside_it(session: ClassSession, join: Join) -> None:
    """Since they do; whoever shares less has none on any list."""
    ada, ben, _cy, mia = join("Ada", "aggregate"), join("Ben"), join("Cy"), join("Mia", "aggregate")
    for one, word in ((ada, "too_slow"), (mia, "lost")):
        actions.save_check_in(one, word)
    actions.record_consent(ada, "individual", consent.text_for(session).sha256)
    for one, word in ((ada, "too_fast"), (ada, "lost"), (ben, "got_it"), (ada, "lost")):
        CheckIn.objects.create(participant=one, word=word)
    session.ended_at = datetime.now(UTC)
    lines = page.build(session).students
    assert [(line.student.name, line.said) for line in lines] == [
        ("Ada", "lost 2, too fast 1"), ("Ben", "got it 1"), ("Cy", "–")
    ]  # fmt: skip


@pytest.mark.usefixtures("pages")
def test_columns_of_words_name_their_unit(client: Client, session: ClassSession, join: Join) -> None:
    """One student who says a word again is no second student."""
    ada = join("Ada")
    for _ in range(3):
        CheckIn.objects.create(participant=ada, word="too_fast")
    client.force_login(session.course.instructor)
    text = client.get(reverse("report", args=[session.public_id])).content.decode()
    columns = re.findall(r'<th scope="col" class="number">([^<]*)</th>', text[text.index("From marker to marker") :])
    assert columns[:4] == ["Lost, times", "Too fast, times", "Too slow, times", "Got it, times"]
    assert "Students said “too fast” 3 times." in text
    assert "These are times, not students: who says a word again counts again." in text
    assert '<td class="words">too fast 3</td>' in text


def test_moments_are_the_highest_stand_apart_and_need_a_reason() -> None:
    minute = 60_000.0
    moods = [TROUBLED if 20 <= n < 22 or 40 <= n < 42 else CALM for n in range(60)]
    rows = [row(n * minute, mood) for n, mood in enumerate(moods)]
    found = moments(rows, [MarkerRow(1, "proof", 35 * minute)])
    assert [round(moment.at_ms / minute) for moment in found] == [20, 40]
    assert [moment.after for moment in found] == ["", "proof"]
    assert found[1].at_ms - found[0].at_ms >= APART_MS
    assert moments([row(n * minute, CALM) for n in range(60)], []) == []
    assert moments([row(n * minute, TROUBLED) for n in range(60)], []) == []
    assert moments([row(0, None)], []) == []


def test_what_may_be_chance_in_a_small_class_is_no_moment() -> None:
    """The same rise, from bands as eight students have them and as eighty have them."""
    minute = 60_000.0
    moods = [UNEASY if 20 <= n < 26 else CALM for n in range(60)]
    assert moments([banded(n * minute, mood, 0.3) for n, mood in enumerate(moods)], []) == []
    [found] = moments([banded(n * minute, mood, 0.1) for n, mood in enumerate(moods)], [])
    assert 20 <= found.at_ms / minute < 26


def banded(at_ms: float, shares: tuple[float, ...], half: float) -> MoodRow:
    """The share of those who look troubled with a band of so much to both sides."""
    return replace(row(at_ms, shares), troubled=around(troubled(shares), half))


@hypothesis_settings(deadline=None)
@given(st.lists(st.sampled_from([CALM, TROUBLED, UNEASY, None]), max_size=90), st.sampled_from([2.0, 30.0, 200.0]))
def test_no_two_moments_are_of_one_stretch(moods: list[tuple[float, ...] | None], step_s: float) -> None:
    rows = [row(n * step_s * 1000, mood) for n, mood in enumerate(moods)]
    found = moments(rows, [])
    assert len(found) <= 3
    assert all(one.start_ms <= one.at_ms <= one.end_ms for one in found)
    assert all(one.share >= one.usual + LEAST_ABOVE for one in found)
    assert all(later.start_ms - one.end_ms >= APART_MS for one, later in pairwise(found))


def test_one_long_stretch_is_named_once_and_leaves_room_for_others() -> None:
    minute = 60_000.0
    troubled_at = {*range(10, 30), *range(40, 43), *range(50, 55), *range(70, 72)}
    moods = [(UNEASY if n < 50 else TROUBLED) if n in troubled_at else CALM for n in range(100)]
    found = moments([row(n * minute, mood) for n, mood in enumerate(moods)], [])
    for one, stretch in zip(found, [range(10, 30), range(50, 55), range(70, 72)], strict=True):
        assert one.at_ms / minute in stretch


def fill(session: ClassSession, students: int, minutes: int) -> None:
    """A full lecture, written by the database itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO emotions_moodpoint (session_id, sequence, at, shares, low, high, joined, connected,
                measured, uncertain, not_visible, pace)
            SELECT %(s)s, n, %(start)s + n * interval '1 second', %(mood)s::float[], %(mood)s::float[],
                %(mood)s::float[], 200, 200, 190, 5, 3, '{}' FROM generate_series(1, %(seconds)s) n""",
            {"s": session.pk, "start": START, "mood": list(CALM), "seconds": minutes * 60},
        )
        cursor.execute(
            """INSERT INTO classroom_participant (public_id, session_id, display_name, kind, consent_epoch, scope,
                joined_at) SELECT gen_random_uuid(), %(s)s, 'Student ' || n, 'student', 1, 'individual', %(start)s
                FROM generate_series(1, %(n)s) n""",
            {"s": session.pk, "start": START, "n": students},
        )
        cursor.execute(
            """INSERT INTO classroom_consentevent (participant_id, epoch, kind, scope, text_hash, at)
            SELECT id, 1, 'given', 'individual', '', %(start)s FROM classroom_participant
            WHERE session_id = %(s)s""",
            {"s": session.pk, "start": START},
        )
        cursor.execute(
            """INSERT INTO emotions_minuterollup (session_id, participant_id, minute, readings, uncertain,
                probability_sums, label_counts)
            SELECT %(s)s, p.id, %(start)s + n * interval '1 minute', 60, 4, %(mood)s::float[], '{1,1,1,1,1,1,54}'
            FROM classroom_participant p, generate_series(0, %(minutes)s - 1) n WHERE p.session_id = %(s)s""",
            {"s": session.pk, "start": START, "mood": list(CALM), "minutes": minutes},
        )


def test_three_hours_of_two_hundred_students_take_less_than_a_second(
    pages: None, session: ClassSession, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(session, 200, 180)
    put(session, 180)
    client.force_login(session.course.instructor)
    address = f"/teach/{session.public_id}/report/"
    client.get(address)  # Templates are compiled once per process, not per page.
    began = time.perf_counter()
    answer = client.get(address)
    took = time.perf_counter() - began
    assert answer.status_code == 200
    assert len(set(re.findall(rb"Student \d+", answer.content))) == 200
    assert answer.content.count(b'class="lane"') == 200
    assert took < 1.0
    with django_assert_num_queries(QUERIES):
        page.build(session)
