"""What a report says of words about the pace: how often, and when most."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotions.reports import spoken
from emotions.reports.rows import MarkerRow
from emotions.reports.selectors import milliseconds

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SLIDE = MarkerRow(1, "Slide 4", milliseconds(START + timedelta(minutes=13)))


def words(*said: tuple[float, str]) -> list[tuple[datetime, str]]:
    """(minute, word), in order."""
    return [(START + timedelta(minutes=minute), word) for minute, word in said]


def of(said: list[tuple[datetime, str]], *marked: MarkerRow) -> list[str]:
    return spoken.sentences(dict(Counter(word for _, word in said)), said, marked)


def test_the_summary_says_when_a_word_fell_most_and_after_what() -> None:
    fast = [(minute, "too_fast") for minute in (2, 14.2, 14.5, 15, 15.1, 16.1, 16.9, 17.1)]
    said = words((1, "lost"), *fast, (18, "lost"), *[(n, "got_it") for n in range(20, 40)])
    first, times, most = of(said, SLIDE, MarkerRow(2, "Exercise", milliseconds(START + timedelta(minutes=14.3))))
    assert first == "Students said “lost” 2 times, “too fast” 8 times, “got it” 20 times."
    assert times == "These are times, not students: who says a word again counts again."
    assert most == "“Too fast” was said most at 09:14–09:16, 6 times, after “Slide 4”."


def test_of_equally_high_ones_the_first_is_told_and_one_minute_stands_alone() -> None:
    said = words(*[(minute, word) for minute in (5.1, 5.2, 5.3, 30.1, 30.2, 30.3) for word in ("lost", "too_fast")])
    assert of(said)[-1] == "“Lost” was said most at 09:05, 3 times."


@pytest.mark.parametrize(
    "said",
    [
        [],
        words((1, "lost"), (2, "lost")),
        words((1, "lost"), (4, "lost"), (7, "lost"), (10, "lost")),
        words(*[(1, "got_it")] * 9),
        words((1, "lost"), (1, "too_fast"), (1, "too_slow")),
    ],
)
def test_a_few_words_here_and_there_are_no_peak(said: list[tuple[datetime, str]]) -> None:
    assert spoken.peak(said, []) is None


def test_a_word_said_once_says_nothing_of_times() -> None:
    assert of(words((1, "lost"), (2, "too_slow"))) == ["Students said “lost” once, “too slow” once."]
    assert of([]) == []


@given(st.lists(st.tuples(st.floats(0, 60), st.sampled_from(["lost", "too_fast", "too_slow", "got_it"]))))
def test_a_peak_counts_whole_minutes_as_the_tables_do(said: list[tuple[float, str]]) -> None:
    """So that it tells nothing of anybody that the counts by minute don't."""
    told = words(*sorted(said))
    by_minute = Counter((at.replace(second=0, microsecond=0), word) for at, word in told)
    highest = max(
        (
            sum(by_minute[START + timedelta(minutes=first + n), word] for n in range(spoken.MINUTES))
            for first in range(61)
            for word in spoken.OF_THE_PACE
        ),
        default=0,
    )
    most = spoken.peak(told, [])
    assert (most.count if most else 0) == (highest if highest >= spoken.LEAST else 0)
    if most:
        inside = [n for (at, word), n in by_minute.items() if word == most.word and most.first <= at <= most.last]
        assert sum(inside) == most.count
        assert most.last - most.first < timedelta(minutes=spoken.MINUTES)


def test_a_students_words_are_told_in_the_order_of_the_buttons() -> None:
    assert spoken.of_student({"too_fast": 1, "lost": 2}) == "lost 2, too fast 1"
    assert spoken.of_student({}) == "–"
