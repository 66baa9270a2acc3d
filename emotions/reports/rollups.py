"""Minute rollups: a student's minute as counts and sums, so that reports never read raw events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from classroom.models import ClassSession
from emotions.models import MinuteRollup
from ml.labels import LABELS

# Frames are seconds old at most; an event that comes later than this was delayed by a restart, and is counted by
# the session's end.
LOOK_BACK = timedelta(minutes=5)

_SUMS = ", ".join(f"sum(probabilities[{place}])" for place in range(1, len(LABELS) + 1))
_COUNTS = ", ".join(f"count(*) FILTER (WHERE label = '{label}')" for label in LABELS)
_CLOSE = f"""
INSERT INTO emotions_minuterollup
    (session_id, participant_id, minute, readings, uncertain, probability_sums, label_counts)
SELECT session_id, participant_id, date_trunc('minute', captured_at) AS minute, count(*),
    count(*) FILTER (WHERE uncertain), ARRAY[{_SUMS}], ARRAY[{_COUNTS}]
FROM emotions_emotionevent
WHERE session_id = ANY(%(sessions)s) AND captured_at >= %(since)s AND captured_at < %(until)s
    AND (%(participant)s::bigint IS NULL OR participant_id = %(participant)s)
GROUP BY session_id, participant_id, minute
ORDER BY session_id, participant_id, minute
ON CONFLICT (session_id, participant_id, minute) DO UPDATE SET
    readings = excluded.readings, uncertain = excluded.uncertain,
    probability_sums = excluded.probability_sums, label_counts = excluded.label_counts
"""  # noqa: S608 - constants of the code
# Two counts of one session's minutes, or a count and an erasure, wait for each other; lowest first.
_LOCK_SPACE = 7301
_HOLD = """
SELECT pg_advisory_xact_lock(%(space)s, session::int)
FROM (SELECT session FROM unnest(%(sessions)s::bigint[]) AS session ORDER BY session) AS one_by_one
"""
_RECENT = """
SELECT id FROM classroom_classsession WHERE ended_at IS NULL OR ended_at > %(since)s
"""
_STALE = """
DELETE FROM emotions_minuterollup
WHERE session_id = %(session)s AND minute >= %(since)s AND minute < %(until)s AND (participant_id, minute) NOT IN (
    SELECT DISTINCT participant_id, date_trunc('minute', captured_at) FROM emotions_emotionevent
    WHERE session_id = %(session)s AND captured_at >= %(since)s AND captured_at < %(until)s
)
"""
# One probe of the events' index for each minute that has no row (LIMIT keeps the planner from joining them all).
_MISSING = """
SELECT count(*) FROM generate_series(%(since)s::timestamptz, %(until)s - interval '1 minute', '1 minute') AS minute
CROSS JOIN LATERAL (
    SELECT 1 FROM emotions_emotionevent
    WHERE session_id = %(session)s AND captured_at >= minute AND captured_at < minute + interval '1 minute'
    ORDER BY captured_at LIMIT 1
) AS event
WHERE minute NOT IN (SELECT DISTINCT minute FROM emotions_minuterollup WHERE session_id = %(session)s)
"""
# A minute is closed by the first round after it; this much later it should have been counted.
ROUNDS = timedelta(minutes=2)
# The minutes of a session as rows like the rollups: those counted, and of a live session the last ones from its
# events, since no round may have counted them yet. Its parameters are those of `so_far`.
SO_FAR = f"""(
    SELECT participant_id, minute, readings, uncertain, probability_sums, label_counts
    FROM emotions_minuterollup WHERE session_id = %(session)s AND minute < %(open)s AND readings > 0
    UNION ALL
    SELECT participant_id, date_trunc('minute', captured_at), count(*), count(*) FILTER (WHERE uncertain),
        ARRAY[{_SUMS}]::float8[], ARRAY[{_COUNTS}]::int[]
    FROM emotions_emotionevent WHERE session_id = %(session)s AND captured_at >= %(open)s GROUP BY 1, 2
)"""  # noqa: S608 - constants of the code


def close_minutes(now: datetime | None = None) -> int:
    """Count the minutes closed within LOOK_BACK, in every session that was live then. Returns the rows written."""
    until = _minute(now or timezone.now())
    since = until - LOOK_BACK
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, {"since": since})
        sessions = [pk for (pk,) in cursor.fetchall()]
    return count_minutes(sessions, since, until)


def close_session(session_pk: int, now: datetime | None = None) -> int:
    """Count what the regular rounds have not: the last minutes of a session that ends, the running one too."""
    until = now or timezone.now()
    return count_minutes([session_pk], _minute(until) - LOOK_BACK, until)


def count_minutes(session_pks: list[int], since: datetime, until: datetime) -> int:
    """Count anew the minutes from `since` (on the minute) up to `until`. Idempotent. Returns the rows written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, {"space": _LOCK_SPACE, "sessions": session_pks})
        cursor.execute(_CLOSE, {"sessions": session_pks, "since": since, "until": until, "participant": None})
        return int(cursor.rowcount)


def hold(session_pk: int) -> None:
    """Nobody else counts the session's minutes until the transaction ends, and whoever does then sees what it did: an
    erasure must not be undone by a count that began before it."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"space": _LOCK_SPACE, "sessions": [session_pk]})


def recount_participant(session_pk: int, participant_pk: int, since: datetime) -> int:
    """Make a participant's minutes from the one of `since` on what the events say, within the caller's `hold`.
    Returns how many went."""
    first, end = _minute(since), timezone.now() + LOOK_BACK
    minutes = MinuteRollup.objects.filter(session=session_pk, participant=participant_pk, minute__gte=first)
    before = set(minutes.values_list("minute", flat=True))
    minutes.delete()
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE, {"sessions": [session_pk], "since": first, "until": end, "participant": participant_pk}
        )
    return len(before.difference(minutes.values_list("minute", flat=True)))


def recount(session_pk: int, since: datetime, until: datetime) -> None:
    """Make the minutes from `since` to `until` (both on the minute) what the events say, neither more nor less."""
    with transaction.atomic():
        count_minutes([session_pk], since, until)
        with connection.cursor() as cursor:
            cursor.execute(_STALE, {"session": session_pk, "since": since, "until": until})


def so_far(session: ClassSession, now: datetime | None = None) -> dict[str, object]:
    """The parameters of SO_FAR. An ended session has no open minutes: its end has counted them."""
    open_from = datetime.max.replace(tzinfo=UTC) if session.ended_at else _settled(session, now)
    return {"session": session.pk, "open": open_from}


def missing_minutes(session: ClassSession, now: datetime | None = None) -> int:
    """In how many minutes readings are stored and not one is counted: no worker was there when they closed."""
    since, until = bounds(session, now)
    until = until if session.ended_at else _settled(session, now)
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, {"session": session.pk, "since": since, "until": until})
        return int(cursor.fetchone()[0])


def bounds(session: ClassSession, now: datetime | None = None) -> tuple[datetime, datetime]:
    """The session's closed minutes: from the first to before the last. Of one that has ended, all of them."""
    since = _minute(session.started_at)
    if session.ended_at is None:
        return since, max(since, _minute(now or timezone.now()))
    return since, _minute(session.ended_at) + timedelta(minutes=1)


def _settled(session: ClassSession, now: datetime | None) -> datetime:
    """The minutes of a live session before this one should have been counted."""
    return bounds(session, now)[1] - ROUNDS


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
