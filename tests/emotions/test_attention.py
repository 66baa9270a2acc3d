"""Who may need the teacher: the rule of docs/attention.md, on values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from emotions.mood import attention
from emotions.mood.attention import GAP_MS, LEAST_MS, WARM_UP_SECONDS, Sight, Watch, dump, follow, load

NEUTRAL, LOW = 0.0, -0.6
BEGAN_MS = 1e12
values = st.floats(-1, 1, allow_nan=False)


def followed(
    readings: Iterable[tuple[float, float]], watch: Watch | None = None, *, uncertain: bool = False
) -> list[Watch]:
    """The watch after each reading (second, value)."""
    watches = []
    for second, value in readings:
        at_ms = BEGAN_MS + second * 1000
        watch = follow(watch, Sight(1, at_ms, value, uncertain), at_ms)
        assert watch is not None
        watches.append(watch)
    return watches


def every(step: float, *stretches: tuple[float, float]) -> list[tuple[float, float]]:
    """Readings every `step` seconds: (how many seconds, value) one after another."""
    readings, second = [], 0.0
    for length, value in stretches:
        readings += [(second + n * step, value) for n in range(int(length / step))]
        second += length
    return readings


def named_after(watches: list[Watch]) -> float | None:
    """Seconds from the beginning until the name appears."""
    first = next((watch for watch in watches if watch.named_ms), None)
    return None if first is None or first.named_ms is None else (first.named_ms - BEGAN_MS) / 1000


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_who_stays_low_for_two_minutes_is_named_at_any_frame_rate(step: float) -> None:
    after = named_after(followed(every(step, (300, NEUTRAL), (200, LOW))))
    assert after == pytest.approx(300 + LEAST_MS / 1000 + 12, abs=6)


def test_for_less_than_two_minutes_nobody_is_named() -> None:
    assert named_after(followed(every(1, (300, NEUTRAL), (110, LOW), (300, NEUTRAL)))) is None


def test_the_name_goes_when_the_face_is_as_usual_again() -> None:
    watches = followed(every(1, (300, NEUTRAL), (200, LOW), (60, NEUTRAL)))
    assert watches[499].named_ms
    assert watches[-1].named_ms is None
    assert watches[-1].since_ms is None


def test_between_the_two_limits_nothing_flickers() -> None:
    begun = followed(every(1, (300, NEUTRAL), (60, -0.5)))[-1]
    assert begun.since_ms
    readings = [(360 + n, -0.25 if n % 2 else -0.28) for n in range(120)]
    assert {watch.since_ms for watch in followed(readings, begun)} == {begun.since_ms}
    assert named_after(followed(every(1, (300, NEUTRAL), (300, -0.28)))) is None


def test_a_calm_face_after_a_merry_one_is_no_trouble() -> None:
    assert named_after(followed(every(1, (300, 0.8), (600, NEUTRAL)))) is None


def test_before_the_warm_up_there_is_no_usual() -> None:
    watches = followed(every(1, (WARM_UP_SECONDS - 10, NEUTRAL), (9, LOW)))
    assert watches[-1].since_ms is None


def test_a_spell_does_not_become_its_own_measure() -> None:
    watches = followed(every(1, (300, NEUTRAL), (1800, LOW)))
    assert watches[-1].named_ms
    assert watches[-1].baseline == pytest.approx(NEUTRAL, abs=0.05)


@pytest.mark.parametrize("minutes", [2, 4, 6, 8])
def test_a_slow_decline_is_noticed(minutes: int) -> None:
    """After the warm-up the baseline forgets slowly: it must not sink along."""
    falling = [(120 + n, 0.2 - 0.5 * n / (minutes * 60)) for n in range(minutes * 60)]
    low = [(120 + minutes * 60 + n, -0.3) for n in range(900)]
    assert named_after(followed([*every(1, (120, 0.2)), *falling, *low]))


def test_a_gap_ends_a_spell_and_keeps_the_baseline() -> None:
    before = followed(every(1, (300, NEUTRAL), (100, LOW)))[-1]
    waited = follow(before, None, before.seen_ms + GAP_MS)
    assert waited == before
    ended = follow(before, None, before.seen_ms + GAP_MS + 1)
    assert ended
    assert (ended.since_ms, ended.named_ms, ended.baseline) == (None, None, before.baseline)
    back = followed([(440 + n, LOW) for n in range(100)], ended)
    assert named_after(back) is None
    assert back[-1].since_ms == BEGAN_MS + 440_000


@pytest.mark.parametrize(("interval", "gap"), [(200, 15_000), (5_000, 15_000), (20_000, 60_000)])
def test_the_gap_follows_how_often_pictures_are_taken(interval: int, gap: int, settings: Settings) -> None:
    settings.SAMPLE_INTERVAL_MS = interval
    begun = Watch(1, BEGAN_MS, NEUTRAL, LOW, 0.0, 300.0, since_ms=BEGAN_MS - 60_000)
    assert follow(begun, None, BEGAN_MS + gap) == begun
    ended = follow(begun, None, BEGAN_MS + gap + 1)
    assert ended
    assert ended.since_ms is None


def test_who_stays_low_is_named_also_at_twenty_seconds(settings: Settings) -> None:
    settings.SAMPLE_INTERVAL_MS = 20_000
    assert named_after(followed(every(20, (900, NEUTRAL), (200, LOW))))


def test_another_consent_begins_anew() -> None:
    before = followed(every(1, (300, NEUTRAL), (200, LOW)))[-1]
    after = follow(before, Sight(2, before.seen_ms + 1000, LOW, False), before.seen_ms + 1000)
    assert after == Watch(2, before.seen_ms + 1000, LOW, LOW, 0.0)


def test_a_clock_that_was_set_back_begins_anew() -> None:
    before = followed(every(1, (300, NEUTRAL), (200, LOW)))[-1]
    assert before.named_ms
    an_hour_ago = followed([(-3_600, NEUTRAL)], before)[0]
    assert (an_hour_ago.seen_ms, an_hour_ago.named_ms) == (BEGAN_MS - 3_600_000, None)
    assert named_after(
        followed([(second - 3_600, value) for second, value in every(1, (300, NEUTRAL), (200, LOW))], before)
    )


def test_how_sure_follows_the_readings() -> None:
    sure = followed(every(1, (300, NEUTRAL), (200, LOW)))[-1]
    assert not sure.is_unsure
    guesses = followed([(500 + n, LOW) for n in range(90)], sure, uncertain=True)[-1]
    assert guesses.is_unsure


def test_the_same_reading_counts_once() -> None:
    watch = followed(every(1, (10, NEUTRAL)))[-1]
    assert follow(watch, Sight(1, watch.seen_ms, LOW, True), watch.seen_ms + 1000) == watch


@given(values, st.integers(1, 900))
def test_a_face_that_never_changes_is_never_named(value: float, seconds: int) -> None:
    assert named_after(followed(every(1, (seconds, value)))) is None


@given(st.lists(st.tuples(st.floats(0.1, 30), values), min_size=1, max_size=400))
def test_a_name_always_has_its_reasons(steps: list[tuple[float, float]]) -> None:
    """Whatever is read: long enough, without a gap, after the warm-up, low when it began and low now."""
    second, watch, began = 0.0, None, None
    for step, value in steps:
        second += step
        [watch] = followed([(second, value)], watch)
        assert -1 - 1e-9 <= min(watch.baseline, watch.recent) <= max(watch.baseline, watch.recent) <= 1 + 1e-9
        if watch.since_ms == watch.seen_ms:
            began = watch
            assert began.baseline - began.recent >= attention.DROP
        if watch.named_ms:
            assert began
            assert watch.named_ms - began.seen_ms >= LEAST_MS
            assert watch.measured >= WARM_UP_SECONDS
            assert watch.recent <= attention.STILL_UNPLEASANT
            assert step * 1000 <= GAP_MS


@given(st.lists(st.tuples(st.floats(0.1, 20), values), min_size=1, max_size=60), st.integers(0, 59))
def test_another_ticker_goes_on_as_if_nothing_had_happened(steps: list[tuple[float, float]], killed: int) -> None:
    second, watch, heir = 0.0, None, None
    for number, (step, value) in enumerate(steps):
        second += step
        [watch] = followed([(second, value)], watch)
        [heir] = followed([(second, value)], heir)
        if number == killed:
            heir = load(dump({7: heir}))[7]
        assert heir == watch


@pytest.mark.parametrize(
    "row",
    [
        [1, BEGAN_MS, 0.1, -0.2],
        [1, BEGAN_MS, 0.1, -0.2, 0.0],
        [1, BEGAN_MS, 0.1, -0.2, 0.0, 300.0, None, None, 0.9],
        [1, BEGAN_MS, None, -0.2, 0.0, 300.0, None, None],
        {"epoch": 1, "seen_ms": BEGAN_MS},
        7,
    ],
    ids=["shorter", "as short as can be", "longer", "a number is none", "by name", "no row"],
)
def test_a_watch_that_another_version_kept_begins_anew_and_the_others_go_on(row: object) -> None:
    watch = Watch(1, BEGAN_MS, 0.1, -0.2, 0.0, 300.0, BEGAN_MS - 9000)
    kept = json.loads(dump({7: watch, 8: watch}))
    assert load(json.dumps(kept | {"8": row})) == {7: watch}


def test_watches_that_another_version_kept_in_another_way_begin_anew() -> None:
    assert load(json.dumps([[7, 1, BEGAN_MS]])) == {}


def test_the_page_about_the_rule_gives_its_numbers() -> None:
    page = Path(django_settings.BASE_DIR, "docs/attention.md").read_text()
    rows = dict(re.findall(r"^\| (\w[\w -]*) \| (.+?) \|", page, re.MULTILINE))
    numbers = {name: [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", row)] for name, row in rows.items()}
    assert numbers["warm-up"] == [attention.WARM_UP_SECONDS]
    assert numbers["baseline"] == [attention.BASELINE_HALF_LIFE]
    assert numbers["recent"] == [attention.RECENT_HALF_LIFE]
    assert numbers["begins"] == [attention.DROP, attention.UNPLEASANT]
    assert numbers["goes on"] == [attention.STILL_DROP, attention.STILL_UNPLEASANT]
    assert numbers["lasts"] == [attention.LEAST_MS / 1000]
    assert numbers["gap"] == [attention.GAP_MS / 1000]
    assert numbers["unsure"] == [attention.UNSURE_HALF_LIFE]
