"""What emotions write: readings of students, sums of a room's camera, and the end of what is known about somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Literal

from django.db import connection, transaction
from django.db.models import QuerySet

from classroom.actions import words_said
from classroom.models import CheckIn, Participant
from emotions.measured import STUDENT, measured, measuring
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint, RoomReading
from emotions.mood.alerts import WORDS_MS
from emotions.mood.cohort import FLOOR
from emotions.readings.observations import FaceRead, Observation, RoomSums
from emotions.reports import rollups
from ml.labels import LABELS

Verdict = Literal["stored", "no_consent", "old_epoch", "repeated"]
RoomVerdict = Verdict | Literal["too_few"]

# Of whom something may be stored now. Locks each participant's row against a change of consent (which updates it),
# lowest first so that two batches can't wait for each other, and sees what is committed: whoever withdraws before us
# is not in it, whoever withdraws after us waits until this batch is stored.
_PRESENT = f"""
    SELECT participant.id, participant.session_id, participant.consent_epoch
    FROM classroom_participant participant
    JOIN classroom_classsession session ON session.id = participant.session_id
    WHERE participant.id = ANY(%(participant)s::bigint[]) AND participant.kind = %(kind)s
        AND {measured("participant")} AND {measuring("session")}
    ORDER BY participant.id
    FOR SHARE OF participant
"""  # noqa: S608 - constants of the code
# One statement, so one round trip and one transaction. The session of an event is the participant's own: what the
# frame says of it is not trusted.
_RECORD = f"""
WITH incoming AS (
    SELECT * FROM unnest(
        %(participant)s::bigint[], %(epoch)s::bigint[], %(connection)s::uuid[], %(sequence)s::bigint[],
        %(captured)s::float8[], %(received)s::float8[], %(label)s::text[], %(confidence)s::float8[],
        %(uncertain)s::bool[], %(face_count)s::int[], %(version)s::text[], %(source)s::text[]
    ) WITH ORDINALITY AS incoming(
        participant_id, epoch, connection, sequence, captured, received, label, confidence,
        uncertain, face_count, version, source, n
    )
), present AS ({_PRESENT}), stored AS (
    INSERT INTO emotions_emotionevent (
        session_id, participant_id, connection, sequence, captured_at, received_at, probabilities, label, confidence,
        uncertain, box, face_count, model_version, source
    )
    SELECT present.session_id, present.id, connection, sequence, to_timestamp(captured / 1000),
        to_timestamp(received / 1000), (%(probabilities)s::float8[])[(n - 1) * {len(LABELS)} + 1 : n * {len(LABELS)}],
        label, confidence, uncertain, (%(box)s::float8[])[(n - 1) * 4 + 1 : n * 4], face_count, version,
        incoming.source
    FROM incoming JOIN present ON present.id = incoming.participant_id AND present.consent_epoch = incoming.epoch
    ON CONFLICT (participant_id, connection, sequence) DO NOTHING
    RETURNING participant_id, connection, sequence
)
SELECT CASE
    WHEN present.id IS NULL THEN 'no_consent'
    WHEN present.consent_epoch <> incoming.epoch THEN 'old_epoch'
    WHEN stored.sequence IS NULL THEN 'repeated'
    ELSE 'stored'
END
FROM incoming
LEFT JOIN present ON present.id = incoming.participant_id
LEFT JOIN stored USING (participant_id, connection, sequence)
ORDER BY n
"""  # noqa: S608 - constants of the code

# As above, for one picture of a room's camera. `needed`: the sums less all that is shown of those who are measured by
# a camera of their own (tiles, and the class mood of the others) must still be of FLOOR faces, whomever it sees.
_RECORD_ROOM = f"""
WITH present AS ({_PRESENT}), floor AS (
    SELECT %(floor)s + count(shown.id) AS needed
    FROM present
    LEFT JOIN classroom_participant shown ON shown.session_id = present.session_id AND shown.kind = {STUDENT}
        AND {measured("shown")}
), stored AS (
    INSERT INTO emotions_roomreading (
        session_id, participant_id, connection, sequence, captured_at, faces, uncertain, sums, model_version
    )
    SELECT present.session_id, present.id, %(connection)s, %(sequence)s, to_timestamp(%(captured)s / 1000),
        %(faces)s, %(uncertain)s, %(sums)s, %(version)s
    FROM present CROSS JOIN floor
    WHERE present.consent_epoch = %(epoch)s AND %(faces)s >= floor.needed
    ON CONFLICT (participant_id, connection, sequence) DO NOTHING
    RETURNING id
)
SELECT CASE
    WHEN present.id IS NULL THEN 'no_consent'
    WHEN present.consent_epoch <> %(epoch)s THEN 'old_epoch'
    WHEN %(faces)s < floor.needed THEN 'too_few'
    WHEN NOT EXISTS (SELECT FROM stored) THEN 'repeated'
    ELSE 'stored'
