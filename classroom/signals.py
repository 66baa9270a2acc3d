"""What happens in a classroom, told within the same transaction to whoever listens (emotions does)."""

from __future__ import annotations

from django.dispatch import Signal

# Each is sent with the instance as `session` or `participant`, inside the transaction that changed it.
session_started = Signal()
session_changed = Signal()
session_ended = Signal()
participant_joined = Signal()
consent_changed = Signal()
participant_left = Signal()
participant_removed = Signal()
marker_placed = Signal()
