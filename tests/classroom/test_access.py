"""Every address of the classroom against every role. A new address without a row here fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.http import Http404
from django.test import Client
from django.urls import reverse

from classroom import access, actions, urls
from classroom.models import ClassSession, Course, Participant
from classroom.views.answers import SIGNED_OUT

# Alice owns the course and the session; Sam is her student. Sam and Tess hold a cookie, and no account.
ROLES = ("stranger", "charlie", "bob", "dana", "root", "tess", "sam", "alice")
ACCOUNTS = {"charlie", "bob", "dana", "root", "alice"}


@dataclass(frozen=True)
class Row:
    """What an address answers: `others`, but for the roles named in `but`. POST asks for JSON."""

    method: str
    others: int
    but: dict[str, int] = field(default_factory=dict)
    of: str = ""


def _accounts(status: int) -> dict[str, int]:
    return dict.fromkeys(ACCOUNTS, status)


OWNER = {"alice": 200}
# Of who is signed out a script learns just that; who has an account learns nothing of what is not theirs.
TEACHERS = _accounts(404) | OWNER
TABLE = {
    "home": Row("GET", 200),
    "join": Row("GET", 200),
    "join_session": Row("GET", 200, {"sam": 302}, of="code"),
    "student": Row("GET", 302, {"sam": 200}, of="session"),
    "consent": Row("GET", 302, {"sam": 200}, of="session"),
    "withdraw": Row("POST", 401, {"sam": 200}, of="session"),
    "leave": Row("POST", 401, {"sam": 200}, of="session"),
    "erase": Row("POST", 401, {"sam": 409}, of="session"),
    "receipt": Row("GET", 404, of="session"),
    "receipt_file": Row("GET", 404, of="session"),
    "privacy": Row("GET", 200),
    "courses": Row("GET", 302, _accounts(200)),
    "course": Row("GET", 404, OWNER, of="course"),
    "start_session": Row("POST", 401, TEACHERS | {"alice": 409}, of="course"),
    "rename_course": Row("POST", 401, TEACHERS, of="course"),
    "rename_session": Row("POST", 401, TEACHERS, of="session"),
    "lock_session": Row("POST", 401, TEACHERS, of="session"),
    "unlock_session": Row("POST", 401, TEACHERS, of="session"),
    "renew_code": Row("POST", 401, TEACHERS, of="session"),
    "end_session": Row("POST", 401, TEACHERS, of="session"),
    "remove_participant": Row("POST", 401, TEACHERS, of="session"),
    "add_marker": Row("POST", 401, TEACHERS, of="session"),
    "rename_marker": Row("POST", 401, TEACHERS, of="marker"),
    "remove_marker": Row("POST", 401, TEACHERS, of="marker"),
    "room": Row("GET", 404, OWNER, of="session"),
    "declare_room": Row("POST", 401, TEACHERS | {"alice": 409}, of="session"),
    "withdraw_room": Row("POST", 401, TEACHERS, of="session"),
    "lower_hand": Row("POST", 401, TEACHERS, of="session"),
    "set_alerts": Row("POST", 401, TEACHERS, of="course"),
    "set_keeping": Row("POST", 401, TEACHERS, of="course"),
    "set_reading_place": Row("POST", 401, TEACHERS, of="course"),
    "session_qr": Row("GET", 404, OWNER, of="session"),
    "people": Row("GET", 404, OWNER, of="session"),
    "login": Row("GET", 200, _accounts(302)),
    "logout": Row("POST", 302),
    "password_change": Row("GET", 302, _accounts(200)),
    "password_change_done": Row("GET", 302, _accounts(200)),
    "password_reset": Row("GET", 200),
    "password_reset_done": Row("GET", 200),
    "password_reset_confirm": Row("GET", 200, of="link"),
    "password_reset_complete": Row("GET", 200),
    "healthz": Row("GET", 200),
    "readyz": Row("GET", 200),
}
POSTED = {"label": "Slide 4", "title": "Optics", "mode": "camera", "alerts": "few", "reading_place": "device"}


@pytest.fixture
def clients(
    alice: User, bob: User, charlie: User, dana: User, root: User, sam: Participant, tess: Participant,
    agree: Callable[..., None], login: Callable[[User], Client], student_client: Callable[[Participant], Client],
) -> dict[str, Client]:  # fmt: skip
    """A browser for each role, in the order of ROLES."""
    agree(sam)
    users = {"charlie": charlie, "bob": bob, "dana": dana, "root": root, "alice": alice}
    browsers = {name: login(user) for name, user in users.items()}
    browsers |= {"stranger": Client(), "sam": student_client(sam), "tess": student_client(tess)}
    return {role: browsers[role] for role in ROLES}


def _address(name: str, session: ClassSession) -> str:
    arguments: dict[str, list[object]] = {
        "": [],
        "session": [session.public_id],
        "course": [session.course.public_id],
        "code": [session.join_code],
        "link": ["MQ", "set-password"],
    }
    if TABLE[name].of == "marker":
        marker, _made = session.markers.get_or_create(label="Quiz")
        return reverse(name, args=[session.public_id, marker.pk])
    return reverse(name, args=arguments[TABLE[name].of])


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_who_may(name: str, clients: dict[str, Client], session: ClassSession, sam: Participant) -> None:
    row, address = TABLE[name], _address(name, session)
    posted = POSTED | {"participant": str(sam.public_id)}
    answered = {}
    for role, client in clients.items():
        if row.method == "POST":
            answer = client.post(address, posted, headers={"Accept": "application/json"})
        else:
            answer = client.get(address)
        answered[role] = answer.status_code
    assert answered == {role: row.but.get(role, row.others) for role in ROLES}


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.method == "POST"])
def test_a_link_changes_nothing(name: str, clients: dict[str, Client], session: ClassSession) -> None:
    before = ClassSession.objects.values().get(pk=session.pk)
    statuses = {client.get(_address(name, session)).status_code for client in clients.values()}
    assert statuses == {405}
    assert ClassSession.objects.values().get(pk=session.pk) == before


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.of in {"session", "course"}])
def test_what_does_not_exist_looks_like_what_is_not_yours(name: str, clients: dict[str, Client]) -> None:
    missing = reverse(name, args=["00000000-0000-4000-8000-000000000000"])
    row = TABLE[name]
    for role, client in clients.items():
        ask = client.post if row.method == "POST" else client.get
        assert ask(missing, headers={"Accept": "application/json"}).status_code in {401, 404}, role


def test_who_was_signed_out_meanwhile_is_told_so(client: Client, session: ClassSession) -> None:
    """Not that the session is over: it goes on, and is measured."""
    answer = client.post(_address("end_session", session), headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (401, SIGNED_OUT)
    session.refresh_from_db()
    assert session.live


@pytest.mark.parametrize("name", ["course", "session_qr"])
def test_a_stranger_can_sign_in_on_the_spot(name: str, client: Client, alice: User, session: ClassSession) -> None:
    """404, for a stranger learns nothing; but an instructor with a printed address isn't stopped by it."""
    address = _address(name, session)
    page = client.get(address)
    assert page.status_code == 404
    assert session.course.title not in page.content.decode()
    data = {"username": "alice", "password": "a long enough password", "next": page.context["next"]}
    assert client.post(reverse("login"), data)["Location"] == address
    assert client.get(address).status_code == 200


