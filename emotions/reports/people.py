"""Students of a session, one by one. Reads; each function is a fixed number of queries.

As in `emotions.reports.selectors`, a reading is shown on its own only while the consent that it was taken under is
the one in force and covers the individual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from classroom.models import CheckIn, ClassSession, Participant
from classroom.text import distinct_names
from emotions.reports import rollups
from emotions.reports.rows import Attendee, StudentMinute, StudentMinutes, most_often
from emotions.reports.selectors import fetch, session_end
from emotions.reports.sharers import Sharer, parameters
from ml.labels import LABELS

# As rows.most_often: the sum of probabilities, made less than one reading, decides between labels that tie.
_WEIGHTS = ", ".join(
    f"r.label_counts[{n + 1}] + r.probability_sums[{n + 1}] / (r.readings + 1)" for n in range(len(LABELS))
)
_BY_MINUTE = f"""
    SELECT r.participant_id,
        array_agg((extract(epoch FROM r.minute) / 60)::int ORDER BY r.minute),
        array_agg(array_position(ARRAY[{_WEIGHTS}], GREATEST({_WEIGHTS})) - 1 ORDER BY r.minute),
        array_agg(2 * r.uncertain > r.readings ORDER BY r.minute)
    FROM {rollups.SO_FAR} r
    JOIN unnest(%(participants)s::bigint[], %(since)s::timestamptz[]) AS sharer(id, since)
      ON sharer.id = r.participant_id AND r.minute >= sharer.since
    GROUP BY 1
"""  # noqa: S608 - columns of this module
_OF_ONE = f"""
    SELECT r.minute, r.readings, r.uncertain, r.probability_sums, r.label_counts
    FROM {rollups.SO_FAR} r
    JOIN unnest(%(participants)s::bigint[], %(since)s::timestamptz[]) AS sharer(id, since)
      ON sharer.id = r.participant_id AND r.minute >= sharer.since
    ORDER BY 1
"""  # noqa: S608 - columns of this module


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970."""
    return int(at.timestamp() // 60)


def minute_after(at: datetime) -> int:
    """The first minute that begins at this time or later."""
    return -int(-at.timestamp() // 60)


def minutes_by_student(session: ClassSession, sharing: Sequence[Sharer]) -> list[StudentMinutes]:
    """The minutes of each of `sharing`, in their order."""
    found = {row[0]: StudentMinutes(*row[1:]) for row in fetch(_BY_MINUTE, parameters(session, sharing))}
    return [found.get(sharer.pk, StudentMinutes([], [], [])) for sharer in sharing]


# -- One student


def minutes_of(session: ClassSession, sharer: Sharer) -> list[StudentMinute]:
    """Every minute of one student who shares individually, in order."""
    return [minute_read(*row) for row in fetch(_OF_ONE, parameters(session, [sharer]))]


def minute_read(
    at: datetime, readings: int, uncertain: int, sums: Sequence[float], counts: Sequence[int]
) -> StudentMinute:
    shares = [total / readings for total in sums]
    return StudentMinute(minute_of(at), most_often(counts, sums), readings, uncertain, shares, counts)


def summed(minutes: Sequence[StudentMinute]) -> StudentMinutes:
    """As `minutes_by_student` gives them."""
    unsure = [2 * each.uncertain > each.readings for each in minutes]
    return StudentMinutes([each.minute for each in minutes], [each.label for each in minutes], unsure)


def said_by(sharer: Sharer) -> list[tuple[datetime, str]]:
    """A student's own words and when, since the consent in force: what was said before it is told of nobody."""
    said = CheckIn.objects.filter(participant=sharer.pk, at__gte=sharer.since)
    return [(one.at, one.get_word_display()) for one in said]


def said_by_each(sharing: Sequence[Sharer]) -> list[Counter[str]]:
    """How often each of `sharing` said each word, in their order and by the same rule. One query."""
    since = {sharer.pk: sharer.since for sharer in sharing}
    counts = {pk: Counter[str]() for pk in since}
    said = CheckIn.objects.filter(participant__in=since).order_by()
    for pk, at, word in said.values_list("participant_id", "at", "word"):
        if at >= since[pk]:
            counts[pk][word] += 1
    return list(counts.values())


# -- Attendance, which is no reading: the list of those present names everybody


def roll(session: ClassSession, sharing: Sequence[Sharer]) -> list[Attendee]:
    """Everybody who joined, by name. Those of `sharing` have the name that they have in the rest of the report."""
    people = list(Participant.objects.students().filter(session=session).order_by("display_name", "joined_at", "pk"))
    names, end = distinct_names([one.display_name for one in people]), session_end(session)
    shown = {sharer.pk for sharer in sharing}
    return [_attendee(one, name, end, shares=one.pk in shown) for one, name in zip(people, names, strict=True)]


def _attendee(one: Participant, name: str, end: datetime, *, shares: bool) -> Attendee:
    gone = one.left_at or one.removed_at
    until = gone or one.last_seen_at
    how = "left" if one.left_at else "removed" if one.removed_at else ""
    until = max(one.joined_at, min(until, end)) if until else None
    return Attendee(one.pk, one.public_id, name, one.joined_at, until, how, shares)


def minutes_there(one: Attendee, measured: int) -> int:
    """From joining to the last sign of them: minutes of the clock, begun ones included, as those with a reading are.

    Not fewer than those `measured`: a reading may come after the last sign, which is noted every 15 seconds only.
    """
    if one.until is None:
        return measured
    return max(1, minute_after(one.until) - minute_of(one.joined), measured)
