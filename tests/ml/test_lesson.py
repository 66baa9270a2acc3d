"""A single reading as in a lesson: Bayes' rule with another prior, and what follows for the served network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.labels import LABELS
from ml.lesson import SHARES, Lesson, lesson_odds
from ml.serving.manifest import Manifest

PRIORS = [0.14, 0.01, 0.14, 0.25, 0.17, 0.11, 0.18]
SAD, NEUTRAL = LABELS.index("sad"), LABELS.index("neutral")
rows = st.lists(st.floats(0.001, 1), min_size=7, max_size=7).map(lambda row: [share / sum(row) for share in row])


def test_the_odds_make_the_mix_of_a_lesson() -> None:
    mix = np.array(lesson_odds(PRIORS)) * PRIORS
    assert mix.sum() == pytest.approx(1)
    assert {label: pytest.approx(share) for label, share in SHARES.items()} == {
        label: mix[LABELS.index(label)] for label in SHARES
    }
    assert mix[0] / mix[2] == pytest.approx(PRIORS[0] / PRIORS[2])


def test_a_label_that_the_data_lacks_divides_by_nothing() -> None:
    assert all(np.isfinite(lesson_odds([0.2, 0, 0.2, 0.3, 0.2, 0.1, 0])))


@given(rows)
def test_it_is_bayes_rule(row: list[float]) -> None:
    odds = np.array(lesson_odds(PRIORS))
    seen = Lesson(tuple(odds), 0.5).probabilities(row)
    np.testing.assert_allclose(seen, np.array(row) * odds / (np.array(row) @ odds))


def test_a_face_that_may_as_well_be_neutral_is_uncertain() -> None:
    lesson = Manifest.load().lesson
    half_sad = [0.02, 0.01, 0.02, 0.01, 0.60, 0.01, 0.33]
    assert lesson.is_uncertain(half_sad, SAD)
    assert not lesson.is_uncertain([0.01, 0.01, 0.01, 0.01, 0.93, 0.01, 0.02], SAD)
    assert not lesson.is_uncertain([0.05, 0.01, 0.05, 0.05, 0.35, 0.01, 0.48], NEUTRAL)
