"""Fixtures of the tests of emotions: a live session, students with consent, Redis keys of one test alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import actions
from classroom.config import env
from classroom.config.profile import PROFILES
from classroom.models import ClassSession, Course, Participant
from emotions.admin import ReadingsOfSharers
from emotions.models import EmotionEvent, MinuteRollup
from emotions.store import sync_redis
from tests.emotions.parts import joined

Join = Callable[..., Participant]


def admin_page_of(row: EmotionEvent | MinuteRollup) -> str:
    """Where the administration shows it, if it may be shown."""
    lists = cast(ReadingsOfSharers, site.get_model_admin(type(row)))
    return reverse(f"admin:emotions_{row._meta.model_name}_change", args=[lists.key_of(row)])


@pytest.fixture
def keys(settings: Settings) -> Iterator[str]:
    """A Redis prefix of this test's own, also for the channel layer; its keys are deleted afterwards."""
    prefix = settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    layers = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}
    settings.CHANNEL_LAYERS = {
        "default": layers
        | {"CONFIG": {"hosts": [env.listening_host(settings.REDIS_URL)], "prefix": f"{prefix}:layer"}}
    }
    yield prefix
    for key in sync_redis().scan_iter(f"{prefix}:*"):
        sync_redis().delete(key)


@pytest.fixture
def profile(settings: Settings) -> None:
    """A deployment that may measure."""
    settings.PROFILE = PROFILES["demo"]


@pytest.fixture
def session(profile: None, keys: str, alice: User) -> ClassSession:
    return actions.start_session(Course.objects.create(title="Statistics", instructor=alice))


@pytest.fixture
def join(session: ClassSession) -> Join:
    return lambda name="Sam", scope="individual", where=None: joined(where or session, name, scope)


@pytest.fixture
def pages(settings: Settings, tmp_path: Path) -> None:
    """Pages over plain HTTP, with static files that nobody has collected."""
    settings.STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.STATIC_ROOT, settings.WHITENOISE_USE_FINDERS = tmp_path, False
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
