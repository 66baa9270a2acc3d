"""Where faces may be read: on the server, on the student's own device, or as the student chooses."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static

from classroom.models import ClassSession, ReadingPlace

NO_DEVICE_FILES = (
    "Pictures may only be read on your own device here, and this server lacks the files that a browser needs for it. "
    "Nothing is measured. Ask whoever runs the server."
)


def allowed(session: ClassSession) -> ReadingPlace:
    """The deployment's rule goes before the session's. Without the files for browsers, a choice is the server."""
    rule = ReadingPlace(settings.READING_PLACE)
    place = ReadingPlace(session.reading_place) if rule == ReadingPlace.CHOICE else rule
    if place == ReadingPlace.CHOICE and settings.DEVICE is None:
        return ReadingPlace.SERVER
    return place


def refusal(session: ClassSession) -> str:
    """Why no picture can be read anywhere, in words; empty where one can."""
    missing = allowed(session) == ReadingPlace.DEVICE and settings.DEVICE is None
    return NO_DEVICE_FILES if missing else ""


def can_choose() -> bool:
    """Whether an instructor has anything to choose."""
    return settings.DEVICE is not None and settings.READING_PLACE == ReadingPlace.CHOICE


def for_browsers() -> dict[str, Any] | None:
    """What a page needs to read faces by itself; None without the files."""
    facts = settings.DEVICE
    if facts is None:
        return None
    urls = {name: static(path) for name, path in settings.DEVICE_STATIC.items()}
    return {"urls": urls, "version": facts.version, "odds": facts.odds, "uncertain_below": facts.uncertain_below}
