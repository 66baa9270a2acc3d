"""Everything that is stored about one participant, for themselves: in numbers for a page, and whole for a file.

The file is sent as it is made: a lecture of readings is ten megabytes, and several may ask for theirs at once.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, Max, Min

from classroom.models import ClassSession, ConsentEvent, Participant, ShownText
from classroom.turns import streamed
from emotions.models import EmotionEvent, MinuteRollup
from ml.labels import LABELS

FORMAT = "roomtone-own-data-1"
CHUNK = 500
STAYS = (
    "Not in this file: the class mood of each second, which was made of five students or more and names nobody; and "
    "what is in memory for seconds only (your last picture, your last reading, whether you are connected)."
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """In numbers; `first` and `last`: when the readings were captured."""

    readings: int
    first: datetime | None
    last: datetime | None
    words: int
    consents: list[ConsentEvent]


def recorded(participant: Participant) -> Recorded:
    """Three queries."""
    events = EmotionEvent.objects.filter(participant=participant)
    counted = events.aggregate(readings=Count("pk"), first=Min("captured_at"), last=Max("captured_at"))
    return Recorded(**counted, words=participant.check_ins.count(), consents=list(participant.consent_events.all()))


async def file(participant: Participant) -> AsyncIterator[str]:
    """One JSON object in pieces, times in UTC: the readings oldest first, never all of them in memory."""
    yield (await streamed(_before, participant)).removesuffix("}") + ', "readings": ['
    numbers, between = await streamed(_numbers, participant), ""
    for place in range(0, len(numbers), CHUNK):
        # None, where they were erased meanwhile.
        if rows := await streamed(_readings, list(numbers[place : place + CHUNK])):
            yield between + ", ".join(rows)
            between = ", "
    yield "], " + (await streamed(_after, participant)).removeprefix("{")


def _before(participant: Participant) -> str:
    return _json(
        {
            "format": FORMAT,
            "session": _session(participant.session),
            "you": _person(participant),
            "consents": _consents(participant),
            "words_about_the_pace": [{"at": one.at, "word": one.word} for one in participant.check_ins.all()],
            "emotions": list(LABELS),
        }
    )


def _numbers(participant: Participant) -> array[int]:
    """Of the readings, oldest first: eight bytes each, and they are sorted once."""
    readings = EmotionEvent.objects.filter(participant=participant).order_by("captured_at", "pk")
    return array("q", readings.values_list("pk", flat=True))


def _readings(numbers: list[int]) -> list[str]:
    rows = EmotionEvent.objects.filter(pk__in=numbers).order_by("captured_at", "pk")
    return [_json(row) for row in rows.values(*_EVENT)]


def _after(participant: Participant) -> str:
    minutes = MinuteRollup.objects.filter(participant=participant).order_by("minute")
    return _json({"minutes": list(minutes.values(*_MINUTE)), "not_in_this_file": STAYS})


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


_EVENT = (
    "captured_at", "received_at", "label", "confidence", "uncertain", "probabilities", "box", "face_count",
    "model_version", "source", "connection", "sequence",
)  # fmt: skip
_MINUTE = ("minute", "readings", "uncertain", "probability_sums", "label_counts")


def _session(session: ClassSession) -> dict[str, Any]:
    return {
        "id": session.public_id,
        "course": session.course.title,
        "title": session.title,
        "mode": session.mode,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "kept_for_days_after_its_end": session.keep_days,
    }


def _person(participant: Participant) -> dict[str, Any]:
    return {
        "id": participant.public_id,
        "name": participant.display_name,
        "choice_now": participant.scope,
        "joined_at": participant.joined_at,
        "last_seen_at": participant.last_seen_at,
        "left_at": participant.left_at,
        "removed_at": participant.removed_at,
        "hand_raised_at": participant.hand_raised_at,
    }


def _consents(participant: Participant) -> list[dict[str, Any]]:
    """With the words that were answered, where they were kept."""
    answers = list(participant.consent_events.all())
    texts = ShownText.objects.filter(sha256__in={one.text_hash for one in answers}).values_list("sha256", "words")
    words = dict(texts)
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "scope": one.scope,
            "text_sha256": one.text_hash,
            "text": words.get(one.text_hash),
        }
        for one in answers
    ]
