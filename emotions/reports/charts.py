"""Rows to Plotly figures, as plain dictionaries; no ORM, no Plotly import.

The live page builds the same figure in the browser (dashboard/figure.js) from the same style, which `style()`
hands over; a browser test holds the two against each other. Colours here are the light theme's; the page replaces
them by its CSS variables (`meta` of a trace, `name` of a shape or annotation say which).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from emotions.reports.rows import MarkerRow, MoodRow
from ml.labels import INDEX

Figure = dict[str, Any]

# From below; neutral, the commonest, is the ground that the others stand on.
STACK = ("neutral", "happy", "surprise", "sad", "fear", "angry", "disgust")
LIGHT = {
    "angry": "#ab1507", "disgust": "#308865", "fear": "#711bc4", "happy": "#ab920e", "sad": "#1e9de0",
    "surprise": "#830e54", "neutral": "#cfcdc8",
    "page": "#fbfaf8", "card": "#ffffff", "ink": "#1d1f23", "muted": "#6b6f76", "line": "#e6e3dd",
    "accent": "#2f5d8a",
}  # fmt: skip
MOST_POINTS = 300
# A stretch without a mood is left open when it is longer than this, or than two and a half steps of the chart.
SHORTEST_GAP_MS = 15_000
LONGEST_LABEL = 22
# A grey that stands 3:1 against the card of both themes: what it draws keeps its colour when the theme changes.
BOTH_THEMES = "#808590"
MOST_TICKS = 8
TICK_MINUTES = (1, 2, 5, 10, 15, 30, 60)


def style() -> Figure:
    """What the browser needs to draw the same figure: traces without data, the layout, and the limits."""
    return {
        "stack": list(STACK),
        "traces": {label: _trace_style(label) for label in STACK},
        "layout": _layout_style(),
        "marker_line": _marker_line(),
        "marker_label": _marker_label(),
        "gap": _gap_shape(),
        "gap_label": _gap_label(),
        "most_points": MOST_POINTS,
        "shortest_gap_ms": SHORTEST_GAP_MS,
        "longest_label": LONGEST_LABEL,
        "most_ticks": MOST_TICKS,
        "tick_minutes": list(TICK_MINUTES),
    }


def mood_figure(
    rows: Sequence[MoodRow],
    markers: Sequence[MarkerRow],
    *,
    start_ms: float,
    end_ms: float,
    offset_ms: float = 0,
    stretches_to_show: Sequence[tuple[float, float]] = (),
) -> Figure:
    """The seven shares, stacked over time. `offset_ms`: the school's zone against UTC, as Plotly knows no zones.
    `stretches_to_show`: marked above the chart, each from when to when.

    Where the mood is not known nothing is drawn: each known stretch is a stack of its own.
    """
    stretches = known_stretches(rows)
    traces = [_trace(label, stretch, n, offset_ms) for n, stretch in enumerate(stretches) for label in STACK]
    layout = _layout_style()
    layout["xaxis"]["range"] = [start_ms + offset_ms, end_ms + offset_ms]
    layout["xaxis"]["dtick"] = tick_step_ms(end_ms - start_ms)
    gaps = [{**_gap_shape(), "x0": a + offset_ms, "x1": b + offset_ms} for a, b in gaps_between(rows, stretches)]
    layout["shapes"] = gaps + [_line(marker.at_ms + offset_ms) for marker in markers]
    layout["shapes"] += [_bracket(a + offset_ms, b + offset_ms) for a, b in stretches_to_show]
    layout["annotations"] = [_over_gap((a + b) / 2 + offset_ms) for a, b in gaps_between(rows, stretches)]
    layout["annotations"] += [_label(marker, offset_ms) for marker in markers]
    return {"data": traces, "layout": layout}


def tick_step_ms(length_ms: float) -> int:
    """The shortest step between two times on the axis that doesn't crowd it. Whole minutes: it shows no seconds."""
    fitting = (minutes for minutes in TICK_MINUTES if length_ms / (minutes * 60_000) <= MOST_TICKS)
    return next(fitting, TICK_MINUTES[-1]) * 60_000


def known_stretches(rows: Sequence[MoodRow]) -> list[list[MoodRow]]:
    """Runs of rows with a mood, cut where none was known for longer than the limit. Rows are in order of time."""
    known = [row for row in rows if row.shares is not None]
    limit = max(SHORTEST_GAP_MS, 2.5 * step_ms(rows))
    stretches: list[list[MoodRow]] = []
    for row in known:
        if not stretches or row.at_ms - stretches[-1][-1].at_ms > limit:
            stretches.append([])
        stretches[-1].append(row)
    return stretches


