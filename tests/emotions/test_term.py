"""A course over the term: each session's mood, pace and attendance, in the report and on the course's page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from classroom import actions
from classroom.models import CheckIn, ClassSession, Course, Participant
from emotions.reports import term, term_page
from tests.emotions.mood_data import CALM, TROUBLED, store_points

ANOTHER = "another version of the emotion network"
FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def held(
    course: Course, week: int, moods: Sequence[tuple[float, ...] | None], students: int, lost: int
) -> ClassSession:
    """Ten minutes in that week; `lost` of the students said so, the first of them twice, and too fast once."""
    start = FIRST + timedelta(weeks=week)
    session = ClassSession.objects.create(course=course, started_at=start, ended_at=start + timedelta(minutes=10))
    store_points(session, start, list(moods))
    people = [
        Participant.objects.create(
            session=session, display_name=f"S{n}", joined_at=start, last_seen_at=session.ended_at
        )
        for n in range(students)
    ]
    for n in range(lost):
        for word in ["lost", "lost", "too_fast"] if n == 0 else ["lost"]:
            CheckIn.objects.create(participant=people[n], word=word, at=start)
    return session


@pytest.fixture
def weeks(session: ClassSession, alice: User) -> list[ClassSession]:
    """Of a course of its own: calm, half measured and more troubled than calm, not measured, troubled."""
    course = Course.objects.create(title="Algebra", instructor=alice)
    return [
        held(course, 0, [CALM] * 100, 10, 1),
        held(course, 1, [CALM] * 40 + [TROUBLED] * 60 + [None] * 100, 20, 2),
        held(course, 2, [None] * 10, 4, 0),
        held(course, 3, [TROUBLED] * 100, 8, 4),
    ]


def test_a_row_is_the_mean_of_what_was_known_and_says_how_much_that_is(weeks: list[ClassSession]) -> None:
    rows = term.term_rows(weeks)
    assert rows[1].shares == pytest.approx([0.4 * a + 0.6 * b for a, b in zip(CALM, TROUBLED, strict=True)])
    assert rows[1].mood is not None
    assert (rows[1].mood.measured, rows[1].mood.connected, rows[1].mood.networks) == (20, 24, frozenset({"one"}))
    assert rows[1].known == pytest.approx(100 / 600)
    assert rows[2].shares is None
    assert [(row.joined, row.hard) for row in rows] == [(10, 1), (20, 2), (4, None), (8, 4)]


def test_a_session_stands_beside_those_before_it(weeks: list[ClassSession]) -> None:
    compared = term_page.comparison(weeks[3])
    assert compared is not None
    assert [line.session for line in compared.lines] == weeks[::-1]
    assert compared.words == [
        "About 70\xa0% looked troubled; in the 3 sessions before it was 30\xa0% on average.",
        "50\xa0% said that they were lost or it was too fast; before it was 10\xa0%.",
        "8 joined; before it was 11 on average.",
    ]
    assert term_page.comparison(weeks[0]) is None


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["report", "report_html"])
def test_sessions_before_bear_their_titles_with_the_day(
    client: Client, weeks: list[ClassSession], alice: User, name: str
) -> None:
    ClassSession.objects.filter(pk=weeks[1].pk).update(title="=Chain rule")
    ClassSession.objects.filter(pk=weeks[2].pk).update(started_at=FIRST - timedelta(days=100))
    client.force_login(alice)
    html = client.get(reverse(name, args=[weeks[3].public_id])).getvalue().decode()
    table = re.sub(r"<[^>]+>", " ", html[html.index('id="term-title"') :])
    sessions = " ".join(table.split())
    title = "&#x27;=Chain rule" if name == "report_html" else "=Chain rule"
    assert f"{title} · Mon 9 Mar " in sessions
    assert "Mon 2 Mar, " in sessions, "without a title the date alone"
    assert " 2025 " in sessions, "a day of another year says so"
    assert " 2026 " not in sessions[: sessions.index("Mon 2 Mar, ")]


def test_a_difference_within_the_band_is_none(session: ClassSession, alice: User) -> None:
    course = Course.objects.create(title="Geometry", instructor=alice)
    held(course, 0, [CALM] * 95 + [TROUBLED] * 5, 10, 1)
    compared = term_page.comparison(held(course, 1, [CALM] * 100, 10, 1))
    assert compared is not None
    assert compared.words[0].startswith(
        "About 13\xa0% looked troubled: no more and no fewer than in the session before, "
    )


def test_moods_that_another_network_read_are_not_compared(weeks: list[ClassSession]) -> None:
    for session in weeks[:2]:
        session.mood_points.update(model_version="")
    compared = term_page.comparison(weeks[3])
    assert compared is not None
    assert compared.words == [
        f"The moods of 2 sessions before are not compared: {ANOTHER} read them, or may have.",
        "50\xa0% said that they were lost or it was too fast; before it was 10\xa0%.",
        "8 joined; before it was 11 on average.",
    ]
    mood, pace, _attendance = term_page.trends(term.term_rows(weeks[::-1]))
    assert mood.words == (
        "70\xa0% last time, 70\xa0% on average since 16 Mar, when another version of the network began to read"
    )
    assert mood.bars.count("h.8v") == 3
    assert pace.words == "50\xa0% last time, 23\xa0% on average"


def test_of_two_networks_within_a_session_neither_is_the_whole(weeks: list[ClassSession]) -> None:
    weeks[1].mood_points.filter(sequence__gt=50).update(model_version="two")
    compared = term_page.comparison(weeks[3])
    assert compared is not None
    assert compared.words[:2] == [
        "About 70\xa0% looked troubled; in the 2 sessions before it was 13\xa0% on average.",
        f"The mood of one session before is not compared: {ANOTHER} read it, or may have.",
    ]


def test_sessions_that_each_saw_both_networks_are_not_alike(weeks: list[ClassSession]) -> None:
    for session in weeks:
        session.mood_points.filter(sequence__gt=50).update(model_version="two")
    compared = term_page.comparison(weeks[3])
    assert compared is not None
    assert compared.words[0].startswith("The moods of 2 sessions before are not compared")
    mood = term_page.trends(term.term_rows(weeks[::-1]))[0]
    assert mood.words.startswith("70\xa0% last time, 70\xa0% on average since 16 Mar")


def test_only_the_course_itself_is_compared(weeks: list[ClassSession], session: ClassSession) -> None:
    assert term.earlier(session) == []
    assert term.earlier(weeks[2]) == [weeks[1], weeks[0]]


def test_trends_run_from_the_first_to_the_last_session(weeks: list[ClassSession]) -> None:
    mood, pace, attendance = term_page.trends(term.term_rows(weeks[::-1]))
    assert mood.words == "70\xa0% last time, 43\xa0% on average"
    assert pace.words == "50\xa0% last time, 23\xa0% on average"
    assert attendance.words == "8 last time, 11 on average"
    assert "2 Mar 13\xa0%, 9 Mar 47\xa0%, 16 Mar not known, 23 Mar 70\xa0%" in mood.bars
    assert mood.bars.count("h.8v") == 3
    assert term_page.trends(term.term_rows(weeks[:1])) == []


def test_the_number_of_queries_does_not_grow(
    weeks: list[ClassSession], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(5):
        term.term_rows(weeks)


# -- Sessions of which nothing is known any more


@pytest.fixture
def purged(weeks: list[ClassSession]) -> ClassSession:
    """The second of `weeks`, in which twenty joined."""
    actions.purge_session(weeks[1])
    weeks[1].refresh_from_db()
    return weeks[1]


def test_a_purged_session_is_not_one_that_nobody_attended(weeks: list[ClassSession], purged: ClassSession) -> None:
    (row,) = term.term_rows([purged])
    assert (row.joined, term_page.joined(row), term_page.hard(row)) == (None, None, None)
    (line,) = term_page.lines([row])
    assert line.words.startswith("Deleted on ")
    assert (line.joined, line.hard, line.rests_on) == ("", "", "")
    assert [line.joined for line in term_page.lines(term.term_rows(weeks))] == ["10", "", "4", "8"]


def test_averages_and_trends_pass_over_purged_sessions(weeks: list[ClassSession], purged: ClassSession) -> None:
    assert purged not in term.earlier(weeks[3])
    compared = term_page.comparison(weeks[3])
    assert compared is not None
    assert compared.words == [
        "About 70\xa0% looked troubled; in the 2 sessions before it was 13\xa0% on average.",
        "50\xa0% said that they were lost or it was too fast; before it was 10\xa0%.",
        "8 joined; before it was 7 on average.",
    ]
    _mood, _pace, attendance = term_page.trends(term.term_rows(weeks[::-1]))
    assert attendance.words == "8 last time, 7 on average"
    assert "Joined: 2 Mar 10, 16 Mar 4, 23 Mar 8" in attendance.bars
    assert term_page.trends(term.term_rows([weeks[1], weeks[0]])) == []


@pytest.mark.usefixtures("pages")
def test_pages_say_that_a_session_was_purged(client: Client, purged: ClassSession, alice: User) -> None:
    client.force_login(alice)
    course = client.get(reverse("course", args=[purged.course.public_id])).content.decode()
    start = course.index(reverse("report", args=[purged.public_id]))
    cells = " ".join(re.sub(r"<[^>]+>", " ", course[start : course.index("</tr>", start)]).split())
    assert re.search(r"Deleted on \d+ \w+ \d{4} – – lost or too fast – students Deleted", cells)
    report = client.get(reverse("report", args=[purged.public_id])).content.decode()
    assert "was deleted on" in report
    assert ">0 of" not in report


@pytest.mark.usefixtures("pages")
def test_the_course_shows_its_term_and_the_report_what_was_before(
    client: Client, weeks: list[ClassSession], alice: User
) -> None:
    client.force_login(alice)
    course = client.get(reverse("course", args=[weeks[0].course.public_id])).content.decode()
    assert course.count('<svg class="bars"') == 3
    assert course.count('<svg class="strip"') == 3
    assert "Uneasy, about 70\xa0% looked troubled" in course
    assert "style=" not in course
    report = client.get(reverse("report", args=[weeks[3].public_id])).content.decode()
    assert "About 70\xa0% looked troubled; in the 3 sessions before it was 30\xa0% on average." in report
    assert reverse("report", args=[weeks[0].public_id]) in report
