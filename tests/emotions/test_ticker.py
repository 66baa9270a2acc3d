"""The ticker on a real database and Redis: one point a second, one ticker, and what dashboards get of it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions
from classroom.models import ClassSession, Course, Participant
from emotions import other_versions
from emotions.actions import record_room
from emotions.frames import slots
from emotions.messages import MoodTick, Notices, Pace
from emotions.meters import counts as meters
from emotions.models import MoodPoint
from emotions.mood import rooms, roster, snapshots, ticker
from emotions.mood.ticker import Ticker
from emotions.readings import live
from emotions.store import (
    cohort_key,
    key,
    live_key,
    notices_key,
    presence_key,
    sync_redis,
    tiles_key,
    watch_key,
)
from tests.emotions.conftest import Join
from tests.emotions.parts import MeanEstimator, frame_of, joined, observation, room_camera, room_sums
from tests.emotions.sockets import browser, instructor_cookies, web_process
from tests.emotions.ticks import apply_tick


def sit(participant: Participant, camera: str = "on", seen_ms: float | None = None) -> None:
    """Connected now (or at another time)."""
    seen = int(seen_ms or time.time() * 1000)
    sync_redis().hset(
        presence_key(participant.session_id), str(participant.pk), f"{uuid.uuid4().hex}:{camera}:{seen}"
    )


def read(*participants: Participant, **changes: Any) -> None:
    """Each has a reading of now, as a worker leaves it."""
    with sync_redis().pipeline() as pipe:
        live.update(pipe, [observation(frame_of(participant), **changes) for participant in participants])
        pipe.execute()


def class_of(session: ClassSession, count: int, scope: str = "individual") -> list[Participant]:
    students = [joined(session, f"Student {n:02}", scope) for n in range(count)]
    for student in students:
        sit(student)
    read(*students)
    return students


@pytest.fixture
def one(keys: str) -> Ticker:
    return Ticker(MeanEstimator())


@pytest.fixture
def ticks(session: ClassSession) -> Iterator[Any]:
    """What is published to the session's dashboards; call it for what came since."""
    channel = sync_redis().pubsub(ignore_subscribe_messages=True)
    channel.subscribe(f"{key('layer')}__group__session.{session.pk}")
    channel.get_message(timeout=1)

    def heard() -> list[MoodTick]:
        from channels_redis.serializers import registry

        found = []
        while message := channel.get_message(timeout=0.05):
            found.append(registry.get_serializer("msgpack").deserialize(message["data"]))
        return [MoodTick.model_validate_json(event["text"]) for event in found if event["type"] == "mood.tick"]

    yield heard
    channel.close()


@pytest.mark.django_db
def test_a_second_is_stored_and_told(session: ClassSession, one: Ticker, ticks: Any) -> None:
    students = class_of(session, 6)
    one.tick(time.time() * 1000)
    stored = MoodPoint.objects.get()
    assert (stored.session_id, stored.sequence, stored.joined, stored.connected) == (session.pk, 1, 6, 6)
    assert (stored.measured, stored.not_visible, stored.model_version) == (6, 0, "means")
    assert stored.shares is not None
    assert stored.shares[3] == pytest.approx(0.8)
    [tick] = ticks()
    assert tick.point == stored.as_message()
    assert {tile.id for tile in tick.tiles} == {student.public_id for student in students}
    assert {(tile.state, tile.label) for tile in tick.tiles} == {("measured", "happy")}


