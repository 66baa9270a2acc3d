"""CSV: opened again and compared with the database; harmless; only of those who share individually."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from classroom import turns
from classroom.models import CheckIn, ClassSession, ConsentEvent
from emotions.reports import cells, exports, tables
from ml.labels import LABELS
from tests.emotions.conftest import Join
from tests.emotions.mood_data import CALM, store_event, store_points

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def pieces(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


def read(text: str, separator: str = ",") -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator))


def events_of(session: ClassSession, dialect: str = "comma") -> list[dict[str, str]]:
    text = "".join(async_to_sync(pieces)(exports.events(session, exports.DIALECTS[dialect])))
    return read(text, exports.DIALECTS[dialect].separator)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    times = {"started_at": START, "ended_at": START + timedelta(minutes=2)}
    ClassSession.objects.filter(pk=session.pk).update(**times)
    session.refresh_from_db()
    store_points(session, START, [CALM] * 60 + [None] * 60)
    return session


def test_minutes_are_those_of_the_database(session: ClassSession, join: Join, lecture: ClassSession) -> None:
    ClassSession.objects.filter(pk=session.pk).update(ended_at=None)
    student = join("Ada")
    student.consent_events.update(at=START)
    CheckIn.objects.create(participant=student, word="lost", at=START + timedelta(seconds=70))
    ClassSession.objects.filter(pk=session.pk).update(ended_at=lecture.ended_at)
    first, second = read("".join(exports.minutes(lecture, exports.DIALECTS["comma"])))
    assert list(first) == list(tables.MINUTE_COLUMNS)
    assert [float(first[f"share_{label}"]) for label in LABELS] == pytest.approx(CALM, abs=1e-4)
    assert datetime.fromisoformat(first["minute"]) == START
    assert (first["measured"], first["said_lost"]) == ("20", "0")
    assert {second[f"share_{label}"] for label in LABELS} == {""}
    assert second["said_lost"] == "1"


def test_where_some_are_too_few_to_be_heard_silence_is_an_empty_cell(
    session: ClassSession, join: Join, lecture: ClassSession
) -> None:
    """One who shares without a name is never counted alone: nobody knows what they said."""
    ClassSession.objects.filter(pk=session.pk).update(ended_at=None)
    join("Ada")
    join("Ben", scope="aggregate")
    session.participants.update(joined_at=START, last_seen_at=lecture.ended_at)
    ConsentEvent.objects.update(at=START)
    ClassSession.objects.filter(pk=session.pk).update(ended_at=lecture.ended_at)
    first, _ = read("".join(exports.minutes(lecture, exports.DIALECTS["comma"])))
    assert {first[said] for said in tables.SAID} == {""}
    assert first["measured"] == "20"
    sheets = {
        table.name: dict(zip(table.columns, next(iter(table.rows)), strict=True)) for table in sheets_of(lecture)
    }
    assert {sheets[name][said] for name in ("minutes", "sections", "check_ins") for said in tables.SAID} == {None}


def sheets_of(session: ClassSession) -> list[tables.Table]:
    return [table for table in tables.tables(session) if table.name in ("minutes", "sections", "check_ins")]


def test_spreadsheets_that_split_at_semicolons_get_their_decimals(lecture: ClassSession) -> None:
    first, _ = read("".join(exports.minutes(lecture, exports.DIALECTS["semicolon"])), ";")
    assert first["share_neutral"] == "0,62"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_what_begins_like_a_formula_is_made_harmless(text: str) -> None:
    assert cells.harmless(text) == f"'{text}"
    assert cells.harmless(f"a{text}") == f"a{text}"


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("x;=cmd|'/C calc'!A0;", "x;'=cmd|'/C calc'!A0;"),
        ("x,@SUM(A1)", "x,'@SUM(A1)"),
        ("x; =1+1", "x;' =1+1"),
        (';"=1+1;', ";'\"=1+1;"),
        ('x|"" "@SUM(A1)', 'x|\'"" "@SUM(A1)'),
        ('"=1+1"', '\'"=1+1"'),
        ("\uff1d1+1", "'\uff1d1+1"),
        ('Ada "Countess"; "Ben"', 'Ada "Countess"; "Ben"'),
        ("Anna-Lena; Ben", "Anna-Lena; Ben"),
    ],
)
def test_a_formula_behind_another_separator_is_made_harmless(name: str, harmless: str) -> None:
    assert cells.harmless(name) == harmless
    assert cells.harmless(harmless) == harmless


SEPARATORS = (*(dialect.separator for dialect in exports.DIALECTS.values()), "|")


@given(st.lists(st.tuples(*[st.text(",;|\t\"' =+-@1a", max_size=12)] * 3), min_size=1, max_size=3))
@example([(';"=1+1;', "", "")])
@example([('";"', '"', "=1"), ('"', ';"+1', "x")])
def test_no_file_has_a_formula_whatever_separates_its_cells(rows: list[tuple[str, str, str]]) -> None:
    """Written with one separator, opened with each."""
    for dialect, separator in product(exports.DIALECTS.values(), SEPARATORS):
        written = "".join(exports.lines(rows, dialect, mark=False))
        read_back = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
        assert not [cell for row in read_back for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_readings_are_those_of_individual_sharers(session: ClassSession, join: Join) -> None:
    now = timezone.now() + timedelta(seconds=5)
    shown = store_event(join("=HYPERLINK(1)"), now, "sad")
    store_event(join("Bea", "aggregate"), now, sequence=2)
    (only,) = events_of(session, "tab")
    assert list(only) == list(exports.EVENT_COLUMNS)
    assert only["student"] == "'=HYPERLINK(1)"
    assert only["student_id"] == str(shown.participant.public_id)
    assert (only["emotion"], only["probability_sad"], only["unsure"]) == ("sad", "0.7", "0")
    assert abs(datetime.fromisoformat(only["captured_at"]) - shown.captured_at) < timedelta(milliseconds=1)


def test_a_long_session_comes_in_pieces_without_loss(
    session: ClassSession, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And between two of them it holds no connection to the database."""
    gone: list[bool] = []
    monkeypatch.setattr(exports, "CHUNK", 3)
    monkeypatch.setattr(turns, "let_connections_go", lambda: gone.append(True))
    student, now = join("Ada"), timezone.now() + timedelta(seconds=5)
    stored = [store_event(student, now + timedelta(seconds=n // 4), sequence=n) for n in range(10)]
    assert len(events_of(session)) == len(stored)
    assert len(gone) == 1 + 5, "who shares, and each piece"


@pytest.mark.usefixtures("pages")
def test_the_stream_is_a_file_to_keep(client: Client, session: ClassSession) -> None:
    client.force_login(session.course.instructor)
    answer: Any = client.get(reverse("events_csv", args=[session.public_id]))
    assert answer.streaming
    assert answer.is_async
    text = b"".join(async_to_sync(pieces)(aiter(answer))).decode()
    assert text.startswith("\ufeffstudent,student_id,")
    assert re.fullmatch(
        r'attachment; filename="statistics-\d{4}-\d\d-\d\d-readings.csv"', answer["Content-Disposition"]
    )


@pytest.mark.usefixtures("pages")
def test_an_unknown_separator_is_not_found(client: Client, session: ClassSession) -> None:
    client.force_login(session.course.instructor)
    page = reverse("report_csv", args=[session.public_id])
    assert client.get(page, {"sep": "pipe"}).status_code == 404
    assert client.get(page, {"sep": "semicolon"}).status_code == 200


def test_every_column_is_documented() -> None:
    text = Path(settings.BASE_DIR, "docs/exports.md").read_text()
    named = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", text, re.MULTILINE)
    described = {name for names in named for name in re.findall(r"[a-z_]+", names)}
    for stem in ("share", "low", "high", "probability", "count"):
        if f"{stem}_emotion" in described:
            described |= {f"{stem}_{label}" for label in LABELS}
    if "said_word" in described:
        described |= {f"said_{word}" for word in CheckIn.Word.values}
    columns = [value for name, value in vars(tables).items() if name.endswith("_COLUMNS")]
    assert len(columns) == 8
    missing = {*exports.EVENT_COLUMNS, *(name for each in columns for name in each)} - described
    assert not missing
