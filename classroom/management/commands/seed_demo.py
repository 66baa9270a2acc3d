"""`manage.py seed_demo`: accounts, a course and a live session to look at. Only where the profile is the demo's."""

from __future__ import annotations

import json
import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from classroom import actions
from classroom.codes import spaced
from classroom.demo import ADMIN, COURSE, INSTRUCTOR
from classroom.models import ClassSession, Course


class Command(BaseCommand):
    help = (
        "Make the demo's instructor, admin, course and live session, or find those of the last run. "
        "The password is ROOMTONE_DEMO_PASSWORD, or made up and printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PROFILE.demo:
            raise CommandError(
                f"The profile is {settings.PROFILE.name!r}: demo accounts exist only with ROOMTONE_PROFILE=demo."
            )
        password = os.environ.get("ROOMTONE_DEMO_PASSWORD") or secrets.token_urlsafe(9)
        instructor = _account(INSTRUCTOR, password, staff=False)
        _account(ADMIN, password, staff=True)
        session = _live_session(instructor)
        self._print(_summary(session, password), as_json=options["json"])

    def _print(self, summary: dict[str, str], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(summary))
            return
        for name, value in summary.items():
            self.stdout.write(f"{name.replace('_', ' '):<16}  {value}")


def _account(name: str, password: str, *, staff: bool) -> User:
    """The account with exactly this password; untouched where it has it already (sessions stay signed in)."""
    user, _ = get_user_model().objects.get_or_create(
        username=name, defaults={"is_staff": staff, "is_superuser": staff}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return user


def _live_session(instructor: User) -> ClassSession:
    course, _ = Course.objects.get_or_create(title=COURSE, instructor=instructor)
    session = course.sessions.live().first()
    # A lecture that was left live the day before is over.
    if session is not None and timezone.now() - session.started_at > actions.LONGEST_SESSION:
        actions.end_session(session)
        session = None
    return session or actions.start_session(course)


def _summary(session: ClassSession, password: str) -> dict[str, str]:
    return {
        "instructor": INSTRUCTOR,
        "admin": ADMIN,
        "password": password,
        "join_code": session.join_code,
        "join_code_spaced": spaced(session.join_code),
        "session": str(session.public_id),
        "join": f"{reverse('join')}?code={session.join_code}",
        "dashboard": reverse("dashboard", args=[session.public_id]),
    }
