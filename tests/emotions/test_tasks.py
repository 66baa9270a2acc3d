"""Drains: what is taken is read, stored, told; what is lost on the way is found again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from celery.signals import after_task_publish, task_postrun
from django.db import InterfaceError, InternalError, OperationalError, connection
from pytest_django.fixtures import Settings

from classroom import actions as classroom_actions
from classroom.config import celery
from classroom.models import Participant
from emotions import actions, tasks
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.models import EmotionEvent
from emotions.readings import analysis, draining, live
from emotions.readings.observations import Observation
from emotions.store import async_redis, close_async_redis, key, live_key, own_channel, sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import frame_of, jpeg, observation, slot_frame


@pytest.fixture(autouse=True)
def _one_lane(settings: Settings, keys: str) -> None:
    settings.FRAME_SHARDS = 1


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, dict[str, Any]]:
    """Instead of the network: what it says of a picture. A happy face, unless told otherwise."""
    says: dict[bytes, dict[str, Any]] = {}

    def observe(frames: Sequence[SlotFrame], *, every_face: bool = False) -> list[Observation]:
        return [observation(frame, **says.get(frame.jpeg, {})) for frame in frames]

    monkeypatch.setattr(analysis, "observe", observe)
    return says


@pytest.fixture
def answers() -> Iterator[Callable[[], dict[str, dict[str, Any]]]]:
    """What was published for sockets since the last call, by connection (hex)."""
    channel = sync_redis().pubsub(ignore_subscribe_messages=True)
    channel.subscribe(own_channel())
    channel.get_message(timeout=1)

    def heard() -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        while message := channel.get_message(timeout=0.05):
            found |= {connection: json.loads(text) for connection, text in json.loads(message["data"])}
        return found

    yield heard
    channel.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The drains that were asked for."""
    asked: list[int] = []
    monkeypatch.setattr(tasks, "send_drain", asked.append)
    return asked


def put(*frames: SlotFrame) -> None:
    async def once() -> None:
        await slots.put(async_redis(), frames)
        await close_async_redis()

    asyncio.run(once())


def readings(participant: Participant) -> dict[int, live.LiveReading]:
    return live.parse(sync_redis().hgetall(live_key(participant.session_id)))


@pytest.mark.django_db
@pytest.mark.usefixtures("seen")
def test_a_frame_becomes_an_event_a_live_reading_and_an_answer(join: Join, answers: Any) -> None:
    sam = join()
    frame = frame_of(sam, sequence=3)
    put(frame)
    tasks.analyse_pending(0)
    assert EmotionEvent.objects.get().sequence == 3
    reading = readings(sam)[sam.pk]
    assert (reading.label, reading.consent_epoch) == ("happy", 1)
    assert reading.captured_ms == frame.captured_ms
    assert answers() == {
        frame.connection.hex: {
            "type": "reading.own", "sequence": 3, "box": [0.1, 0.2, 0.3, 0.4],
            "label": "happy", "uncertain": False, "face_count": 1, "help": None,
            "seen_by_teacher": "individual",
        }
    }  # fmt: skip
    assert sync_redis().get(key("drained"))


@pytest.mark.django_db
def test_a_frame_without_a_face_is_answered_with_help_and_not_stored(
    join: Join, seen: dict[bytes, Any], answers: Any
) -> None:
    sam = join(scope="aggregate")
    seen[b"wall"] = {"faces": (), "face_count": 0, "help": "no_face"}
    frame = frame_of(sam, jpeg=b"wall")
    put(frame)
    tasks.analyse_pending(0)
    answer = answers()[frame.connection.hex]
    assert (answer["label"], answer["box"], answer["help"]) == (None, None, "no_face")
    assert answer["seen_by_teacher"] == "aggregate"
    assert not EmotionEvent.objects.exists()
    assert readings(sam) == {}


