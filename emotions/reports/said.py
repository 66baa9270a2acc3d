"""Words about the pace that reports, exports and the term may count: as in the live pace (docs/decisions/0012).

Of who shares with the name, every word since they did. Of everybody else all that were said while FLOOR or more of
them were there, or none: one "lost" of two would name its student, in a minute of a report as on the live page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from emotions.mood.cohort import FLOOR

# Everybody is without a name from joining until they go, or share with the name for good. A running sum over comings
# and goings says how many were so at each word; who goes or comes at that very instant counts as gone, or there.
_HEARD = """
WITH people AS (
    SELECT p.id, p.session_id, p.joined_at, LEAST(p.left_at, p.removed_at) AS gone,
        CASE WHEN p.scope = 'individual' THEN (
            SELECT max(given.at) FROM classroom_consentevent given WHERE given.participant_id = p.id
        ) END AS named
    FROM classroom_participant p WHERE p.session_id = ANY(%(sessions)s)
), steps AS (
    SELECT session_id, joined_at AS at, 0 AS turn, 1 AS step, NULL AS word, id, FALSE AS by_name
    FROM people WHERE LEAST(gone, named) IS NULL OR LEAST(gone, named) > joined_at
    UNION ALL
    SELECT session_id, LEAST(gone, named), 0, -1, NULL, id, FALSE FROM people WHERE LEAST(gone, named) > joined_at
    UNION ALL
    SELECT people.session_id, said.at, 1, 0, said.word, people.id, COALESCE(said.at >= people.named, FALSE)
    FROM people JOIN classroom_checkin said ON said.participant_id = people.id
), counted AS (
    SELECT *, sum(step) OVER (PARTITION BY session_id ORDER BY at, turn RANGE UNBOUNDED PRECEDING) AS nameless
    FROM steps
)
SELECT session_id, at, word, id FROM counted WHERE word IS NOT NULL AND (by_name OR nameless >= %(floor)s)
ORDER BY at, id
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A word that may be counted. `participant` only tells one speaker from another."""

    session: int
    at: datetime
    word: str
    participant: int


def heard(session_pks: Sequence[int]) -> list[Heard]:
    """In order of time. One query for any number of sessions."""
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, {"sessions": list(session_pks), "floor": FLOOR})
        return [Heard(*row) for row in cursor.fetchall()]
