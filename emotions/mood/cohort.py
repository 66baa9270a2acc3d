"""Who of those that share in the aggregate only enters the class mood: none, or a crowd, and never one by one.

Somebody who sees the mood before and after one student comes or goes could compute that student's reading from the
difference. So the group that enters changes by nobody or by at least FLOOR students between two ticks: who comes
waits for company; who goes is out at once, and takes others along, who wait in turn.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random

FLOOR = 5
THERE_FOR = timedelta(seconds=45)
"""So long after the last sign of somebody they count as there, as company for the words of others. That they are
connected is noted every 15 seconds (emotions.mood.ticker), and two notes may be passed over."""

Group = frozenset[int]
NOBODY: Group = frozenset()


def next_cohort(previous: Group, present: Group, floor: int, rng: Random) -> Group:
    """The group for this tick, given the last tick's (empty, or at least `floor` members).

    Always part of `present`, empty or at least `floor` members, and equal to `previous` or different from it in at
    least `floor` members (those who entered and those who left, together). As large as these rules allow, where
    somebody goes; random in whom it rests.
    """
    if previous and len(previous) < floor:
        raise ValueError(f"previous: expected nobody or at least {floor} members, received {len(previous)}")
    staying, waiting = previous & present, present - previous
    left = len(previous) - len(staying)
    if left + len(waiting) == 0 or (left == 0 and len(waiting) < floor):
        return previous
    resting = max(0, floor - left - len(waiting))
    members = (staying - _some(staying, resting, rng)) | waiting
    return members if len(staying) >= resting and len(members) >= floor else NOBODY


def _some(members: Group, count: int, rng: Random) -> Group:
    """`count` of them by lot, or all."""
    return frozenset(rng.sample(sorted(members), min(count, len(members))))
