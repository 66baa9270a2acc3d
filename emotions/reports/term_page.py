"""A course over the term, in words and small pictures: for the report of a session and for the course's own page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classroom.models import ClassSession
from emotions.reports import term, wording
from emotions.reports.strips import strip
from emotions.reports.term import TermRow

BAR_HEIGHT = 20

_BARS = (
    '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
    '<path class="bar-of" d="{}"/><path class="blank" d="{}"/></svg>'
)


@dataclass(frozen=True, slots=True)
class TermLine:
    """`rests_on`: "" where no mood was known; `hard`: how many said that they were lost or it was too fast, "" where
    nobody knows, or nobody joined; `joined`: "" where nobody knows."""

    session: ClassSession
    words: str
    strip: SafeString
    rests_on: str
    hard: str
    joined: str


@dataclass(frozen=True, slots=True)
class Trend:
    title: str
    words: str
    bars: SafeString


@dataclass(frozen=True, slots=True)
class Comparison:
    """`lines`: this session and those before it, newest first; `words`: how this one compares with them."""

    lines: list[TermLine]
    words: list[str]


def lines(rows: Sequence[TermRow]) -> list[TermLine]:
    return [_line(row) for row in rows]


def _line(row: TermRow) -> TermLine:
    there = "" if row.joined is None else str(row.joined)
    hard = f"{row.hard} of {row.joined}" if row.joined and row.hard is not None else ""
    return TermLine(row.session, _words(row), strip(row.shares), _rests_on(row), hard, there)


def _words(row: TermRow) -> str:
    if row.session.purged_at:
        return f"Purged on {timezone.localtime(row.session.purged_at):%-d %B %Y}"
    return mood_words(row.shares) if row.session.measures else "Without cameras"


def mood_words(shares: Sequence[float] | None) -> str:
    """The mean mood of a session, or of a stretch of it."""
    if shares is None:
        return "No class mood"
    return f"{wording.mood(shares)['word']}, about {wording.percent(wording.troubled(shares))} looked troubled"


def _rests_on(row: TermRow) -> str:
    if row.shares is None:
        return ""
    measured, connected = wording.rounded(row.measured), wording.rounded(row.connected)
    return f"{measured} of {connected} students, {wording.percent(row.known)} of the time"


# -- This session and those before it


def comparison(session: ClassSession) -> Comparison | None:
    """None for a course's first session."""
    before = term.earlier(session)
    if not before:
        return None
    this, *others = term.term_rows([session, *before])
    return Comparison(lines([this, *others]), _compared(this, others))


def _compared(this: TermRow, others: Sequence[TermRow]) -> list[str]:
    """One sentence for each of the three that is known of both sides."""
    many = "session before" if len(others) == 1 else f"{len(others)} sessions before"
    sentences = []
    for what, measure in MEASURES:
        now, usual = measure(this), _mean([measure(row) for row in others])
        if now is not None and usual is not None:
            words = AS_USUAL if measure is troubled and abs(now - usual) <= this.half else what
            sentences.append(words.format(now=_said(what, now), usual=_said(what, usual), many=many))
    return sentences


def _said(what: str, value: float) -> str:
    return str(wording.rounded(value)) if "joined" in what else wording.percent(value)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def troubled(row: TermRow) -> float | None:
    return None if row.shares is None else wording.troubled(row.shares)


def hard(row: TermRow) -> float | None:
    """The part of those who joined; None where nobody did, or nobody knows."""
    return row.hard / row.joined if row.joined and row.hard is not None else None


def joined(row: TermRow) -> float | None:
    """None where the session was purged: nobody knows any more, which is not nobody."""
    return None if row.joined is None else float(row.joined)


MEASURES: tuple[tuple[str, Callable[[TermRow], float | None]], ...] = (
    ("About {now} looked troubled; in the {many} it was {usual} on average.", troubled),
    ("{now} said that they were lost or it was too fast; before it was {usual}.", hard),
    ("{now} joined; before it was {usual} on average.", joined),
)
AS_USUAL = "About {now} looked troubled: no more and no fewer than in the {many}, as far as the estimate can tell."
"""Within its own band."""


# -- The whole term


def trends(rows: Sequence[TermRow]) -> list[Trend]:
    """Mood, pace, attendance over the ended sessions of `rows` (newest first), without purged ones; what is known of
    none is left out. None for fewer than two sessions."""
    ended = [row for row in reversed(rows) if not row.session.live and not row.session.purged_at]
    if len(ended) < 2:
        return []
    found = [
        _trend("Looked troubled", ended, troubled, wording.percent),
        _trend("Said “lost” or “too fast”", ended, hard, wording.percent),
        _trend("Joined", ended, joined, lambda value: str(wording.rounded(value))),
    ]
    return [trend for trend in found if trend]


def _trend(
    title: str, rows: Sequence[TermRow], measure: Callable[[TermRow], float | None], said: Callable[[float], str]
) -> Trend | None:
    values = [measure(row) for row in rows]
    mean = _mean(values)
    if mean is None:
        return None
    latest = "not known" if values[-1] is None else said(values[-1])
    words = f"{latest} last time, {said(mean)} on average"
    return Trend(title, words, _bars(values, f"{title}: {_each(rows, values, said)}"))


def _each(rows: Sequence[TermRow], values: Sequence[float | None], said: Callable[[float], str]) -> str:
    """ "2 Mar 12 %, 9 Mar not known"."""
    days = [f"{timezone.localtime(row.session.started_at):%-d %b}" for row in rows]
    known = ["not known" if value is None else said(value) for value in values]
    return ", ".join(f"{day} {value}" for day, value in zip(days, known, strict=True))


def _bars(values: Sequence[float | None], words: str) -> SafeString:
    """One bar a session, oldest first, against the highest; a thin line where it is not known."""
    highest = max([value for value in values if value is not None], default=0) or 1
    heights = [None if value is None else value / highest * (BAR_HEIGHT - 1) + 1 for value in values]
    bars = [f"M{n + 0.1:.1f} {BAR_HEIGHT}v-{each:.2f}h.8v{each:.2f}z" for n, each in enumerate(heights) if each]
    blanks = [f"M{n + 0.1:.1f} {BAR_HEIGHT / 2:g}h.8" for n, each in enumerate(heights) if each is None]
    return format_html(_BARS, max(12, len(values)), BAR_HEIGHT, words, "".join(bars), "".join(blanks))
