"""What `manage.py check --deploy` says beside Django's own advices."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(deploy=True)
def letters_lead_to_us(**_: Any) -> list[checks.CheckMessage]:
    """A request says under which name and port it came: the name is looked at (ALLOWED_HOSTS), the port is not."""
    if not settings.EMAIL_HOST or settings.PUBLIC_URL:
        return []
    said = "Letters are sent, and their links lead to the port that whoever asked for one typed."
    hint = "Set ROOMTONE_PUBLIC_URL to the address of this installation, such as https://roomtone.school.example."
    return [checks.Warning(said, hint=hint, id="roomtone.W001")]
