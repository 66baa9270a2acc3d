"""What can happen in a classroom: write, then tell (`classroom.signals`), in one transaction.

Access is settled by the caller (`classroom.access`). What can't be done raises a `classroom.errors.RefusedError`
with words for the person who asked.
"""

from __future__ import annotations

from classroom.actions.participants import (
    CHECK_IN_EVERY,
    erase,
    join,
    leave,
    record_consent,
    remove_participant,
    save_check_in,
    withdraw,
)
from classroom.actions.sessions import (
    end_session,
    erase_session,
    lock_joining,
    place_marker,
    renew_code,
    start_session,
    unlock_joining,
)

__all__ = [
    "CHECK_IN_EVERY",
    "end_session",
    "erase",
    "erase_session",
    "join",
    "leave",
    "lock_joining",
    "place_marker",
    "record_consent",
    "remove_participant",
    "renew_code",
    "save_check_in",
    "start_session",
    "unlock_joining",
    "withdraw",
]
