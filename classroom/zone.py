"""The school's time zone, for scripts: they know only that of the computer that they run on."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def offset_ms(at: datetime) -> float:
    """The zone against UTC at that moment, so that every page says the same times. Charts have no zones: they are
    drawn in local time."""
    offset = timezone.localtime(at).utcoffset()
    return offset.total_seconds() * 1000 if offset else 0
