from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClassroomConfig(AppConfig):
    """People, courses, sessions and consent. Knows nothing of emotions."""

    name = "classroom"
    verbose_name = "Classroom"

    def ready(self) -> None:
        """Keep the roles of the administration in place; have the settings looked at."""
        from classroom.config import checks  # noqa: F401
        from classroom.roles import grant_roles

        post_migrate.connect(grant_roles, sender=self)