@pytest.mark.django_db
def test_all_sessions_are_ticked_in_a_fixed_number_of_queries(
    session: ClassSession, one: Ticker, bob: User, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        other = actions.start_session(Course.objects.create(title=f"Course {number}", instructor=bob))
        class_of(other, 3)
    class_of(session, 8)
    one.tick(time.time() * 1000)
    with django_assert_num_queries(3):  # participants, pace, the points
        one.tick(time.time() * 1000 + 1000)
    assert MoodPoint.objects.count() == 8


@pytest.mark.django_db
def test_under_the_floor_nothing_is_estimated(session: ClassSession, one: Ticker) -> None:
    class_of(session, 4)
    one.tick(time.time() * 1000)
    point = MoodPoint.objects.get()
    assert (point.shares, point.low, point.high, point.measured) == (None, None, None, 4)


@pytest.mark.django_db
def test_who_shares_in_the_aggregate_has_no_tile(session: ClassSession, one: Ticker, ticks: Any) -> None:
    class_of(session, 6, "aggregate")
    one.tick(time.time() * 1000)
    [tick] = ticks()
    assert tick.tiles == []
    assert tick.point.measured == 6


@pytest.mark.django_db
def test_sequences_go_on_in_another_ticker(session: ClassSession, one: Ticker) -> None:
    class_of(session, 5)
    now = time.time() * 1000
    one.tick(now)
    one.tick(now + 1000)
    heir = Ticker(MeanEstimator())
    heir.tick(now + 2000)
    assert list(MoodPoint.objects.values_list("sequence", flat=True)) == [1, 2, 3]


@pytest.mark.django_db
def test_a_newcomer_of_the_aggregate_waits_also_across_tickers(session: ClassSession, one: Ticker) -> None:
    """The mood of two seconds never differs by one student, even where another ticker made the second one."""
    class_of(session, 8, "aggregate")
    now = time.time() * 1000
    one.tick(now)
    class_of(session, 1, "aggregate")
    Ticker(MeanEstimator()).tick(now + 1000)
    assert list(MoodPoint.objects.values_list("measured", flat=True)) == [8, 8]


@pytest.mark.django_db(transaction=True)
def test_the_cohort_outlives_a_redis_that_was_restarted(
    session: ClassSession, one: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_of(session, 8, "aggregate")
    now = time.time() * 1000

    def down(*_: Any) -> None:
        raise redis.ConnectionError("Redis is away")

    assert one.attempt(now)
    with monkeypatch.context() as away:
        away.setattr(live, "parse", down)
        assert not one.attempt(now + 1000)
    sync_redis().delete(cohort_key(session.pk), tiles_key(session.pk), key("ticker"))
    class_of(session, 1, "aggregate")
    assert one.attempt(now + 2000)
    assert list(MoodPoint.objects.values_list("sequence", "measured")) == [(1, 8), (2, 8)]


@pytest.mark.django_db(transaction=True)
def test_two_tickers_never_store_the_same_second(session: ClassSession, one: Ticker) -> None:
    class_of(session, 5)
    now = time.time() * 1000
    rival = Ticker(MeanEstimator())
    one.tick(now)
    rival.tick(now + 500)
    with pytest.raises(IntegrityError):
        one.tick(now + 1000)
    assert list(MoodPoint.objects.values_list("sequence", flat=True)) == [1, 2]


@pytest.mark.django_db
def test_a_second_ticker_stands_by_and_takes_over(
    session: ClassSession, one: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker, "LEASE_MS", 150)
    first, second = Ticker(MeanEstimator()), Ticker(MeanEstimator())
    class_of(session, 5)
    now = time.time() * 1000
    assert first.tick_if_held(now)
    assert not second.tick_if_held(now + 1000)
    assert first.tick_if_held(now + 1000)
    time.sleep(0.2)  # the first one was killed
    assert second.tick_if_held(now + 2000)
    assert not first.tick_if_held(now + 2000)
    assert list(MoodPoint.objects.values_list("sequence", flat=True)) == [1, 2, 3]


@pytest.mark.django_db
def test_an_empty_room_fills_no_table(session: ClassSession, one: Ticker) -> None:
    students = class_of(session, 5)
    now = time.time() * 1000
    one.tick(now)
    for second in range(1, 6):
        one.tick(now + 60_000 + second * 1000)
    assert list(MoodPoint.objects.values_list("connected", flat=True)) == [5, 0]
    sit(students[0], seen_ms=now + 70_000)
    one.tick(now + 70_000)
    assert MoodPoint.objects.count() == 3


@pytest.mark.django_db
def test_who_withdraws_is_out_with_the_next_second(session: ClassSession, one: Ticker, ticks: Any) -> None:
    """Even if Redis still held their reading."""
    students = class_of(session, 6)
    now = time.time() * 1000
    one.tick(now)
    actions.withdraw(students[0])
    one.tick(now + 1000)
    assert [point.measured for point in MoodPoint.objects.all()] == [6, 5]
    assert ticks()[1].gone == [students[0].public_id]


@pytest.mark.django_db
@pytest.mark.parametrize("ended", [False, True])
def test_who_withdraws_is_in_no_snapshot_from_then_on(session: ClassSession, one: Ticker, ended: bool) -> None:
    """Also while nobody ticks: in a session that has ended the last tiles stay in Redis for a while."""
    students = class_of(session, 6)
    one.tick(time.time() * 1000)
    if ended:
        actions.end_session(session)
    actions.withdraw(students[0])
    actions.erase(students[1])
    shown = {tile.id for tile in snapshots.build(session).tiles}
    assert shown == {student.public_id for student in students[2:]}


@pytest.mark.django_db
def test_a_reading_that_outlived_its_consent_leaves_redis(session: ClassSession, one: Ticker) -> None:
    """A worker that stored it before the withdrawal may say so afterwards."""
    withdrawn, erased, staying = class_of(session, 3)
    late = [observation(frame_of(withdrawn)), observation(frame_of(erased))]
    actions.withdraw(withdrawn)
    actions.erase(erased)
    with sync_redis().pipeline() as pipe:
        live.update(pipe, late)
        pipe.execute()
    one.tick(time.time() * 1000)
    assert list(live.parse(sync_redis().hgetall(live_key(session.pk)))) == [staying.pk]


@pytest.mark.django_db
def test_an_ended_session_is_left_alone(session: ClassSession, one: Ticker) -> None:
    class_of(session, 5)
    now = time.time() * 1000
    one.tick(now)
    actions.end_session(session)
    one.tick(now + 1000)
    assert MoodPoint.objects.count() == 1


@pytest.mark.django_db
def test_pace_is_everybodys_last_word_of_three_minutes(session: ClassSession, one: Ticker, join: Join) -> None:
    now = timezone.now()
    said = {"Sam": [("lost", 100), ("got_it", 10)], "Mia": [("lost", 100)], "Ben": [("too_fast", 200)]}
    for name, words in said.items():
        student = join(name, scope="")
        for word, seconds_ago in words:
            student.check_ins.create(word=word, at=now - timedelta(seconds=seconds_ago))
    assert roster.live_rosters(now)[session.pk].pace == Pace(withheld=3)
    join("Cy", scope=""), join("Di", scope="")
    assert roster.live_rosters(now)[session.pk].pace == Pace(lost=1, got_it=1)


@pytest.mark.django_db
def test_words_without_a_name_are_counted_from_five_students_on(session: ClassSession, join: Join) -> None:
    """Whoever shares individually is heard always; of the others all or none, however many spoke."""
    named, hidden = join("Ada"), [join(f"Student {n}", scope="aggregate") for n in range(4)]
    for student in (named, *hidden):
        student.check_ins.create(word="lost")
    now = timezone.now()
    assert roster.live_rosters(now)[session.pk].pace == Pace(lost=1, withheld=4)
    join("Ben", scope="none")
    assert roster.live_rosters(now)[session.pk].pace == Pace(lost=5)
    actions.leave(hidden[0])
    assert roster.live_rosters(now)[session.pk].pace == Pace(lost=1, withheld=4)


@pytest.mark.django_db
def test_when_students_were_seen_is_noted_now_and_then(session: ClassSession, one: Ticker, join: Join) -> None:
    [here], away = class_of(session, 1), join("Away")
    one.tick(time.time() * 1000)
    here.refresh_from_db()
    away.refresh_from_db()
    assert here.last_seen_at is not None
    assert away.last_seen_at is None


@pytest.mark.django_db
def test_everything_the_ticker_keeps_has_a_lifetime(session: ClassSession, one: Ticker, keys: str) -> None:
    class_of(session, 5)
    one.tick_if_held(time.time() * 1000)
    kept = {name: sync_redis().ttl(name) for name in sync_redis().scan_iter(f"{keys}:*") if b"presence" not in name}
    assert len(kept) == 6  # the lease, live readings, tiles, cohort, notices, watch
    assert all(0 < life <= 120 for life in kept.values())


@pytest.mark.django_db
def test_what_another_version_keeps_in_redis_costs_no_class_its_mood(
    session: ClassSession, one: Ticker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a new version is brought up, both run: who is known to the other one alone is missing, not everybody."""
    monkeypatch.setattr(other_versions, "_said", set())
    *known, strange = class_of(session, 6)
    now = time.time() * 1000
    one.tick(now)
    _as_another_version_keeps_it(strange)
    assert snapshots.build(session).notices == Notices()
    heir = Ticker(MeanEstimator())
    heir.tick(now + 1000)
    heir.tick(now + 2000)
    told = MoodPoint.objects.order_by("sequence").values_list("connected", "measured")
    assert list(told) == [(6, 6), (5, 5), (5, 5)]
    # What nobody can read nobody can hold to its student's consent: it does not stay.
    assert {int(pk) for pk in sync_redis().hgetall(live_key(session.pk))} == {one.pk for one in known}
    said = sorted(record.getMessage().split()[0] for record in caplog.records if "passed over" in record.getMessage())
    assert said == ["notices", "presences", "readings", "watches"], "each once, though every second finds them"


def _as_another_version_keeps_it(student: Participant) -> None:
    session, pk = student.session_id, str(student.pk)
    sync_redis().hset(live_key(session), pk, b"another size")
    sync_redis().hset(presence_key(session), pk, f"{uuid.uuid4().hex}:on:1:more")
    sync_redis().set(watch_key(session), json.dumps({pk: [1, 2]}))
    sync_redis().set(notices_key(session), json.dumps({"attention": [], "more": 1}))


# -- A fault in one class


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["taken_up", "_scene", "next_point", "_send_one"])
def test_a_fault_in_one_class_costs_nobody_else_a_second(
    session: ClassSession, one: Ticker, bob: User, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in the tick it happens: the others' points are stored, the fault is logged and counted, and the class
    itself goes on with the next second."""
    other = actions.start_session(Course.objects.create(title="Optics", instructor=bob))
    class_of(session, 5)
    class_of(other, 6)
    now, failed = time.time() * 1000, meters.CLASSES_FAILED._values[""]
    fault = iter([ValueError("a fault of ours")])
    place: Any = Ticker if where == "_send_one" else ticker
    with monkeypatch.context() as broken:
        broken.setattr(place, where, _failing_once(getattr(place, where), fault))
        assert one.attempt(now)
    assert one.attempt(now + 1000)
    stored = list(MoodPoint.objects.values_list("joined", flat=True))
    assert sorted(stored) in ([5, 6, 6], [5, 5, 6], [5, 5, 6, 6])
    assert meters.CLASSES_FAILED._values[""] == failed + 1


def _failing_once(real: Any, fault: Iterator[Exception]) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        for error in fault:
            raise error
        return real(*args, **kwargs)

    return called


@pytest.mark.django_db
def test_a_class_that_failed_keeps_its_cohort(
    session: ClassSession, one: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the mood of two seconds could differ by one student: a newcomer waits also after a fault."""
    class_of(session, 8, "aggregate")
    now = time.time() * 1000
    with monkeypatch.context() as broken:
        broken.setattr(Ticker, "_send_one", _failing_once(Ticker._send_one, iter([KeyError("a fault of ours")])))
        one.tick(now)
    assert sync_redis().get(cohort_key(session.pk)) is None
    class_of(session, 1, "aggregate")
    one.tick(now + 1000)
    assert list(MoodPoint.objects.values_list("sequence", "measured")) == [(1, 8), (2, 8)]


@pytest.mark.django_db(transaction=True)
def test_a_point_that_was_stored_but_not_sent_counts_for_the_next(
    session: ClassSession, one: Ticker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis has the cohort of the point before it: from that, one could go and one come beside the stored point."""
    class_of(session, 8, "aggregate")
    now = time.time() * 1000
    one.attempt(now)
    more = class_of(session, 5, "aggregate")
    with monkeypatch.context() as broken:
        broken.setattr(Ticker, "_send", _failing_once(Ticker._send, iter([redis.ConnectionError("away")])))
        assert not one.attempt(now + 1000)
    assert list(MoodPoint.objects.values_list("measured", flat=True)) == [8, 13]
    stored = {student.pk for student in session.participants.all()}
    actions.leave(more[0])
    class_of(session, 1, "aggregate")
    assert one.attempt(now + 2000)
    cohort = json.loads(sync_redis().get(cohort_key(session.pk)) or "")
    assert len(stored.symmetric_difference(cohort)) >= 5


@pytest.mark.django_db
def test_a_ticker_that_stood_by_knows_nothing_of_earlier_cohorts(session: ClassSession, one: Ticker) -> None:
    """Where Redis has lost the last one, no earlier one takes its place: two points could differ by one student."""
    class_of(session, 8, "aggregate")
    now, rival = time.time() * 1000, Ticker(MeanEstimator())
    assert one.tick_if_held(now)
    sync_redis().delete(key("ticker"))
    assert rival.tick_if_held(now + 1000)
    assert not one.tick_if_held(now + 1000)
    class_of(session, 5, "aggregate")
    assert rival.tick_if_held(now + 2000)
    sync_redis().delete(key("ticker"), cohort_key(session.pk), tiles_key(session.pk))
    class_of(session, 1, "aggregate")
    assert one.tick_if_held(now + 3000)
    points = list(MoodPoint.objects.order_by("sequence"))
    assert [point.measured for point in points[:3]] == [8, 8, 13]
    assert [point.shares is None for point in points] == [False, False, False, True]


@pytest.mark.django_db(transaction=True)
def test_a_word_that_is_erased_while_a_second_is_made_is_in_none(
    session: ClassSession, one: Ticker, ticks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its reading and the point's storing: the erasure itself has found no point of it yet."""
    sam, store = class_of(session, 5)[0], roster.store_points
    sam.check_ins.create(word="lost")

    def erase_and_store(*points: Any) -> None:
        actions.erase_last(sam, 5)
        store(*points)

    now = time.time() * 1000
    with monkeypatch.context() as late:
        late.setattr(roster, "store_points", erase_and_store)
        one.tick(now)
    assert MoodPoint.objects.get().pace == {}
    [tick] = ticks()
    assert tick.point.pace == Pace()
    assert snapshots.build(session).points == [tick.point]
    sam.check_ins.create(word="lost")
    one.tick(now + 1000)
    assert MoodPoint.objects.get(sequence=2).pace["lost"] == 1


# -- Dashboards


@pytest.mark.django_db
def test_snapshot_and_ticks_equal_a_fresh_snapshot(session: ClassSession, one: Ticker, ticks: Any) -> None:
    """As the property in test_board, by way of the real database, Redis and wire."""
    students = class_of(session, 7)
    now, held = time.time() * 1000, None
    for second in range(12):
        if second == 4:
            actions.remove_participant(students[0], session.course.instructor)
        if second == 6:
            students += class_of(session, 1)
        if second == 8:
            sit(students[2], "paused")
        read(*students[second % 3 :: 3], faces=observation(frame_of(students[0]), _mix(second)).faces)
        one.tick(now + second * 1000)
        [tick] = ticks()
        held = apply_tick(held, tick) if held else snapshots.build(session)
        assert held == snapshots.build(session)
    assert held is not None
    assert len(held.points) == 12
    assert len(held.tiles) == 7


def _mix(second: int) -> tuple[float, ...]:
    share = second / 12
    return (0.0, 0.0, 0.0, 1 - share, share, 0.0, 0.0)


@pytest.mark.django_db
def test_a_dashboard_that_was_cut_off_gets_what_it_missed(session: ClassSession, one: Ticker) -> None:
    class_of(session, 5)
    for second in range(5):
        one.tick(time.time() * 1000 + second * 1000)
    snapshot = snapshots.build(session, after=3)
    assert ([point.sequence for point in snapshot.points], snapshot.sequence) == ([4, 5], 5)
    assert len(snapshot.tiles) == 5


@pytest.mark.django_db
def test_a_dashboard_that_opens_between_a_first_point_and_its_tiles_gets_both(
    session: ClassSession, one: Ticker, ticks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_of(session, 5)
    opened: list[Any] = []
    send = Ticker._send

    def send_late(self: Ticker, *rest: Any) -> None:
        opened.append(snapshots.build(session))
        send(self, *rest)

    monkeypatch.setattr(Ticker, "_send", send_late)
    one.tick(time.time() * 1000)
    [tick] = ticks()
    assert apply_tick(opened[0], tick) == snapshots.build(session)


@pytest.mark.django_db
def test_a_snapshot_is_a_few_queries_and_three_hundred_points(
    session: ClassSession, django_assert_num_queries: Any
) -> None:
    at = timezone.now()
    counts = dict.fromkeys(("joined", "connected", "measured", "uncertain", "not_visible"), 0)
    MoodPoint.objects.bulk_create(
        MoodPoint(session=session, sequence=n, at=at + timedelta(seconds=n), **counts) for n in range(1, 4001)
    )
    actions.end_session(session)
    with django_assert_num_queries(3):
        snapshot = snapshots.build(session)
    sequences = [point.sequence for point in snapshot.points]
    assert len(sequences) <= 300
    assert sequences[-120:] == list(range(3881, 4001))
    assert snapshot.sequence == 4000


@pytest.mark.django_db(transaction=True)
async def test_a_dashboard_sees_the_seconds_and_heals_a_gap(session: ClassSession, one: Ticker, alice: User) -> None:
    await sync_to_async(class_of)(session, 5)
    now = time.time() * 1000
    tick = sync_to_async(one.tick)
    await tick(now)
    async with (
        web_process(),
        browser(f"/ws/dashboard/{session.public_id}/", await sync_to_async(instructor_cookies)(alice)) as page,
    ):
        snapshot = await page.hear()
        assert (snapshot["type"], snapshot["sequence"], len(snapshot["tiles"])) == ("mood.snapshot", 1, 5)
        await tick(now + 1000)
        assert (await page.hear_type("mood.tick"))["point"]["sequence"] == 2
        with pytest.MonkeyPatch.context() as lost:
            lost.setattr("emotions.publish.mood_tick", lambda *_: None)
            await tick(now + 2000)
        await tick(now + 3000)
        again = await page.hear()
        assert (again["type"], [point["sequence"] for point in again["points"]]) == ("mood.snapshot", [3, 4])
        await tick(now + 4000)
        assert (await page.hear_type("mood.tick"))["point"]["sequence"] == 5


# -- The loop


@pytest.mark.django_db(transaction=True)
def test_the_loop_ticks_each_second_and_survives_a_failure(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_of(session, 5)
    running, stop = Ticker(MeanEstimator()), Event()
    real, failures = roster.store_points, [ConnectionError("the database went away")]

    def store(*points: Any) -> None:
        if failures:
            raise failures.pop()
        real(*points)

    monkeypatch.setattr(roster, "store_points", store)

    def run() -> None:
        running.run(stop)
        connection.close()

    thread = Thread(target=run)
    thread.start()
    until = time.monotonic() + 10
    while MoodPoint.objects.count() < 2 and time.monotonic() < until:
        time.sleep(0.1)
    stop.set()
    thread.join(5)
    sequences = list(MoodPoint.objects.values_list("sequence", flat=True))
    assert not failures
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) >= 2
    assert sync_redis().get(key("ticker")) is None
    assert sync_redis().get(tiles_key(session.pk))


# -- Beside the mood


def test_a_tick_says_when_nobody_reads_the_pictures(
    session: ClassSession, one: Ticker, ticks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam, now = class_of(session, 2)[0], time.time() * 1000
    waits = {str(sam.pk): now - ticker.UNREAD_MS + 500}
    ready = slots.ready_key(sam.pk % len(slots.lanes()))
    sync_redis().zadd(ready, waits, nx=True)
    one.tick(now)
    one.tick(now + 1_000)
    sync_redis().delete(ready)
    one.tick(now + 2_000)
    assert [tick.unread for tick in ticks()] == [False, True, False]


def test_pictures_of_another_class_that_wait_are_not_told(
    session: ClassSession, one: Ticker, ticks: Any, bob: User
) -> None:
    class_of(session, 2)
    other = joined(actions.start_session(Course.objects.create(title="Optics", instructor=bob)), "Tess")
    now = time.time() * 1000
    sync_redis().zadd(slots.ready_key(other.pk % len(slots.lanes())), {str(other.pk): now - 60_000})
    one.tick(now)
    assert [tick.unread for tick in ticks()] == [False]


def test_a_room_camera_is_told_beside_the_mood_and_its_end_too(
    session: ClassSession, one: Ticker, ticks: Any, alice: User, settings: Settings
) -> None:
    """Also where no student has joined; and it is no student."""
    settings.ROOM_CAMERAS = True
    camera = room_camera(session, alice)
    now = time.time() * 1000 // rooms.BLOCK_MS * rooms.BLOCK_MS + rooms.LATE_MS
    for n in range(25):
        record_room(room_sums(camera, sequence=n, captured_ms=now - rooms.LATE_MS - rooms.BLOCK_MS + 2_000 * n))
    one.tick(now)
    one.tick(now + 1_000)
    one.tick(now + rooms.BLOCK_MS)
    actions.withdraw_room(session, alice)
    one.tick(now + rooms.BLOCK_MS + 1_000)
    one.tick(now + rooms.BLOCK_MS + 2_000)
    told = ticks()
    assert [tick.room and tick.room.faces for tick in told] == [8, 8, None], "each half minute, and the end, once"
    assert told[0].room == told[1].room
    assert [tick.point.joined for tick in told] == [0, 0, 0]
    assert told[0].point.shares is None


@pytest.mark.django_db
def test_when_the_last_one_leaves_dashboards_hear_it_once(session: ClassSession, one: Ticker, ticks: Any) -> None:
    students, now = class_of(session, 6), time.time() * 1000
    actions.raise_hand(students[0])
    one.tick(now)
    for student in students:
        actions.leave(student)
    ticks()
    for second in range(1, 6):
        one.tick(now + 1000 * second)
    [tick] = ticks()
    assert (tick.point.joined, tick.point.connected, tick.point.measured) == (0, 0, 0)
    assert set(tick.gone) == {student.public_id for student in students}
    assert tick.notices is not None
    assert not tick.notices.hands
    last = MoodPoint.objects.order_by("-sequence").first()
    assert last is not None
    assert last.joined == 0
    sync_redis().delete(tiles_key(session.pk))  # as after two minutes
    opened = snapshots.build(session)
    assert (opened.sequence, opened.points[-1].joined) == (last.sequence, 0), "who opens the page then sees the same"


@pytest.mark.django_db
def test_a_clock_that_is_set_back_stops_no_class(session: ClassSession, one: Ticker) -> None:
    """Readings of the time before count for nothing, and new ones take their place at once."""
    students, now = class_of(session, 6), time.time() * 1000
    one.tick(now)
    before, back = (0.02, 0.01, 0.02, 0.05, 0.80, 0.05, 0.05), now - 3_600_000
    for student in students:
        sit(student, seen_ms=back)
    one.tick(back)
    assert MoodPoint.objects.get(sequence=2).measured == 0
    frames = [frame_of(student, captured_ms=back, received_ms=back, sequence=9) for student in students]
    with sync_redis().pipeline() as pipe:
        live.update(pipe, [observation(frame, before) for frame in frames])
        pipe.execute()
    one.tick(back + 1000)
    point = MoodPoint.objects.get(sequence=3)
    assert point.measured == 6
    assert point.shares is not None
    assert point.shares[4] > 0.5
