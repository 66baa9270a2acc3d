"""Students of a session, one by one. Reads; each function is a fixed number of queries.

As in `emotions.reports.selectors`, a reading is shown on its own only while the consent that it was taken under is
the one in force and covers the individual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from classroom.models import CheckIn, ClassSession, Participant
from emotions.models import MinuteRollup
from emotions.reports.rows import Attendee, StudentMinute, StudentMinutes
from emotions.reports.selectors import Sharer, fetch, session_end
from ml.labels import LABELS

_MOST = ", ".join(f"r.label_counts[{n + 1}]" for n in range(len(LABELS)))
_BY_MINUTE = f"""
    SELECT r.participant_id,
        array_agg((extract(epoch FROM r.minute) / 60)::int ORDER BY r.minute),
        array_agg(array_position(r.label_counts, GREATEST({_MOST})) - 1 ORDER BY r.minute),
        array_agg(2 * r.uncertain > r.readings ORDER BY r.minute)
    FROM emotions_minuterollup r
    JOIN unnest(%(participants)s::bigint[], %(since)s::timestamptz[]) AS sharer(id, since)
      ON sharer.id = r.participant_id AND r.minute >= sharer.since
    WHERE r.session_id = %(session)s AND r.readings > 0 GROUP BY 1
"""  # noqa: S608 - columns of this module


def minute_of(at: datetime) -> int:
    """Whole minutes since 1970."""
    return int(at.timestamp() // 60)


def minute_after(at: datetime) -> int:
    """The first minute that begins at this time or later."""
    return -int(-at.timestamp() // 60)


def minutes_by_student(session: ClassSession, sharing: Sequence[Sharer]) -> list[StudentMinutes]:
    """The minutes of each of `sharing`, in their order, from the rollups."""
    scope = {
        "session": session.pk,
        "participants": [sharer.pk for sharer in sharing],
        "since": [sharer.from_minute for sharer in sharing],
    }
    found = {row[0]: StudentMinutes(*row[1:]) for row in fetch(_BY_MINUTE, scope)}
    return [found.get(sharer.pk, StudentMinutes([], [], [])) for sharer in sharing]


# -- One student


def minutes_of(session: ClassSession, sharer: Sharer) -> list[StudentMinute]:
    """Every minute of one student who shares individually, in order."""
    rows = MinuteRollup.objects.filter(session=session, participant=sharer.pk, readings__gt=0)
    return [_minute(row) for row in rows.filter(minute__gte=sharer.from_minute).order_by("minute")]


def _minute(row: MinuteRollup) -> StudentMinute:
    most = row.label_counts.index(max(row.label_counts))
    shares = [total / row.readings for total in row.probability_sums]
    return StudentMinute(minute_of(row.minute), most, row.readings, row.uncertain, shares)


def summed(minutes: Sequence[StudentMinute]) -> StudentMinutes:
    """As `minutes_by_student` gives them."""
    unsure = [2 * each.uncertain > each.readings for each in minutes]
    return StudentMinutes([each.minute for each in minutes], [each.label for each in minutes], unsure)


def said_by(sharer: Sharer) -> list[tuple[datetime, str]]:
    """A student's own words and when, since the consent in force: what was said before it is told of nobody."""
    said = CheckIn.objects.filter(participant=sharer.pk, at__gte=sharer.since)
    return [(one.at, one.get_word_display()) for one in said]


# -- Attendance, which is no reading: the list of those present names everybody


def roll(session: ClassSession, sharing: Sequence[Sharer]) -> list[Attendee]:
    """Everybody who joined, by name. Those of `sharing` keep the name that they have in the rest of the report."""
    people = list(Participant.objects.students().filter(session=session).order_by("display_name", "joined_at", "pk"))
    names, end = _names(people, {sharer.pk: sharer.name for sharer in sharing}), session_end(session)
    shown = {sharer.pk for sharer in sharing}
    return [_attendee(one, names[one.pk], end, shares=one.pk in shown) for one in people]


def _names(people: Sequence[Participant], shown: Mapping[int, str]) -> dict[int, str]:
    """Who bears a name that occurs already gets the next number."""
    taken = Counter(one.display_name for one in people if one.pk in shown)
    often = Counter(one.display_name for one in people)
    names = dict(shown)
    for one in people:
        if one.pk not in shown:
            taken[one.display_name] += 1
            many = often[one.display_name] > 1
            names[one.pk] = f"{one.display_name} ({taken[one.display_name]})" if many else one.display_name
    return names


def _attendee(one: Participant, name: str, end: datetime, *, shares: bool) -> Attendee:
    gone = one.left_at or one.removed_at
    until = gone or one.last_seen_at
    how = "left" if one.left_at else "removed" if one.removed_at else ""
    until = max(one.joined_at, min(until, end)) if until else None
    return Attendee(one.pk, one.public_id, name, one.joined_at, until, how, shares)
