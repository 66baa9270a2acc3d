"""Minutes as lanes beneath each other: the heat map of students, the class as stacked columns, words as bars. No ORM.

Plain SVG. A lane is as wide as its cell (a minute is one unit, stretched); colours come from the page's classes. What
is not known has a shape of its own: a minute whose readings are mostly unsure is half as high, one without a
reading is a thin line, and outside a student's stay there is nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from emotions.reports.charts import STACK
from emotions.reports.rows import StudentMinutes
from ml.labels import INDEX, LABELS

MOST_TICKS = 12
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440)
HEIGHT = 10

_LANE = (
    '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'  # one lane
)
_PATH = '<path class="{}" d="{}"/>'


@dataclass(frozen=True, slots=True)
class Axis:
    """Equal steps of `step` minutes from `first` (minutes since 1970); `ticks`: the beginning of each."""

    first: int
    step: int
    ticks: Sequence[datetime]

    @property
    def width(self) -> int:
        """In minutes."""
        return self.step * len(self.ticks)


@dataclass(frozen=True, slots=True)
class Stay:
    """From which minute on, and up to which (not included), somebody was there."""

    first: int
    end: int


def axis(first: int, last: int, most: int = MOST_TICKS) -> Axis:
    """Steps on the school's clock that hold the minutes `first` to `last`: `most`, and one begun before them."""
    step = next((step for step in STEPS if (last - first) / step < most), STEPS[-1])
    begin = first - (first + _offset(first)) % step
    return Axis(begin, step, [_local(at) for at in range(begin, last + 1, step)])


def _offset(minute: int) -> int:
    """The school's zone against UTC, in minutes."""
    offset = _local(minute).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def _local(minute: int) -> datetime:
    return timezone.localtime(datetime.fromtimestamp(minute * 60, UTC))


def lane(where: Axis, minutes: StudentMinutes, stay: Stay) -> SafeString:
    """A student's minutes, each in the colour of the emotion that was read most often."""
    seen = _kinds(minutes)
    runs: dict[str, list[str]] = {}
    for kind, stretch in groupby(range(stay.first, stay.end), key=lambda at: seen.get(at, "blank")):
        columns = list(stretch)
        runs.setdefault(kind, []).append(f"M{columns[0] - where.first} {HEIGHT // 2}h{len(columns)}")
    paths = format_html_join("", _PATH, ((kind, "".join(parts)) for kind, parts in runs.items()))
    return format_html(_LANE, "lane", where.width, HEIGHT, in_words(minutes, stay), paths)


def _kinds(minutes: StudentMinutes) -> Mapping[int, str]:
    """Minute -> the classes of its colour and shape."""
    kinds = [(label, f"{label} unsure") for label in LABELS]
    columns = zip(minutes.at, minutes.labels, minutes.unsure, strict=True)
    return {at: kinds[label][unsure] for at, label, unsure in columns}


def in_words(minutes: StudentMinutes, stay: Stay) -> str:
    """ "Neutral 31 minutes, happy 4; unsure in 3; no reading in 2"."""
    counts = Counter(LABELS[label] for label in minutes.labels)
    parts = [f"{label} {count}" for label, count in counts.most_common()]
    if not parts:
        return "No reading"
    words = f"{', '.join(parts)} of {stay.end - stay.first} minutes".capitalize()
    unsure, without = sum(minutes.unsure), stay.end - stay.first - len(minutes.at)
    words += f"; unsure in {unsure}" if unsure else ""
    return words + (f"; no reading in {without}" if without > 0 else "")


def columns(
    where: Axis, minutes: Iterable[tuple[int, Sequence[float] | None]], words: str, marked: Sequence[float] = ()
) -> SafeString:
    """Shares minute by minute, stacked, each column of full height; a thin line where they are not known.

    `minutes`: each since 1970, with its shares ((7,)); `marked`: where lines stand, in the same minutes.
    """
    pieces: dict[str, list[str]] = {kind: [] for kind in (*STACK, "blank", "mark")}
    pieces["mark"] = [f"M{at - where.first:.2f} 0v{4 * HEIGHT}" for at in marked]
    for at, shares in minutes:
        left = at - where.first
        if shares is None:
            pieces["blank"].append(f"M{left} {2 * HEIGHT}h1")
            continue
        for label, path in _stacked(left, shares):
            pieces[label].append(path)
    paths = format_html_join("", _PATH, ((kind, "".join(parts)) for kind, parts in pieces.items() if parts))
    return format_html(_LANE, "lane stacked", where.width, 4 * HEIGHT, words, paths)


def bars(where: Axis, counts: Mapping[int, int], highest: int, title: str, marked: Sequence[float]) -> SafeString:
    """How often something was said, minute by minute (since 1970); the bar of `highest` is as high as the lane."""
    lines = "".join(f"M{at - where.first:.2f} 0v{2 * HEIGHT}" for at in marked)
    heights = ((at - where.first, 2 * HEIGHT * count / highest) for at, count in counts.items())
    pieces = "".join(f"M{left} {2 * HEIGHT}v-{height:.1f}h1v{height:.1f}z" for left, height in heights)
    times = (f"{_local(at):%H:%M} {count} {'time' if count == 1 else 'times'}" for at, count in counts.items())
    paths = format_html_join("", _PATH, (("bar", pieces), ("mark", lines)))
    return format_html(_LANE, "lane bars", where.width, 2 * HEIGHT, f"{title}: {', '.join(times)}", paths)


def _stacked(left: int, shares: Sequence[float]) -> list[tuple[str, str]]:
    """Per emotion its piece of the column, from below."""
    bottom, pieces = 4.0 * HEIGHT, []
    for label in STACK:
        height = shares[INDEX[label]] * 4 * HEIGHT
        bottom -= height
        pieces.append((label, f"M{left} {bottom:.1f}h1v{height:.1f}h-1z"))
    return pieces
