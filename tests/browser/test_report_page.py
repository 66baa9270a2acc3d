"""The report in a real browser: what it shows, on a phone, on paper, as files, and to those who hear it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from classroom.models import ClassSession, Participant
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from ml.labels import INDEX
from tests.browser.conftest import Visitors
from tests.browser.dashboards import sign_in, wait_for_chart
from tests.emotions.lectures import NAMES, hold

pytestmark = pytest.mark.browser

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    """The third one of its course."""
    for week in (2, 1):
        begin = START - timedelta(weeks=week)
        before = ClassSession.objects.create(course=session.course, started_at=begin, ended_at=begin)
        hold(before, begin, 9 * week, NAMES[: 12 - week])
    hold(session, START, 48)
    return session


def report_of(visitors: Visitors, session: ClassSession, **options: Any) -> Page:
    page = visitors.new(camera=False, **options)
    sign_in(page, session.course.instructor, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/report/")
    wait_for_chart(page)
    return page


def saved(page: Page, link: str, folder: Path) -> Path:
    """The file behind a link of the menu."""
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    page.get_by_text("Download", exact=True).click()
    return path


def test_the_heat_map_scrolls_in_its_own_box_on_a_phone(visitors: Visitors, lecture: ClassSession) -> None:
    page = report_of(visitors, lecture, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.get_by_role("region", name="Minute by minute, as a wide table")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert box.locator("tbody th").all_inner_texts()[:3] == ["Class", "Lost 3", "Aarav"]
    assert box.locator("tbody tr").count() == 10


def test_a_chart_that_does_not_load_is_said(visitors: Visitors, lecture: ClassSession) -> None:
    page = visitors.new(camera=False)
    sign_in(page, lecture.course.instructor, visitors.base_url)
    page.route("**/plotly*.js", lambda route: route.fulfill(status=404))
    page.goto(f"/teach/{lecture.public_id}/report/")
    expect(page.get_by_text("The chart did not load; the tables say the same.")).to_be_visible()


def test_from_the_report_to_a_student_and_back(visitors: Visitors, lecture: ClassSession) -> None:
    page = report_of(visitors, lecture)
    hidden = Participant.objects.filter(session=lecture, scope="aggregate").values_list("display_name", flat=True)
    assert set(page.locator(".heat tbody th").all_inner_texts()).isdisjoint(hidden)
    page.locator(".heat").get_by_role("link", name="Anaya").click()
    expect(page.get_by_role("heading", name="Anaya")).to_be_visible()
    expect(page.locator(".said li")).to_have_text(["09:21 Lost"])
    page.get_by_text("Show 48 minutes").click()
    expect(page.locator("details tbody tr")).to_have_count(48)
    for name in hidden:
        expect(page.get_by_text(name)).to_have_count(0)
    page.get_by_role("link", name="Calculus 1, 2 March 2026").click()
    expect(page.get_by_role("heading", name="Worth looking at again")).to_be_visible()


def test_on_paper_it_is_a4_and_nothing_is_cut_off(visitors: Visitors, lecture: ClassSession, tmp_path: Path) -> None:
    page = report_of(visitors, lecture, color_scheme="dark")
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    sheets = PdfReader(tmp_path / "report.pdf").pages
    assert {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in sheets} == {(595, 842)}
    text = " ".join(sheet.extract_text() for sheet in sheets)
    for words in ("Minute by minute", "Vivaan", "Slide 4: chain rule", "Beside the sessions before"):
        assert words in text
    assert "Download" not in text
    # As wide as the paper between its margins: 184 mm at 96 dots an inch.
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 695, "height": 900})
    wide = "[...document.querySelectorAll('.card')].filter(card => card.scrollWidth > card.clientWidth + 1).length"
    assert page.evaluate(wide) == 0


def test_the_files_are_what_the_page_shows(visitors: Visitors, lecture: ClassSession, tmp_path: Path) -> None:
    page = report_of(visitors, lecture, accept_downloads=True)
    names = page.locator(".roll tbody th").all_inner_texts()
    book = openpyxl.load_workbook(saved(page, "Spreadsheet, XLSX", tmp_path))
    assert [row[0] for row in book["attendance"].iter_rows(min_row=2, values_only=True)] == names
    file = saved(page, "One page, HTML", tmp_path)
    alone = visitors.new(camera=False, offline=True)
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert alone.locator(".roll tbody th").all_inner_texts() == names
    assert alone.locator(".tall .lane").evaluate("lane => lane.clientHeight") == 220
    assert alone.locator(".tall path.sad").evaluate("path => getComputedStyle(path).fill") == "rgb(30, 157, 224)"


def test_the_files_are_what_the_database_holds(visitors: Visitors, lecture: ClassSession, tmp_path: Path) -> None:
    page = report_of(visitors, lecture, accept_downloads=True)
    sharers = Participant.objects.filter(session=lecture, scope="individual")
    events = list(EmotionEvent.objects.filter(participant__in=sharers).order_by("captured_at", "pk"))
    header, *students = openpyxl.load_workbook(saved(page, "Spreadsheet, XLSX", tmp_path))["students"].values
    told = {row[header.index("student_id")]: row[header.index("readings")] for row in students}
    counted = Counter(event.participant_id for event in events)
    assert told == {str(one.public_id): counted[one.pk] for one in sharers}
    readings = table_of(page, f"/teach/{lecture.public_id}/events.csv")
    assert len(readings) == len(events)
    for row, event in zip(readings, events, strict=True):
        assert row["emotion"] == event.label
        assert number(row["probability_sad"]) == pytest.approx(event.probabilities[INDEX["sad"]], abs=1e-3)
    for row in table_of(page, f"/teach/{lecture.public_id}/report.csv"):
        begin = datetime.fromisoformat(row["minute"])
        points = MoodPoint.objects.filter(session=lecture, at__gte=begin, at__lt=begin + timedelta(minutes=1))
        sad = [point.shares[INDEX["sad"]] for point in points if point.shares]
        assert bool(row["share_sad"]) == bool(sad)
        assert not sad or number(row["share_sad"]) == pytest.approx(sum(sad) / len(sad), abs=1e-3)


def table_of(page: Page, path: str) -> list[dict[str, str]]:
    """As a spreadsheet opens it that splits at semicolons."""
    text = page.context.request.get(f"{path}?sep=semicolon").body().decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def number(cell: str) -> float:
    return float(cell.replace(",", "."))


def test_minutes_that_nobody_counted_are_counted_while_one_looks(visitors: Visitors, lecture: ClassSession) -> None:
    MinuteRollup.objects.filter(session=lecture).delete()
    page = report_of(visitors, lecture)
    began = page.evaluate("performance.timeOrigin")
    expect(page.locator("#counting")).to_contain_text("Every stored reading is counted now.", timeout=60_000)
    expect(page.locator("#counting form")).to_be_hidden()
    shown = page.locator("#tables section", has_text="Students who share").locator("tbody tr")
    readings = sum(int(row.locator("td").last.inner_text()) for row in shown.all())
    events = EmotionEvent.objects.filter(session=lecture, participant__scope="individual")
    assert readings == events.count() > 0
    assert page.evaluate("performance.timeOrigin") == began


# A page of which nothing is missing any more, as far as the server says.
COUNTED = """async () => {
  document.querySelector("main").innerHTML = `
    <section id="counting" data-address="/counted/">
      <p data-part="words"></p><progress data-part="bar"></progress><p data-part="said"></p><form></form>
    </section>
    <div id="tables"></div>`;
  const { countMissing } = await import("/static/emotions/js/report/counting.js");
  await countMissing(document.getElementById("counting"));
}"""


def test_tables_that_do_not_come_are_spoken_of_in_words(visitors: Visitors) -> None:
    page = visitors.new(camera=False)
    page.goto("/join/")
    page.route("**/counted/", lambda route: route.fulfill(json={"counting": False, "missing": 0}))
    page.route("**/join/", lambda route: route.abort())
    page.evaluate(COUNTED)
    words = "The minutes are counted, but the tables did not come. Look at your connection, then try again."
    expect(page.locator("#counting [data-part=words]")).to_have_text(words)
    page.unroute("**/join/")
    visitors.complaints.clear()  # The console says that the page was not there; that is what was tested.


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"status": 404, "body": "Not found"},
            "It is not there any more: it was changed or deleted elsewhere, or the class has ended.",
        ),
        ({"status": 403, "body": "No"}, "You are signed out, or may not do this. Sign in again and reload the page."),
        ({"status": 200, "body": "<h1>Welcome to this network</h1>"}, "No answer came. Try again in a minute."),
        ({"status": 409, "json": {"error": "Somebody counts."}}, "Somebody counts."),
    ],
)
def test_why_minutes_are_not_counted_is_said_as_everywhere(
    visitors: Visitors, answer: dict[str, Any], words: str
) -> None:
    page = visitors.new(camera=False)
    page.goto("/join/")
    page.route("**/counted/", lambda route: route.fulfill(**answer))
    page.evaluate(COUNTED)
    expect(page.locator("#counting [data-part=words]")).to_have_text(words)
