"""Admin's lists over millions of rows: they show the newest, and cost the same however many there are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import cast

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import actions
from classroom.models import ClassSession
from emotions import admin
from emotions.models import EmotionEvent, MoodPoint
from tests.emotions.conftest import Join
from tests.emotions.mood_data import CALM, store_event, store_points, store_rollup

pytestmark = pytest.mark.usefixtures("pages")
LISTS = ("emotionevent", "minuterollup", "moodpoint")


@pytest.fixture
def office(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "WINDOW", 3)


def events_of(session: ClassSession, join: Join, name: str, count: int) -> list[EmotionEvent]:
    student, start = join(name, where=session), timezone.now() + timedelta(seconds=5)
    return [store_event(student, start + timedelta(seconds=n), sequence=n) for n in range(count)]


def numbers(client: Client, query: str = "", model: str = "emotionevent") -> list[int]:
    """The primary keys of the rows that a list shows, in its order."""
    lists = site.get_model_admin(apps.get_model("emotions", model))
    if not isinstance(lists, admin.ReadingsOfSharers):
        return [int(key) for key in keys(client, query, model)]
    rows = lists.model._default_manager
    return [rows.get(**lists.columns_of(key)).pk for key in keys(client, query, model)]


def keys(client: Client, query: str = "", model: str = "emotionevent") -> list[str]:
    """What the addresses of the shown rows end with."""
    page = client.get(reverse(f"admin:emotions_{model}_changelist") + query).content.decode()
    return re.findall(rf'href="/admin/emotions/{model}/([\w-]+)/change/', page)


@pytest.mark.usefixtures("small")
def test_a_list_shows_the_newest_that_were_stored(office: Client, session: ClassSession, join: Join) -> None:
    stored = events_of(session, join, "Ada", 5)
    assert numbers(office) == [event.pk for event in stored[:1:-1]]
    page = office.get(reverse("admin:emotions_emotionevent_changelist")).content
    assert b"Of the latest session in which a student shares with their name" in page
    store_points(session, session.started_at, [CALM] * 5)
    points = MoodPoint.objects.order_by("-pk").values_list("pk", flat=True)
    assert numbers(office, model="moodpoint") == list(points[:3])
    assert b"Among the newest 3 stored" in office.get(reverse("admin:emotions_moodpoint_changelist")).content


OF_ONE_SESSION = pytest.mark.parametrize("chosen", [True, False], ids=["chosen", "the latest"])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("model", ["emotionevent", "minuterollup"])
@OF_ONE_SESSION
def test_what_is_stored_of_hidden_students_moves_no_list(
    model: str, chosen: bool, office: Client, session: ClassSession, join: Join
) -> None:
    """A list that ended where so many rows of all have passed would tell how many are hidden between its own."""
    student, hidden = join("Ada"), join("Bea", "aggregate")
    start = session.started_at + timedelta(minutes=1)
    for minute in range(2):
        store_event(student, start + timedelta(minutes=minute), sequence=minute)
        store_rollup(student, start + timedelta(minutes=minute))
    query = f"?session__id__exact={session.pk}" if chosen else ""
    before = numbers(office, query, model)
    assert len(before) == 2
    for minute in range(5):
        store_event(hidden, start + timedelta(minutes=minute), sequence=minute)
        store_rollup(hidden, start + timedelta(minutes=minute))
    assert numbers(office, query, model) == before


def test_a_session_in_which_nobody_shares_with_their_name_is_not_the_latest(
    office: Client, session: ClassSession, join: Join
) -> None:
    stored = events_of(session, join, "Ada", 2)
    actions.end_session(session)
    later = actions.start_session(session.course)
    store_event(join("Bea", "aggregate", later), timezone.now())
    join("Cleo", where=later)  # With her name, and not read yet.
    assert numbers(office) == [event.pk for event in stored[::-1]]


@pytest.mark.parametrize("model", ["emotionevent", "minuterollup"])
def test_the_number_of_a_row_is_told_nowhere(model: str, office: Client, session: ClassSession, join: Join) -> None:
    """Two of them tell how many rows of others were stored between."""
    student, number = join("Ada"), 918_273_645
    at = timezone.now() + timedelta(minutes=1)
    store_event(student, at)
    store_rollup(student, at)
    apps.get_model("emotions", model)._default_manager.update(id=number)
    address = reverse(f"admin:emotions_{model}_changelist")
    (key,) = keys(office, model=model)
    own = reverse(f"admin:emotions_{model}_change", args=[key])
    for page in (address, f"{address}?_popup=1", f"{address}?_popup=1&_to_field=id", own, f"{own}?_to_field=id"):
        answer = office.get(page)
        assert answer.status_code == 200
        assert str(number) not in answer.content.decode()
    for question in (f"id={number}", f"id__lt={number + 1}", f"pk={number}", f"pk__in={number}"):
        assert office.get(f"{address}?{question}").status_code == 400
    assert office.get(reverse(f"admin:emotions_{model}_change", args=[number])).status_code == 302


@pytest.mark.parametrize(
    "key", ["x", "1", "1-2", "1-2-3", "9" * 30 + "-2-202601010000", "1-" + "0" * 32 + "-" + "9" * 30]
)
@pytest.mark.parametrize("model", ["emotionevent", "minuterollup"])
def test_what_is_no_row_leads_back(model: str, key: str, office: Client) -> None:
    assert office.get(reverse(f"admin:emotions_{model}_change", args=[key])).status_code == 302


@pytest.mark.usefixtures("small")
def test_older_rows_are_found_by_their_session_and_by_their_student(
    office: Client, session: ClassSession, join: Join
) -> None:
    old = events_of(session, join, "Ada", 5)
    actions.end_session(session)
    later = actions.start_session(session.course)
    events_of(later, join, "Bea", 4)
    assert numbers(office, f"?session__id__exact={session.pk}") == [event.pk for event in old[:1:-1]]
    own = numbers(office, f"?participant__id__exact={old[0].participant_id}")
    assert sorted(own) == [event.pk for event in old]


def test_a_session_and_a_student_lead_to_their_rows(office: Client, session: ClassSession, join: Join) -> None:
    (event,) = events_of(session, join, "Ada", 1)
    for page, key, of in (
        ("classsession", session.pk, "session"),
        ("participant", event.participant_id, "participant"),
    ):
        shown = office.get(reverse(f"admin:classroom_{page}_change", args=[key])).content.decode()
        links = re.findall(rf'"(/admin/emotions/\w+/\?{of}__id__exact={key})"', shown)
        assert len(links) >= 2
        assert all(office.get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("query", ["?session__id__exact=none", "?session__id__exact=99999999999999999999"])
def test_what_is_no_session_is_no_error(office: Client, query: str) -> None:
    assert office.get(reverse("admin:emotions_emotionevent_changelist") + query).status_code in {200, 302}


@pytest.mark.parametrize("model", LISTS)
def test_no_list_asks_more_for_more_rows(
    model: str, office: Client, session: ClassSession, join: Join, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Sign-in, user; the window's edge, the count within it, the rows. Before them, where a list is of one session:
    the last ones with somebody who shares, and whether the latest has rows to show."""
    events_of(session, join, "Ada", 8)
    store_points(session, session.started_at, [CALM] * 8)
    student = join("Bea")
    for minute in range(1, 9):
        store_rollup(student, session.started_at + timedelta(minutes=minute))
    office.get(reverse(f"admin:emotions_{model}_changelist"))
    with django_assert_num_queries(8 if model == "moodpoint" else 10):
        assert len(keys(office, model=model)) == 8


@pytest.mark.parametrize("model", LISTS)
def test_the_newest_are_found_by_an_index(model: str, session: ClassSession) -> None:
    """Of all and of one session, without sorting more than a session's minutes."""
    lists = cast(admin.Readings, site.get_model_admin(apps.get_model("emotions", model)))
    everything = lists.model._default_manager.order_by(*lists.ordering)
    of_one = lists.model._default_manager.filter(session=session).order_by(f"-{lists.in_session}")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    for rows in (everything, of_one):
        plan = rows.values("pk")[admin.WINDOW : admin.WINDOW + 1].explain()
        assert "Index" in plan
        assert "Sort" not in plan or model == "minuterollup"
