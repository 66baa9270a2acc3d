"""What every test can use: the cast, the running product, a browser.

The cast: Alice teaches and owns, Bob teaches something else, Charlie has an account and nothing to do with any of it,
Dana is the school's admin, root the superuser. Everybody's password is PASSWORD.

A test that asks for `product` sees the product's own database: what it writes is committed, and stays. Such tests run
last, are not marked `django_db`, and bring rows of their own (the cast is shared).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import connection

from classroom.local.browsers import find_chromium
from classroom.local.running import RunningProduct
from classroom.roles import SCHOOL_ADMIN
from tests.processes import Collected

PASSWORD = "a long enough password"
CAST = {"alice", "bob", "charlie", "dana", "root"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the running product come last: its rows must not be there when others count theirs."""
    for item in items:
        if _on_product(item):
            if item.get_closest_marker("django_db"):
                raise pytest.UsageError(f"{item.nodeid}: a test that asks for `product` must not be marked django_db")
        elif CAST & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("django_db"):
            # Asking for `db` only when the fixture runs is too late: the tests' database is not in place then, and
            # the person would be written into the real one.
            item.add_marker(pytest.mark.django_db)
    items.sort(key=_on_product)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failed test on the running product shows the end of the product's log."""
    report = yield
    product = getattr(item, "funcargs", {}).get("product")
    if report.failed and product is not None:
        report.sections.append(("the product's log", product.tail()))
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's, and at the end nobody holds the database open: one that somebody uses can't be dropped. Some
    threads keep their connections (emotions.threads), some processes may still be leaving."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    folder = tmp_path_factory.mktemp("collected")
    yield Collected(folder / "files")
    shutil.rmtree(folder)  # Pytest keeps its folders for some runs: some 70 MB each.


@pytest.fixture(scope="session")
def product(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, collected: Collected
) -> Iterator[RunningProduct]:
    """`manage.py up` on the test database, without demo data, with this process's Redis prefix and signing key."""
    from django.conf import settings

    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{settings.DATABASES['default']['NAME']}")
    environment = os.environ | {
        "DATABASE_URL": database.geturl(),
        "REDIS_URL": settings.REDIS_URL,
        "ROOMTONE_REDIS_PREFIX": settings.REDIS_PREFIX,
        "ROOMTONE_SECRET_KEY": settings.SECRET_KEY,
        "ROOMTONE_PROFILE": "demo",
        "ROOMTONE_ROOM_CAMERAS": "1",
        "ROOMTONE_DEBUG": "0",
    }
    settings.ROOM_CAMERAS = True
    data = tmp_path_factory.mktemp("product") / "data"
    collected.lend(data)
    running = RunningProduct(data, environment, ["--no-demo"])
    # Playwright keeps an event loop in the test's thread; the tests talk to the database from it, one at a time.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        running.wait_until_ready()
        collected.keep(data)
        yield running
    finally:
        code = running.stop()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert code == 0, running.tail()


@pytest.fixture(autouse=True)
def database_of_the_product(request: pytest.FixtureRequest) -> Iterator[None]:
    """Open the database, outside any transaction, to the tests that ask for `product`."""
    if not _on_product(request.node):
        yield
        return
    with request.getfixturevalue("django_db_blocker").unblock():
        yield


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest) -> None:
    """A slow hash is not what these tests are about. The running product knows only its own kind."""
    if not _on_product(request.node):
        settings = request.getfixturevalue("settings")
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def alice() -> User:
    """An instructor: the owner of what is tested."""
    return _person("alice")


@pytest.fixture
def bob() -> User:
    """Another instructor: a colleague who owns none of it."""
    return _person("bob")


@pytest.fixture
def charlie() -> User:
    """A stranger with an account."""
    return _person("charlie")


@pytest.fixture
def dana() -> User:
    """School admin: staff in the group that the product makes for them, with what it may do and no more."""
    dana = _person("dana", is_staff=True)
    dana.groups.set([Group.objects.get(name=SCHOOL_ADMIN)])
    return dana


@pytest.fixture
def root() -> User:
    """May do everything in Django admin."""
    return _person("root", is_staff=True, is_superuser=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. Missing: skipped in words; failed where REQUIRE_BROWSER=1."""
    found = find_chromium()
    if found is None:
        words = "Chromium is not installed (Debian, Ubuntu: apt-get install chromium)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(words)
        pytest.skip(f"browser tests are skipped: {words}")
    return found


def _on_product(item: Any) -> bool:
    return "product" in getattr(item, "fixturenames", ())


def _person(name: str, **rights: bool) -> User:
    known = {"first_name": name.capitalize(), "email": f"{name}@school.example"}
    person, made = get_user_model().objects.get_or_create(username=name, defaults=known | rights)
    if made:
        person.set_password(PASSWORD)
        person.save()
    return person
