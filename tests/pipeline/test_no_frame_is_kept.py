"""Pictures go through the running product; afterwards everything that it could have kept is searched for them.

Each picture carries a mark of random bytes in a comment, which every decoder passes over: a copy of any part of the
file's beginning has it. The search is shown to find it where a frame waits, and where one is planted.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from benchmarks.processes import tree
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.frames import slots
from emotions.frames.frame import FrameHeader
from emotions.models import EmotionEvent, RoomReading
from emotions.store import sync_redis
from tests.emotions.parts import slot_frame
from tests.pipeline.students import camera, closing_connections, new_session, new_student, page, portrait, until
from tests.pipeline.test_room_camera import answer, declared, room_page, room_picture
from tests.processes import leave_no_core_dump, name_of

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

JPEG_MAGIC = b"\xff\xd8\xff"
LARGEST_FILE = 64 << 20


class Mark:
    """Bytes that occur nowhere else, and how they look when something writes them as text."""

    def __init__(self) -> None:
        self.bytes = secrets.token_bytes(24)
        shifted = (base64.b64encode(b"\0" * n + self.bytes)[4 : 4 + 28] for n in range(3))
        self.forms = {self.bytes, self.bytes.hex().encode(), self.bytes.hex().upper().encode(), *shifted}

    def on(self, jpeg: bytes) -> bytes:
        """The picture with a comment segment behind its first marker."""
        assert jpeg.startswith(JPEG_MAGIC[:2])
        return jpeg[:2] + b"\xff\xfe" + (len(self.bytes) + 2).to_bytes(2, "big") + self.bytes + jpeg[2:]

    def is_in(self, data: bytes) -> bool:
        return any(form in data for form in self.forms)


@pytest.fixture
def mark() -> Mark:
    return Mark()


# -- Where it is looked for


def redis_values() -> Iterator[tuple[str, bytes]]:
    """Every key of the server, also Celery's and the channel layer's, with all that it holds."""
    client: Any = sync_redis()
    for key in client.scan_iter(count=1000):
        yield key.decode(), _value(client, key)


def _value(client: Any, key: bytes) -> bytes:
    """Plain: DUMP would pack long values."""
    kind = client.type(key)
    if kind == b"string":
        return bytes(client.get(key) or b"")
    if kind == b"hash":
        return b"\0".join(part for pair in client.hgetall(key).items() for part in pair)
    if kind == b"list":
        return b"\0".join(client.lrange(key, 0, -1))
    if kind == b"set":
        return b"\0".join(client.smembers(key))
    if kind == b"zset":
        return b"\0".join(client.zrange(key, 0, -1))
    return bytes(client.dump(key) or b"")


def database_rows() -> Iterator[tuple[str, bytes]]:
    """Every table whole, in text: bytes stand there in hex."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"SELECT row::text FROM {table} AS row")  # a table's own name
            yield table, b"\n".join(text.encode() for (text,) in cursor.fetchall())


