"""Python's search for cyclic garbage, made rare in processes that handle small messages without end."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)
"""New objects before a search among the youngest, and how many searches before one among the older ones."""


def search_rarely() -> None:
    """Call when a process has loaded its code: that is left out of every search from now on.

    A message makes a few dozen objects that die by themselves at once. Python looks for cycles after each 700 of them
    and, now and then, among all that a thousand sockets hold: under load a good part of a process's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