@pytest.mark.django_db
def test_each_refusal_is_told_and_the_others_are_stored(join: Join, seen: dict[bytes, Any], answers: Any) -> None:
    sam, mia, ben = join("Sam"), join("Mia"), join("Ben")
    classroom_actions.withdraw(mia)
    seen[b"broken"] = {"faces": (), "refused": "undecodable"}
    good, withdrawn = frame_of(sam), frame_of(mia, consent_epoch=1, scope="individual")
    broken, stranger = frame_of(ben, jpeg=b"broken"), slot_frame(10**6)
    put(good, withdrawn, broken, stranger)
    tasks.analyse_pending(0)
    told = answers()
    assert told[good.connection.hex]["type"] == "reading.own"
    reasons = {frame: told[frame.connection.hex].get("reason") for frame in (withdrawn, broken, stranger)}
    assert list(reasons.values()) == ["no_consent", "undecodable", "no_consent"]
    assert list(EmotionEvent.objects.values_list("participant", flat=True)) == [sam.pk]
    assert set(readings(sam)) == {sam.pk}


@pytest.mark.django_db
@pytest.mark.usefixtures("seen")
def test_a_batch_is_stored_by_one_query_and_told_by_one_message(
    join: Join, answers: Any, django_assert_num_queries: Any
) -> None:
    put(*[frame_of(join(f"Student {n}")) for n in range(20)])
    with django_assert_num_queries(1):
        tasks.analyse_pending(0)
    assert len(answers()) == 20


