from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EmotionsConfig(AppConfig):
    """Readings, the live mood and the reports."""

    name = "emotions"
    verbose_name = "Emotions"

    def ready(self) -> None:
        """Connect the receivers of classroom's signals (withdrawal, erasure, end of a session), and roles."""
        from emotions import receivers, restored, slices  # noqa: F401

        post_migrate.connect(grant_roles, sender=self)


def grant_roles(**_: Any) -> None:
    """Both roles read; which rows, emotions.admin says."""
    from classroom.roles import ROLES, grant

    for role in ROLES:
        grant(role, "emotions", ["view_emotionevent", "view_minuterollup", "view_moodpoint"])
