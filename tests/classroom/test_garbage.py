"""Cyclic garbage is looked for rarely, and still found."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from classroom.garbage import THRESHOLDS, search_rarely

search_rarely()
assert gc.isenabled() and gc.get_threshold() == THRESHOLDS and gc.get_freeze_count() > 0

class Knot:
    pass

knot = Knot()
knot.itself = knot
gone = weakref.ref(knot)
del knot
kept = [[] for _ in range(2 * THRESHOLDS[0])]
print("found" if gone() is None else "kept")
"""


def test_a_knot_made_afterwards_is_found_without_asking() -> None:
    # In a process of its own: the setting is the whole process's.
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "found"
