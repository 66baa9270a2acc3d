"""Student sockets that missed a message: the database is asked again, for all of them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from classroom.models import ClassSession, Participant
from emotions.consumers import roll_call
from emotions.consumers.camera import CameraConsumer
from emotions.messages import participant_group
from tests.emotions.conftest import Join
from tests.emotions.parts import message, room_camera
from tests.emotions.sockets import camera, web_process

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def _process(session: ClassSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """This test's loop is a web process, which asks often."""
    monkeypatch.setattr(roll_call, "ASKED_AGAIN_SECONDS", 0.1)
    async with web_process():
        yield


async def change(participant: Participant, **values: Any) -> None:
    """In the database alone, as where the message of it was lost."""
    await Participant.objects.filter(pk=participant.pk).aupdate(**values)


def failing(monkeypatch: pytest.MonkeyPatch, *faults: Exception) -> list[Exception]:
    """The first rounds fail so; what is left of `faults` was not met yet."""
    real, left = roll_call.standings, list(faults)

    def standings(pks: set[int]) -> Any:
        if left:
            raise left.pop()
        return real(pks)

    monkeypatch.setattr(roll_call, "standings", standings)
    return left


@pytest.mark.parametrize(("gone", "code"), [("removed_at", 4403), ("left_at", 4411)])
async def test_who_was_sent_out_or_left_is_closed(join: Join, gone: str, code: int) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, **{gone: timezone.now()})
        assert await tab.close_code() == code


async def test_the_end_of_the_class_is_found_out(join: Join, session: ClassSession) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await ClassSession.objects.filter(pk=session.pk).aupdate(ended_at=timezone.now())
        assert await tab.close_code() == 4410


async def test_who_was_erased_is_closed(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await Participant.objects.filter(pk=sam.pk).adelete()
        assert await tab.close_code() == 4401


async def test_the_consent_in_force_is_told_and_frames_go_on(join: Join) -> None:
    """After minutes were erased; before, every frame was refused from then on."""
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, consent_epoch=F("consent_epoch") + 1)
        told = await tab.hear_type("consent.changed")
        assert (told["consent_epoch"], told["scope"]) == (2, "individual")
        await tab.show(message(epoch=2))
        assert await tab.silent(0.3)


async def test_a_withdrawal_closes(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, consent_epoch=F("consent_epoch") + 1, scope="none")
        assert await tab.close_code() == 4411


async def test_a_camera_of_the_room_is_told(join: Join, alice: User, settings: Settings) -> None:
    settings.ROOM_CAMERAS = True
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await sync_to_async(room_camera)(sam.session, alice)
        assert (await tab.hear_type("room.changed"))["room"] is True
        assert await tab.silent(0.3)


async def test_where_nothing_changed_nothing_is_said(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        assert await tab.silent(0.5)


async def test_a_socket_that_fails_holds_up_no_other(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    sam, mia = await sync_to_async(join)(), await sync_to_async(join)("Mia")
    real = CameraConsumer.ask_again

    async def ask_again(socket: CameraConsumer) -> None:
        if socket.participant == sam:
            raise RuntimeError("its browser has gone")
        await real(socket)

    monkeypatch.setattr(CameraConsumer, "ask_again", ask_again)
    async with camera(sam), camera(mia) as tab:
        await change(sam, removed_at=timezone.now())
        await change(mia, removed_at=timezone.now())
        assert await tab.close_code() == 4403


async def test_a_round_that_fails_is_not_the_last(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = failing(monkeypatch, ValueError("a fault of ours"))
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, removed_at=timezone.now())
        assert await tab.close_code() == 4403
    assert not failures


async def test_a_message_that_comes_after_the_roll_call_says_nothing_old(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, consent_epoch=F("consent_epoch") + 2)
        assert (await tab.hear_type("consent.changed"))["consent_epoch"] == 3
        publish_late = {"type": "consent.changed", "consent_epoch": 2, "scope": "none"}
        await get_channel_layer().group_send(participant_group(sam.pk), publish_late)
        assert await tab.silent(0.3)


async def test_a_database_that_is_away_is_asked_again(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = failing(monkeypatch, DatabaseError("away"), DatabaseError("away"))
    sam = await sync_to_async(join)()
    async with camera(sam) as tab:
        await change(sam, removed_at=timezone.now())
        assert await tab.close_code() == 4403
    assert not failures


def test_one_query_for_all(join: Join, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    everybody = [join(f"Sam {n}").pk for n in range(5)]
    with django_assert_num_queries(1):
        assert len(roll_call.standings(everybody)) == 5
