"""Nobody can be singled out by comparing two ticks."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotions.mood.cohort import FLOOR, NOBODY, Group, next_cohort

people = st.frozensets(st.integers(0, 40))
seeds = st.integers(0, 2**32)


def crowd(*names: int) -> Group:
    return frozenset(names)


@given(st.lists(people, max_size=12), seeds, st.integers(2, 8))
def test_every_tick_keeps_the_rules(days: list[Group], seed: int, floor: int) -> None:
    rng, cohort = Random(seed), NOBODY
    for present in days:
        following = next_cohort(cohort, present, floor, rng)
        assert following <= present
        assert len(following) == 0 or len(following) >= floor
        assert len(following ^ cohort) == 0 or len(following ^ cohort) >= floor
        cohort = following


@given(people, people, seeds)
def test_once_nobody_moves_a_crowd_is_in_and_stays(first: Group, then: Group, seed: int) -> None:
    rng = Random(seed)
    cohort = next_cohort(NOBODY, first, FLOOR, rng)
    for _ in range(3):
        cohort = next_cohort(cohort, then, FLOOR, rng)
    assert cohort == next_cohort(cohort, then, FLOOR, rng)
    if len(then) >= FLOOR:
        # Fewer than a floor wait, and a class large enough is never left out as a whole.
        assert len(then - cohort) < FLOOR
        assert cohort


@given(people.filter(lambda group: len(group) >= FLOOR), seeds)
def test_a_crowd_enters_at_once(present: Group, seed: int) -> None:
    assert next_cohort(NOBODY, present, FLOOR, Random(seed)) == present


def test_newcomers_wait_for_company() -> None:
    class_ = frozenset(range(10))
    for newcomers in range(1, FLOOR):
        grown = class_ | frozenset(range(100, 100 + newcomers))
        assert next_cohort(class_, grown, FLOOR, Random(1)) == class_
    grown = class_ | frozenset(range(100, 100 + FLOOR))
    assert next_cohort(class_, grown, FLOOR, Random(1)) == grown


def test_who_goes_is_out_at_once_and_takes_others_along() -> None:
    class_ = frozenset(range(20))
    after = next_cohort(class_, class_ - crowd(3), FLOOR, Random(1))
    assert 3 not in after
    assert len(class_ - after) == FLOOR
    # The four who rest come back as soon as one more waits with them.
    assert next_cohort(after, class_ - crowd(3) | crowd(50), FLOOR, Random(1)) == class_ - crowd(3) | crowd(50)


def test_who_rests_is_not_foreseeable() -> None:
    class_ = frozenset(range(20))
    left = class_ - crowd(3)
    resting = {left - next_cohort(class_, left, FLOOR, Random(seed)) for seed in range(20)}
    assert len(resting) > 10


def test_a_class_too_small_to_change_rests_as_a_whole_and_comes_back() -> None:
    class_ = frozenset(range(8))
    after = next_cohort(class_, class_ - crowd(3), FLOOR, Random(1))
    assert after == NOBODY
    assert next_cohort(after, class_ - crowd(3), FLOOR, Random(1)) == class_ - crowd(3)


def test_a_cohort_under_the_floor_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 5 members, received 2"):
        next_cohort(crowd(1, 2), crowd(1, 2), FLOOR, Random(1))
