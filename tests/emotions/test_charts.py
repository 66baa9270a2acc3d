"""Figures: valid for Plotly, stacked as drawn up, and empty where nothing is known."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import plotly
import plotly.graph_objects as go
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from emotions.reports import charts
from emotions.reports.rows import MarkerRow, MoodRow
from ml.labels import INDEX, LABELS
from tests.emotions.mood_data import CALM, TROUBLED, row

SECOND = 1000.0
START = 1_790_000_000_000.0


def timeline(*moods: tuple[float, ...] | None, step: float = 6 * SECOND) -> list[MoodRow]:
    return [row(START + n * step, mood) for n, mood in enumerate(moods)]


def figure(rows: list[MoodRow], *markers: MarkerRow) -> charts.Figure:
    return charts.mood_figure(rows, markers, start_ms=START, end_ms=START + 600 * SECOND)


@hypothesis_settings(deadline=None)  # Plotly's classes are loaded by the first example.
@given(st.lists(st.sampled_from([CALM, TROUBLED, None]), max_size=40))
def test_every_figure_is_valid_and_draws_nothing_where_nothing_is_known(
    moods: list[tuple[float, ...] | None],
) -> None:
    rows = timeline(*moods)
    drawn = figure(rows, MarkerRow(1, "quiz", START))
    go.Figure(drawn)
    known = {each.at_ms for each in rows if each.shares is not None}
    neutral = [trace for trace in drawn["data"] if trace["meta"] == "neutral"]
    assert {x for trace in neutral for x in trace["x"]} == known
    for trace in drawn["data"]:
        limit = max(charts.SHORTEST_GAP_MS, 2.5 * charts.step_ms(rows))
        assert all(b - a <= limit for a, b in pairwise(trace["x"]))


def test_the_shares_of_a_moment_are_stacked_in_the_order_of_the_sketch() -> None:
    drawn = figure(timeline(CALM, CALM))["data"]
    assert [trace["meta"] for trace in drawn] == list(charts.STACK)
    assert charts.STACK == ("neutral", "happy", "surprise", "sad", "fear", "angry", "disgust")
    assert sum(trace["y"][0] for trace in drawn) == pytest.approx(1)
    happy = next(trace for trace in drawn if trace["meta"] == "happy")
    assert happy["y"] == [CALM[INDEX["happy"]]] * 2
    assert happy["customdata"][0] == [0.1, 0.3]


def test_a_long_gap_is_left_open_and_said() -> None:
    rows = timeline(CALM, None, None, None, None, TROUBLED)
    drawn = figure(rows)
    assert len({trace["stackgroup"] for trace in drawn["data"]}) == 2
    gap = next(shape for shape in drawn["layout"]["shapes"] if shape["name"] == "gap")
    assert (gap["x0"], gap["x1"]) == (START, START + 30 * SECOND)
    assert drawn["layout"]["annotations"][0]["text"] == "no class<br>mood"


def test_what_has_become_unknown_by_now_is_open_too() -> None:
    drawn = figure(timeline(CALM, CALM, None, None, None, None))
    assert [shape["name"] for shape in drawn["layout"]["shapes"]] == ["gap"]


def test_a_marker_is_a_dashed_line_with_its_words_as_text() -> None:
    layout = figure(timeline(CALM), MarkerRow(1, "a < b & <b>c</b>", START + 5))["layout"]
    assert layout["shapes"][0]["x0"] == layout["shapes"][0]["x1"] == START + 5
    assert layout["shapes"][0]["line"]["dash"] == "dot"
    assert layout["annotations"][0]["text"] == "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;"


def test_a_long_marker_is_cut() -> None:
    text = figure(timeline(CALM), MarkerRow(1, "x" * 60, START))["layout"]["annotations"][0]["text"]
    assert len(text) == charts.LONGEST_LABEL
    assert text.endswith("…")


def test_times_are_shown_in_the_zone_of_the_school() -> None:
    hour = 3_600_000.0
    drawn = charts.mood_figure(timeline(CALM), [], start_ms=START, end_ms=START + hour, offset_ms=hour)
    assert drawn["data"][0]["x"] == [START + hour]
    assert drawn["layout"]["xaxis"]["range"] == [START + hour, START + 2 * hour]


@pytest.mark.parametrize(("minutes", "step"), [(2, 1), (30, 5), (90, 15), (180, 30), (1000, 60)])
def test_the_axis_is_not_crowded(minutes: int, step: int) -> None:
    assert charts.tick_step_ms(minutes * 60_000) == step * 60_000


def test_the_colours_are_those_of_the_pages() -> None:
    css = Path(settings.BASE_DIR, "classroom/static/classroom/css/tokens.css").read_text()
    tokens = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", css.split("@media", 1)[0]))
    assert {name: tokens[name] for name in charts.LIGHT} == charts.LIGHT
    assert set(LABELS) < set(charts.LIGHT)


def test_plotly_finds_the_elements_that_keep_it_from_writing_styles() -> None:
    """Its bundle writes two style elements into the page unless elements with these ids are there."""
    bundle = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_text()
    page = Path(settings.BASE_DIR, "templates/emotions/_plotly.html").read_text()
    ids = set(re.findall(r'getElementById\("([0-9a-f]{64})"\)\)\{var e=document\.createElement\("style"\)', bundle))
    assert len(ids) == bundle.count('=document.createElement("style");e.id=') == 1
    assert '"plotly.js-style-"' in bundle
    assert ".no-inline-styles" in bundle
    assert set(re.findall(r'id="([^"]+)"', page)) == ids | {"plotly.js-style-global"}
