"""The report as files: opened again, compared with the database, harmless, and silent about the others."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classroom.models import CheckIn, ClassSession, Course, Marker, Participant
from emotions.models import EmotionEvent, MoodPoint
from emotions.reports import html_file, tables
from emotions.reports.workbook import workbook
from ml.labels import INDEX, LABELS
from tests.emotions.lectures import NAMES, hold

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
HIDDEN = [name for n, name in enumerate(NAMES) if n % 3 == 2]


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    """Twelve minutes of twelve students. The first has a formula for a name, and so have a marker and the course."""
    hold(session, START, 12)
    Participant.objects.filter(session=session, display_name="Aarav").update(display_name="=1+1")
    Participant.objects.filter(session=session, display_name="Arjun").update(display_name="@SUM(A1)")
    Marker.objects.filter(session=session, label="Exercise").update(label="-2+3")
    Course.objects.filter(pk=session.course.pk).update(title="+cmd|' /C calc'!A0")
    session.course.refresh_from_db()
    return session


def opened(session: ClassSession) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(session)))


def rows(book: Any, name: str) -> list[dict[str, Any]]:
    header, *lines = book[name].iter_rows(values_only=True)
    return [dict(zip(header, line, strict=True)) for line in lines]


def local(at: datetime) -> datetime:
    return timezone.localtime(at).replace(tzinfo=None)


def test_no_name_passes_through_a_file(lecture: ClassSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a part of it lay on a disk")

    for name in ("mkstemp", "mkdtemp", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", no_file)
    assert workbook(lecture).startswith(b"PK")


def test_there_is_a_sheet_per_table_with_a_frozen_header(lecture: ClassSession) -> None:
    book = opened(lecture)
    assert book.sheetnames == [
        "summary", "minutes", "sections", "students", "attendance", "check_ins", "markers", "room_camera",
    ]  # fmt: skip
    for sheet, table in zip(book, tables.tables(lecture), strict=True):
        assert sheet.freeze_panes == "B2"
        assert [cell.value for cell in sheet[1]] == list(table.columns)


def test_no_cell_is_a_formula_and_what_looks_like_one_is_harmless(lecture: ClassSession) -> None:
    book = opened(lecture)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell.value for cell in cells if re.match(r"[=+\-@]", cell.value)]
    assert {"'=1+1", "'@SUM(A1)", "'-2+3", "'+cmd|' /C calc'!A0"} <= {cell.value for cell in cells}


def test_minutes_are_those_of_the_stored_points(lecture: ClassSession) -> None:
    lines = rows(opened(lecture), "minutes")
    assert len(lines) == 12
    for n, line in enumerate(lines):
        begin = START + timedelta(minutes=n)
        points = MoodPoint.objects.filter(session=lecture, at__gte=begin, at__lt=begin + timedelta(minutes=1))
        assert line["minute"] == local(begin)
        known = [point.shares for point in points if point.shares]
        for label in LABELS:
            mean = sum(shares[INDEX[label]] for shares in known) / len(known) if known else None
            assert line[f"share_{label}"] == (pytest.approx(mean) if known else None)
        assert isinstance(line["measured"], int | float)
    assert lines[0]["low_happy"] is None


def test_students_are_those_who_share_and_their_numbers_those_of_the_events(lecture: ClassSession) -> None:
    lines = rows(opened(lecture), "students")
    shown = Participant.objects.filter(session=lecture, scope="individual")
    assert {line["student_id"] for line in lines} == {str(one.public_id) for one in shown}
    for line in lines:
        events = list(EmotionEvent.objects.filter(participant__public_id=line["student_id"]))
        assert (line["readings"], line["unsure_readings"]) == (len(events), sum(event.uncertain for event in events))
        for label in LABELS:
            assert line[f"count_{label}"] == sum(event.label == label for event in events)
            mean = sum(event.probabilities[INDEX[label]] for event in events) / len(events)
            assert line[f"share_{label}"] == pytest.approx(mean)


def test_attendance_names_everybody_and_measures_only_who_shares(lecture: ClassSession) -> None:
    lines = rows(opened(lecture), "attendance")
    people = {one.display_name: one for one in Participant.objects.filter(session=lecture)}
    assert len(lines) == len(people)
    for line in lines:
        one = people[line["name"].removeprefix("'")]
        assert abs(line["joined_at"] - local(one.joined_at)) < timedelta(milliseconds=1)
        assert (line["minutes_measured"] is None) == (one.scope == "aggregate")
    assert [line["went"] for line in lines].count("left") == 1


def test_sections_check_ins_and_markers_are_those_of_the_database(lecture: ClassSession) -> None:
    book = opened(lecture)
    sections, said, marks = (rows(book, name) for name in ("sections", "check_ins", "markers"))
    assert [line["section"] for line in sections] == ["Beginning", "Slide 4: chain rule", "'-2+3"]
    assert [line["at"] for line in marks] == [local(at) for at in Marker.objects.values_list("at", flat=True)]
    for word in CheckIn.Word.values:  # Without a name there are four: fewer than five, whose words are not counted.
        count = CheckIn.objects.filter(word=word, participant__scope="individual").count()
        for lines in (sections, said):
            counts = [line[f"said_{word}"] for line in lines]
            assert sum(filter(None, counts)) == count
            # Not known: the four may have said it. The first of them is there for less than half of the first minute.
            assert 0 not in counts[lines is said :]
    assert sections[0]["known"] == pytest.approx(0.75)
    assert sections[1]["share_sad"] == pytest.approx(0.35)


def test_who_shares_only_in_the_aggregate_is_on_the_roll_alone(lecture: ClassSession) -> None:
    book = opened(lecture)
    for name in HIDDEN[1:]:
        found = [sheet.title for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == name]
        assert found == ["attendance"]


def test_under_the_floor_every_share_is_empty(session: ClassSession) -> None:
    hold(session, START, 1, NAMES[:3])
    book = opened(session)
    for name in ("minutes", "sections"):
        for line in rows(book, name):
            assert {line[column] for column in (*tables.SHARES, *tables.BANDS)} == {None}


# -- One page


class Fetched(HTMLParser):
    """What a page would fetch, and what it would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]


def test_the_page_fetches_and_runs_nothing(lecture: ClassSession) -> None:
    html = html_file.html_file(lecture)
    page = Fetched(html)
    assert page.addresses == []
    assert not page.tags & {"script", "link", "img", "iframe", "a", "form", "object"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_the_page_says_what_the_report_says(lecture: ClassSession) -> None:
    html = html_file.html_file(lecture)
    assert "12 min, mostly" in html
    assert html.count('class="lane"') == 8
    assert "&#x27;=1+1" in html
    assert ">=1+1" not in html
    assert "&#x27;-2+3" in html
    readings = html.split('id="attendance-title"')[0]
    assert [name for name in HIDDEN if name in readings] == []


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("address", "kind", "name"),
    [
        ("report_xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("report_html", "text/html; charset=utf-8", "html"),
    ],
)
def test_both_are_files_to_keep(
    client: Client, lecture: ClassSession, alice: User, address: str, kind: str, name: str
) -> None:
    client.force_login(alice)
    answer = client.get(reverse(address, args=[lecture.public_id]))
    assert answer["Content-Type"] == kind
    assert re.fullmatch(rf'attachment; filename="[a-z0-9-]+-2026-03-02-report.{name}"', answer["Content-Disposition"])