@pytest.mark.django_db
@pytest.mark.usefixtures("seen")
def test_a_drain_whose_time_is_up_sends_another(join: Join, sent: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "BATCH", 1)
    monkeypatch.setattr(draining, "BUDGET_SECONDS", 0.0001)
    put(frame_of(join("Sam")), frame_of(join("Mia")))
    tasks.analyse_pending(0)
    assert sent == [0]
    assert EmotionEvent.objects.count() == 1
    tasks.analyse_pending(0)
    assert sent == [0]
    assert EmotionEvent.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_answered_busy(
    join: Join, answers: Any, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    frame, tries = frame_of(join()), []

    def away(_: Any) -> Any:
        tries.append(1)
        raise error("the connection is closed")

    monkeypatch.setattr(actions, "record_readings", away)
    # The test's own transaction lives on the connection.
    monkeypatch.setattr("emotions.readings.settling.connection.close", lambda: None)
    put(frame)
    tasks.analyse_pending(0)
    assert len(tries) == 2
    assert answers()[frame.connection.hex] == {"type": "frame.rejected", "sequence": 1, "reason": "busy"}


@pytest.mark.usefixtures("seen")
def test_visitors_stand_back_while_a_class_waits(answers: Any) -> None:
    visitor, student = slot_frame(0, 0, scope="none"), slot_frame(1)
    put(visitor, student)
    tasks.analyse_try()
    assert answers() == {visitor.connection.hex: {"type": "try.busy", "sequence": 1}}
    slots.take(sync_redis(), 0, 9)
    put(visitor)
    tasks.analyse_try()
    answer = answers()[visitor.connection.hex]
    assert (answer["type"], [face["label"] for face in answer["faces"]]) == ("try.reading", ["happy"])


# -- What gets lost


def test_a_lost_drain_is_sent_again_once_its_lease_is_over(sent: list[int]) -> None:
    put(slot_frame(1), slot_frame(0, 0, scope="none"))
    tasks.sweep_lanes()
    assert sent == []
    slots.release(sync_redis(), 0)
    slots.release(sync_redis(), slots.TRY_LANE)
    tasks.sweep_lanes()
    tasks.sweep_lanes()
    assert sent == [0, slots.TRY_LANE]


@pytest.mark.parametrize(("lane", "name"), [(0, "analyse_pending"), (slots.TRY_LANE, "analyse_try")])
def test_only_a_number_crosses_the_broker(lane: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(getattr(tasks, name), "apply_async", lambda *a, **options: sent.append((a, options)))
    tasks.send_drain(lane)
    [(arguments, options)] = sent
    assert arguments == (((lane,),) if lane >= 0 else ())
    assert options == {"expires": tasks.DRAIN_EXPIRES_SECONDS, "retry": False}


def test_where_the_broker_is_away_the_next_frame_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise tasks.analyse_pending.OperationalError("no broker")

    monkeypatch.setattr(tasks.analyse_pending, "apply_async", away)
    put(slot_frame(1))
    assert sync_redis().exists(slots.queued_key(0))
    tasks.send_drain(0)
    assert not sync_redis().exists(slots.queued_key(0))


def test_drains_go_to_their_own_queue(settings: Settings) -> None:
    from classroom.config.celery import app

    router = app.amqp.router
    assert router.route({}, tasks.analyse_pending.name)["queue"].name == "frames"
    assert router.route({}, tasks.analyse_try.name)["queue"].name == "frames"
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks


# -- Live readings


def test_the_later_capture_stays_whoever_writes_last() -> None:
    now = time.time() * 1000
    late, early = slot_frame(1, captured_ms=now), slot_frame(1, captured_ms=now - 1000)
    for frame in (late, early):
        with sync_redis().pipeline() as pipe:
            live.update(pipe, [observation(frame)])
            pipe.execute()
    [reading] = live.parse(sync_redis().hgetall(live_key(1))).values()
    assert reading.captured_ms == now
    assert 0 < sync_redis().ttl(live_key(1)) <= live.LIVE_SECONDS


# -- The real network


def test_the_network_answers_for_good_and_bad_pictures_side_by_side() -> None:
    pictures = [jpeg(320, 240), b"no picture", jpeg()[:-200] + b"\xff\xd9"]
    wall, garbage, _ = analysis.observe([slot_frame(n, jpeg=picture) for n, picture in enumerate(pictures, 1)])
    assert (wall.faces, wall.face_count, wall.help, wall.refused) == ((), 0, "no_face", None)
    assert garbage.refused == "not_jpeg"
    assert wall.frame.jpeg == b""
    assert wall.model_version


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_nothing_any_more_is_busy(
    join: Join, seen: dict[bytes, dict[str, Any]], answers: Callable[[], dict[str, dict[str, Any]]]
) -> None:
    """After a failover the old one is a copy: every frame is answered and counted, and the next goes elsewhere."""
    sam = join()
    put(first := frame_of(sam, sequence=1))
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    tasks.analyse_pending(0)
    # It asked again on a fresh connection, which took it.
    assert EmotionEvent.objects.count() == 1
    assert answers()[first.connection.hex]["type"] == "reading.own"


@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_told_as_busy(
    join: Join,
    seen: dict[bytes, dict[str, Any]],
    answers: Callable[[], dict[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise InternalError("cannot execute SELECT FOR SHARE in a read-only transaction")

    monkeypatch.setattr(actions, "record_readings", refuse)
    put(frame := frame_of(join(), sequence=1))
    tasks.analyse_pending(0)
    assert answers()[frame.connection.hex]["reason"] == "busy"


@pytest.mark.django_db(transaction=True)
def test_a_process_that_only_keeps_house_lets_a_broken_connection_go() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [mine] = cursor.fetchone()
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [mine])
    with pytest.raises((OperationalError, InterfaceError)):
        EmotionEvent.objects.count()
    task_postrun.send(sender=None)
    assert EmotionEvent.objects.count() == 0


def test_the_brokers_line_stays_short_where_no_worker_takes_from_it(settings: Settings) -> None:
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    queues = [f"{prefix}housekeeping", f"{prefix}frames"]
    for queue in queues:
        sync_redis().lpush(queue, *range(3 * celery.LONGEST_LINE))
    try:
        for _ in range(celery.MEASURED_EVERY):
            after_task_publish.send(sender="emotions.tasks.sweep_lanes")
        left = [sync_redis().lrange(queue, 0, -1) for queue in queues]
        assert [len(each) for each in left] == [celery.LONGEST_LINE] * 2
        assert left[0][0] == str(3 * celery.LONGEST_LINE - 1).encode(), "the newest stay"
    finally:
        sync_redis().delete(*queues)
