"""What can happen in a classroom: write, then tell (`classroom.signals`), in one transaction.

Access is settled by the caller (`classroom.access`). What can't be done raises a `classroom.errors.RefusedError`
with words for the person who asked.
"""

from __future__ import annotations

from classroom.actions.erasing import (
    LONGEST_MINUTES,
    erase,
    erase_last,
    erase_session,
    expire,
    expire_some,
    purge_session,
)
from classroom.actions.participants import (
    CHECK_IN_EVERY,
    HAND_UP,
    hand_up_ms,
    join,
    join_once,
    leave,
    lower_hand,
    raise_hand,
    record_consent,
    remove_participant,
    save_check_in,
    withdraw,
    words_said,
)
from classroom.actions.restored import erase_again, kept_receipts
from classroom.actions.rooms import declare_room, withdraw_room
from classroom.actions.sessions import (
    LONGEST_SESSION,
    NOBODY_FOR,
    end_session,
    lock_joining,
    place_marker,
    remove_marker,
    rename_course,
    rename_marker,
    rename_session,
    renew_code,
    start_session,
    unlock_joining,
)

__all__ = [
    "CHECK_IN_EVERY",
    "HAND_UP",
    "LONGEST_MINUTES",
    "LONGEST_SESSION",
    "NOBODY_FOR",
    "declare_room",
    "end_session",
    "erase",
    "erase_again",
    "erase_last",
    "erase_session",
    "expire",
    "expire_some",
    "hand_up_ms",
    "join",
    "join_once",
    "kept_receipts",
    "leave",
    "lock_joining",
    "lower_hand",
    "place_marker",
    "purge_session",
    "raise_hand",
    "record_consent",
    "remove_marker",
    "remove_participant",
    "rename_course",
    "rename_marker",
    "rename_session",
    "renew_code",
    "save_check_in",
    "start_session",
    "unlock_joining",
    "withdraw",
    "withdraw_room",
    "words_said",
]
