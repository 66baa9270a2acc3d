"""A course over the term, in words and small pictures: for the report of a session and for the course's own page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classroom.models import ClassSession
from classroom.templatetags.roomtone import named
from emotions.mood.trouble import troubled as troubled_share
from emotions.reports import term, wording
from emotions.reports.strips import strip
from emotions.reports.term import TermRow, read_alike

BAR_HEIGHT = 20

_BARS = (
    '<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
    '<path class="bar-of" d="{}"/><path class="blank" d="{}"/></svg>'
)


@dataclass(frozen=True, slots=True)
class TermLine:
    """`name`: as on the course's page; `rests_on`: "" where no mood was known; `hard`: how many said that they were
    lost or it was too fast, "" where nobody knows, or nobody joined; `joined`: "" where nobody knows."""

    session: ClassSession
    name: str
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
    return TermLine(row.session, named(row.session), _words(row), strip(row.shares), _rests_on(row), hard, there)


def _words(row: TermRow) -> str:
    if row.session.purged_at:
        return f"Deleted on {timezone.localtime(row.session.purged_at):%-d %B %Y}"
    return mood_words(row.shares) if row.session.measures else "Without cameras"


def mood_words(shares: Sequence[float] | None) -> str:
    """The mean mood of a session, or of a stretch of it."""
    if shares is None:
        return "No class mood"
    return f"{wording.mood(shares)['word']}, about {wording.percent(troubled_share(shares))} looked troubled"


def _rests_on(row: TermRow) -> str:
    if row.mood is None:
        return ""
    measured, connected = wording.rounded(row.mood.measured), wording.rounded(row.mood.connected)
    return f"{measured} of {connected} students, {wording.percent(row.known)} of the time"


# -- This session and those before it


def comparison(session: ClassSession, text: Callable[[str], str] = str) -> Comparison | None:
    """None for a course's first session. `text`: what is done to every name."""
    before = term.earlier(session)
    if not before:
        return None
    this, *others = term.term_rows([session, *before])
    shown = [replace(line, name=text(line.name)) for line in lines([this, *others])]
    return Comparison(shown, _compared(this, others))


def _compared(this: TermRow, others: Sequence[TermRow]) -> list[str]:
    """One sentence for each of the three that is known of both sides."""
    alike = [row for row in others if read_alike(this, row)]
    found = [
        _mood_compared(this, alike),
        _moods_left_out(len(others) - len(alike)),
        _than_before(PACE, hard(this), _mean([hard(row) for row in others]), wording.percent),
        _than_before(ATTENDANCE, joined(this), _mean([joined(row) for row in others]), _whole),
    ]
    return [sentence for sentence in found if sentence]


def _mood_compared(this: TermRow, others: Sequence[TermRow]) -> str:
    now, usual = troubled(this), _mean([troubled(row) for row in others])
    if this.mood is None or now is None or usual is None:
        return ""
    many = "session before" if len(others) == 1 else f"{len(others)} sessions before"
    low, high = this.mood.troubled
    words = AS_USUAL if low <= usual <= high else MOOD
    return words.format(now=wording.percent(now), usual=wording.percent(usual), many=many)


def _moods_left_out(count: int) -> str:
    if not count:
        return ""
    whose = "The mood of one session before is" if count == 1 else f"The moods of {count} sessions before are"
    which = "it" if count == 1 else "them"
    return f"{whose} not compared: another version of the emotion network read {which}, or may have."


def _than_before(sentence: str, now: float | None, usual: float | None, said: Callable[[float], str]) -> str:
    return "" if now is None or usual is None else sentence.format(now=said(now), usual=said(usual))


def _whole(value: float) -> str:
    return str(wording.rounded(value))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def troubled(row: TermRow) -> float | None:
    return None if row.shares is None else troubled_share(row.shares)


def hard(row: TermRow) -> float | None:
    """The part of those who joined; None where nobody did, or nobody knows."""
    return row.hard / row.joined if row.joined and row.hard is not None else None


def joined(row: TermRow) -> float | None:
    """None where the session was purged: nobody knows any more, which is not nobody."""
    return None if row.joined is None else float(row.joined)


MOOD = "About {now} looked troubled; in the {many} it was {usual} on average."
PACE = "{now} said that they were lost or it was too fast; before it was {usual}."
ATTENDANCE = "{now} joined; before it was {usual} on average."
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
        _trend("Looked troubled", ended, troubled, wording.percent, _since(ended)),
        _trend("Said “lost” or “too fast”", ended, hard, wording.percent),
        _trend("Joined", ended, joined, _whole),
    ]
    return [trend for trend in found if trend]


def _since(rows: Sequence[TermRow]) -> int:
    """The place of the first row from which on the same version of the network read."""
    newest = next((row for row in reversed(rows) if row.mood), rows[-1])
    others = [n for n, row in enumerate(rows) if row is not newest and not read_alike(row, newest)]
    return others[-1] + 1 if others else 0


def _trend(
    title: str,
    rows: Sequence[TermRow],
    measure: Callable[[TermRow], float | None],
    said: Callable[[float], str],
    since: int = 0,
) -> Trend | None:
    """The average is of the rows from the place `since` on; the bars show all."""
    values = [measure(row) for row in rows]
    mean = _mean(values[since:])
    if mean is None:
        return None
    latest = "not known" if values[-1] is None else said(values[-1])
    words = f"{latest} last time, {said(mean)} on average"
    if since:
        words += f" since {_day(rows[since])}, when another version of the network began to read"
    return Trend(title, words, _bars(values, f"{title}: {_each(rows, values, said)}"))


def _day(row: TermRow) -> str:
    return f"{timezone.localtime(row.session.started_at):%-d %b}"


def _each(rows: Sequence[TermRow], values: Sequence[float | None], said: Callable[[float], str]) -> str:
    """ "2 Mar 12 %, 9 Mar not known"."""
    known = ["not known" if value is None else said(value) for value in values]
    return ", ".join(f"{_day(row)} {value}" for row, value in zip(rows, known, strict=True))


def _bars(values: Sequence[float | None], words: str) -> SafeString:
    """One bar a session, oldest first, against the highest; a thin line where it is not known."""
    highest = max([value for value in values if value is not None], default=0) or 1
    heights = [None if value is None else value / highest * (BAR_HEIGHT - 1) + 1 for value in values]
    bars = [f"M{n + 0.1:.1f} {BAR_HEIGHT}v-{each:.2f}h.8v{each:.2f}z" for n, each in enumerate(heights) if each]
    blanks = [f"M{n + 0.1:.1f} {BAR_HEIGHT / 2:g}h.8" for n, each in enumerate(heights) if each is None]
    return format_html(_BARS, max(12, len(values)), BAR_HEIGHT, words, "".join(bars), "".join(blanks))
