"""The two roles of the administration, as groups. Whoever has one needs to be staff as well, to sign in there.

A school admin sees all and looks after it; an instructor sees their own courses and changes nothing. Every `migrate`
puts back what a role needs and takes nothing away; rights beyond them belong in a group of the school's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission

SCHOOL_ADMIN, INSTRUCTOR = "School admin", "Instructor"
ROLES = (SCHOOL_ADMIN, INSTRUCTOR)

_VIEW = ["view_course", "view_classsession", "view_participant", "view_consentevent", "view_marker", "view_checkin"]
_LOOK_AFTER = [
    "see_every_session", "close_classsession", "purge_classsession", "export_classsession", "delete_classsession",
    "delete_participant", "change_course", "view_erasure", "view_showntext",
]  # fmt: skip


def grant(role: str, app: str, codenames: Iterable[str]) -> None:
    """Let the role have these permissions of an app, beside those that it has. Idempotent."""
    group, _ = Group.objects.get_or_create(name=role)
    group.permissions.add(*Permission.objects.filter(content_type__app_label=app, codename__in=codenames))


def grant_roles(**_: Any) -> None:
    """The classroom's part of each role; other apps add their own."""
    grant(SCHOOL_ADMIN, "classroom", [*_VIEW, *_LOOK_AFTER])
    grant(SCHOOL_ADMIN, "auth", ["view_user", "add_user", "change_user"])
    grant(INSTRUCTOR, "classroom", [*_VIEW, "export_classsession"])
