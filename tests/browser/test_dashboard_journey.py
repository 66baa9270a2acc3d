"""An instructor in a real browser, with a class that streams: from the course to the report, the table and admin."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.models import EmotionEvent, MoodPoint
from emotions.reports.sharers import individual_events
from emotions.reports.totals import totals
from ml.labels import LABELS
from tests.browser.conftest import Visitors
from tests.browser.dashboards import chart, sign_in, wait_for_chart, wait_until
from tests.conftest import PASSWORD
from tests.processes import simulating

pytestmark = pytest.mark.browser

STUDENTS = 8
MOST_BY_NAME = ("--students", str(STUDENTS), "--individual", "0.75")
LONG = 60_000


def start_a_session(page: Page) -> ClassSession:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/courses/")
    title = f"Journey {timezone.now():%H%M%S%f}"
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Make the course").click()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/teach/**")
    return ClassSession.objects.get(course__title=title)


def test_a_class_from_the_first_student_to_the_report(
    product: RunningProduct, visitors: Visitors, alice: User, root: User
) -> None:
    page = visitors.new(camera=False, accept_downloads=True)
    session = start_a_session(page)
    expect(page.locator("#lobby .code")).to_have_text(f"{session.join_code[:3]}-{session.join_code[3:]}")
    with simulating(product, session.join_code, *MOST_BY_NAME):
        watch_the_class(page, session)
        run_the_session(page, visitors, session)
        page.get_by_role("button", name="End session").click()
        page.locator("#end-dialog").get_by_role("button", name="End session").click()
        page.wait_for_url("**/report/")
    read_the_report(page, session)
    read_the_tables(page, session)
    look_after_it(visitors, root, session)


def sharers(session: ClassSession) -> int:
    return Participant.objects.filter(session=session, scope="individual").count()


def watch_the_class(page: Page, session: ClassSession) -> None:
    expect(page.locator("#class")).to_be_visible(timeout=LONG)
    expect(page.locator("#coverage")).to_have_text(re.compile(rf"\d of {STUDENTS} (measured|students)"), timeout=LONG)
    expect(page.locator("#tiles li")).to_have_count(sharers(session))
    expect(page.locator("#sentence")).to_have_text(re.compile(r"look|nobody"), timeout=LONG)
    expect(page.locator("#tiles .word").first).to_have_text(re.compile(r"^(Angry|Disgust|Fear|Happy|Sad|Surp|Neut)"))
    wait_for_chart(page)
    wait_until(page, "document.getElementById('mood-chart').data?.length >= 7")
    first = chart(page)[0]["x"][-1]
    wait_until(page, "x => document.getElementById('mood-chart').data.at(-7).x.at(-1) > x + 4000", first)
    shown = float(page.locator("#now li.happy .bar").evaluate("bar => bar.style.getPropertyValue('--share')"))
    recent = MoodPoint.objects.filter(session=session, shares__isnull=False).order_by("-sequence")[:5]
    assert any(abs(point.shares[LABELS.index("happy")] - shown) < 0.01 for point in recent if point.shares)


def run_the_session(page: Page, visitors: Visitors, session: ClassSession) -> None:
    page.keyboard.press("m")
    page.get_by_label("What happens now").fill("Slide 2")
    page.keyboard.press("Enter")
    expect(page.locator("#marker-said")).to_have_text("Marked: Slide 2")
    page.get_by_role("button", name="Join code").click()
    page.get_by_role("button", name="Lock joining").click()
    expect(page.get_by_role("button", name="Open joining")).to_be_visible()
    session.refresh_from_db()
    assert session.joining_locked
    page.get_by_role("button", name="Open joining").click()
    expect(page.get_by_role("button", name="Lock joining")).to_be_visible()
    old = session.join_code
    page.get_by_role("button", name="Renew the code").click()
    expect(page.locator("#join-dialog .code")).not_to_have_text(f"{old[:3]}-{old[3:]}")
    page.get_by_role("button", name="Close").click()
    newcomer = visitors.new(camera=False)
    answer = newcomer.goto(f"/join/{old}/")
    assert answer
    assert answer.status == 404
    remove_somebody(page, session)


def remove_somebody(page: Page, session: ClassSession) -> None:
    tile = page.locator("#tiles li").first
    student = Participant.objects.get(public_id=tile.get_attribute("data-id") or "")
    tile.click()
    page.get_by_role("button", name="Remove from the session…").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#tiles li")).to_have_count(sharers(session) - 1)
    student.refresh_from_db()
    assert student.removed_at is not None


def read_the_report(page: Page, session: ClassSession) -> None:
    expect(page.locator(".summary")).to_contain_text("looked troubled")
    wait_for_chart(page)
    assert len(chart(page)) >= 7
    expect(page.get_by_role("rowheader", name="Slide 2")).to_be_visible()
    shown = f"Students who share with their name ({sharers(session)})"
    expect(page.get_by_role("heading", name=shown)).to_be_visible()
    hidden = Participant.objects.filter(session=session, scope="aggregate").values_list("display_name", flat=True)
    for name in hidden:
        # On the list of those present, and nowhere else.
        expect(page.get_by_role("rowheader", name=name, exact=True)).to_have_count(1)
        expect(page.locator(".roll").get_by_role("rowheader", name=name, exact=True)).to_have_count(1)


def read_the_tables(page: Page, session: ClassSession) -> None:
    minutes = download(page, f"/teach/{session.public_id}/report.csv")
    assert any(row["share_happy"] for row in minutes)
    readings = download(page, f"/teach/{session.public_id}/events.csv")
    stored = individual_events(EmotionEvent.objects.filter(session=session))
    assert len(readings) == stored.count() > 0
    shares = Participant.objects.filter(session=session, scope="individual").values_list("public_id", flat=True)
    assert {row["student_id"] for row in readings} <= {str(student) for student in shares}


def download(page: Page, path: str) -> list[dict[str, str]]:
    answer = page.context.request.get(path)
    assert answer.ok
    return list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))


def look_after_it(visitors: Visitors, root: User, session: ClassSession) -> None:
    """The admin's own pages bring their own styles; ours is the session with its count and the link to its report."""
    page = visitors.new(camera=False)
    sign_in(page, root, visitors.base_url)
    page.goto(f"/admin/classroom/classsession/{session.pk}/change/")
    shown = page.locator(".totals div").filter(has_text="Readings").locator("dd")
    expect(shown).to_have_text(f"{totals(session).readings:,}")
    page.get_by_role("link", name="Report", exact=True).click()
    expect(page.locator(".summary")).to_contain_text("looked troubled")
