"""As docs/operations.md describes: pg_dump, pg_restore into another database, and the reports are the same; what was
erased since the copy was made is erased again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User

from classroom import actions, consent
from classroom.local.folder import CHECKOUT, DataFolder
from classroom.local.wheels import postgres_programs
from classroom.models import ClassSession, Course, Erasure
from tests.emotions.lectures import hold

# What a teacher takes from a session, as text: the report as a file (but for the minute in which it was made), the
# minutes; and what these rest on.
REPORT = """
import json
import re
from classroom.models import ClassSession, ConsentEvent
from emotions.models import EmotionEvent
from emotions.reports import exports, html_file
session = ClassSession.objects.select_related("course__instructor").get(public_id="{session}")
print(json.dumps({{
    "report": [re.sub("Made by Roomtone on [^.]+", "", html_file.html_file(session))],
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
    program = REPORT.format(session=session.public_id)
    found: dict[str, list[object]] = json.loads(_manage(database, "shell", "--verbosity", "0", "-c", program))
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


WHO = """
import json
from classroom.models import CheckIn, ClassSession, ConsentEvent, Erasure, Participant, ShownText
from emotions.models import EmotionEvent, MinuteRollup
ledger = ConsentEvent.objects.order_by("participant", "epoch")
answers = ledger.values_list("participant", "epoch", "kind", "scope", "at", "text_hash")
rows = Erasure.objects.order_by("pk").values_list("public_id", "at", "what", "trace")
print(json.dumps({
    "people": sorted(Participant.objects.values_list("display_name", flat=True)),
    "sessions": sorted(ClassSession.objects.values_list("title", flat=True)),
    "readings": {name: EmotionEvent.objects.filter(participant__display_name=name).count() for name in ["Diya"]},
    "words": CheckIn.objects.count(),
    "answers": [str(row) for row in answers],
    "scopes": dict(Participant.objects.values_list("display_name", "scope")),
    "texts": ShownText.objects.count(),
    "receipts": [str(row) for row in rows],
}))
"""


# As docs/operations.md saves the ledger.
ANSWERS = (
    "SELECT public_id, event.* FROM classroom_consentevent event JOIN classroom_participant participant "
    "ON participant.id = participant_id"
)


def test_the_ledger_is_saved_as_the_documents_say() -> None:
    assert (CHECKOUT / "docs" / "operations.md").read_text().count(ANSWERS) == 2


@pytest.mark.pipeline
def test_what_was_erased_since_the_copy_is_erased_again(
    lecture: ClassSession, empty_database: str, tmp_path: Path
) -> None:
    """By the receipts alone, which name nobody, kept from the database that goes. And who took a consent back since
    then, or gave another one, is asked no less for it."""
    programs = postgres_programs(DataFolder.open(tmp_path / "parts"), None)
    live, copy, kept = str(settings.DATABASES["default"]["NAME"]), tmp_path / "roomtone.dump", tmp_path / "kept.sql"
    erased_before = actions.erase(lecture.participants.get(display_name="Vivaan"))
    alice = lecture.course.instructor
    courses = [Course.objects.create(title=f"Course {title}", instructor=alice) for title in "BCD"]
    gone, purged, running = (actions.start_session(course, title=course.title) for course in courses)
    for session in (purged, running):
        actions.join(session, f"Of {session.title}")
    tara = actions.join(running, "Tara")
    actions.record_consent(tara, "individual", consent.text_for(running).sha256)
    _run(programs / "pg_dump", "--format=custom", "--no-owner", f"--file={copy}", f"--dbname={_url(live)}")

    student = lecture.participants.get(display_name="Diya")
    actions.erase(lecture.participants.get(display_name="Meera"), Erasure.Why.STUDENT)
    actions.erase_last(student, 4)
    for session in (gone, purged):
        actions.end_session(session)
    actions.erase_session(gone)
    actions.purge_session(purged)
    actions.withdraw(tara)
    ClassSession.objects.filter(pk=running.pk).update(keep_days=7)
    running.refresh_from_db()
    other = consent.text_for(running).sha256
    actions.record_consent(running.participants.get(display_name="Of Course D"), "aggregate", other)
    after = _who(live)

    tables = ("--table=classroom_erasure", "--table=classroom_showntext")
    _run(programs / "pg_dump", "--data-only", *tables, f"--file={kept}", f"--dbname={_url(live)}")
    answers = tmp_path / "answers.csv"
    _run(programs / "psql", "--csv", f"--output={answers}", f"--command={ANSWERS}", f"--dbname={_url(live)}")
    _run(programs / "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={_url(empty_database)}", str(copy))
    kept.write_text("TRUNCATE classroom_erasure, classroom_showntext;\n" + kept.read_text())
    options = ("--single-transaction", "--set=ON_ERROR_STOP=1", "--quiet", f"--file={kept}")
    _run(programs / "psql", *options, f"--dbname={_url(empty_database)}")
    restored = _who(empty_database)
    assert restored["people"] != after["people"]
    assert restored["scopes"]["Tara"] == "individual"

    said = _manage(empty_database, "erase_again", f"--answers={answers}")
    assert "2 answers about consent were entered again." in said
    assert said.count("Erased again: ") == 4
    assert "Everything about a student, Calculus 1, session of 02 Nov 2026" in said
    assert "4 of 5 erasures were done again." in said
    assert erased_before.public_id.hex not in said.replace("-", "")
    assert _who(empty_database) == after
    assert (after["scopes"]["Tara"], after["scopes"]["Of Course D"]) == ("none", "aggregate")
    assert _manage(empty_database, "erase_again").splitlines() == ["0 of 5 erasures were done again."]
    assert after["readings"]["Diya"] > 0


def _who(database: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_manage(database, "shell", "--verbosity", "0", "-c", WHO))
    return found


def _manage(database: str, *words: str) -> str:
    environment = os.environ | {"DATABASE_URL": _url(database)}
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run(program: Path, *words: str) -> None:
    subprocess.run([str(program), *words], check=True, stdout=subprocess.DEVNULL)
