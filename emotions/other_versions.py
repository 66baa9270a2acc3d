"""What another version of the product keeps in Redis: while a new one is brought up, both run.

It is passed over. It comes again in a moment, by this version or by the other; an error would cost a whole class its
seconds for as long as it stays.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

log = logging.getLogger(__name__)

Kept = TypeVar("Kept")

_UNREADABLE = (struct.error, ValueError, TypeError, LookupError)
_said: set[str] = set()


def readable(rows: Mapping[Any, Any], read: Callable[[Any], Kept], what: str) -> dict[int, Kept]:
    """`rows`, by participant, as `read` reads them, without those that it can't. `what` they are, for the log."""
    found = {}
    for pk, value in rows.items():
        try:
            found[int(pk)] = read(value)
        except _UNREADABLE:
            passed_over(what)
    return found


def passed_over(what: str) -> None:
    """Say so once: a ticker would find the same each second. After an upgrade this process is a new one."""
    if what not in _said:
        _said.add(what)
        log.warning("%s of another version are passed over", what)
