"""What the administration shows of a session: the report's own chart and words, and how much was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from classroom.models import ClassSession
from emotions.reports import charts, page, selectors, spoken
from emotions.reports.moments import moments
from emotions.reports.totals import Totals, totals


@dataclass(frozen=True, slots=True)
class Overview:
    """As in `emotions.reports.page.Report`."""

    summary: list[str]
    figure: charts.Figure | None
    legend: Sequence[str]
    marked: list[tuple[datetime, str]]
    moments: list[page.MomentLine]
    sections: list[page.SectionLine]
    totals: Totals


def overview(session: ClassSession) -> Overview:
    """At most nineteen queries, for a class and a length of any size."""
    start, end = session.started_at, selectors.session_end(session)
    # Of a session that is being deleted, what is left is no whole.
    rows = [] if session.purged_at else selectors.mood_rows(session, start, end, most=charts.MOST_POINTS)
    marked = selectors.markers(session)
    said, found = selectors.said(session), moments(rows, marked)
    sections = selectors.sections(session, marked, said)
    recorded, whole = totals(session), page.whole_of(session, sections, said)
    of_words = spoken.of_session(whole, said, marked)
    return Overview(
        summary=page.summary(session, rows, whole, recorded.students, of_words),
        figure=page.figure(session, rows, marked, found),
        legend=charts.STACK[::-1],
        marked=page.marker_times(marked),
        moments=page.moment_lines(found),
        sections=[page.section_line(section) for section in sections],
        totals=recorded,
    )
