"""As docs/operations.md describes: pg_dump, pg_restore into another database, and the reports are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User

from classroom import actions
from classroom.local.folder import CHECKOUT, DataFolder
from classroom.local.wheels import postgres_programs
from classroom.models import ClassSession, Course
from tests.emotions.lectures import hold

# What a teacher takes from a session, as text: the report as a file, the minutes; and what these rest on.
REPORT = """
import json
from classroom.models import ClassSession, ConsentEvent
from emotions.models import EmotionEvent
from emotions.reports import exports, html_file
session = ClassSession.objects.select_related("course__instructor").get(public_id="{session}")
print(json.dumps({{
    "report": [html_file.html_file(session)],
    "minutes": list(exports.minutes(session, exports.DIALECTS["comma"])),
    "readings": [str(row) for row in EmotionEvent.objects.order_by("pk").values_list()],
    "consents": list(ConsentEvent.objects.order_by("pk").values_list("epoch", "kind", "scope")),
}}))
"""


def _url(database: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The name of another database on the same server."""
    name = f"restored_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(_url("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield name
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def lecture(transactional_db: None) -> ClassSession:
    alice = User.objects.create_user("alice", first_name="Alice")
    session = actions.start_session(Course.objects.create(title="Calculus 1", instructor=alice))
    hold(session, datetime(2026, 11, 2, 9, 0, tzinfo=UTC), minutes=12)
    return session


def _reported(database: str, session: ClassSession) -> dict[str, list[object]]:
    """As a process of the product that runs on this database tells it."""
    environment = os.environ | {"DATABASE_URL": _url(database)}
    program = REPORT.format(session=session.public_id)
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", program]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


@pytest.mark.pipeline
def test_a_copy_restored_elsewhere_tells_the_same(lecture: ClassSession, empty_database: str, tmp_path: Path) -> None:
    programs = postgres_programs(DataFolder.open(tmp_path / "parts"), None)
    live, copy = str(settings.DATABASES["default"]["NAME"]), tmp_path / "roomtone.dump"
    before = _reported(live, lecture)
    dump = [str(programs / "pg_dump"), "--format=custom", "--no-owner", f"--file={copy}", f"--dbname={_url(live)}"]
    subprocess.run(dump, check=True)
    ClassSession.objects.update(title="changed since")
    restore = [
        str(programs / "pg_restore"),
        "--exit-on-error",
        "--no-owner",
        f"--dbname={_url(empty_database)}",
        str(copy),
    ]
    subprocess.run(restore, check=True)
    assert _reported(empty_database, lecture) == before
    assert len(before["minutes"]) > 10
    assert len(before["readings"]) > 300
    assert before["consents"]
    assert "Calculus 1" in str(before["report"])
