"""What was read of one student, minute by minute, for their own eyes.

In the words of the page that an instructor has of those who share with their name (`student_page`): but whatever they
share, and of all their time in the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from classroom.models import Participant
from emotions.reports import charts, lanes, page, people, rollups, selectors
from emotions.reports.rows import Student, StudentMinute
from emotions.reports.student_page import MinuteLine, minute_line
from ml.labels import LABELS

OWN_TICKS = 3  # One more may begin before the stay: on a phone, there is room for four.

# Asked for by one student, the minutes of the others are not even counted.
_OWN = f"""
    SELECT r.minute, r.readings, r.uncertain, r.probability_sums, r.label_counts
    FROM {rollups.SO_FAR} r
    WHERE r.participant_id = %(participant)s
    ORDER BY 1
"""  # noqa: S608 - columns of this module


@dataclass(frozen=True, slots=True)
class OwnPage:
    """`line`: all `minutes` together; `lane`: their shares, on the `axis` of the student's own stay; `said`: their
    words about the pace, and when."""

    line: page.StudentLine
    legend: Sequence[str]
    axis: lanes.Axis
    lane: SafeString
    minutes: list[MinuteLine]
    said: list[tuple[datetime, str]]


def build(participant: Participant) -> OwnPage:
    """Two queries. Without `minutes`, nothing was read."""
    rows = selectors.fetch(_OWN, {**rollups.so_far(participant.session), "participant": participant.pk})
    minutes = [people.minute_read(*row) for row in rows]
    stay = _stay(participant, minutes)
    axis = lanes.axis(stay.first, stay.end - 1, most=OWN_TICKS)
    return OwnPage(
        line=page.student_line(_together(participant, rows), {}),
        legend=charts.STACK[::-1],
        axis=axis,
        lane=_lane(axis, minutes, stay),
        minutes=[minute_line(minute) for minute in minutes],
        said=[(one.at, one.get_word_display()) for one in participant.check_ins.all()],
    )


def _together(participant: Participant, rows: Sequence[Sequence[Any]]) -> Student:
    readings, uncertain = (sum(row[n] for row in rows) for n in (1, 2))
    sums, counts = ([sum(row[n][label] for row in rows) for label in range(len(LABELS))] for n in (3, 4))
    shares = [total / readings for total in sums] if readings else None
    return Student(participant.public_id, participant.display_name, len(rows), readings, uncertain, shares, counts)


def _stay(participant: Participant, minutes: Sequence[StudentMinute]) -> lanes.Stay:
    """From joining to the last sign of them; every reading lies within."""
    seen = participant.left_at or participant.removed_at or participant.last_seen_at or participant.joined_at
    first = people.minute_of(participant.joined_at)
    end = people.minute_after(min(seen, selectors.session_end(participant.session)))
    read = [minute.minute for minute in minutes]
    return lanes.Stay(min([first, *read[:1]]), max([first + 1, end, *(at + 1 for at in read[-1:])]))


def _lane(axis: lanes.Axis, minutes: Sequence[StudentMinute], stay: lanes.Stay) -> SafeString:
    shares = {minute.minute: minute.shares for minute in minutes}
    columns = ((at, shares.get(at)) for at in range(stay.first, stay.end))
    return lanes.columns(axis, columns, lanes.in_words(people.summed(minutes), stay))