END, floor.needed
FROM floor LEFT JOIN present ON true
"""  # noqa: S608 - constants of the code

_FORGET_WORDS = """
UPDATE emotions_moodpoint point SET pace = '{}'
WHERE session_id = %(session)s AND pace <> '{}' AND EXISTS (
    SELECT FROM unnest(%(said)s::timestamptz[]) AS said(at)
    WHERE point.at BETWEEN said.at - interval '1 second' AND said.at + %(counted)s::interval
)
"""


@dataclass(frozen=True, slots=True)
class _Row:
    observation: Observation
    face: FaceRead


def record_readings(observations: Sequence[Observation]) -> list[Verdict]:
    """Store one event for each observation with a face; the verdicts stand in the same order.

    Idempotent: a frame that is stored already is "repeated". Nothing lands after a withdrawal has committed, nor
    for an older consent ("old_epoch"), nor in a session that has ended or for a participant who is gone
    ("no_consent"). Raises ValueError for an observation without a face.
    """
    rows = [_row(observation) for observation in observations]
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, _columns(rows))
        return [verdict for (verdict,) in cursor.fetchall()]


def record_room(picture: RoomSums) -> tuple[RoomVerdict, int]:
    """Store the sums of one picture of a room's camera, as `record_readings` stores a student's reading; "too_few":
    of so few faces nothing is stored. Also answers how many it takes."""
    frame = picture.frame
    values: dict[str, Any] = {
        "participant": [frame.participant],
        "kind": Participant.Kind.ROOM.value,
        "epoch": frame.consent_epoch,
        "connection": frame.connection,
        "sequence": frame.sequence,
        "captured": frame.captured_ms,
        "faces": picture.faces,
        "uncertain": picture.uncertain,
        "sums": list(picture.sums),
        "version": picture.model_version,
        "floor": FLOOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ROOM, values)
        verdict, needed = cursor.fetchone()
    return verdict, needed


def forget_participant(session_pk: int, participant_pk: int) -> dict[str, int]:
    """Delete everything stored about a participant; returns how many rows, by model. The class's own mood points
    stay, as far as they name nobody (`forget_words`). The caller keeps the session's minutes from being counted
    meanwhile."""
    forget_words(session_pk, CheckIn.objects.filter(participant_id=participant_pk))
    readings, _ = EmotionEvent.objects.filter(participant_id=participant_pk).delete()
    minutes, _ = MinuteRollup.objects.filter(session_id=session_pk, participant_id=participant_pk).delete()
    sums, _ = RoomReading.objects.filter(participant_id=participant_pk).delete()
    return {"EmotionEvent": readings, "MinuteRollup": minutes, "RoomReading": sums}


def forget_since(session_pk: int, participant_pk: int, since: datetime) -> dict[str, int]:
    """Delete the readings of a participant that were captured from `since` on; returns how many, as above. Words of
    since then leave the class's mood points, too."""
    forget_words(session_pk, words_said(participant_pk, since))
    readings, _ = EmotionEvent.objects.filter(participant_id=participant_pk, captured_at__gte=since).delete()
    return {"EmotionEvent": readings}


def forget_words(session_pk: int, words: QuerySet[CheckIn]) -> None:
    """Take the counts of words out of the session's mood points of the time for which one of `words`, which are about
    to be deleted, counted. Where few speak, a count is somebody's word; reports count the words themselves.

    As in `forget_participant`, the caller holds the session's minutes: two of these could wait for each other.
    """
    if said := list(words.values_list("at", flat=True)):
        _clear_words(session_pk, said)
        # The ticker may have stored a second of them meanwhile. What it stores from then on it looks through itself.
        transaction.on_commit(partial(_clear_words_again, session_pk, said), robust=True)


@transaction.atomic
def _clear_words_again(session_pk: int, said: Sequence[datetime]) -> None:
    rollups.hold(session_pk)
    _clear_words(session_pk, said)


def _clear_words(session_pk: int, said: Sequence[datetime]) -> None:
    """A point is of the beginning of a tick, which may be a little before the word that it counts."""
    values: dict[str, Any] = {"session": session_pk, "said": said, "counted": f"{WORDS_MS} milliseconds"}
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_WORDS, values)


def forget_session(session_pk: int) -> dict[str, int]:
    """Delete every reading of a session and what was made of them; returns how many rows, by model."""
    models = (EmotionEvent, MinuteRollup, MoodPoint, RoomReading)
    return {model.__name__: model._default_manager.filter(session=session_pk).delete()[0] for model in models}


def _row(observation: Observation) -> _Row:
    if observation.face is None:
        raise ValueError(f"expected an observation with a face, received {observation}")
    return _Row(observation, observation.face)


def _columns(rows: Sequence[_Row]) -> dict[str, Any]:
    frames = [row.observation.frame for row in rows]
    return {
        "kind": Participant.Kind.STUDENT.value,
        "participant": [frame.participant for frame in frames],
        "epoch": [frame.consent_epoch for frame in frames],
        "connection": [frame.connection for frame in frames],
        "sequence": [frame.sequence for frame in frames],
        "captured": [frame.captured_ms for frame in frames],
        "received": [frame.received_ms for frame in frames],
        "label": [row.face.label for row in rows],
        "confidence": [row.face.confidence for row in rows],
        "uncertain": [row.face.uncertain for row in rows],
        "face_count": [row.observation.face_count for row in rows],
        "version": [row.observation.model_version for row in rows],
        "source": [row.observation.source for row in rows],
        "probabilities": list(chain.from_iterable(row.face.probabilities for row in rows)),
        "box": list(chain.from_iterable(row.face.box for row in rows)),
    }
