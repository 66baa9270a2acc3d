"""Who may be measured, and in which sessions, for statements in SQL: built from the models' own words, so that none
of them is renamed in one place only."""

from __future__ import annotations

from classroom.models import ClassSession, Participant

# Kinds of participants, as SQL writes them.
STUDENT, ROOM = (f"'{kind.value}'" for kind in (Participant.Kind.STUDENT, Participant.Kind.ROOM))
_NOWHERE = ", ".join(f"'{mode.value}'" for mode in ClassSession.Mode if not mode.measures)


def measured(alias: str) -> str:
    """What `Participant.measured` says of one: a condition on classroom_participant, which the statement calls
    `alias`."""
    nothing = Participant.Scope.NONE.value
    return f"({alias}.scope <> '{nothing}' AND {alias}.left_at IS NULL AND {alias}.removed_at IS NULL)"


def measuring(alias: str) -> str:
    """What `ClassSession.measures` says of one, and that it is live: a condition on classroom_classsession."""
    return f"({alias}.ended_at IS NULL AND {alias}.mode NOT IN ({_NOWHERE}))"
