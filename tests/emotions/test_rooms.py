"""Room cameras: sums alone, from five faces on, under the declaration in force; apart from the mood, gone in time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions as classroom_actions
from classroom.models import ClassSession, Erasure, Participant
from emotions.actions import record_readings, record_room
from emotions.consumers import guard
from emotions.consumers.room import RoomConsumer
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.models import EmotionEvent, MoodPoint, RoomReading
from emotions.mood import rooms
from emotions.reports import page, people, selectors, tables
from emotions.reports import rooms as reported
from emotions.reports.totals import totals
from emotions.store import sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import frame_of, jpeg, message, observation, room_camera, room_sums
from tests.emotions.sockets import Browser, browser, eventually, instructor_cookies, student_cookies, web_process

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _allowed(settings: Settings) -> None:
    settings.ROOM_CAMERAS = True


@pytest.fixture
def camera(session: ClassSession, alice: User) -> Participant:
    return room_camera(session, alice)


def fill(camera: Participant, since_ms: float, count: int = 10, faces: int = 8) -> None:
    """A picture every two seconds."""
    for n in range(count):
        assert record_room(room_sums(camera, faces, sequence=n, captured_ms=since_ms + 2_000 * n))[0] == "stored"


# -- What is stored


def test_a_picture_leaves_sums_and_nothing_else(camera: Participant) -> None:
    assert record_room(room_sums(camera, 8, sequence=3, captured_ms=1e12)) == ("stored", 5)
    row = RoomReading.objects.get()
    assert (row.participant, row.session, row.sequence) == (camera, camera.session, 3)
    assert (row.faces, row.uncertain, row.sums) == (8, 1, [0, 0, 0, 4, 0, 0, 4])
    columns = {field.name for field in RoomReading._meta.get_fields()}
    assert columns == {
        "id", "session", "participant", "connection", "sequence", "captured_at", "faces", "uncertain", "sums",
        "model_version",
    }  # fmt: skip
    assert not EmotionEvent.objects.exists()


def test_a_picture_is_stored_once(camera: Participant) -> None:
    seen = room_sums(camera)
    assert record_room(seen)[0] == "stored"
    assert record_room(seen)[0] == "repeated"
    assert RoomReading.objects.count() == 1


@pytest.mark.parametrize("faces", [0, 1, 4])
def test_under_five_faces_nothing_is_stored(camera: Participant, faces: int) -> None:
    assert record_room(room_sums(camera, faces)) == ("too_few", 5)
    assert not RoomReading.objects.exists()


def test_the_table_itself_refuses_fewer(camera: Participant) -> None:
    assert record_room(room_sums(camera))[0] == "stored"
    with pytest.raises(IntegrityError, match="no_sum_under_the_floor"), transaction.atomic():
        RoomReading.objects.update(faces=4)


@pytest.mark.parametrize("scope", ["individual", "aggregate"])
def test_who_is_measured_elsewhere_is_not_counted_towards_the_five(
    camera: Participant, join: Join, scope: str
) -> None:
    """The sums less their tiles, and less the class mood, must be of five others, whoever of them the camera sees."""
    shares, gone = join("Sam", scope=scope), join("Tess", scope=scope)
    join("Uma", scope="none"), join("Vic", scope="")
    classroom_actions.leave(gone)
    assert record_room(room_sums(camera, 5)) == ("too_few", 6)
    assert record_room(room_sums(camera, 6)) == ("stored", 6)
    classroom_actions.withdraw(shares)
    assert record_room(room_sums(camera, 5, sequence=2)) == ("stored", 5)


def test_the_sums_less_the_class_mood_are_never_of_one_student(camera: Participant, join: Join) -> None:
    """Five who share only as part of the class are in the class mood; a sixth in the room is measured by nobody."""
    for number in range(5):
        join(f"Student {number}", scope="aggregate")
    assert record_room(room_sums(camera, 6)) == ("too_few", 10)
    assert not RoomReading.objects.exists()


def test_nothing_is_stored_without_the_declaration_in_force(camera: Participant, alice: User) -> None:
    session, old = camera.session, room_sums(camera)
    classroom_actions.withdraw_room(session, alice)
    assert record_room(old)[0] == "no_consent"
    again = room_camera(session, alice)
    assert record_room(old)[0] == "old_epoch"
    classroom_actions.end_session(session)
    assert record_room(room_sums(again))[0] == "no_consent"
    assert not RoomReading.objects.exists()


def test_neither_kind_is_stored_as_the_other(camera: Participant, join: Join) -> None:
    """Not a row per face of a room, nor sums under a student."""
    frame = room_sums(camera).frame
    assert record_readings([observation(frame)]) == ["no_consent"]
    sam = join("Sam", scope="aggregate")
    assert record_room(replace(room_sums(camera), frame=frame_of(sam)))[0] == "no_consent"
    assert not EmotionEvent.objects.exists()
    assert not RoomReading.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_lands_after_the_declaration_was_taken_back(camera: Participant, alice: User) -> None:
    """A hundred pictures race one withdrawal: those that were stored, were before it."""
    with ThreadPoolExecutor(1) as pool:
        racing = pool.submit(_hundred, camera)
        assert _within(5, RoomReading.objects.exists)
        classroom_actions.withdraw_room(camera.session, alice)
        at_withdrawal = RoomReading.objects.count()
        verdicts = racing.result(30)
    assert RoomReading.objects.count() == at_withdrawal
    assert 0 < at_withdrawal < 100
    assert verdicts == ["stored"] * at_withdrawal + ["no_consent"] * (100 - at_withdrawal)


def _hundred(camera: Participant) -> list[str]:
    try:
        return [record_room(room_sums(camera, sequence=n))[0] for n in range(100)]
    finally:
        connection.close()


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


def test_a_slot_says_that_it_is_a_rooms() -> None:
    frame = SlotFrame.unpack(replace(room_frame(), jpeg=b"picture").pack())
    assert frame.scope == "room"


def room_frame() -> SlotFrame:
    from tests.emotions.parts import slot_frame

    return slot_frame(scope="room")


# -- The socket


@pytest.fixture
async def _own_loop(keys: str) -> AsyncIterator[None]:
    async with web_process():
        yield


@asynccontextmanager
async def _socket(session: ClassSession, user: User) -> AsyncIterator[Browser]:
    cookies = await sync_to_async(instructor_cookies)(user)
    async with browser(f"/ws/room/{session.public_id}/", cookies) as opened:
        yield opened


async def _answer(page: Browser, data: bytes) -> dict[str, Any]:
    await page.show(data)
    return await page.hear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
async def test_the_owner_sends_large_pictures_slowly(session: ClassSession, camera: Participant, alice: User) -> None:
    async with _socket(session, alice) as page:
        welcome = await page.hear()
        assert (welcome["type"], welcome["interval_ms"], welcome["place"]) == ("welcome", 2_000, "server")
        assert (await _answer(page, message(1, picture=jpeg(1280, 720)[:-100])))["reason"] == "truncated"
        assert (await _answer(page, message(2, picture=jpeg() + bytes(400_000))))["reason"] == "too_large"
        assert (await _answer(page, message(3)))["reason"] == "too_fast"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
async def test_a_picture_waits_in_a_slot_that_is_marked(
    session: ClassSession, camera: Participant, alice: User
) -> None:
    async with _socket(session, alice) as page:
        await page.hear()
        await page.show(message(1, epoch=camera.consent_epoch, picture=jpeg(1280, 720)))
        value = await eventually(lambda: sync_redis().get(slots.slot_key(camera.pk)))
        frame = SlotFrame.unpack(value)
        assert (frame.scope, frame.participant, frame.session) == ("room", camera.pk, session.pk)
        await sync_to_async(classroom_actions.withdraw_room)(session, alice)
        assert await page.close_code() == 4411
        assert not sync_redis().exists(slots.slot_key(camera.pk))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
@pytest.mark.parametrize(
    "said", ['{"type": "check_in", "word": "lost"}', '{"type": "hand", "up": true}',
             '{"type": "device.began", "model_version": "x"}'],
)  # fmt: skip
async def test_a_camera_says_nothing_of_its_own(
    session: ClassSession, camera: Participant, alice: User, said: str
) -> None:
    async with _socket(session, alice) as page:
        await page.hear()
        await page.say_text(said)
        assert await page.close_code() == 4400


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
async def test_without_a_declaration_or_the_right_the_socket_closes(
    session: ClassSession, alice: User, bob: User, join: Join, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "ASKED_AGAIN_SECONDS", 0.1)
    async with _socket(session, alice) as page:
        assert await page.close_code() == 4411
    camera = await sync_to_async(room_camera)(session, alice)
    async with _socket(session, bob) as page:
        assert await page.close_code() == 4404
    sam = await sync_to_async(join)("Sam")
    async with browser(f"/ws/room/{session.public_id}/", student_cookies(sam)) as page:
        assert await page.close_code() == 4401
    async with browser(f"/ws/camera/{session.public_id}/", student_cookies(camera)) as page:
        assert await page.close_code() == 4401
    async with _socket(session, alice) as page:
        await page.hear()
        settings.ROOM_CAMERAS = False
        assert await page.close_code() == 4411


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_own_loop")
async def test_students_hear_of_it_while_their_page_is_open(session: ClassSession, alice: User, join: Join) -> None:
    sam = await sync_to_async(join)("Sam")
    path, cookies = f"/ws/camera/{session.public_id}/", await sync_to_async(student_cookies)(sam)
    async with browser(path, cookies) as page:
        assert (await page.hear_type("welcome"))["room"] is False
        camera = await sync_to_async(room_camera)(session, alice)
        assert (await page.hear())["room"] is True
        await sync_to_async(classroom_actions.withdraw_room)(session, alice)
        assert (await page.hear())["room"] is False
        await sync_to_async(room_camera)(session, alice)
        assert (await page.hear())["room"] is True
    async with browser(path, cookies) as page:
        assert (await page.hear_type("welcome"))["room"] is True
        await sync_to_async(classroom_actions.erase)(camera)
        assert await page.hear() == {"type": "room.changed", "room": False}


# -- Live


NOW = 1_700_000_000_000 // rooms.BLOCK_MS * rooms.BLOCK_MS + rooms.LATE_MS


def test_a_dashboard_sees_the_last_whole_half_minute(camera: Participant) -> None:
    session = camera.session.pk
    since = NOW - rooms.LATE_MS - rooms.BLOCK_MS
    assert rooms.now_in_rooms(NOW) == {session: None}
    fill(camera, since)
    found = rooms.now_in_rooms(NOW)[session]
    assert found
    assert (found.faces, found.uncertain, found.shares) == (8, 1, [0, 0, 0, 0.5, 0, 0, 0.5])
    assert rooms.now_in_rooms(NOW + rooms.BLOCK_MS - 1)[session] == found, "it stands still in between"
    assert rooms.now_in_rooms(NOW + rooms.BLOCK_MS) == {session: None}


@pytest.mark.parametrize(("students", "room"), [(200, 2_000), (4_000, 4_000), (60_000, 5_000)])
def test_a_half_minute_has_its_pictures_however_seldom_students_are_read(
    students: int, room: int, settings: Settings
) -> None:
    settings.SAMPLE_INTERVAL_MS = students
    assert RoomConsumer().interval_ms() == room
    assert rooms.BLOCK_MS // room > rooms.LEAST_PICTURES


def test_few_pictures_are_no_mood(camera: Participant) -> None:
    fill(camera, NOW - rooms.LATE_MS - rooms.BLOCK_MS, rooms.LEAST_PICTURES - 1)
    assert rooms.now_in_rooms(NOW) == {camera.session.pk: None}


def test_a_declaration_taken_back_ends_the_line_at_once(camera: Participant, alice: User) -> None:
    fill(camera, NOW - rooms.LATE_MS - rooms.BLOCK_MS)
    classroom_actions.withdraw_room(camera.session, alice)
    assert rooms.now_in_rooms(NOW) == {camera.session.pk: None}
    classroom_actions.end_session(camera.session)
    assert rooms.now_in_rooms(NOW) == {}


# -- Reports, administration, deletion


@pytest.fixture
def seen(camera: Participant) -> ClassSession:
    """A camera saw eight faces for two minutes."""
    minute = (timezone.now() - timedelta(minutes=3)).replace(second=0, microsecond=0)
    ClassSession.objects.filter(pk=camera.session.pk).update(started_at=minute - timedelta(minutes=1))
    fill(camera, minute.timestamp() * 1000, 60)
    camera.session.refresh_from_db()
    # The ticker stores its seconds without anybody in them.
    nobody = dict.fromkeys(("joined", "connected", "measured", "uncertain", "not_visible"), 0)
    MoodPoint.objects.create(session=camera.session, sequence=1, at=minute, pace={}, **nobody)
    return camera.session


SAID = "8 faces on average, mostly cheerful; on average about 0\xa0% looked troubled."


def test_a_report_says_what_it_saw_apart_from_the_mood(
    seen: ClassSession, alice: User, pages: None, client: Client
) -> None:
    client.force_login(alice)
    for name in ("report", "report_html"):
        text = client.get(reverse(name, args=[seen.public_id])).content.decode()
        assert SAID in text
        assert "Nobody joined." in text, "a camera of the room is no student"
    by_minute = reported.minutes(seen)
    assert [minute.pictures for minute in by_minute] == [30, 30]
    assert [(minute.faces, minute.uncertain) for minute in by_minute] == [(8, 1)] * 2
    assert sum(by_minute[0].shares) == pytest.approx(1)


def test_a_spreadsheet_has_its_minutes(seen: ClassSession) -> None:
    (sheet,) = [table for table in tables.tables(seen) if table.name == "room_camera"]
    rows = [list(row) for row in sheet.rows]
    assert [row[1:4] for row in rows] == [[30, 8.0, 1.0]] * 2
    assert all(len(row) == len(sheet.columns) for row in rows)


def test_a_minute_of_few_pictures_is_not_told(camera: Participant) -> None:
    fill(camera, timezone.now().replace(second=0, microsecond=0).timestamp() * 1000, rooms.LEAST_PICTURES - 1)
    assert reported.minutes(camera.session) == []
    assert reported.sentences(camera.session) == [reported.NOTHING]


def test_what_is_told_of_a_live_session_stands_still(camera: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two reports, of which one has a picture more, would tell that picture; and two pictures, who came between."""
    minute = timezone.now().replace(second=0, microsecond=0)
    fill(camera, minute.timestamp() * 1000, 6)
    for seconds, pictures in ((10, []), (60, []), (119, []), (120, [6])):
        with monkeypatch.context() as clock:
            clock.setattr(timezone, "now", lambda: minute + timedelta(seconds=seconds))  # noqa: B023
            assert [one.pictures for one in reported.minutes(camera.session)] == pictures
            assert (reported.sentences(camera.session) == [reported.NOTHING]) is (not pictures)
    classroom_actions.end_session(camera.session)
    assert [one.pictures for one in reported.minutes(camera.session)] == [6]


