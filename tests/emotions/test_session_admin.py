"""Past sessions in the administration: what their pages show, that it is no more than the report, export, purge."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from asgiref.sync import async_to_sync
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import turns
from classroom.models import CheckIn, ClassSession, ConsentEvent, Course, Erasure, Marker, Participant
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.mood.cohort import FLOOR
from emotions.reports import archive, page, term, workbook
from emotions.reports.overview import overview
from emotions.reports.totals import totals
from tests.emotions.conftest import admin_page_of
from tests.emotions.lectures import NAMES, hold
from tests.emotions.mood_data import CALM, TROUBLED, store_event, store_points

pytestmark = pytest.mark.usefixtures("pages")
START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
LIST = "admin:classroom_classsession_changelist"
MANY = 10_000


@pytest.fixture
def office(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    hold(session, START, 12)
    return session


def shown(office: Client, session: ClassSession) -> str:
    answer = office.get(reverse("admin:classroom_classsession_change", args=[session.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def act(office: Client, action: str, *sessions: ClassSession, confirmed: bool = True) -> Any:
    data = {"action": f"{action}_chosen", "_selected_action": [session.pk for session in sessions]}
    return office.post(reverse(LIST), data | ({"confirmed": "yes"} if confirmed else {}), follow=True)


# -- The page of a session


def test_a_session_shows_the_chart_and_the_words_of_its_report(office: Client, lecture: ClassSession) -> None:
    text, report = shown(office, lecture), page.build(lecture)
    assert 'id="mood-chart"' in text
    assert 'id="mood-figure" type="application/json">{"data": [{"type": "scatter"' in text
    for line in report.summary:
        assert line in text
    for section in report.sections:
        assert section.words in text
        assert section.rests_on in text
    for name in ("report", "report_xlsx", "report_html", "report_csv"):
        assert f'href="{reverse(name, args=[lecture.public_id])}"' in text
    assert "style=" not in text.split('id="content"')[1]


def test_totals_are_those_of_the_database(lecture: ClassSession) -> None:
    counted = totals(lecture)
    assert counted.students == len(NAMES)
    assert (counted.known, counted.points) == (11 * 60, 12 * 60)
    assert counted.markers == 2
    assert counted.consents == len(NAMES)
    individual = EmotionEvent.objects.filter(session=lecture, participant__scope="individual").count()
    assert 0 < counted.readings == individual < EmotionEvent.objects.filter(session=lecture).count()
    assert counted.check_ins == 3


def test_a_session_under_the_floor_shows_no_mood(office: Client, session: ClassSession) -> None:
    hold(session, START, 1, NAMES[:3])
    text = shown(office, session)
    assert "No class mood: too few measured, or too few to keep each of them unseen." in text
    assert "mood-chart" not in text
    assert "No class mood" in office.get(reverse(LIST)).content.decode()


def with_hidden(session: ClassSession, people: Sequence[Participant], hidden: int) -> None:
    """Let the first so many share only as part of the class, all others with their name."""
    for n, one in enumerate(people):
        scope = "aggregate" if n < hidden else "individual"
        Participant.objects.filter(pk=one.pk).update(scope=scope)
        ConsentEvent.objects.filter(participant=one).update(scope=scope)


@pytest.mark.parametrize("hidden", [0, 1, FLOOR - 1, FLOOR, FLOOR + 1, len(NAMES)])
def test_of_hidden_students_no_readings_are_counted_however_many_they_are(session: ClassSession, hidden: int) -> None:
    with_hidden(session, hold(session, START, 6, NAMES), hidden)
    counted = totals(session)
    of_sharers = {"session": session, "participant__scope": "individual"}
    assert counted.readings == EmotionEvent.objects.filter(**of_sharers).count()
    assert counted.minutes == MinuteRollup.objects.filter(**of_sharers).count()


@pytest.mark.parametrize("live", [True, False], ids=["live", "ended"])
@pytest.mark.parametrize("hidden", [1, FLOOR, FLOOR + 1])
def test_nobody_is_followed_or_counted_out_by_two_looks(
    office: Client, session: ClassSession, hidden: int, live: bool
) -> None:
    """Whoever shares only as part of the class and is measured on, pauses or erases minutes moves no figure of the
    page and of the question before a purge."""
    people = hold(session, START, 6, NAMES)
    with_hidden(session, people, hidden)
    if live:
        ClassSession.objects.filter(pk=session.pk).update(ended_at=None)
        session.refresh_from_db()
    one = people[0]
    before = told(office, session)
    newest = EmotionEvent.objects.filter(participant=one).latest("captured_at")
    store_event(one, newest.captured_at + timedelta(seconds=1), sequence=10_000)
    assert told(office, session) == before
    EmotionEvent.objects.filter(participant=one, captured_at__lt=newest.captured_at).delete()
    MinuteRollup.objects.filter(participant=one).delete()
    assert told(office, session) == before


def told(office: Client, session: ClassSession) -> tuple[list[str], list[tuple[str, str]], int]:
    counted = totals(session)
    on_the_page = re.findall(r'<dl class="totals">.*?</dl>', shown(office, session), re.DOTALL)
    without_time = [(kind, count) for kind, count in counted.lines if "class mood" not in kind]
    return [re.sub(r"of [\d,]+\s", "", text) for text in on_the_page], counted.rows + without_time, counted.least


def test_the_page_says_whose_readings_it_counts(office: Client, lecture: ClassSession) -> None:
    text = " ".join(shown(office, lecture).split())
    assert f"<dt>Readings of students who share with their name</dt> <dd> {totals(lecture).readings:,} </dd>" in text
    question = " ".join(act(office, "purge", lecture, confirmed=False).content.decode().split())
    assert f"readings: {totals(lecture).readings:,} of students who share with their name;" in question
    assert "share only as part of the class goes, too, and is not told, not even as a number" in question


def test_whether_a_single_student_was_measured_at_all_is_not_told(session: ClassSession) -> None:
    people = hold(session, START, 6, NAMES[:6])
    Participant.objects.filter(session=session).update(scope="individual")
    ConsentEvent.objects.update(scope="individual")
    Participant.objects.filter(pk=people[0].pk).update(scope="aggregate")
    with_readings = totals(session).in_words
    EmotionEvent.objects.filter(participant=people[0]).delete()
    assert totals(session).in_words == with_readings


def test_a_page_costs_the_same_for_any_class(
    office: Client, session: ClassSession, lecture: ClassSession, django_assert_max_num_queries: Any
) -> None:
    other = ClassSession.objects.create(course=session.course, started_at=START, ended_at=START)
    hold(other, START, 6, NAMES[:7])

    def queries(of: ClassSession) -> int:
        with django_assert_max_num_queries(40) as counted:
            shown(office, of)
        return len(counted)

    assert queries(other) == queries(lecture)


# -- The list


def test_the_list_says_how_each_session_was_and_what_they_are_together(
    office: Client, lecture: ClassSession, alice: User
) -> None:
    other = Course.objects.create(title="Algebra", instructor=alice)
    later = ClassSession.objects.create(course=other, started_at=START, ended_at=START + timedelta(hours=2))
    store_points(later, START, [TROUBLED] * 10)
    Participant.objects.create(session=later, display_name="Ada")
    text = " ".join(office.get(reverse(LIST)).content.decode().split())
    assert "Together: 2 sessions, 13 students, 2 h 12 min" in text
    assert "Uneasy, about 70 % looked troubled" in text
    assert text.count('<svg class="strip"') == 2
    text = " ".join(office.get(reverse(LIST), {"q": "algebra"}).content.decode().split())
    assert "Together: 1 session, 1 student, 2 h" in text
    assert "Together" not in office.get(reverse(LIST), {"q": "nothing of the kind"}).text


@pytest.fixture
def many(alice: User, bob: User, session: ClassSession) -> list[ClassSession]:
    """Ten thousand sessions in 200 courses over some years, each with five students; the newest have a mood."""
    courses = [Course(title=f"Course {n}", instructor=alice if n % 2 else bob) for n in range(200)]
    Course.objects.bulk_create(courses)
    first = START - timedelta(hours=3 * MANY)
    made = [
        ClassSession(
            course=courses[n % 200],
            started_at=first + timedelta(hours=3 * n),
            ended_at=first + timedelta(hours=3 * n, minutes=50),
        )
        for n in range(MANY)
    ]
    ClassSession.objects.bulk_create(made, batch_size=2000)
    ended = ClassSession.objects.exclude(ended_at=None)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO classroom_participant (public_id, session_id, display_name, kind, consent_epoch, scope,
                joined_at) SELECT gen_random_uuid(), id, 'Student ' || n, 'student', 0, 'none', started_at
            FROM classroom_classsession, generate_series(1, 5) n WHERE ended_at IS NOT NULL"""
        )
        cursor.execute(
            """INSERT INTO emotions_moodpoint (session_id, sequence, at, shares, low, high, joined, connected,
                measured, uncertain, not_visible, pace)
            SELECT id, n, started_at + n * interval '1 second', %(mood)s::float[], %(mood)s::float[],
                %(mood)s::float[], 30, 30, 25, 2, 1, '{}'
            FROM (SELECT * FROM classroom_classsession WHERE ended_at > started_at
                ORDER BY started_at DESC LIMIT 60) AS s, generate_series(1, 3000) n""",
            {"mood": list(CALM)},
        )
        for table in ("classroom_classsession", "classroom_participant", "emotions_moodpoint"):
            cursor.execute(f"ANALYZE {table}")
    return list(ended)


