from __future__ import annotations

from django.apps import AppConfig


class EmotionsConfig(AppConfig):
    """Readings, the live mood and the reports."""

    name = "emotions"
    verbose_name = "Emotions"

    def ready(self) -> None:
        """Connect the receivers of classroom's signals (withdrawal, erasure, end of a session)."""
        from emotions import receivers  # noqa: F401
