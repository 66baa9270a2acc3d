"""When a load counts as held, and that its row says why not."""

from __future__ import annotations

import pytest

from benchmarks import tables
from benchmarks.load import LoadPlan
from tests.benchmarks.loads import row, run


def test_a_load_whose_frames_are_read_in_time_is_held() -> None:
    found = run()
    assert found.held
    assert found.summary()["why_not"] == ""


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        ({"p95": 500.0}, "late"),
        ({"frames_replaced": 10}, "replaced"),
        ({"rejected": 1}, "refused"),
        ({"lost": 1}, "lost"),
        ({"pending": 1}, "unanswered"),
        ({"frames_sent": 989}, "missing"),
        ({"rejected": 300}, "refused, missing"),
        ({"pending": 300}, "unanswered, missing"),
        ({"p95": 900.0, "frames_replaced": 200}, "late, replaced, missing"),
        ({"p95": None, "frames_sent": 0}, "late, missing"),
    ],
)
def test_a_load_is_not_held_for(counted: dict[str, int], why: str) -> None:
    found = run(**counted).summary()
    assert (found["held"], found["why_not"]) == (False, why)


@pytest.mark.parametrize("counted", [{"p95": 499.0}, {"frames_replaced": 9}, {"frames_sent": 990}])
def test_a_load_is_still_held_with(counted: dict[str, int]) -> None:
    assert run(**counted).held


def test_the_frames_that_are_due_are_those_of_everybody_who_was_asked() -> None:
    tickets = [(f"Student {number}", "", "") for number in range(20)]
    assert LoadPlan("ws://nowhere", tickets, warm_up=5.0, seconds=3.0).frames_due == 60


def test_the_table_says_why_a_row_is_not_held_and_what_the_bare_loop_did_then() -> None:
    bare = {"processes": 2, "frames_per_second": 1234.5, "per_core": 700.0}
    table = tables.table("growth", [row(50, bare_loop=bare), row(100, held=False)])
    columns = {str(column.header): list(column.cells) for column in table.columns}
    assert columns["why not"] == ["", "late"]
    assert columns["bare loop per second then"] == ["1234.5", "–"]
