"""A snapshot plus the ticks after it equals a fresh snapshot: on values, whatever happens in the class."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotions.messages import SPARK_LENGTH, MoodSnapshot, MoodTick, Pace, Point, Tile
from emotions.mood.board import RECENT, STRIDE, WINDOW, Board, load, looks_different, thinned
from tests.emotions.ticks import apply_tick

hundredths = st.integers(-100, 100).map(lambda n: n / 100)


def tile(number: int = 1, value: float | None = 0.5, **changes: Any) -> Tile:
    measured = value is not None
    values: dict[str, Any] = {
        "id": uuid.UUID(int=number), "name": f"Student {number % 3}", "value": value, "seen_ms": 1e12,
        "state": "measured" if measured else "not_visible", "label": "happy" if measured else None,
        "uncertain": False,
    }  # fmt: skip
    return Tile(**(values | changes))


def point(sequence: int) -> Point:
    counts = dict.fromkeys(("joined", "connected", "measured", "uncertain", "not_visible"), 0)
    return Point(sequence=sequence, at_ms=1e12 + sequence, shares=None, low=None, high=None, pace=Pace(), **counts)


tiles = st.builds(
    tile,
    st.integers(1, 8),
    st.none() | hundredths,
    uncertain=st.booleans(),
)
seconds = st.lists(tiles, max_size=8, unique_by=lambda one: one.id)


@given(st.lists(seconds, min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 3000))
def test_a_snapshot_and_the_ticks_after_it_equal_a_fresh_snapshot(
    class_: list[list[Tile]], joined_at: int, first: int
) -> None:
    board, points = Board(), [point(sequence) for sequence in range(max(1, first - 200), first)]
    held: MoodSnapshot | None = None
    for number, second in enumerate(class_):
        changed, gone = board.advance(second)
        tick = MoodTick(point=point(first + number), tiles=changed, gone=gone)
        points.append(tick.point)
        fresh = _snapshot(board, points)
        held = apply_tick(held, tick) if held else (fresh if number >= joined_at else None)
        assert held is None or held == fresh


def _snapshot(board: Board, points: list[Point]) -> MoodSnapshot:
    """By way of what is kept in Redis."""
    sequence, kept_tiles = load(board.dump(points[-1].sequence))
    return MoodSnapshot(sequence=sequence, points=thinned(points), tiles=kept_tiles, markers=[])


@given(st.lists(seconds, min_size=1, max_size=20), st.lists(seconds, min_size=1, max_size=5))
def test_a_board_goes_on_where_another_process_left_it(before: list[list[Tile]], after: list[list[Tile]]) -> None:
    first = Board()
    for second in before:
        first.advance(second)
    heir = Board(load(first.dump(1))[1])
    for second in after:
        changed, gone = first.advance(second)
        also_changed, also_gone = heir.advance(second)
        assert (also_changed, set(also_gone)) == (changed, set(gone))
        assert heir.tiles() == first.tiles()


def test_tiles_that_another_version_kept_begin_anew() -> None:
    board = Board()
    board.advance([tile(1)])
    sequence, rows = json.loads(board.dump(7))
    assert load(json.dumps([sequence, [[*row[:3], 0.9, *row[3:]] for row in rows]])) == (7, [])


def test_a_tick_that_a_snapshot_includes_changes_nothing() -> None:
    board = Board()
    board.advance([tile(1)])
    held = _snapshot(board, [point(9)])
    assert apply_tick(held, MoodTick(point=point(9), tiles=[tile(2)], gone=[tile(1).id])) is held


def test_a_still_class_costs_no_tiles() -> None:
    board = Board()
    assert len(board.advance([tile(n) for n in range(50)])[0]) == 50
    assert board.advance([tile(n, value=0.52, seen_ms=2e12) for n in range(50)]) == ([], [])


def test_a_tick_repeats_no_name() -> None:
    board = Board()
    assert [change.name for change in board.advance([tile(1)])[0]] == ["Student 1"]
    assert [change.name for change in board.advance([tile(1, label="sad")])[0]] == [None]
    assert [change.name for change in board.advance([tile(1, name="Ada")])[0]] == ["Ada"]
    assert [one.name for one in board.tiles()] == ["Ada"]


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "sad"},
        {"uncertain": True},
        {"value": 0.39},
        {"value": None},
        {"name": "Somebody else"},
        {"state": "paused"},
    ],
)
def test_what_a_person_would_see_is_sent(changes: dict[str, Any]) -> None:
    assert looks_different(tile(1), tile(1).model_copy(update=changes))


def test_a_sparkline_has_an_end() -> None:
    board = Board()
    for n in range(SPARK_LENGTH + 5):
        board.advance([tile(1, value=(n % 2) / 2)])
    [only] = board.tiles()
    assert len(only.spark) == SPARK_LENGTH
    assert only.spark[-2:] == [0.5, 0.0]  # the last n is 44


def test_a_chart_never_has_more_than_three_hundred_points() -> None:
    points: list[Point] = []
    for sequence in range(1, 2 * WINDOW + STRIDE):
        points = thinned([*points, point(sequence)])
        assert len(points) <= 300
    assert [one.sequence for one in points[-RECENT:]] == list(
        range(2 * WINDOW + STRIDE - RECENT, 2 * WINDOW + STRIDE)
    )
    assert all(later.sequence - earlier.sequence <= STRIDE for earlier, later in pairwise(points))
    assert points[0].sequence <= 2 * WINDOW + STRIDE - WINDOW + STRIDE


moods = st.none() | st.floats(0, 1).map(lambda share: [0.0, 0.0, 0.0, share, 0.0, 0.0, 1 - share])


@given(st.integers(1, 10_000), st.lists(st.tuples(moods, st.integers(0, 9)), min_size=1, max_size=300))
def test_points_thin_out_alike_each_second_and_at_once(first: int, seconds: list[tuple[Any, int]]) -> None:
    points = [
        point(first + n).model_copy(update={"shares": mood, "low": mood, "high": mood, "measured": measured})
        for n, (mood, measured) in enumerate(seconds)
    ]
    held: list[Point] = []
    for each in points:
        held = thinned([*held, each])
    assert held == thinned(points)


def test_a_mean_of_ten_is_a_mean_and_claims_no_more_than_its_weakest_second() -> None:
    bands = [[0.0, 0.0, 0.0, n / 10, 0.0, 0.0, 1 - n / 10] for n in range(10)]
    points = [
        point(n + 1).model_copy(update={"shares": band, "low": band, "high": band, "measured": 20 - n % 3})
        for n, band in enumerate(bands)
    ]
    [one, *_rest] = thinned([*points, point(400)])
    assert (one.sequence, one.measured) == (10, 18)
    assert one.shares is not None
    assert one.shares[3] == pytest.approx(0.45)
    mostly_unknown = [each.model_copy(update={"shares": None}) for each in points[:6]] + points[6:]
    assert thinned([*mostly_unknown, point(400)])[0].shares is None