def test_shares_are_told_in_whole_percents(seen: ClassSession) -> None:
    RoomReading.objects.update(sums=[0, 0, 0, 8 / 3, 0, 0, 16 / 3])
    assert {tuple(one.shares) for one in reported.minutes(seen)} == {(0, 0, 0, 0.33, 0, 0, 0.67)}


def test_a_session_without_one_says_nothing_of_it(session: ClassSession) -> None:
    assert reported.sentences(session) == []


def test_it_is_no_student_in_any_list(seen: ClassSession, join: Join) -> None:
    join("Sam")
    assert [one.name for one in people.roll(seen, [])] == ["Sam"]
    assert selectors.attendance(seen).joined == 1
    assert totals(seen).students == 1
    assert totals(seen).readings == 0
    assert "60" in dict(totals(seen).rows)["pictures of a room camera"]
    assert page.build(seen).attendance.joined == 1


@pytest.mark.usefixtures("pages")
def test_the_administration_shows_its_aggregate(seen: ClassSession, root: User, client: Client) -> None:
    client.force_login(root)
    text = client.get(reverse("admin:classroom_classsession_change", args=[seen.pk])).content.decode()
    assert SAID in text


def test_it_goes_with_the_session_the_purge_and_the_camera(seen: ClassSession) -> None:
    camera = seen.participants.get(kind="room")
    classroom_actions.erase(camera)
    receipt = Erasure.objects.get(what="participant")
    assert receipt.rows["RoomReading"] == 60
    assert not RoomReading.objects.exists()


@pytest.mark.parametrize("how", ["erase_session", "purge_session", "expire"])
def test_a_receipt_counts_it(seen: ClassSession, how: str) -> None:
    classroom_actions.end_session(seen)
    receipt = getattr(classroom_actions, how)(seen)
    assert receipt.rows["RoomReading"] == 60
    assert not RoomReading.objects.exists()
    assert not Participant.objects.exists()
