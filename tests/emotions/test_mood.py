"""From the live state to a point: states, floor, smoothing, tiles. Nothing but values."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from emotions.messages import CameraState, Pace, TileState
from emotions.mood import estimate
from emotions.mood.attention import STILL_UNPLEASANT, UNPLEASANT
from emotions.mood.cohort import FLOOR
from emotions.mood.estimate import HALF_LIFE_SECONDS, MEASURED_MS, Bands, Memory, Moment, Standing, Student
from emotions.mood.presence import GONE_AFTER_MS, Presence
from emotions.mood.trouble import troubled
from emotions.readings.live import LiveReading
from emotions.reports import wording
from ml.labels import LABELS
from ml.serving.manifest import Manifest
from tests.emotions.parts import MeanEstimator, around

NOW = 1.8e12
HAPPY = tuple(float(label == "happy") for label in LABELS)
SAD = tuple(float(label == "sad") for label in LABELS)


def student(pk: int = 1, scope: str = "individual", epoch: int = 1) -> Student:
    return Student(pk, uuid.UUID(int=pk), f"Student {pk}", scope, epoch)


def reading(probabilities: tuple[float, ...] = HAPPY, age_ms: float = 500, epoch: int = 1) -> LiveReading:
    label = LABELS[int(np.argmax(probabilities))]
    return LiveReading(NOW - age_ms, epoch, label, False, probabilities)  # type: ignore[arg-type]


def here(camera: CameraState = "on", age_ms: float = 0) -> Presence:
    return Presence("c" * 32, camera, int(NOW - age_ms))


def measured(pk: int, scope: str = "individual", probabilities: tuple[float, ...] = HAPPY) -> Standing:
    return Standing(student(pk, scope), "measured", reading(probabilities))


def point_of(present: list[Standing], memory: Memory = Memory(), seconds: float = 1.0, seed: int = 1) -> Any:  # noqa: B008 - frozen
    moment = Moment(7, NOW, seconds, Pace(lost=2))
    return estimate.next_point(present, memory, moment, MeanEstimator(), Random(seed))


# -- Standings


@pytest.mark.parametrize(
    ("presence", "read", "state"),
    [
        (here(), reading(), "measured"),
        (here("hidden"), reading(), "measured"),
        (here(), reading(age_ms=MEASURED_MS), "measured"),
        (here(), reading(age_ms=MEASURED_MS + 1), "not_visible"),
        (here(), None, "not_visible"),
        (here(), reading(epoch=0), "not_visible"),
        (here("paused"), reading(), "paused"),
        (here("off"), reading(), "camera_off"),
        (here("denied"), None, "camera_off"),
        (here("busy"), None, "camera_off"),
        (here(age_ms=GONE_AFTER_MS + 1), reading(), "disconnected"),
        (None, reading(), "disconnected"),
    ],
)
def test_where_a_student_stands(presence: Presence | None, read: LiveReading | None, state: TileState) -> None:
    assert estimate.standing(student(), presence, read, NOW).state == state


@pytest.mark.parametrize(
    ("interval", "counts"), [(200, 10_000), (4_000, 10_000), (20_000, 50_000), (60_000, 150_000)]
)
def test_a_reading_counts_until_the_next_one_is_there(interval: int, counts: int, settings: Settings) -> None:
    settings.SAMPLE_INTERVAL_MS = interval
    ages = (counts, counts + 1)
    states = [estimate.standing(student(), here(), reading(age_ms=age), NOW).state for age in ages]
    assert states == ["measured", "not_visible"]


def test_without_consent_nothing_is_measured() -> None:
    stands = estimate.standing(student(scope="none"), here(), reading(), NOW)
    assert (stands.state, stands.reading) == ("camera_off", None)


def test_pleasantness_has_a_weight_for_each_emotion() -> None:
    weights = dict(zip(LABELS, estimate.PLEASANTNESS, strict=True))
    assert weights["happy"] == max(weights.values()) == 1
    assert weights["neutral"] == 0
    assert all(weights[label] < 0 for label in ("angry", "disgust", "fear", "sad"))


def test_the_networks_mean_neutral_face_does_not_look_troubled_and_a_sad_one_does() -> None:
    looks = dict(zip(LABELS, Manifest.load().soft_confusion.tolist(), strict=True))
    values = {label: estimate.pleasantness(reading(probabilities=tuple(looks[label]))) for label in LABELS}
    assert abs(values["neutral"]) < abs(STILL_UNPLEASANT) / 2
    assert estimate.pleasantness(reading(probabilities=(0.05, 0.01, 0.05, 0.01, 0.8, 0.02, 0.06))) <= UNPLEASANT
    assert values["happy"] > 0.5


# -- The point


def test_a_class_of_five_is_shown_and_four_are_not() -> None:
    class_ = [measured(pk) for pk in range(5)]
    shown, _ = point_of(class_)
    assert shown.shares == list(HAPPY)
    hidden, memory = point_of(class_[:4])
    assert (hidden.shares, hidden.low, hidden.high, hidden.measured, hidden.uncertain) == (None, None, None, 4, 0)
    assert memory == Memory()


def test_a_point_counts_the_room() -> None:
    class_ = [measured(pk) for pk in range(6)]
    room = [
        *class_,
        estimate.standing(student(10), here(), None, NOW),
        estimate.standing(student(11), here("paused"), None, NOW),
        estimate.standing(student(12, "none"), here(), None, NOW),
        estimate.standing(student(13), None, None, NOW),
    ]
    point, _ = point_of(room)
    assert (point.joined, point.connected, point.measured, point.not_visible) == (10, 9, 6, 1)
    assert (point.sequence, point.at_ms, point.pace) == (7, NOW, Pace(lost=2))


def test_of_students_who_are_held_back_nobody_says_that_they_have_no_camera() -> None:
    """Sixteen with a name, four without: the four wait for a fifth. What is said is true of them, and of others."""
    class_ = [measured(pk, "individual" if pk < 16 else "aggregate") for pk in range(20)]
    said = wording.coverage(point_of(class_)[0].model_dump())
    band = "most likely 0 to 2 look troubled"
    assert said == ["Rests on 16 of 20 students", band, f"4 {wording.RULES['left_out']}"]
    off = [estimate.standing(student(pk, "none"), here(), None, NOW) for pk in range(16, 20)]
    assert wording.coverage(point_of([*class_[:16], *off])[0].model_dump()) == said


@pytest.mark.parametrize("named", [0, 3, 6])
def test_the_counts_do_not_follow_a_few_who_share_in_the_aggregate_only(named: int) -> None:
    """Beside the tiles of those with a name, the rest would be theirs."""
    tiles = [measured(pk) for pk in range(named)]
    few = [measured(pk, "aggregate") for pk in range(10, 13)]
    alone = student(14, "aggregate")
    ways = [
        measured(14, "aggregate"),
        estimate.standing(alone, here(), None, NOW),
        estimate.standing(alone, here("paused"), None, NOW),
    ]
    points = [point_of([*tiles, *few, way])[0] for way in ways]
    assert points[0] == points[1] == points[2]
    assert (points[0].connected, points[0].measured) == (named + 4, named)


def test_of_five_in_the_aggregate_the_counts_tell() -> None:
    five = [measured(pk, "aggregate") for pk in range(4)] + [
        estimate.standing(student(9, "aggregate"), here(), None, NOW)
    ]
    assert (point_of(five)[0].measured, point_of(five)[0].not_visible) == (4, 1)
    gone = estimate.standing(student(9, "aggregate"), None, None, NOW)
    assert point_of([*five[:4], gone])[0].measured == 0, "who is not connected is no company"


def test_a_mood_that_is_withheld_is_not_said_to_lack_measured_students() -> None:
    class_ = [measured(pk, "individual" if pk < 3 else "aggregate") for pk in range(8)]
    said = point_of(class_, Memory(cohort_lost=True))[0].model_dump()
    assert said["shares"] is None
    assert wording.coverage(said) == ["8 of 8 measured"]
    assert wording.sentence(said) == wording.RULES["withheld"]


def test_where_four_are_measured_beside_four_the_sentence_is_true_of_both() -> None:
    class_ = [measured(pk, "individual" if pk < 4 else "aggregate") for pk in range(8)]
    said = point_of(class_)[0].model_dump()
    assert said["shares"] is None
    assert wording.coverage(said) == ["4 of 8 measured", f"4 {wording.RULES['left_out']}"]
    assert wording.sentence(said) == wording.RULES["under_floor"]
    assert "Fewer than five" not in wording.sentence(said)


scopes = st.sampled_from(["individual", "aggregate"])
classes = st.dictionaries(st.integers(1, 30), scopes, max_size=30)


@given(st.lists(classes, max_size=8), st.integers(0, 2**32))
def test_the_mood_without_the_visible_tiles_rests_on_nobody_or_a_crowd(
    seconds: list[dict[int, str]], seed: int
) -> None:
    """And between two ticks the hidden part changes by nobody or a crowd; under the floor nothing is shown."""
    rng, cohort, before = Random(seed), frozenset[int](), frozenset[int]()
    for class_ in seconds:
        members, cohort = estimate.entering([measured(pk, scope) for pk, scope in class_.items()], cohort, rng)
        hidden = frozenset(one.student.pk for one in members if one.student.scope == "aggregate")
        assert len(members) == 0 or len(members) >= FLOOR
        assert len(hidden) == 0 or len(hidden) >= FLOOR
        assert len(hidden ^ before) == 0 or len(hidden ^ before) >= FLOOR
        assert not members or {pk for pk, scope in class_.items() if scope == "individual"} <= {
            one.student.pk for one in members
        }
        before = hidden


def test_every_student_weighs_the_same() -> None:
    class_ = [measured(pk, probabilities=HAPPY if pk < 8 else SAD) for pk in range(10)]
    shares = point_of(class_)[0].shares
    assert shares == pytest.approx(0.8 * np.array(HAPPY) + 0.2 * np.array(SAD))


def test_shares_move_by_their_half_life() -> None:
    _, memory = point_of([measured(pk) for pk in range(10)])
    turned = [measured(pk, probabilities=SAD) for pk in range(10)]
    point, _ = point_of(turned, memory, seconds=HALF_LIFE_SECONDS)
    assert point.shares == pytest.approx(0.5 * np.array(HAPPY) + 0.5 * np.array(SAD))


shares = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda row: sum(row) > 0.1)


@given(st.lists(shares, min_size=FLOOR, max_size=30), st.floats(0, 60))
def test_a_point_has_shares_that_sum_to_one_within_their_band(rows: list[list[float]], seconds: float) -> None:
    class_ = [measured(pk, probabilities=tuple(v / sum(row) for v in row)) for pk, row in enumerate(rows)]
    before = Memory(frozenset(), _bands(np.full(7, 1 / 7)))
    point, _ = point_of(class_, before, seconds)
    assert sum(point.shares) == pytest.approx(1, abs=0.001)
    assert all(low <= share <= high for low, share, high in zip(point.low, point.shares, point.high, strict=True))
    assert point.troubled_low <= troubled(point.shares) + 0.001
    assert troubled(point.shares) <= point.troubled_high + 0.001


def _bands(row: npt.NDArray[np.float64]) -> Bands:
    return Bands(row, row * 0.9, row * 1.1, np.array(around(troubled(row.tolist()), 0.05)))


def test_after_the_floor_was_lost_the_mood_starts_anew() -> None:
    _, memory = point_of([measured(pk) for pk in range(10)])
    _, memory = point_of([measured(1)], memory)
    point, _ = point_of([measured(pk, probabilities=SAD) for pk in range(10)], memory)
    assert point.shares == list(SAD)


# -- Tiles


def test_a_tile_shows_the_last_reading_while_it_is_fresh() -> None:
    tile = estimate.tile(estimate.standing(student(3), here(), reading(HAPPY, age_ms=800), NOW))
    assert tile.model_dump() == {
        "id": uuid.UUID(int=3), "name": "Student 3", "state": "measured", "label": "happy",
        "uncertain": False, "seen_ms": None, "value": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("camera", ["on", "paused", "off"])
def test_a_student_who_is_not_measured_is_never_shown_as_neutral(camera: CameraState) -> None:
    tile = estimate.tile(estimate.standing(student(), here(camera), reading(age_ms=MEASURED_MS + 1), NOW))
    assert (tile.label, tile.value) == (None, None)
    assert tile.seen_ms == NOW - MEASURED_MS - 1