def test_a_removed_participant_of_another_session_stays(
    clients: dict[str, Client], session: ClassSession, tess: Participant
) -> None:
    address = reverse("remove_participant", args=[session.public_id])
    for value in (str(tess.public_id), "", "tess", "0" * 32):
        assert clients["alice"].post(address, {"participant": value}).status_code == 404
    tess.refresh_from_db()
    assert tess.removed_at is None


def test_an_instructor_who_is_no_longer_active_is_a_stranger(
    clients: dict[str, Client], alice: User, session: ClassSession
) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert clients["alice"].get(_address("course", session)).status_code == 404


# -- The functions that consumers and other pages use


def test_sessions_are_visible_to_their_instructor_alone(
    session: ClassSession, alice: User, bob: User, dana: User
) -> None:
    assert access.visible_session(alice, session.public_id) == session
    for user in (bob, dana, AnonymousUser()):
        assert access.visible_session(user, session.public_id) is None
        with pytest.raises(Http404):
            access.session_for_instructor(user, session.public_id)


def test_reports_are_open_to_school_admins_too(session: ClassSession, alice: User, bob: User, dana: User) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    for user in (alice, dana):
        assert access.session_for_reader(user, session.public_id) == session
    for stranger in (bob, clerk, AnonymousUser()):
        with pytest.raises(Http404):
            access.session_for_reader(stranger, session.public_id)


def test_a_course_comes_to_its_instructor_alone(course: Course, alice: User, bob: User) -> None:
    assert access.course_for_instructor(alice, course.public_id) == course
    with pytest.raises(Http404):
        access.course_for_instructor(bob, course.public_id)


def test_a_participant_comes_by_the_text_of_their_id(session: ClassSession, sam: Participant) -> None:
    assert access.participant_in(session, str(sam.public_id)) == access.participant_in(session, sam.public_id) == sam
    for text in ("", "sam", str(uuid.uuid4())):
        with pytest.raises(Http404):
            access.participant_in(session, text)


def test_codes_are_found_by_the_index_that_keeps_them_apart(db: None) -> None:
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [ClassSession._meta.db_table])
        by_code = [name for name, definition in cursor.fetchall() if "(join_code" in definition]
    assert by_code == ["join_code_unique_while_live"]


def test_only_live_sessions_have_codes(session: ClassSession) -> None:
    assert access.live_session_by_code(session.join_code.lower()) == session
    actions.end_session(session)
    assert access.live_session_by_code(session.join_code) is None
