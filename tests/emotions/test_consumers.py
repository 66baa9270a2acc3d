"""The sockets: who may open them, what they answer, and the code with which they close."""

from __future__ import annotations

import asyncio
import struct
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, consent
from classroom.config.profile import PROFILES
from classroom.models import CheckIn, ClassSession, Course, Participant
from emotions.consumers import gate, trial, visitors
from emotions.consumers.base import TRY_AGAIN_LATER
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.messages import Notices
from emotions.mood import presence
from emotions.mood.alerts import WORDS_MS
from emotions.publish import Answer, own_readings
from emotions.store import async_redis, key, presence_key, sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import jpeg, message
from tests.emotions.sockets import (
    browser,
    camera,
    eventually,
    instructor_cookies,
    student_cookies,
    web_process,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def _process(session: ClassSession, drains: list[int]) -> AsyncIterator[None]:
    """This test's loop is a web process."""
    async with web_process():
        yield


@pytest.fixture
def drains(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The drains that were asked for; no broker."""
    asked: list[int] = []
    monkeypatch.setattr("emotions.tasks.send_drain", asked.append)
    return asked


def waiting(participant: Participant) -> SlotFrame | None:
    value: Any = sync_redis().get(slots.slot_key(participant.pk))
    return SlotFrame.unpack(value) if value else None


# -- Who may open a camera's socket


async def test_a_student_is_welcomed(join: Join, settings: Settings) -> None:
    sam = await sync_to_async(join)()
    async with browser(f"/ws/camera/{sam.session.public_id}/", student_cookies(sam)) as tab:
        welcome = await tab.hear()
    assert welcome == {
        "type": "welcome", "consent_epoch": 1, "scope": "individual", "inference": True,
        "place": "choice" if settings.DEVICE else "server", "interval_ms": settings.SAMPLE_INTERVAL_MS,
        "room": False,
    }  # fmt: skip


async def _close_code(path: str, cookies: dict[str, str]) -> int:
    async with browser(path, cookies) as tab:
        return await tab.close_code()


async def test_who_has_not_joined_is_sent_away(session: ClassSession) -> None:
    assert await _close_code(f"/ws/camera/{session.public_id}/", {}) == 4401
    forged = {f"participant-{session.public_id.hex}": f"{uuid.uuid4().hex}:abc:def"}
    assert await _close_code(f"/ws/camera/{session.public_id}/", forged) == 4401


async def test_a_cookie_of_another_session_opens_nothing(join: Join, session: ClassSession, bob: User) -> None:
    def other_sessions_student() -> Participant:
        return join(where=actions.start_session(Course.objects.create(title="Optics", instructor=bob)))

    stranger = await sync_to_async(other_sessions_student)()
    [value] = student_cookies(stranger).values()
    for name in (f"participant-{session.public_id.hex}", f"participant-{stranger.session.public_id.hex}"):
        assert await _close_code(f"/ws/camera/{session.public_id}/", {name: value}) == 4401


async def test_a_session_that_does_not_exist() -> None:
    assert await _close_code(f"/ws/camera/{uuid.uuid4()}/", {}) == 4404


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (actions.remove_participant, 4403),
        (lambda sam, alice: actions.leave(sam), 4411),
        (lambda sam, alice: actions.end_session(sam.session), 4410),
    ],
)
async def test_who_is_gone_does_not_come_back(
    join: Join, alice: User, what: Callable[[Participant, User], Any], code: int
) -> None:
    sam = await sync_to_async(join)()
    await sync_to_async(what)(sam, alice)
    assert await _close_code(f"/ws/camera/{sam.session.public_id}/", student_cookies(sam)) == code


@pytest.mark.parametrize(("setting", "value"), [("SAMPLE_INTERVAL_MS", 20_000), ("ROOM_CAMERAS", True)])
async def test_who_agreed_to_other_words_is_asked_before_anything_is_measured(
    join: Join, settings: Settings, setting: str, value: object
) -> None:
    """The server began anew with another setting while pages were open: an old answer is none to the new words."""
    sam, mia = await sync_to_async(join)(), await sync_to_async(join)("Mia", "none")
    setattr(settings, setting, value)
    assert await _close_code(f"/ws/camera/{sam.session.public_id}/", student_cookies(sam)) == 4426
    async with camera(mia) as tab:
        await tab.show(message())
        assert (await tab.hear())["reason"] == "no_consent"
    text = await sync_to_async(consent.text_for)(sam.session)
    await sync_to_async(actions.record_consent)(sam, "individual", text.sha256)
    async with camera(sam) as tab:
        await tab.show(message(epoch=2))
        assert await eventually(lambda: waiting(sam))


# -- Frames


async def test_a_good_frame_waits_in_its_slot_and_a_drain_is_asked_for(join: Join, drains: list[int]) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(message(sequence=9))
        await eventually(lambda: drains)
        assert await tab.silent()
        frame = waiting(sam)
    assert frame is not None
    assert (frame.participant, frame.session, frame.sequence) == (sam.pk, sam.session_id, 9)
    assert (frame.consent_epoch, frame.scope, frame.jpeg) == (1, "individual", jpeg())
    assert drains == [slots.lane_of(frame)]


async def test_a_newer_frame_replaces_an_older_and_says_which(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(message(sequence=1))
        await tab.show(message(sequence=2))
        assert await tab.hear() == {"type": "frame.replaced", "sequence": 1}
    frame = waiting(sam)
    assert frame is not None
    assert frame.sequence == 2


def declared(width: int, height: int) -> bytes:
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


BAD_FRAMES: list[tuple[dict[str, Any], str]] = [
    ({"picture": jpeg() + b"\0" * 60_001}, "too_large"),
    ({"picture": b"<html>"}, "not_jpeg"),
    ({"picture": b""}, "not_jpeg"),
    ({"picture": jpeg()[:-2]}, "truncated"),
    ({"picture": jpeg(1, 1)}, "dimensions"),
    ({"picture": declared(20_000, 20_000)}, "dimensions"),
    ({"epoch": 0}, "old_epoch"),
    ({"epoch": 2}, "old_epoch"),
    ({"captured_ms": time.time() * 1000 - 3_600_000}, "stale"),
]


async def test_bad_frames_are_answered_and_a_good_one_still_passes(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "FRAMES_PER_SECOND", 1000.0)
    monkeypatch.setattr(gate, "FRAMES_AT_ONCE", 1000.0)
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        for sequence, (changes, reason) in enumerate(BAD_FRAMES, start=1):
            await tab.show(message(sequence=sequence, **changes))
            assert await tab.hear() == {"type": "frame.rejected", "sequence": sequence, "reason": reason}
        for headless in (b"", b"\0" * 15, message(captured_ms=float("nan"))):
            await tab.show(headless)
            assert await tab.hear() == {"type": "frame.rejected", "sequence": None, "reason": "bad_header"}
        assert waiting(sam) is None
        await tab.show(message(sequence=99))
        assert await eventually(lambda: waiting(sam))


async def test_a_sequence_is_taken_once(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        for sequence in (5, 5, 4):
            await tab.show(message(sequence=sequence))
        answers = [await tab.hear(), await tab.hear()]
    assert answers == [{"type": "frame.rejected", "sequence": n, "reason": "repeated"} for n in (5, 4)]


async def test_before_consent_no_frame_is_taken(join: Join) -> None:
    sam = await sync_to_async(join)(scope="")
    async with camera(sam) as tab:
        await tab.show(message(epoch=0))
        assert (await tab.hear())["reason"] == "no_consent"
    assert waiting(sam) is None


async def test_where_measuring_is_off_no_frame_is_taken(join: Join, settings: Settings) -> None:
    sam = await sync_to_async(join)()
    settings.PROFILE = PROFILES["check-ins"]
    async with camera(sam) as tab:
        await tab.show(message())
        assert (await tab.hear())["reason"] == "inference_off"
    assert waiting(sam) is None


async def test_a_hundred_frames_a_second_are_refused_then_cut_off(join: Join) -> None:
    sam, mia = await sync_to_async(join)(), await sync_to_async(join)("Mia")
    async with camera(sam) as tab, camera(mia) as other:
        for sequence in range(1, 41):
            await tab.show(message(sequence=sequence))
        reasons = [(await tab.hear_type("frame.rejected"))["reason"] for _ in range(30)]
        assert set(reasons) == {"too_fast"}
        for sequence in range(41, 201):
            await tab.show(message(sequence=sequence))
        assert await tab.close_code() == 4429
        await other.show(message())
        assert await eventually(lambda: waiting(mia))


async def test_a_clock_a_day_off_does_no_harm(join: Join) -> None:
    sam = await sync_to_async(join)()
    day_ms = 24 * 3600 * 1000
    async with camera(sam) as tab:
        await tab.say(type="hello", client_ms=time.time() * 1000 - day_ms)
        await tab.show(message(captured_ms=time.time() * 1000 - day_ms))
        frame = await eventually(lambda: waiting(sam))
    assert frame.captured_ms == pytest.approx(time.time() * 1000, abs=3000)
    assert frame.captured_ms <= frame.received_ms


@pytest.mark.parametrize("error", [ConnectionError("Redis is away"), struct.error("a fault of ours")])
async def test_a_frame_that_could_not_be_put_is_answered_busy_and_the_socket_lives(
    join: Join, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    sam = await sync_to_async(join)()

    async def down(*_: Any) -> slots.PutOutcome:
        raise error

    async with camera(sam) as tab:
        with monkeypatch.context() as broken:
            broken.setattr(slots, "put", down)
            await tab.show(message(sequence=1))
            assert await tab.hear() == {"type": "frame.rejected", "sequence": 1, "reason": "busy"}
        await tab.show(message(sequence=2))
        assert await eventually(lambda: waiting(sam))


# -- What is said


MALFORMED = [
    "", "frame", "{}", "[]", '{"type": "welcome"}', '{"type": "hello"}', '{"type": "check_in", "word": "bored"}',
    '{"type": "camera.state", "state": "on", "extra": 1}', '{"type": "hello", "client_ms": "now"}',
]  # fmt: skip


async def test_anything_unknown_closes_the_socket(join: Join) -> None:
    sam = await sync_to_async(join)()
    for text in MALFORMED:
        async with camera(sam) as tab:
            await tab.say_text(text)
            assert await tab.close_code() == 4400, text


async def test_a_message_beyond_all_measure_closes_the_socket(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(b"\0" * 1_000_001)
        assert await tab.close_code() == 4413
    async with camera(sam) as tab:
        await tab.say_text('"' + "x" * 2_000)
        assert await tab.close_code() == 4413


async def test_the_largest_frames_that_a_school_may_allow_are_answered(join: Join, settings: Settings) -> None:
    settings.FRAME_MAX_BYTES = 1_000_000
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(message(1, picture=jpeg().ljust(1_000_000, b"\0")))
        assert await eventually(lambda: waiting(sam))
        await tab.show(message(2, picture=jpeg().ljust(1_000_001, b"\0")))
        assert await tab.hear() == {"type": "frame.rejected", "sequence": 2, "reason": "too_large"}
        await tab.show(bytes(1_500_017))
        assert await tab.close_code() == 4413


async def test_a_check_in_is_stored_and_answered(join: Join) -> None:
    sam = await sync_to_async(join)(scope="")
    async with camera(sam) as tab:
        await tab.say(type="check_in", word="lost")
        saved = await tab.hear()
    check_in = await sync_to_async(CheckIn.objects.get)()
    assert (check_in.participant_id, check_in.word) == (sam.pk, "lost")
    assert saved == {"type": "check_in.saved", "word": "lost", "for_ms": WORDS_MS, "by_name": False, "ago_ms": 0}


@pytest.mark.parametrize("scope", ["none", "individual"])
async def test_a_page_that_opens_is_told_of_the_word_that_still_counts(join: Join, scope: str) -> None:
    """And of its last minutes only: after a reload, or in another tab."""
    sam, now = await sync_to_async(join)(scope=scope), timezone.now()
    for word, seconds in (("got_it", 170), ("lost", 100)):
        await CheckIn.objects.acreate(participant=sam, word=word, at=now - timedelta(seconds=seconds))
    async with camera(sam) as tab:
        told = await tab.hear()
        assert await tab.silent()
    assert (told["type"], told["word"]) == ("check_in.saved", "lost")
    assert told["ago_ms"] == pytest.approx(100_000, abs=5_000)
    assert told["ago_ms"] + told["for_ms"] == pytest.approx(WORDS_MS)
    assert told["by_name"] is False, "said before the consent that is in force"


@pytest.mark.parametrize(("scope", "named"), [("individual", True), ("aggregate", False)])
async def test_a_word_that_still_counts_goes_with_the_name_as_it_was_said(
    join: Join, scope: str, named: bool
) -> None:
    sam = await sync_to_async(join)(scope=scope)
    async with camera(sam) as tab:
        await tab.say(type="check_in", word="lost")
        assert (await tab.hear())["by_name"] is named
    async with camera(sam) as tab:
        assert (await tab.hear())["by_name"] is named


async def test_of_a_word_that_counts_no_more_a_page_that_opens_is_not_told(join: Join) -> None:
    sam = await sync_to_async(join)()
    at = timezone.now() - timedelta(milliseconds=WORDS_MS + 1)
    await CheckIn.objects.acreate(participant=sam, word="lost", at=at)
    async with camera(sam) as tab:
        assert await tab.silent()


@pytest.mark.parametrize(
    ("values", "code"),
    [({"removed_at": timezone.now()}, 4403), ({"left_at": timezone.now()}, 4411), ({}, 4410)],
)
async def test_who_speaks_in_the_moment_in_which_they_are_gone_reads_why(
    join: Join, values: dict[str, Any], code: int
) -> None:
    """The database knows it already, the socket has not heard of it."""
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        if values:
            await Participant.objects.filter(pk=sam.pk).aupdate(**values)
        else:
            await ClassSession.objects.filter(pk=sam.session_id).aupdate(ended_at=timezone.now())
        await tab.say(type="check_in", word="lost")
        assert await tab.close_code() == code


async def test_a_student_who_asks_whether_the_line_lives_is_answered(join: Join) -> None:
    async with camera(await sync_to_async(join)()) as tab:
        await tab.say(type="still.there")
        answer = await tab.hear()
    assert answer.pop("now_ms") == pytest.approx(time.time() * 1000, abs=5000)
    assert answer == {"type": "still.here"}


async def test_check_ins_are_limited(join: Join) -> None:
    async with camera(await sync_to_async(join)()) as tab:
        for _ in range(12):
            await tab.say(type="check_in", word="lost")
        assert await tab.close_code() == 4429


# -- Presence


def present(participant: Participant) -> presence.Presence | None:
    return presence.parse(sync_redis().hgetall(presence_key(participant.session_id))).get(participant.pk)


async def test_a_student_is_present_while_connected_with_the_cameras_state(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        assert (await eventually(lambda: present(sam))).camera == "off"
        await tab.say(type="camera.state", state="paused")
        await eventually(lambda: (found := present(sam)) and found.camera == "paused")
    await eventually(lambda: present(sam) is None)


async def test_a_first_frame_says_that_the_camera_is_on(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(message())
        await eventually(lambda: (found := present(sam)) and found.camera == "on")


async def test_presence_is_refreshed_for_all_sockets(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "REFRESH_SECONDS", 0.05)
    sam = await sync_to_async(join)()
    async with camera(sam):
        await sync_to_async(sync_redis().delete)(presence_key(sam.session_id))
        assert await eventually(lambda: present(sam))


# -- Another tab, the classroom


async def test_a_tab_that_opens_after_the_clock_was_set_back_takes_over(
    join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam, real = await sync_to_async(join)(), time.time
    async with camera(sam) as first:
        assert await first.silent(0.5)  # what it said of itself has come round
        monkeypatch.setattr("emotions.consumers.camera.time.time", lambda: real() - 3_600)
        async with camera(sam) as second:
            assert await first.close_code() == 4409
            assert await second.silent()


async def test_a_second_tab_takes_over(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as first, camera(sam) as second:
        assert await first.close_code() == 4409
        await second.show(message())
        frame = await eventually(lambda: waiting(sam))
        await first.shut()
        found = await sync_to_async(present)(sam)
        assert found is not None
        assert found.connection == frame.connection.hex


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (lambda sam, alice: actions.withdraw(sam), 4411),
        (lambda sam, alice: actions.leave(sam), 4411),
        (lambda sam, alice: actions.erase(sam), 4411),
        (actions.remove_participant, 4403),
        (lambda sam, alice: actions.end_session(sam.session), 4410),
    ],
)
async def test_what_happens_in_the_classroom_closes_the_socket(
    join: Join, alice: User, what: Callable[[Participant, User], Any], code: int
) -> None:
    sam, mia = await sync_to_async(join)(), await sync_to_async(join)("Mia")
    async with camera(sam) as tab, camera(mia) as other:
        await tab.show(message())
        await eventually(lambda: waiting(sam))
        await sync_to_async(what)(sam, alice)
        assert await tab.close_code() == code
        assert await other.silent() or code == 4410
    if code != 4410:
        assert waiting(sam) is None


async def test_a_renewed_consent_is_told_and_counts_at_once(join: Join) -> None:
    sam = await sync_to_async(join)(scope="aggregate")
    async with camera(sam) as tab:
        await sync_to_async(actions.record_consent)(sam, "individual", "0" * 64)
        assert await tab.hear() == {"type": "consent.changed", "consent_epoch": 2, "scope": "individual"}
        await tab.show(message(sequence=1, epoch=1))
        assert (await tab.hear())["reason"] == "old_epoch"
        await tab.show(message(sequence=2, epoch=2))
        assert (await eventually(lambda: waiting(sam))).scope == "individual"


async def test_answers_go_to_their_own_socket(join: Join) -> None:
    sam, mia = await sync_to_async(join)(), await sync_to_async(join)("Mia")
    async with camera(sam) as tab, camera(mia) as other:
        await tab.show(message())
        frame = await eventually(lambda: waiting(sam))
        answers = [Answer(frame.connection, '{"type": "reading.own"}'), Answer(uuid.uuid4(), "{}")]
        await sync_to_async(own_readings)(sync_redis(), answers)
        assert await tab.hear() == {"type": "reading.own"}
        assert await other.silent()


# -- The dashboard


def joined_by(session: ClassSession) -> dict[str, str]:
    code = session.join_code
    return {"join_code": code, "code_shown": f"{code[:3]}-{code[3:]}", "join_path": f"/join/{code}/"}


async def test_only_the_owner_sees_a_dashboard(session: ClassSession, alice: User, bob: User, charlie: User) -> None:
    path = f"/ws/dashboard/{session.public_id}/"
    for user in (bob, charlie):
        assert await _close_code(path, await sync_to_async(instructor_cookies)(user)) == 4404
    assert await _close_code(path, {}) == 4401
    cookies = await sync_to_async(instructor_cookies)(alice)
    assert await _close_code(f"/ws/dashboard/{uuid.uuid4()}/", cookies) == 4404
    async with browser(path, cookies) as page:
        snapshot, session_now = await page.hear(), await page.hear()
    assert session_now == {
        "type": "session.changed", **joined_by(session), "joining_locked": False, "ended": False,
    }  # fmt: skip
    assert snapshot == {
        "type": "mood.snapshot",
        "sequence": 0,
        "points": [],
        "tiles": [],
        "markers": [],
        "notices": Notices().model_dump(),
    }


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?after=1e3", f"?after={'9' * 40}"])
async def test_a_dashboard_that_asks_nonsense_is_closed(session: ClassSession, alice: User, query: str) -> None:
    cookies = await sync_to_async(instructor_cookies)(alice)
    assert await _close_code(f"/ws/dashboard/{session.public_id}/{query}", cookies) == 4400


async def test_a_dashboard_has_nothing_to_say(session: ClassSession, alice: User) -> None:
    cookies = await sync_to_async(instructor_cookies)(alice)
    for say in ("say_text", "show"):
        async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
            await page.hear()
            await getattr(page, say)("{}" if say == "say_text" else b"{}")
            assert await page.close_code() == 4400


async def test_a_dashboard_hears_of_changes(session: ClassSession, alice: User) -> None:
    async with browser(f"/ws/dashboard/{session.public_id}/", await sync_to_async(instructor_cookies)(alice)) as page:
        await page.hear_type("session.changed")
        await sync_to_async(actions.lock_joining)(session)
        assert await page.hear() == {
            "type": "session.changed", **joined_by(session), "joining_locked": True, "ended": False,
        }  # fmt: skip
        await sync_to_async(actions.end_session)(session)
        assert (await page.hear())["ended"] is True


async def test_a_marker_that_is_set_on_one_dashboard_shows_on_the_other(session: ClassSession, alice: User) -> None:
    async with browser(f"/ws/dashboard/{session.public_id}/", await sync_to_async(instructor_cookies)(alice)) as page:
        await page.hear_type("session.changed")
        marker = await sync_to_async(actions.place_marker)(session, "Quiz")
        told = {"id": marker.pk, "label": "Quiz", "at_ms": marker.at.timestamp() * 1000}
        assert await page.hear() == {"type": "markers.changed", "markers": [told]}
        await sync_to_async(actions.rename_marker)(marker, "Test")
        assert (await page.hear())["markers"] == [told | {"label": "Test"}]
        await sync_to_async(actions.remove_marker)(marker)
        assert (await page.hear())["markers"] == []


# -- The try page


@pytest.fixture
def _open(settings: Settings) -> None:
    settings.TRY_PAGE_OPEN = True


async def test_where_the_try_page_is_closed(settings: Settings) -> None:
    settings.TRY_PAGE_OPEN = False
    assert await _close_code("/ws/try/", {}) == 4404


async def test_where_no_picture_may_leave_a_device_the_try_page_takes_none(settings: Settings) -> None:
    settings.READING_PLACE = "device"
    assert await _close_code("/ws/try/", {}) == 4404


@pytest.mark.usefixtures("_open")
async def test_a_visitors_frame_waits_on_its_own_lane(drains: list[int]) -> None:
    async with browser("/ws/try/") as page:
        await page.show(message(epoch=0))
        await eventually(lambda: drains)
        frames, _more = await sync_to_async(slots.take)(sync_redis(), slots.TRY_LANE, 9)
    assert drains == [slots.TRY_LANE]
    assert [(frame.participant, frame.session, frame.jpeg) for frame in frames] == [(0, 0, jpeg())]


@pytest.mark.usefixtures("_open")
async def test_a_visitor_is_limited() -> None:
    async with browser("/ws/try/") as page:
        for sequence in range(1, 20):
            await page.show(message(sequence=sequence, epoch=0))
        assert (await page.hear_type("frame.rejected"))["reason"] == "too_fast"
        for sequence in range(20, 150):
            await page.show(message(sequence=sequence, epoch=0))
        assert await page.close_code() == 4429


@pytest.mark.usefixtures("_open")
async def test_a_full_try_page_says_so_and_has_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MOST", 1)
    async with browser("/ws/try/"):
        await eventually(lambda: sync_redis().zcard(key("try", "visitors")))
        assert await _close_code("/ws/try/", {}) == 4429
    await eventually(lambda: not sync_redis().zcard(key("try", "visitors")))
    async with browser("/ws/try/") as page:
        await page.show(b"")
        assert (await page.hear())["reason"] == "bad_header"


@pytest.mark.usefixtures("_open")
async def test_a_visitor_whose_place_is_anothers_by_now_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the picture with which they came back is not read."""
    monkeypatch.setattr(visitors, "MOST", 1)
    monkeypatch.setattr(trial, "STILL_HERE_SECONDS", -1.0)
    places = key("try", "visitors")
    async with browser("/ws/try/") as page:
        await eventually(lambda: sync_redis().zcard(places))
        await sync_to_async(sync_redis().delete)(places)
        assert await visitors.enter(async_redis(), uuid.uuid4())
        await page.show(message(epoch=0))
        assert await page.close_code() == 4429
    assert not await sync_to_async(sync_redis().exists)(slots.ready_key(slots.TRY_LANE))


@pytest.mark.usefixtures("_open")
async def test_a_visitor_who_sends_nothing_loses_the_socket_with_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while pictures come: each says that they are here."""
    monkeypatch.setattr(visitors, "GONE_AFTER_SECONDS", 2)
    monkeypatch.setattr(trial, "STILL_HERE_SECONDS", -1.0)
    begun = time.monotonic()
    async with browser("/ws/try/") as page:
        for sequence in range(1, 4):
            await asyncio.sleep(0.8)
            await page.show(message(sequence=sequence, epoch=0))
        assert await page.close_code() == TRY_AGAIN_LATER
    assert time.monotonic() - begun > 3 * 0.8 + 1.5


@pytest.mark.usefixtures("_open")
@pytest.mark.parametrize(("data", "code"), [(b"\0" * 1_000_001, 4413), ("{}", 4400)])
async def test_a_visitor_who_sends_anything_else_is_cut_off(data: bytes | str, code: int) -> None:
    async with browser("/ws/try/") as page:
        await (page.show(data) if isinstance(data, bytes) else page.say_text(data))
        assert await page.close_code() == code


async def test_a_loop_keeps_nothing_of_a_closed_socket(join: Join) -> None:
    from emotions.hub import Hub

    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await tab.show(message())
        await eventually(lambda: waiting(sam))
    await asyncio.sleep(0)
    assert not Hub.here()._outlets
    assert not Hub.here()._seats
