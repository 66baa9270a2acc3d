"""What is counted, how it reaches Redis from several processes, and who may read it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from classroom import logs
from classroom.models import ClassSession, Participant
from emotions import publish, tasks
from emotions.consumers import base
from emotions.consumers.admission import StudentAdmission
from emotions.consumers.gate import FrameGate
from emotions.frames import slots
from emotions.meters import counts, exposition, housekeeping, sending
from emotions.mood import presence
from emotions.mood.ticker import Ticker
from emotions.publish import Answer
from emotions.readings import settling
from emotions.store import sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import MeanEstimator, frame_of, message, observation, slot_frame
from tests.emotions.sockets import camera, eventually, web_process

TOKEN = "a token that nobody guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JoinSoon = Callable[..., Awaitable[Participant]]
Sample = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture(autouse=True)
def from_nothing(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of this test alone."""
    for meter in counts.METERS.values():
        getattr(meter, "_values" if isinstance(meter, counts.Counter) else "_rows").clear()


@pytest.fixture
def sender(from_nothing: None) -> sending.Sender:
    return sending.Sender("web")


def page() -> Sample:
    """Each sample of the page by its name and the values of its labels."""
    families = text_string_to_metric_families(exposition.text().decode())
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def gate_of(session: ClassSession, join: Join) -> FrameGate:
    student = join()
    return FrameGate(frame_of(student).connection, StudentAdmission(student, inference=True, place="choice"))


def test_frames_in_and_refused_are_counted(session: ClassSession, join: Join, sender: sending.Sender) -> None:
    gate = gate_of(session, join)
    now_ms = time.time() * 1000
    for data in (message(1), message(1), b"short", message(2, epoch=7)):
        gate.examine(data, now_ms)
    sender.send()
    found = page()
    assert found["roomtone_frames_received_total", ()] == 4
    reasons = {labels[0]: n for (name, labels), n in found.items() if name == "roomtone_frames_rejected_total"}
    assert reasons == {"repeated": 1, "bad_header": 1, "old_epoch": 1}


def test_every_frame_of_a_batch_is_accounted_for(join: Join, sender: sending.Sender) -> None:
    mia, ben, eve = (join(name) for name in ("Mia", "Ben", "Eve"))
    stored, faceless = observation(frame_of(mia)), observation(frame_of(ben), faces=(), face_count=0)
    broken = observation(frame_of(eve), faces=(), refused="undecodable")
    earlier = observation(frame_of(eve, consent_epoch=0))
    settling.settle([stored, faceless, broken, earlier, observation(slot_frame(0, 0, scope="none"))])
    settling.settle([stored])
    sender.send()
    found = page()
    assert found["roomtone_frames_analysed_total", ("face",)] == 1
    assert found["roomtone_frames_analysed_total", ("no face",)] == 1
    assert found["roomtone_events_stored_total", ()] == 1
    assert found["roomtone_frames_rejected_total", ("undecodable",)] == 1
    assert found["roomtone_frames_rejected_total", ("old_epoch",)] == 1
    assert found["roomtone_frames_rejected_total", ("repeated",)] == 1
    assert found["roomtone_capture_to_answer_seconds_count", ()] == 5
    assert (
        found["roomtone_stage_seconds_count", ("store",)] == found["roomtone_stage_seconds_count", ("publish",)] == 2
    )


@pytest.mark.usefixtures("from_nothing")
def test_processes_and_hosts_add_up_and_nothing_is_sent_twice() -> None:
    one, other = sending.Sender("web"), sending.Sender("worker")
    counts.RECEIVED.add(amount=3)
    one.send()
    one.send()
    other.send()  # its own count, from the same numbers in this test
    assert page()["roomtone_frames_received_total", ()] == 6
    assert sending.Sender("ticker")._sent["roomtone_frames_received|"] == 3


def test_a_redis_that_is_away_loses_no_count(sender: sending.Sender, settings: Settings) -> None:
    counts.RECEIVED.add()
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    with pytest.raises(RedisError):
        sender.send()
    settings.REDIS_URL = there
    counts.RECEIVED.add()
    sender.send()
    assert page()["roomtone_frames_received_total", ()] == 2


def test_a_histogram_says_how_many_lie_under_each_bound(sender: sending.Sender) -> None:
    for frames in (1, 2, 3, 64, 500):
        counts.BATCH.observe(frames)
    sender.send()
    found = page()
    under = [found["roomtone_batch_frames_bucket", (bound,)] for bound in ("1.0", "2.0", "4.0", "64.0", "+Inf")]
    assert under == [1, 2, 3, 4, 5]
    assert (found["roomtone_batch_frames_sum", ()], found["roomtone_batch_frames_count", ()]) == (570, 5)


def test_the_dead_are_not_counted_and_leave_nothing_behind(sender: sending.Sender) -> None:
    long_ago = int(time.time() * 1000) - sending.GONE_AFTER_MS - 1
    sync_redis().hset(sending.processes_key(), "elsewhere-1", json.dumps([long_ago, "web", {"camera": 9}]))
    with counts.OPEN.one_more("camera"):
        sender.send()
    found = page()
    assert found["roomtone_processes", ("web",)] == found["roomtone_connections", ("camera",)] == 1
    sender.clear_up()
    assert sync_redis().hlen(sending.processes_key()) == 1
    sender.finish()
    assert sync_redis().hlen(sending.processes_key()) == 0