def test_ten_thousand_sessions_are_as_quick_as_few(
    office: Client, session: ClassSession, request: pytest.FixtureRequest, django_assert_max_num_queries: Any
) -> None:
    """The number of queries is that of a list of one, for every way of looking; each takes less than two seconds."""
    looks: list[dict[str, Any]] = [
        {}, {"p": 100}, {"q": "course 17"}, {"state": "live"}, {"state": "ended"}, {"o": "-7"},
        {"started_at__year": 2025}, {"started_at__year": 2025, "started_at__month": 5},
    ]  # fmt: skip

    def look(query: dict[str, Any]) -> tuple[int, float]:
        with django_assert_max_num_queries(30) as counted:
            began = time.process_time(), time.perf_counter()
            assert office.get(reverse(LIST), query).status_code == 200
        return len(counted), time.perf_counter() - began[1]

    few = look({})[0]
    many = request.getfixturevalue("many")
    assert len(many) == MANY
    course = many[0].course_id
    for query in [*looks, {"course__id__exact": course}]:
        number, took = look(query)
        assert number <= few + 1, query  # One page of many has links to the others, and a hierarchy of dates.
        assert took < 2, query


def test_the_rows_of_a_page_are_found_by_indexes(many: list[ClassSession], root: User) -> None:
    """Neither all sessions nor all students are read for one page."""
    request = RequestFactory().get("/")
    request.user = root
    lists = site.get_model_admin(ClassSession)
    rows = lists.get_queryset(request).select_related("course__instructor").order_by("-started_at", "-pk")
    plan = rows[:50].explain()
    assert "sessions_by_time" in plan
    assert "Seq Scan on classroom_classsession" not in plan
    assert "Seq Scan on classroom_participant" not in plan
    assert "Sort" not in plan
    own = rows.filter(course=many[0].course)[:50].explain()
    assert "Seq Scan on classroom_classsession" not in own
    live = rows.filter(ended_at__isnull=True)[:50].explain()
    assert "Seq Scan on classroom_classsession" not in live
    moods = MoodPoint.objects.filter(session__in=[many[0].pk, many[1].pk]).explain()
    assert "one_mood_point_per_tick" in moods


