"""Who may be measured, for statements in SQL: what `Participant.measured` says of one."""

from __future__ import annotations


def measured(alias: str) -> str:
    """A condition on classroom_participant, which the statement calls `alias`."""
    return f"({alias}.scope <> 'none' AND {alias}.left_at IS NULL AND {alias}.removed_at IS NULL)"
