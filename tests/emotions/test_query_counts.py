"""How often the database is asked, however long the session and large the class. Pages: test_views, test_reports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from classroom import actions
from classroom.models import ClassSession
from emotions.mood import roster, snapshots
from emotions.reports import rollups
from tests.emotions.conftest import Join
from tests.emotions.mood_data import CALM, store_event, store_points
from tests.emotions.sockets import student_cookies


@pytest.fixture
def long(session: ClassSession, join: Join) -> ClassSession:
    """A class of six, some of their readings, and a few minutes of its mood."""
    for n in range(6):
        student = join(f"Student {n}")
        for second in range(5):
            store_event(student, session.started_at + timedelta(seconds=n + second), sequence=second)
    store_points(session, session.started_at, [CALM] * 300)
    actions.place_marker(session, "Slide 1")
    return session


def test_a_dashboards_snapshot(long: ClassSession, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(3):  # the newest sequence, the points, the markers
        assert len(snapshots.build(long).points) > 100


def test_the_minutes_of_all_sessions(long: ClassSession, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(5):  # the sessions; in a transaction their locks, their minutes
        assert rollups.close_minutes(long.started_at + timedelta(minutes=2)) >= 6


def test_a_ticker_that_starts(long: ClassSession, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(2):  # the newest sequences, their points
        assert roster.last_points([long.pk])[long.pk].sequence == 300


@pytest.mark.usefixtures("pages")
def test_a_students_own_page(
    long: ClassSession, client: Client, join: Join, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    student = join("Sam")
    client.cookies.load(student_cookies(student))
    with django_assert_num_queries(2):  # the participant with session and course, the consent in force
        assert client.get(reverse("student", args=[long.public_id])).status_code == 200
