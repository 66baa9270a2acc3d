"""What the classroom's pages show of the mood: the classroom itself knows nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from classroom.models import ClassSession
from emotions.reports import term_page
from emotions.reports.term import TermRow, term_rows

register = template.Library()


@register.simple_tag
def mood_of(sessions: Iterable[ClassSession]) -> list[TermRow]:
    """The row of each session, in order. Five queries."""
    return term_rows(list(sessions))


@register.filter
def in_lines(rows: list[TermRow]) -> list[term_page.TermLine]:
    return term_page.lines(rows)


@register.filter
def in_trends(rows: list[TermRow]) -> list[term_page.Trend]:
    return term_page.trends(rows)
