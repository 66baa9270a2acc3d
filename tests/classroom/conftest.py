"""A classroom of the cast: Sam is a student of Alice's session; Tess of another one, Bob's."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from classroom import access, actions, consent
from classroom.config.profile import PROFILES
from classroom.models import ClassSession, Course, Participant


@pytest.fixture(autouse=True)
def deployment(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> None:
    """A demo profile over plain HTTP, with Redis keys of this test alone (every key has a lifetime).

    Tests of the running product share its settings instead.
    """
    if "product" in request.fixturenames:
        return
    settings.PROFILE = PROFILES["demo"]
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    settings.EMAIL_HOST = settings.PUBLIC_URL = ""
    settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex}"


@pytest.fixture
def course(alice: User) -> Course:
    return Course.objects.create(title="Calculus 1", instructor=alice)


@pytest.fixture
def session(course: Course) -> ClassSession:
    return actions.start_session(course)


@pytest.fixture
def other_session(bob: User) -> ClassSession:
    return actions.start_session(Course.objects.create(title="Optics", instructor=bob))


@pytest.fixture
def sam(session: ClassSession) -> Participant:
    return actions.join(session, "Sam")


@pytest.fixture
def tess(other_session: ClassSession) -> Participant:
    return actions.join(other_session, "Tess")


@pytest.fixture
def agree() -> Callable[[Participant, str], None]:
    """Consent to the text as it stands."""

    def give(participant: Participant, scope: str = "individual") -> None:
        actions.record_consent(participant, scope, consent.text_for(participant.session).sha256)

    return give


@pytest.fixture
def login() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def student_client() -> Callable[[Participant], Client]:
    """A browser that holds the participant's cookie."""

    def with_cookie(participant: Participant) -> Client:
        client, response = Client(), HttpResponse()
        access.set_participant_cookie(response, participant)
        client.cookies.update(response.cookies)
        return client

    return with_cookie


@dataclass
class Heard:
    """Signals as they came: name and the instance."""

    events: list[tuple[str, object]]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Every signal of the classroom, in order."""
    from django.dispatch import Signal

    from classroom import signals

    log = Heard([])
    known = {name: signal for name, signal in vars(signals).items() if isinstance(signal, Signal)}
    receivers = []
    for name, signal in known.items():

        def receive(sender: object, *, _name: str = name, **kwargs: object) -> None:
            instance = next(value for key, value in kwargs.items() if key != "signal")
            log.events.append((_name, instance))

        signal.connect(receive, weak=False)
        receivers.append((signal, receive))
    yield log
    for signal, receive in receivers:
        signal.disconnect(receive)
