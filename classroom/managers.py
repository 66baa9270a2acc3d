"""Which rows exist for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

    from classroom.models import ClassSession, Course, Participant  # noqa: F401


class CourseQuerySet(models.QuerySet["Course"]):
    def visible_to(self, user: User | AnonymousUser) -> CourseQuerySet:
        """The instructor's own courses; none for a stranger. Admins use Django admin."""
        return self.filter(instructor=user) if user.is_authenticated else self.none()


class ClassSessionQuerySet(models.QuerySet["ClassSession"]):
    def live(self) -> ClassSessionQuerySet:
        return self.filter(ended_at__isnull=True)

    def visible_to(self, user: User | AnonymousUser) -> ClassSessionQuerySet:
        """Sessions of the instructor's own courses."""
        return self.filter(course__instructor=user) if user.is_authenticated else self.none()


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def students(self) -> ParticipantQuerySet:
        """People, without a room's camera."""
        return self.filter(kind="student")

    def present(self) -> ParticipantQuerySet:
        """Neither left nor removed."""
        return self.filter(Q(left_at__isnull=True), Q(removed_at__isnull=True))
