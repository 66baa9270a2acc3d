"""Every address of the product, read from the URL conf, and how a test gets to it; every socket likewise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from classroom.access import new_ticket
from classroom.models import ClassSession, Participant
from emotions.routing import sockets

ROLES = ("stranger", "tess", "sam", "charlie", "bob", "alice", "dana", "root")
# What the administration has without a name: a row's old address, and whatever does not exist.
UNNAMED = {
    "admin:<path:object_id>/": "/admin/classroom/classsession/{session}/",
    "admin:(?P<url>.*)$": "/admin/no-such-page/",
}
TABLE = Path(__file__).with_name("matrix.txt")


@dataclass(frozen=True)
class Scene:
    """Whose the addresses are: Alice's session, in which Sam is."""

    session: ClassSession
    sam: Participant


def names() -> list[str]:
    """Each address once, as `reverse` knows it; those without a name by their pattern."""
    return list(dict.fromkeys(_names(get_resolver())))


def _names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for part in resolver.url_patterns:
        if isinstance(part, URLResolver):
            yield from _names(part, f"{part.namespace}:" if part.namespace else space)
        elif isinstance(part, URLPattern):
            yield f"{space}{part.name}" if part.name else f"{space}{part.pattern}"


def socket_paths() -> list[str]:
    return [f"/{pattern.pattern}" for pattern in sockets]


def expected() -> dict[tuple[str, str], list[str]]:
    """(address, method) -> what each of ROLES gets, from the table."""
    rows = [line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    assert rows[0] == ["address", "method", *ROLES]
    return {(address, method): answers for address, method, *answers in rows[1:]}


def as_row(name: str, method: str, answers: list[str]) -> str:
    """As it stands in the table."""
    return f"{name:44}{method:8}" + "".join(f"{answer:10}" for answer in answers).rstrip()


def address_of(name: str, scene: Scene) -> str:
    """An address of Alice's own session, course or student; of the administration, of one row."""
    if name in UNNAMED:
        return UNNAMED[name].format(session=scene.session.pk)
    return reverse(name, kwargs={argument: _value(argument, name, scene) for argument in _arguments(name)})


def _arguments(name: str) -> list[str]:
    """What the address takes."""
    resolver = get_resolver()
    if name.startswith("admin:"):
        resolver = resolver.namespace_dict["admin"][1]
    possibilities = resolver.reverse_dict.getlist(name.removeprefix("admin:"))
    return list(possibilities[0][0][0][1])


def _value(argument: str, name: str, scene: Scene) -> Any:
    if argument == "public_id":
        return scene.session.course.public_id if _of_a_course(name) else scene.session.public_id
    values: dict[str, Any] = {
        "student_id": scene.sam.public_id,
        "code": scene.session.join_code,
        "uidb64": "MQ",
        "token": "set-password",
        "app_label": "classroom",
        "content_type_id": ContentType.objects.get_for_model(User).pk,
    }
    if argument == "pk":
        return scene.session.markers.get_or_create(label="Quiz")[0].pk
    return values[argument] if argument in values else _row(name, scene)


def _of_a_course(name: str) -> bool:
    return any(str(pattern.pattern).startswith("courses/") for pattern in _all() if pattern.name == name)


def _all() -> Iterator[URLPattern]:
    for part in get_resolver().url_patterns:
        inside = part.url_patterns if isinstance(part, URLResolver) and not part.namespace else [part]
        yield from (pattern for pattern in inside if isinstance(pattern, URLPattern))


def _row(name: str, scene: Scene) -> int:
    """The number of a row of the administration's table; none where a test has no such row."""
    known: dict[str, int] = {
        "course": scene.session.course.pk,
        "classsession": scene.session.pk,
        "participant": scene.sam.pk,
        "user": User.objects.get(username="alice").pk,
        "group": Group.objects.get_or_create(name="Assistants")[0].pk,
    }
    return next((pk for model, pk in known.items() if re.search(rf"_{model}_", name)), 1)


def posted(scene: Scene) -> dict[str, str]:
    """What some form or other asks for: an address takes its own."""
    return {
        "label": "Slide 4", "mode": "camera", "alerts": "few", "participant": str(scene.sam.public_id),
        "code": scene.session.join_code, "display_name": "Mia", "ticket": new_ticket(scene.session),
        "title": "Optics", "scope": "none",
    }  # fmt: skip