# -- Export


async def _whole(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


def test_chosen_sessions_are_one_zip_of_their_reports(
    office: Client, lecture: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And between two of them it holds no connection to the database."""
    other = ClassSession.objects.create(course=lecture.course, title="=1+1", started_at=START, ended_at=START)
    hold(other, START, 2, NAMES[:7])
    answer: Any = act(office, "export", lecture, other, confirmed=False)
    assert answer["Content-Type"] == "application/zip"
    assert answer.is_async
    gone: list[bool] = []
    monkeypatch.setattr(turns, "let_connections_go", lambda: gone.append(True))
    file = zipfile.ZipFile(io.BytesIO(async_to_sync(_whole)(aiter(answer))))
    assert len(gone) == 2
    assert file.testzip() is None
    text = file.read(archive.INDEX).decode()
    index = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert list(index[0]) == list(archive.INDEX_COLUMNS)
    assert {row["title"] for row in index} == {"", "'=1+1"}
    assert [row["file"] for row in index] == file.namelist()[1:]
    by_start = {row["title"]: row["file"] for row in index}
    for session in (lecture, other):
        made = openpyxl.load_workbook(io.BytesIO(file.read(by_start["'=1+1" if session == other else ""])))
        same = openpyxl.load_workbook(io.BytesIO(workbook.workbook(session)))
        for sheet in same:
            assert list(made[sheet.title].values) == list(sheet.values)
    assert LogEntry.objects.filter(change_message="Exported from the administration.").count() == 2


def test_of_a_session_that_is_being_deleted_nothing_is_shown_or_exported(
    office: Client, lecture: ClassSession
) -> None:
    """Its first slices are gone: what is left would look like a whole."""
    assert overview(lecture).figure
    ClassSession.objects.filter(pk=lecture.pk).update(purged_at=timezone.now())
    lecture.refresh_from_db()
    seen = overview(lecture)
    assert (seen.figure, seen.moments) == (None, [])
    assert "was deleted on" in seen.summary[0]
    assert "looked troubled" not in office.get(reverse(LIST)).content.decode()
    (row,) = term.term_rows([lecture])
    assert (row.shares, row.joined) == (None, None)
    answer: Any = act(office, "export", lecture, confirmed=False)
    file = zipfile.ZipFile(io.BytesIO(async_to_sync(_whole)(aiter(answer))))
    assert file.namelist() == [archive.INDEX]
    (line,) = csv.DictReader(io.StringIO(file.read(archive.INDEX).decode().removeprefix("\ufeff")))
    assert (line["file"], line["course"]) == ("", lecture.course.title)


def test_of_a_session_that_is_being_deleted_the_administration_lists_no_row(
    office: Client, lecture: ClassSession
) -> None:
    """Neither names nor consents nor readings, on the page of the session, in lists, and on pages of their own."""
    of_people = ("classroom_participant", "classroom_consentevent")
    of_faces = ("emotions_emotionevent", "emotions_minuterollup", "emotions_moodpoint")
    pages = [reverse(f"admin:{name}_changelist") for name in (*of_people, *of_faces)]
    before = shown(office, lecture)
    assert all(office.get(page).context["cl"].result_count for page in pages)
    event = EmotionEvent.objects.filter(participant__scope="individual", session=lecture).first()
    assert event is not None
    own = admin_page_of(event)
    assert office.get(own).status_code == 200
    ClassSession.objects.filter(pk=lecture.pk).update(purged_at=timezone.now())
    assert not any(office.get(page).context["cl"].result_count for page in pages)
    assert office.get(own).status_code == 302
    after = shown(office, lecture)
    marker = lecture.markers.first()
    assert marker is not None
    for words in (NAMES[0], "Given (", marker.label):
        assert words in before
        assert words not in after
    assert "Together: 1 session, 0 students" in " ".join(office.get(reverse(LIST)).content.decode().split())


def test_an_export_keeps_the_floor_and_names_nobody_who_is_not_to_be(office: Client, session: ClassSession) -> None:
    hold(session, START, 1, NAMES[:3])
    answer: Any = act(office, "export", session, confirmed=False)
    file = zipfile.ZipFile(io.BytesIO(async_to_sync(_whole)(aiter(answer))))
    book = openpyxl.load_workbook(io.BytesIO(file.read(file.namelist()[1])))
    header, *lines = book["minutes"].values
    assert {line[header.index("share_happy")] for line in lines} == {None}
    hidden = Participant.objects.get(session=session, scope="aggregate").display_name
    assert [sheet.title for sheet in book for row in sheet.values if hidden in row] == ["attendance"]


# -- Purge


RECORDED = (EmotionEvent, MinuteRollup, MoodPoint, Participant, Marker)


def test_a_purge_asks_and_says_how_many_rows_go(office: Client, lecture: ClassSession) -> None:
    counted = totals(lecture)
    text = " ".join(act(office, "purge", lecture, confirmed=False).content.decode().split())
    assert f"at least <b>{counted.least} rows</b>" in text
    assert counted.in_words in text
    assert "There is no way back" in text
    for model in RECORDED:
        assert model._default_manager.filter(session=lecture).exists()


def test_a_purge_takes_everything_but_the_session_and_leaves_a_line(
    office: Client, lecture: ClassSession, root: User
) -> None:
    kept = ClassSession.objects.create(course=lecture.course, started_at=START, ended_at=START)
    hold(kept, START, 2, NAMES[:7])
    before = {model: model._default_manager.filter(session=kept).count() for model in RECORDED}
    words = totals(lecture).in_words
    act(office, "purge", lecture)
    for model in RECORDED:
        assert not model._default_manager.filter(session=lecture).exists()
        assert model._default_manager.filter(session=kept).count() == before[model]
    assert not ConsentEvent.objects.filter(participant__session=lecture).exists()
    assert not CheckIn.objects.filter(participant__session=lecture).exists()
    lecture.refresh_from_db()
    assert lecture.purged_at is not None
    (line,) = LogEntry.objects.all()
    assert (line.user, line.object_id, line.object_repr) == (root, str(lecture.pk), str(lecture))
    receipt = Erasure.objects.get()
    assert line.get_change_message() == f"Purged. {words}. Receipt {receipt.public_id}."
    history = office.get(reverse("admin:classroom_classsession_history", args=[lecture.pk])).content.decode()
    assert words in history


def test_a_purge_leaves_a_receipt_of_what_went(office: Client, lecture: ClassSession) -> None:
    """Every row that went, by its model, and no name; told without what could be counted out of it."""
    went = {model.__name__: model._default_manager.filter(session=lecture).count() for model in RECORDED}
    went |= {
        model.__name__: model._default_manager.filter(participant__session=lecture).count()
        for model in (ConsentEvent, CheckIn)
    }
    names = set(Participant.objects.filter(session=lecture).values_list("display_name", flat=True))
    act(office, "purge", lecture)
    receipt = Erasure.objects.get()
    assert (receipt.what, receipt.why, receipt.course) == ("records", "school", lecture.course.title)
    assert receipt.rows == {name: count for name, count in went.items() if count}
    assert not [name for name in names if name in str(vars(receipt))]
    listed = office.get(reverse("admin:classroom_erasure_changelist")).content.decode()
    assert "What was recorded in a session, which stays as such" in listed
    shown_rows = office.get(reverse("receipt", args=[receipt.public_id])).content.decode()
    assert "Seconds of class mood" in shown_rows
    assert "inutes that were summed up" not in shown_rows


def test_a_purged_session_says_so_and_is_not_purged_again(office: Client, lecture: ClassSession) -> None:
    act(office, "purge", lecture)
    text = shown(office, lecture)
    purged = r"What was recorded in it was deleted on \d+ \w+ \d{4} because the school decided it\."
    assert re.search(rf"12 min\. {purged} Only its course, title and times stay\.", text)
    assert "Purged" in office.get(reverse(LIST)).content.decode()
    report = office.get(reverse("report", args=[lecture.public_id])).content.decode()
    assert "What was recorded in it was deleted on" in report
    assert "Attendance" not in report  # Unknown is not nobody.
    assert "Download" not in report
    question = act(office, "purge", lecture, confirmed=False).content.decode()
    assert "was purged before" in question
    assert "None of these can be purged." in question
    assert 'type="submit"' not in question.split('id="content"')[1].split("</main>")[0]
    answer = act(office, "purge", lecture)
    assert any("This session was purged before." in str(message) for message in answer.context["messages"])
    assert LogEntry.objects.count() == 1


def test_a_live_session_is_not_purged(office: Client, session: ClassSession) -> None:
    assert "live: end it first" in act(office, "purge", session, confirmed=False).content.decode()
    answer = act(office, "purge", session)
    assert any("End it first" in str(message) for message in answer.context["messages"])
    assert not LogEntry.objects.exists()


# -- Readings belong to a course, too


@pytest.mark.parametrize("model", ["emotionevent", "minuterollup", "moodpoint"])
def test_an_instructor_sees_the_readings_of_their_own_courses(
    client: Client, lecture: ClassSession, bob: User, model: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from django.contrib.auth.models import Group

    address = reverse(f"admin:emotions_{model}_changelist")
    for person, sees in ((lecture.course.instructor, True), (bob, False)):
        User.objects.filter(pk=person.pk).update(is_staff=True)
        person.groups.set(Group.objects.filter(name="Instructor"))
        client.force_login(person)
        for query in ({}, {"session__id__exact": lecture.pk}):
            rows = client.get(address, query).context["cl"].result_list
            assert bool(rows) is sees
