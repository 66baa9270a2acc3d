"""What room cameras see, for dashboards: means over half a minute, of all live sessions in one query.

A mean over whole half minutes, not over the last seconds: faces have no names, so nobody can hold back until five
come or go, as students' readings do. The mean over some fifteen pictures, in which everybody's face moves, is what
keeps one who leaves unseen in the difference (docs/decisions/0017).
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

from emotions.measured import ROOM, measured
from emotions.messages import RoomMood
from ml.labels import LABELS

BLOCK_MS = 30_000
LATE_MS = 6_000
"""A picture may take so long to be stored: a block that was shown must not change."""
LEAST_PICTURES = 5

_SUMS = ", ".join(f"sum(sums[{n + 1}])" for n in range(len(LABELS)))
_BLOCK = f"""
    SELECT session.id, count(read.id), sum(read.faces), sum(read.uncertain), {_SUMS}
    FROM classroom_classsession session
    JOIN classroom_participant camera ON camera.session_id = session.id AND camera.kind = {ROOM}
    LEFT JOIN emotions_roomreading read ON read.session_id = session.id
        AND read.captured_at >= %(since)s AND read.captured_at < %(until)s
        AND {measured("camera")}
    WHERE session.ended_at IS NULL
    GROUP BY 1
"""  # noqa: S608 - columns of this module


def now_in_rooms(now_ms: float) -> dict[int, RoomMood | None]:
    """Every live session that has a room camera, with the mood of the last whole block: None where it is off, or its
    declaration was taken back."""
    until_ms = block_end(now_ms)
    since, until = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (until_ms - BLOCK_MS, until_ms))
    with connection.cursor() as cursor:
        cursor.execute(_BLOCK, {"since": since, "until": until})
        return {row[0]: _mood(*row[1:]) if row[1] >= LEAST_PICTURES else None for row in cursor.fetchall()}


def block_end(now_ms: float) -> float:
    """When the last whole block ended."""
    return (now_ms - LATE_MS) // BLOCK_MS * BLOCK_MS


def _mood(pictures: int, faces: int, uncertain: int, *sums: float) -> RoomMood:
    shares = [round(min(1.0, one / sum(sums)), 2) for one in sums]
    return RoomMood(faces=round(faces / pictures), uncertain=round(uncertain / pictures), shares=shares)
