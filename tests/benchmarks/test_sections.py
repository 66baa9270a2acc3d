"""What `python -m benchmarks` measures, in which order, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks import __main__ as bench
from benchmarks import analysis, machine, product, ratios
from benchmarks.load import LoadPlan
from tests.benchmarks.loads import row, run

BARE = {"processes": 2, "frames_per_second": 1000.0, "per_core": 500.0}


def test_sections_are_measured_in_their_own_order_however_they_were_typed() -> None:
    assert bench.arguments(["saturation", "recipes", "growth"]).sections == ["recipes", "growth", "saturation"]
    assert bench.arguments([]).sections == list(bench.SECTIONS)


def test_a_section_that_there_is_not_is_refused(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        bench.arguments(["groth"])
    assert "received 'groth'" in capsys.readouterr().err


def test_saturation_is_refused_in_one_line_where_there_is_nothing_to_double(capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.arguments(["analysis", "saturation"])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "--held" in said.err
    assert bench.arguments(["saturation", "--held", "800"]).held == 800


def test_dashboards_are_refused_where_a_page_has_no_time_to_settle(capsys: Any) -> None:
    with pytest.raises(SystemExit):
        bench.arguments(["dashboards", "--seconds", "3"])
    assert "--seconds" in capsys.readouterr().err


class Product(NamedTuple):
    ws_url: str = "ws://nowhere"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was measured, in order: "bare loop", or a number of students. Nothing is started, and no folder
    is left."""
    happened: list[Any] = []
    folders: list[Path] = []

    @contextmanager
    def running(folder: Path, workers: int, web: int) -> Iterator[Product]:
        folders.append(folder)
        yield Product()
        assert folder.is_dir()

    def school(url: str, students: int, seconds: float) -> LoadPlan:
        return LoadPlan(url, [("", "", "")] * students, 0.0, seconds)

    def measure(running: Product, parts: dict[str, int], plan: LoadPlan) -> product.Run:
        happened.append(len(plan.tickets))
        return run()

    def bare_loops(processes: int, seconds: float) -> dict[str, Any]:
        happened.append("bare loop")
        return BARE

    monkeypatch.setattr(machine, "parts", dict)
    monkeypatch.setattr(analysis, "bare_loops", bare_loops)
    for name, stub in (("running", running), ("school", school), ("measure", measure), ("end_sessions", list)):
        monkeypatch.setattr(product, name, stub)
    yield happened
    assert not any(folder.exists() for folder in folders)


def chosen(*words: str) -> bench.Bench:
    return bench.Bench(bench.arguments([*words]))


def test_every_school_of_growth_has_the_bare_loop_of_its_own_minute(loaded: list[Any]) -> None:
    rows = chosen("growth", "--students", "20", "40").growth(print)
    assert loaded == ["bare loop", 20, "bare loop", 40]
    assert [one["bare_loop"] for one in rows] == [BARE, BARE]


def test_saturation_doubles_the_largest_school_that_growth_held(loaded: list[Any]) -> None:
    made = chosen("growth", "saturation", "--held", "5")
    made.found["growth"] = [row(50), row(100), row(200, held=False)]
    assert made.saturation(print)["bare_loop"] == BARE
    assert loaded == ["bare loop", 200]


def test_saturation_doubles_what_was_said_where_growth_is_not_measured(loaded: list[Any]) -> None:
    chosen("saturation", "--held", "5").saturation(print)
    assert loaded == ["bare loop", 10]


def test_saturation_is_left_out_where_no_school_was_held(loaded: list[Any]) -> None:
    made = chosen("growth", "saturation")
    made.found["growth"] = [row(50, held=False)]
    made.found["saturation"] = made.saturation(print)
    assert "skipped" in made.found["saturation"]
    assert loaded == []
    assert ratios.ratios(made.found)["students_held"] == 0


def test_the_pipeline_is_compared_with_the_bare_loop_beside_its_own_row() -> None:
    """The busiest row read 100 frames a second; its generator took a tenth of one of two cores."""
    quick, slow = BARE | {"frames_per_second": 4000.0}, BARE | {"frames_per_second": 200.0, "per_core": 200.0}
    rows = [row(50, bare_loop=quick, read_per_second=50.0), row(100, bare_loop=slow, read_per_second=100.0)]
    rows[1]["cpu_ms_per_frame"] = {"worker": 5.5, "web": 0.5, "load generator": 1.0}
    found = ratios.ratios({"growth": rows, "analysis": {"bare_loop": quick}})
    assert found["students_of_the_busiest_row"] == 100
    assert found["pipeline_to_bare_loop"] == round(100 / (200 * 0.95), 2)
    assert found["cpu_ms_outside_the_analysis"] == 1.0