def gaps_between(rows: Sequence[MoodRow], stretches: Sequence[Sequence[MoodRow]]) -> list[tuple[float, float]]:
    """Where the mood is not known: between stretches, and from the last one to the newest row."""
    gaps = [(a[-1].at_ms, b[0].at_ms) for a, b in pairwise(stretches)]
    if stretches and rows[-1].at_ms - stretches[-1][-1].at_ms > SHORTEST_GAP_MS:
        gaps.append((stretches[-1][-1].at_ms, rows[-1].at_ms))
    return gaps


def step_ms(rows: Sequence[MoodRow]) -> float:
    """The shortest time between two rows; 0 for fewer than two."""
    return min((b.at_ms - a.at_ms for a, b in pairwise(rows)), default=0)


def _trace(label: str, stretch: Sequence[MoodRow], number: int, offset_ms: float) -> Figure:
    index = INDEX[label]
    return {
        **_trace_style(label),
        "stackgroup": f"stretch {number}",
        "showlegend": False,
        "x": [row.at_ms + offset_ms for row in stretch],
        "y": [_rounded(row.shares, index) for row in stretch],
        "customdata": [[_rounded(row.low, index), _rounded(row.high, index)] for row in stretch],
    }


def _rounded(values: Sequence[float] | None, index: int) -> float | None:
    """Four digits: a tenth of a pixel, and a third of the bytes."""
    return None if values is None else int(values[index] * 10_000 + 0.5) / 10_000


def _trace_style(label: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label.capitalize(),
        "meta": label,
        "fillcolor": LIGHT[label],
        "line": {"color": LIGHT["card"], "width": 1},
        "hovertemplate": "%{y:.0%} (%{customdata[0]:.0%}–%{customdata[1]:.0%})",
    }


def _layout_style() -> Figure:
    return {
        "margin": {"l": 0, "r": 0, "t": 28, "b": 24},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, system-ui, sans-serif", "size": 12, "color": LIGHT["muted"]},
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": LIGHT["card"], "bordercolor": LIGHT["line"], "font": {"color": LIGHT["ink"]}},
        "dragmode": False,
        "xaxis": {
            "type": "date", "tickformat": "%H:%M", "hoverformat": "%H:%M:%S", "showgrid": False, "zeroline": False,
            "fixedrange": True, "tick0": 0, "ticks": "", "automargin": False,
        },
        "yaxis": {"range": [0, 1], "visible": False, "fixedrange": True},
        "shapes": [],
        "annotations": [],
    }  # fmt: skip


def _marker_line() -> Figure:
    return {
        "name": "marker", "type": "line", "xref": "x", "yref": "paper", "y0": 0, "y1": 1.04,
        "line": {"color": LIGHT["ink"], "width": 1, "dash": "dot"},
    }  # fmt: skip


def _marker_label() -> Figure:
    return {
        "name": "marker", "xref": "x", "yref": "paper", "y": 1.02, "xanchor": "left", "yanchor": "bottom",
        "showarrow": False, "font": {"color": LIGHT["muted"], "size": 12},
    }  # fmt: skip


def _gap_shape() -> Figure:
    return {
        "name": "gap", "type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
        "line": {"width": 0}, "fillcolor": LIGHT["line"], "opacity": 0.35,
    }  # fmt: skip


def _gap_label() -> Figure:
    return {
        "name": "gap", "xref": "x", "yref": "paper", "y": 0.5, "xanchor": "center", "yanchor": "middle",
        "showarrow": False, "text": "no class<br>mood", "font": {"color": LIGHT["muted"], "size": 12},
    }  # fmt: skip


def _over_gap(where: float) -> Figure:
    return {**_gap_label(), "x": where}


def _line(where: float) -> Figure:
    return {**_marker_line(), "x0": where, "x1": where}


def _bracket(start: float, end: float) -> Figure:
    """A moment, over its stretch of the timeline; report/chart.js draws a chosen one down to the axis."""
    return {
        "name": "moment", "type": "rect", "xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 1, "y1": 1.015,
        "line": {"color": BOTH_THEMES, "width": 2}, "fillcolor": BOTH_THEMES,
    }  # fmt: skip


def _label(marker: MarkerRow, offset_ms: float) -> Figure:
    text = marker.label if len(marker.label) <= LONGEST_LABEL else marker.label[: LONGEST_LABEL - 1] + "…"
    return {**_marker_label(), "x": marker.at_ms + offset_ms, "text": _plain(text)}


def _plain(text: str) -> str:
    """Plotly reads a little HTML in texts; an instructor's label is only text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
