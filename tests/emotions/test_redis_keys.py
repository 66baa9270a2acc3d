"""docs/redis-keys.md names every key that is there after a class has met, and gives its lifetime."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from django.conf import settings

from classroom.models import ClassSession
from classroom.throttle import JOIN_CODES, NETWORKS
from emotions.consumers import visitors
from emotions.frames import slots
from emotions.meters import counts, housekeeping, sending
from emotions.mood import dismissals, presence
from emotions.mood.ticker import Ticker
from emotions.readings import live
from emotions.store import async_redis, close_async_redis, sync_redis
from tests.emotions.parts import MeanEstimator, frame_of, joined, observation, slot_frame

TABLE = Path(settings.BASE_DIR, "docs/redis-keys.md").read_text()


def documented() -> list[tuple[re.Pattern[str], str]]:
    """Each row's name as a pattern, and its lifetime."""
    rows = re.findall(r"^\| `\{p\}:([^`]+)` \| (?:string|hash|sorted set)[^|]* \| ([^|]+) \|", TABLE, re.MULTILINE)
    return [(re.compile(re.sub(r"\\\{.*?\\\}", "[^:]+", re.escape(name))), lifetime) for name, lifetime in rows]


def seconds(lifetime: str) -> float:
    number, unit = re.match(r"([\d.]+) (s|h)", lifetime).groups()  # type: ignore[union-attr]
    return float(number) * {"s": 1, "h": 3600}[unit]


async def _meet(seats: list[presence.Seat]) -> None:
    frames = [slot_frame(seat.participant, seat.session) for seat in seats]
    await slots.put(async_redis(), [*frames, slot_frame(0, 0, scope="none")])
    await presence.mark(async_redis(), seats)
    await visitors.enter(async_redis(), frames[0].connection)
    await close_async_redis()


@pytest.mark.django_db
def test_every_key_is_in_the_table_with_its_lifetime(session: ClassSession, keys: str) -> None:
    students = [joined(session, f"Student {n}") for n in range(6)]
    asyncio.run(_meet([presence.Seat(session.pk, s.pk, frame_of(s).connection, "on") for s in students]))
    slots.take(sync_redis(), students[0].pk % settings.FRAME_SHARDS, 1)
    with sync_redis().pipeline() as pipe:
        live.update(pipe, [observation(frame_of(student)) for student in students])
        pipe.execute()
    Ticker(MeanEstimator()).tick_if_held(time.time() * 1000)
    dismissals.dismiss(session.pk, students[0].pk)
    JOIN_CODES.count("192.0.2.1")
    NETWORKS.note(session.pk, "192.0.2.1")
    assert NETWORKS.may_ask(None, "192.0.2.1")
    meter = sending.Sender("web")
    counts.RECEIVED.add()
    meter.send()
    housekeeping.note("purge-expired")
    found = {
        name.decode().removeprefix(f"{keys}:"): sync_redis().pttl(name)
        for name in sync_redis().scan_iter(f"{keys}:*")
    }
    kinds = {name.split(":")[0] for name in found}
    met = {"frame", "ready", "queued", "drained", "live", "presence", "tiles", "cohort", "ticker", "try", "guesses"}
    met |= {"meters", "processes", "housekeeping", "known", "lane"}
    met |= {"notices", "watch", "dismissed"}
    assert kinds == met
    for name, left_ms in found.items():
        lifetimes = [seconds(lifetime) for pattern, lifetime in documented() if pattern.fullmatch(name)]
        assert lifetimes, name
        assert 0 < left_ms <= min(lifetimes) * 1000, name
