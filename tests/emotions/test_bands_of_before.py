"""The migration that gives points of before their band of those who look troubled."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from classroom.models import ClassSession
from tests.emotions.mood_data import CALM, TROUBLED, store_points

migration = import_module("emotions.migrations.0007_bands_of_before")

pytestmark = pytest.mark.django_db


def test_points_of_before_get_the_band_that_pages_took(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "SLICE", 2)
    store_points(session, session.started_at, [CALM, TROUBLED, None, [0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0], CALM])
    session.mood_points.exclude(sequence=5).update(troubled_low=None, troubled_high=None)
    session.mood_points.filter(sequence=4).update(low=[0.0] * 7, high=[1.0] * 7)
    with connection.schema_editor() as editor:
        migration.fill(None, editor)
    ends: list[Any] = list(session.mood_points.values_list("troubled_low", "troubled_high"))
    calm, uneasy, under_the_floor, certain, known = ends
    assert calm[0] < 0.13 < calm[1]
    assert uneasy[0] < 0.7 < uneasy[1]
    assert under_the_floor == (None, None)
    assert 0 <= certain[0] <= certain[1] == 1
    assert known[0] == pytest.approx(0.13 * 0.7)
    assert [point.as_message() for point in session.mood_points.all()]


def test_a_database_without_points_is_done_at_once() -> None:
    with connection.schema_editor() as editor:
        migration.fill(None, editor)
