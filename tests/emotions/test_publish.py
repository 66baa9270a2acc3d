"""The only door for live messages: what leaves here arrives through the channel layer."""

from __future__ import annotations

import uuid

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from emotions import publish
from emotions.messages import CloseCode, participant_group, students_group
from emotions.store import sync_redis
from tests.emotions.sockets import web_process


async def test_a_layers_group_hears_what_a_plain_client_publishes(keys: str) -> None:
    """Holds our naming and format to those of channels_redis."""
    async with web_process():
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(participant_group(7), channel)
        await layer.group_add(students_group(3), channel)
        await sync_to_async(publish.turned_out)(sync_redis(), 7, CloseCode.REMOVED)
        assert await layer.receive(channel) == {"type": "turned.out", "code": 4403}
        await sync_to_async(publish.session_ended)(sync_redis(), 3)
        assert await layer.receive(channel) == {"type": "session.ended"}


def test_no_answers_are_no_message(keys: str) -> None:
    channel = sync_redis().pubsub(ignore_subscribe_messages=True)
    channel.subscribe(f"{keys}:own")
    channel.get_message(timeout=1)
    publish.own_readings(sync_redis(), [])
    publish.own_readings(sync_redis(), [publish.Answer(uuid.UUID(int=1), "{}")])
    heard = channel.get_message(timeout=1)
    assert heard is not None
    assert heard["data"] == b'[["00000000000000000000000000000001", "{}"]]'
    assert channel.get_message(timeout=0.05) is None
    channel.close()


def test_a_publisher_that_is_a_pipeline_only_queues(keys: str) -> None:
    with sync_redis().pipeline() as pipe:
        publish.session_ended(pipe, 1)
        publish.turned_out(pipe, 1, CloseCode.REMOVED)
        assert len(pipe.command_stack) == 2
        assert pipe.execute() == [0, 0]


@pytest.mark.parametrize("group", [participant_group(1), students_group(1)])
def test_group_names_are_what_channels_allows(group: str) -> None:
    assert group.replace(".", "").replace("-", "").isalnum()
    assert len(group) < 100