@pytest.mark.django_db(transaction=True)
async def test_open_sockets_are_counted_while_they_are_open(session: ClassSession, join_soon: JoinSoon) -> None:
    student = await join_soon()
    async with web_process():
        async with camera(student):
            assert counts.OPEN.now()["camera"] == 1
        await eventually(lambda: counts.OPEN.now()["camera"] == 0)


@pytest.fixture
def join_soon(join: Join) -> JoinSoon:
    return sync_to_async(join)


def test_a_tick_has_its_time_and_its_points(join: Join, sender: sending.Sender) -> None:
    join()
    Ticker(MeanEstimator()).attempt(time.time() * 1000)
    sender.send()
    found = page()
    assert found["roomtone_tick_seconds_count", ()] == found["roomtone_mood_points_stored_total", ()] == 1


def test_what_waits_has_an_age(sender: sending.Sender, settings: Settings) -> None:
    sync_redis().zadd(slots.ready_key(1), {"7": time.time() * 1000 - 3000})
    found = page()
    assert found["roomtone_frames_waiting", ()] == 1
    assert 3 <= found["roomtone_queue_age_seconds", ()] < 5


@pytest.fixture
def with_token(pages: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer a token", f"Basic {TOKEN}", "Bearer ü", TOKEN])
def test_nobody_reads_it_without_the_token(client: Client, given: str) -> None:
    assert client.get("/metrics", headers={"Authorization": given}).status_code == 403


@pytest.mark.usefixtures("with_token")
def test_with_the_token_it_is_prometheus_text(client: Client, sender: sending.Sender) -> None:
    counts.RECEIVED.add()
    sender.send()
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"roomtone_frames_received_total 1.0" in answer.content
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.usefixtures("pages")
def test_where_no_token_is_set_there_is_no_such_page(client: Client, db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.usefixtures("with_token")
def test_without_redis_it_says_so(client: Client, settings: Settings) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    answer = client.get("/metrics", headers=BEARER)
    settings.REDIS_URL = there
    assert answer.status_code == 503


def test_every_name_has_been_kept_apart() -> None:
    """A field is split at bars; a label's value must hold none."""
    assert all("|" not in meter.name for meter in counts.METERS.values())
    assert len({meter.name for meter in counts.METERS.values()}) == len(counts.METERS)


@pytest.mark.django_db(transaction=True)
async def test_a_sockets_lines_bear_the_participants_number(
    join_soon: JoinSoon, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: said.append(logs.Json().format(record)))
    monkeypatch.setattr(base.log, "handlers", [handler])
    student = await join_soon()
    async with web_process(), camera(student) as socket:
        monkeypatch.setattr(presence, "mark", _redis_is_away)
        await socket.say(type="camera.state", state="paused")
        await eventually(lambda: bool(said))
    assert json.loads(said[0])["participant"] == student.pk


async def _redis_is_away(*_: object) -> None:
    raise RedisError("away")


def test_without_the_database_every_frame_is_answered_and_counted(
    join: Join, sender: sending.Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(readings: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(settling, "_record", away)
    told: list[Answer] = []
    monkeypatch.setattr(publish, "own_readings", lambda publisher, answers: told.extend(answers))
    with_face, without = (
        observation(frame_of(join("Mia"))),
        observation(frame_of(join("Ben")), faces=(), face_count=0),
    )
    settling.settle([with_face, without])
    sender.send()
    assert [json.loads(answer.text)["type"] for answer in told] == ["frame.rejected", "reading.own"]
    assert page()["roomtone_frames_rejected_total", ("busy",)] == 1
    assert page()["roomtone_frames_analysed_total", ("no face",)] == 1


# What beat asks for, but for the sweep: lanes that nobody sweeps show in the age of the queue.
KEEPING = {
    "close-minutes": tasks.close_minutes, "end-forgotten": tasks.end_forgotten, "purge-expired": tasks.purge_expired,
    "clear-sign-ins": tasks.clear_sign_ins,
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", list(KEEPING))
def test_housekeeping_says_when_it_was_done_last(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = ("roomtone_housekeeping_age_seconds", (name,))
    assert sample not in page()
    KEEPING[name]()
    assert page()[sample] < 60
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    assert 3900 < page()[sample] < 4100


@pytest.mark.django_db
def test_deletion_that_fails_does_not_count_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(tasks, "_purged_some", broken)
    with pytest.raises(OperationalError):
        tasks.purge_expired()
    assert housekeeping.ages() == {}


def test_all_that_beat_asks_for_is_seen(settings: Settings) -> None:
    asked = {name: str(entry["task"]) for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    assert asked.pop("sweep-lanes")
    assert asked == {name: task.name for name, task in KEEPING.items()}


@pytest.mark.django_db
def test_sign_ins_that_ran_out_go() -> None:
    for name, hours in (("over", -1), ("valid", 1)):
        expires = timezone.now() + timedelta(hours=hours)
        Session.objects.create(session_key=name, session_data="", expire_date=expires)
    tasks.clear_sign_ins()
    assert [session.session_key for session in Session.objects.all()] == ["valid"]
