"""What happens in a classroom, told within the same transaction to whoever listens (emotions does).

A receiver that talks to the outside (a socket, Redis) does so in `transaction.on_commit`.
"""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `session`. The join code or the lock.
session_changed = Signal()
session_ended = Signal()
# Receivers delete what they hold of the session and answer how many rows, by the name of their model.
session_purged = Signal()
# It is being deleted piece by piece. Receivers delete a slice where they hold more than one, and answer as above.
session_thinned = Signal()
# Sent with `participant`, whose consent epoch has gone up (but for erasure).
consent_changed = Signal()
participant_left = Signal()
participant_removed = Signal()
# The row is about to be deleted, and whatever refers to it with it.
# Receivers answer how many rows they deleted, by the name of their model.
participant_erased = Signal()
# With `since`: what was recorded from then on is being deleted. Receivers answer as above; the epoch has gone up.
minutes_erased = Signal()
# After a restore, with `since` and `until`: what had been stored by then is being deleted again. Answers as above.
minutes_erased_again = Signal()
# Sent with `session`: a marker was placed, renamed or removed.
markers_changed = Signal()
# Sent with `participant`, whose hand went up or down.
hand_changed = Signal()