def database_files() -> list[Path]:
    """What Postgres has on the disk, its log of writes included, where this account may read it."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SHOW data_directory")
        folder = Path(cursor.fetchone()[0])
    return [path for path in folder.rglob("*") if path.is_file()] if os.access(folder, os.R_OK) else []


def open_files(pids: list[int]) -> set[Path]:
    """Regular files that these processes hold open, deleted ones too."""
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if descriptor.is_file():
                found.add(descriptor)
    return found


def young_files(folder: Path, since: float) -> Iterator[Path]:
    """Changed since then; not those of other accounts."""
    for path in folder.rglob("*"):
        try:
            state = path.lstat()
        except OSError:
            continue
        if path.is_file() and not path.is_symlink() and state.st_mtime >= since and os.access(path, os.R_OK):
            yield path


def with_mark(mark: Mark, files: Iterator[Path] | list[Path] | set[Path]) -> list[Path]:
    return [path for path in files if _small(path) and mark.is_in(path.read_bytes())]


def _small(path: Path) -> bool:
    try:
        return path.stat().st_size <= LARGEST_FILE
    except OSError:
        return False


def processes(product: RunningProduct) -> list[int]:
    return sorted({pid for parent in product.pids().values() for pid in tree(parent)})


# -- The search itself


def test_the_mark_is_found_in_every_form(mark: Mark, tmp_path: Path) -> None:
    picture = mark.on(portrait())
    forms = [picture, picture.hex().encode(), *(base64.b64encode(b"x" * n + picture) for n in range(3))]
    assert all(mark.is_in(form) for form in forms)
    assert not mark.is_in(portrait())
    (tmp_path / "kept.bin").write_bytes(picture)
    assert with_mark(mark, young_files(tmp_path, 0)) == [tmp_path / "kept.bin"]


def test_a_waiting_frame_is_found_in_redis_and_runs_out(product: RunningProduct, mark: Mark) -> None:
    """The search sees frames where they are. In a slot that no worker is told of, it waits its whole life."""
    frame = slot_frame(2**40, jpeg=mark.on(portrait()))
    sync_redis().set(slots.slot_key(frame.participant), frame.pack(), px=slots.SLOT_MS)
    assert [key for key, value in redis_values() if mark.is_in(value)] == [slots.slot_key(frame.participant)]
    product.wait_until(lambda: not any(mark.is_in(value) for _, value in redis_values()), 7, "the end of the slot")


# -- The pipeline


@closing_connections
async def test_after_a_class_nothing_of_its_pictures_is_anywhere(
    product: RunningProduct, alice: User, mark: Mark
) -> None:
    began = time.time() - 1
    session = new_session(alice)
    student = new_student(session, "Meera")
    await _stream(product, student, mark)
    await _visit(product, mark)
    await _see_the_room(product, session, alice, mark)
    await asyncio.sleep(slots.SLOT_MS / 1000 + 0.5)
    assert EmotionEvent.objects.filter(participant=student).exists(), "the pictures must have been read"
    assert RoomReading.objects.filter(session=session).exists(), "the room's, too"
    _search(product, session, mark, began)


async def _stream(product: RunningProduct, student: Participant, mark: Mark) -> None:
    """Pictures with a face, one that no decoder reads, one that is cut off, and one that nobody consented to."""
    async with camera(product, student) as tab:
        good = mark.on(portrait())
        await tab.show(good)
        await until(tab.readings, 40)
        for bad in (good[:400] + mark.bytes + b"\xff\xd9", good[:-40], mark.bytes * 20):
            await tab.show(bad)
            await asyncio.sleep(0.4)
        tab.epoch += 1
        await tab.show(good)
        tab.epoch -= 1
        await asyncio.sleep(0.4)
        await tab.stream(3, 0.4, good)
        await until(lambda: len(tab.answers) >= tab.sent - 1)


async def _visit(product: RunningProduct, mark: Mark) -> None:
    async with page(product, "/ws/try/", {}) as visitor:
        await visitor.send(FrameHeader(1, 1e12, 0).pack() + mark.on(portrait("happy", 3)))
        assert json.loads(await asyncio.wait_for(visitor.recv(), 30))["type"] == "try.reading"


async def _see_the_room(product: RunningProduct, session: ClassSession, owner: User, mark: Mark) -> None:
    """One picture that is counted, one of too few faces, one that no decoder reads."""
    declared(session, owner)
    async with room_page(product, session, owner) as tab:
        pictures = [mark.on(room_picture(people)) for people in (12, 3)]
        for picture in (*pictures, pictures[0][:400] + mark.bytes + b"\xff\xd9"):
            await answer(tab, picture)


def _search(product: RunningProduct, session: ClassSession, mark: Mark, began: float) -> None:
    assert [key for key, value in redis_values() if mark.is_in(value) or JPEG_MAGIC in value] == []
    rows = dict(database_rows())
    assert str(session.public_id).encode() in rows["classroom_classsession"], "the search must see what is stored"
    assert [table for table, text in rows.items() if mark.is_in(text) or rb"\\xffd8ff" in text] == []
    assert with_mark(mark, database_files()) == []
    assert not mark.is_in(product.log_file.read_bytes())
    assert with_mark(mark, young_files(product.log_file.parent, 0)) == []
    assert with_mark(mark, open_files(processes(product))) == []
    for place in {tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"}:
        assert with_mark(mark, young_files(Path(place), began)) == []


def test_valkey_keeps_nothing_on_a_disk_and_no_arguments(product: RunningProduct) -> None:
    assert product.pids()
    wanted = {"save": "", "appendonly": "no", "slowlog-log-slower-than": "-1", "maxmemory-policy": "volatile-ttl"}
    assert {name: sync_redis().config_get(name)[name] for name in wanted} == wanted
    saved = sync_redis().info("persistence")
    assert (saved["aof_enabled"], saved["rdb_bgsave_in_progress"], saved["rdb_saves"]) == (0, 0, 0)


def test_no_process_can_leave_a_core_dump(product: RunningProduct) -> None:
    found = processes(product)
    assert len(found) >= 5
    leave_no_core_dump(found)


def test_the_postgres_and_the_valkey_under_the_tests_can_leave_none_either() -> None:
    """`python -m classroom.local` started them. Those of `up`: tests/classroom/test_local_up.py."""
    parts = {pid: name for pid in tree(os.getppid()) if (name := name_of(pid)) in {"postgres", "valkey-server"}}
    if not parts:
        pytest.skip("DATABASE_URL and REDIS_URL name parts that somebody else started")
    assert set(parts.values()) == {"postgres", "valkey-server"}
    leave_no_core_dump(parts)
