"""Pages with readings: who gets in, and what stands in them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from classroom import actions
from classroom.models import ClassSession
from emotions.device_files import Facts
from emotions.models import EmotionEvent
from emotions.mood.estimate import HALF_LIFE_SECONDS
from emotions.reports import wording
from tests.emotions.conftest import Join, admin_page_of
from tests.emotions.mood_data import CALM, store_event, store_points, store_rollup

pytestmark = pytest.mark.usefixtures("pages")
PAGES = ("dashboard", "report", "report_csv", "events_csv", "report_xlsx", "report_html")


def address(session: ClassSession, page: str = "dashboard") -> str:
    return reverse(page, args=[session.public_id])


def data_of(page: bytes, name: str) -> Any:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page.decode(), re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture
def owner(client: Client, session: ClassSession) -> Client:
    client.force_login(session.course.instructor)
    return client


@pytest.fixture
def school_admin(db: None) -> User:
    dana = User.objects.create_user("dana", is_staff=True)
    dana.user_permissions.add(Permission.objects.get(codename="see_every_session"))
    return dana


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_and_a_colleague_find_nothing(
    page: str, client: Client, session: ClassSession, bob: User, charlie: User
) -> None:
    assert client.get(address(session, page)).status_code == 404
    for person in (bob, charlie):
        client.force_login(person)
        answer = client.get(address(session, page))
        assert answer.status_code == 404
        assert session.course.title.encode() not in answer.content


@pytest.mark.parametrize("page", PAGES)
def test_pages_only_read(page: str, owner: Client, session: ClassSession) -> None:
    assert owner.post(address(session, page)).status_code == 405


def test_an_admin_reads_the_report_but_does_not_run_the_class(
    client: Client, session: ClassSession, school_admin: User
) -> None:
    client.force_login(school_admin)
    assert client.get(address(session, "report")).status_code == 200
    for page in ("report_csv", "report_xlsx", "report_html"):
        assert client.get(address(session, page)).status_code == 200
    assert client.get(address(session)).status_code == 404
    assert "Back to the live class" not in client.get(address(session, "report")).content.decode()


def test_the_dashboard_starts_with_the_newest_words(owner: Client, session: ClassSession) -> None:
    store_points(session, timezone.now() - timedelta(seconds=3), [CALM] * 3)
    page = owner.get(address(session)).content
    assert "Calm, but about 3 of 20 look troubled." in page.decode()
    told = " ".join(page.decode().split())
    assert f"smoothed, half of a change after {HALF_LIFE_SECONDS:g} seconds" in told
    assert f"a mean of the last {wording.RULES['steady_ms'] / 1000:g} seconds" in told
    assert "<span>Rests on 20 of 24 students ·</span> <span>most likely" in told
    data = data_of(page, "dashboard-data")
    assert data["latest"]["sequence"] == 3
    assert data["urls"]["socket"] == f"/ws/dashboard/{session.public_id}/"
    assert data["rules"]["floor"] == 5


def test_before_anybody_joins_the_page_shows_how_to_join(owner: Client, session: ClassSession) -> None:
    page = owner.get(address(session)).content.decode()
    lobby = re.search(r'<section class="lobby"([^>]*)>', page)
    assert lobby
    assert "hidden" not in lobby[1]
    assert f"{session.join_code[:3]}-{session.join_code[3:]}" in page


def test_a_dashboard_costs_few_queries(
    owner: Client, session: ClassSession, join: Join, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(5):
        join(f"Student {n}")
    with django_assert_max_num_queries(5):
        owner.get(address(session))


def test_the_dashboard_of_an_ended_session_is_its_report(owner: Client, session: ClassSession) -> None:
    actions.end_session(session)
    answer = owner.get(address(session))
    assert (answer.status_code, answer["Location"]) == (302, address(session, "report"))


def test_pages_carry_no_inline_script_and_no_style(owner: Client, session: ClassSession, join: Join) -> None:
    store_rollup(join("Ada"), timezone.now() + timedelta(minutes=1))
    store_points(session, timezone.now() - timedelta(seconds=3), [CALM] * 3)
    for page in ("dashboard", "report"):
        answer = owner.get(address(session, page))
        html = answer.content.decode()
        assert "style=" not in html
        assert "<style" not in html
        scripts = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in script or 'type="application/json"' in script for script in scripts)
        assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_a_name_is_text_wherever_it_stands(owner: Client, session: ClassSession, join: Join) -> None:
    store_rollup(join("<i>Bo</i>"), timezone.now() + timedelta(minutes=1))
    actions.place_marker(session, "</script><b>quiz")
    store_points(session, timezone.now() - timedelta(seconds=3), [CALM] * 3)
    for page in ("dashboard", "report"):
        html = owner.get(address(session, page)).content.decode()
        assert "<i>Bo" not in html
        assert "<b>quiz" not in html


def test_the_report_shows_a_valid_figure_and_only_those_who_share(
    owner: Client, session: ClassSession, join: Join
) -> None:
    for name, scope in (("Ada", "individual"), ("Bea", "aggregate")):
        store_rollup(join(name, scope), timezone.now() + timedelta(minutes=1))
    store_points(session, session.started_at, [CALM] * 30)
    ClassSession.objects.filter(pk=session.pk).update(started_at=session.started_at - timedelta(minutes=5))
    page = owner.get(address(session, "report")).content
    readings, attendance = page.split(b'id="attendance-title"')
    assert b"Ada" in readings
    assert b"Bea" not in readings
    (line,) = re.findall(r"<tr>\s*<th scope=\"row\">Bea</th>.*?</tr>", attendance.decode(), re.DOTALL)
    assert re.findall(r">([^<>]*)</td>", line)[-1] == "–"
    assert len(data_of(page, "mood-figure")["data"]) == 7


def test_the_try_page_follows_the_deployments_place(client: Client, db: None, settings: Settings) -> None:
    settings.TRY_PAGE_OPEN = True
    settings.READING_PLACE = "device"
    settings.DEVICE = Facts("a runtime", "a detector", "a network", [1.0] * 7, 0.5)
    settings.DEVICE_STATIC = {}
    assert client.get("/try/").context["config"]["place"] == "device"
    settings.DEVICE = None
    assert client.get("/try/").status_code == 404
    settings.READING_PLACE = "choice"
    assert client.get("/try/").context["config"]["place"] == "server"


def test_the_try_page_is_there_only_where_a_setting_opens_it(client: Client, db: None, settings: Settings) -> None:
    settings.TRY_PAGE_OPEN = False
    assert client.get("/try/").status_code == 404
    settings.TRY_PAGE_OPEN = True
    assert client.get("/try/").status_code == 200


# -- Admin


def test_admin_shows_single_readings_only_of_those_who_share_individually(
    client: Client, session: ClassSession, join: Join, root: User
) -> None:
    now = timezone.now() + timedelta(seconds=5)
    shown = store_event(join("Ada"), now)
    hidden = store_event(join("Bea", "aggregate"), now)
    client.force_login(root)
    listing = client.get(reverse("admin:emotions_emotionevent_changelist")).content.decode()
    assert "Ada" in listing
    assert "Bea" not in listing
    assert client.get(admin_page_of(shown)).status_code == 200
    assert client.get(admin_page_of(hidden)).status_code == 302


@pytest.mark.parametrize("model", ["emotionevent", "moodpoint", "minuterollup"])
def test_admin_never_edits_what_was_recorded(
    model: str, client: Client, session: ClassSession, join: Join, root: User
) -> None:
    event = store_event(join("Ada"), timezone.now() + timedelta(seconds=5))
    client.force_login(root)
    assert client.get(reverse(f"admin:emotions_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:emotions_{model}_add")).status_code == 403
    assert (
        client.post(reverse("admin:emotions_emotionevent_delete", args=[event.pk]), {"post": "yes"}).status_code
        == 403
    )
    client.post(reverse("admin:emotions_emotionevent_change", args=[event.pk]), {"label": "sad"})
    assert EmotionEvent.objects.get(pk=event.pk).label == "happy"
