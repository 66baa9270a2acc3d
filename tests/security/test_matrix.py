"""Every address and socket against every role, with and without writing: matrix.txt says what each of them gets.

The rows are asked of the URL conf, the administration's among them: a new address fails here until it has its rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import product

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from classroom.models import ClassSession, Participant
from tests.emotions.sockets import Browser, instructor_cookies, student_cookies, web_process
from tests.security import addresses
from tests.security.addresses import ROLES, Scene

NAMES, TABLE = addresses.names(), addresses.expected()
METHODS = ("GET", "POST")
CASES = [(name, method) for name in NAMES for method in METHODS]
ACCOUNTS = ("charlie", "bob", "alice", "dana", "root")
READ = {"Accept": "text/html"}
ASKED = {"Accept": "application/json"}


@pytest.fixture
def scene(session: ClassSession, sam: Participant, agree: Callable[[Participant], None]) -> Scene:
    agree(sam)
    return Scene(session, sam)


@pytest.fixture
def browsers(
    charlie: User, bob: User, alice: User, dana: User, root: User, sam: Participant, tess: Participant,
    login: Callable[[User], Client], student_client: Callable[[Participant], Client],
) -> dict[str, Client]:  # fmt: skip
    """One for each role. Sam and Tess hold a cookie and no account."""
    signed_in = {name: login(user) for name, user in zip(ACCOUNTS, (charlie, bob, alice, dana, root), strict=True)}
    return signed_in | {"stranger": Client(), "sam": student_client(sam), "tess": student_client(tess)}


def answer(client: Client, method: str, name: str, scene: Scene) -> str:
    """The status, and whether the way leads to the form for signing in. Nothing that was written stays."""
    with transaction.atomic():
        address = addresses.address_of(name, scene)
        if method == "GET":
            response = client.get(address, headers=READ)
        else:
            response = client.post(address, addresses.posted(scene), headers=ASKED)
        transaction.set_rollback(True)
    to_sign_in = response.status_code == 302 and "/login/?next=" in response["Location"]
    return "sign-in" if to_sign_in else str(response.status_code)


def test_every_address_has_its_rows_and_no_other_has() -> None:
    paths = [(path, "SOCKET") for path in addresses.socket_paths()]
    assert set(TABLE) == {*CASES, *paths}


@pytest.mark.parametrize("name", NAMES)
def test_who_gets_what(name: str, browsers: dict[str, Client], scene: Scene) -> None:
    for method in METHODS:
        answers = [answer(browsers[role], method, name, scene) for role in ROLES]
        row = addresses.as_row(name, method, answers)
        assert TABLE.get((name, method)) == answers, f"matrix.txt has another row, or none; as it is answered:\n{row}"


def test_no_form_is_taken_without_its_token(scene: Scene, browsers: dict[str, Client]) -> None:
    """From the owner and from the superuser, who may do most: another site's page could send it in their name."""
    for name, role in product(NAMES, ("alice", "root", "sam")):
        browsers[role].handler.enforce_csrf_checks = True
        response = browsers[role].post(addresses.address_of(name, scene), addresses.posted(scene))
        assert response.status_code in {403, 404, 405}, (name, role)
        assert response.status_code != 404 or TABLE[name, "POST"][ROLES.index(role)] == "404", (name, role)


# -- Sockets


@pytest.fixture
async def _own_loop(keys: str) -> AsyncIterator[None]:
    async with web_process():
        yield


def _cookies(role: str, people: dict[str, User | Participant]) -> dict[str, str]:
    person = people.get(role)
    if person is None:
        return {}
    return student_cookies(person) if isinstance(person, Participant) else instructor_cookies(person)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
@pytest.mark.parametrize("path", addresses.socket_paths())
async def test_who_may_open_a_socket(
    path: str, scene: Scene, charlie: User, bob: User, alice: User, dana: User, root: User, tess: Participant
) -> None:
    people: dict[str, User | Participant] = {"sam": scene.sam, "tess": tess}
    people |= dict(zip(ACCOUNTS, (charlie, bob, alice, dana, root), strict=True))
    answers = []
    for role in ROLES:
        cookies = await sync_to_async(_cookies)(role, people)
        answers.append(await _first_word(path.replace("<uuid:session_id>", str(scene.session.public_id)), cookies))
    row = addresses.as_row(path, "SOCKET", answers)
    assert TABLE.get((path, "SOCKET")) == answers, f"matrix.txt has another row, or none; as it is answered:\n{row}"


async def _first_word(path: str, cookies: dict[str, str]) -> str:
    """The close code, or `open`."""
    socket = Browser(path, cookies)
    await socket.open()
    try:
        if await socket._socket.receive_nothing(timeout=0.3):
            return "open"
        event = await socket._socket.receive_output()
        return str(event["code"]) if event["type"] == "websocket.close" else "open"
    finally:
        await socket.shut()
