from __future__ import annotations

from django.apps import AppConfig


class ClassroomConfig(AppConfig):
    """People, courses, sessions and consent. Knows nothing of emotions."""

    name = "classroom"
    verbose_name = "Classroom"
