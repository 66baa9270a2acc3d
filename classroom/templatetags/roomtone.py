"""Words for templates: codes and lengths as people read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format

from classroom import codes
from classroom.models import ClassSession

register = template.Library()


@register.filter
def spaced(code: str) -> str:
    """KMT4QXB -> KMT-4QXB."""
    return codes.spaced(code)


@register.filter
def named(session: ClassSession) -> str:
    """The title with its day, "Chain rule · Mon 3 Mar"; without a title, "Mon 3 Mar, 10:15"."""
    start = timezone.localtime(session.started_at)
    if not session.title:
        return date_format(start, "D j M, H:i")
    return f"{session.title} · {date_format(start, 'D j M')}"


@register.filter
def longest(row: Any, field: str) -> int:
    """How many characters this field of a model's row takes."""
    return int(row._meta.get_field(field).max_length)


@register.filter
def lasted(session: ClassSession) -> str:
    """How long the session was, or has been: "under a minute", "48 min", "1 h 30 min"."""
    return duration((session.ended_at or timezone.now()) - session.started_at)


def duration(length: timedelta) -> str:
    """Whole minutes in words."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    if not hours:
        return f"{minutes} min" if minutes else "under a minute"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
