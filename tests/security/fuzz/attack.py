"""A hundred thousand malformed messages against the running product, while an ordinary class goes on.

The attackers hold real cookies of that class: the worst place for them. What is counted: messages that left,
processes that ended, errors in the log that nobody foresaw, memory before and after, and what the other students got
meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from benchmarks.processes import tree
from classroom.local.running import RunningProduct
from classroom.models import Participant
from emotions.frames.frame import FrameHeader
from tests.pipeline.students import page, portrait, student_cookies
from tests.security.fuzz.messages import Fuzzer, Message

FRAMES_EACH = 48
"""Messages of a connection before the one that ends it: under the limit of fifty a second."""
WARM_UP = 10
"""Before memory is counted, a tenth of the messages."""
QUIET_SECONDS = 10.0
GROWTH_MB = 50.0
"""A process that lost 500 bytes with each of a hundred thousand messages would pass it."""
DUE_SECONDS = 5.0
"""A frame without an answer after it is lost."""
GONE = (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    ConnectionError,
    TimeoutError,
    asyncio.IncompleteReadError,
)


@dataclass
class Outcome:
    """What the attack did. `memory_mb`: of each process, before and after; `calm`, `attacked`: what the honest class
    got before and during it."""

    sent: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    unforeseen: list[str] = field(default_factory=list)
    memory_mb: dict[str, tuple[float, float]] = field(default_factory=dict)
    calm: Class | None = None
    attacked: Class | None = None
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.sent.values())

    def faults(self) -> list[str]:
        """What must not have happened, in words."""
        assert self.calm is not None
        assert self.attacked is not None
        found = [f"{self.crashes} processes ended"] if self.crashes else []
        found += [f"{len(self.unforeseen)} errors in the log that nobody foresaw"] if self.unforeseen else []
        found += [f"{self.attacked.lost} frames of other students were lost"] if self.attacked.lost else []
        found += ["nothing of other students was read"] if not self.attacked.read else []
        grown = {name: after - before for name, (before, after) in self.memory_mb.items()}
        return found + [f"{name} grew by {mb:.0f} MB" for name, mb in grown.items() if mb > GROWTH_MB]

    def as_json(self) -> str:
        classes = {"calm": self.calm and asdict(self.calm), "attacked": self.attacked and asdict(self.attacked)}
        facts: dict[str, Any] = {"messages": self.total, "seconds": round(self.seconds, 1), "crashes": self.crashes}
        facts |= {"errors_nobody_foresaw": len(self.unforeseen), "memory_mb": self.memory_mb, **classes}
        return json.dumps(facts | {"sent": self.sent, "refusals": self.refusals, "closed": self.closed}, indent=2)


@dataclass(frozen=True)
class Class:
    """Frames that left; of them `read`; `replaced` by the student's own next one, as under load; `lost`: refused, or
    never answered."""

    sent: int
    read: int
    replaced: int
    lost: int
    p95_ms: float


# -- The honest class


class Student:
    """An ordinary page that sends a picture a second, and notes when the answer came."""

    def __init__(self, product: RunningProduct, participant: Participant, picture: bytes) -> None:
        self._product, self._participant, self._picture = product, participant, picture
        self._left: dict[int, float] = {}
        self._came: dict[int, tuple[float, str]] = {}

    async def attend(self, stop: asyncio.Event) -> None:
        """Until `stop`; the page never comes back after a close, so that one would show."""
        path = f"/ws/camera/{self._participant.session.public_id}/"
        async with page(self._product, path, student_cookies(self._participant)) as socket:
            welcome = json.loads(await socket.recv())
            listener = asyncio.create_task(self._listen(socket))
            while not stop.is_set():
                sequence, now = len(self._left) + 1, time.time()
                self._left[sequence] = now
                await socket.send(FrameHeader(sequence, now * 1000, welcome["consent_epoch"]).pack() + self._picture)
                await asyncio.sleep(1.0)
            listener.cancel()

    async def _listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            if message.get("sequence") is not None:
                self._came[message["sequence"]] = (time.time(), message["type"])

    def frames(self, since: float) -> list[tuple[float, str]]:
        """(seconds until its answer, the answer's type) of each frame that left since then and is due by now."""
        due = [n for n, left in self._left.items() if since <= left <= time.time() - DUE_SECONDS]
        return [self._answer(n) for n in due]

    def _answer(self, sequence: int) -> tuple[float, str]:
        came, kind = self._came.get(sequence, (float("inf"), "nothing"))
        return came - self._left[sequence], kind


def of_class(students: list[Student], since: float) -> Class:
    """What all of them got since then."""
    frames = [frame for student in students for frame in student.frames(since)]
    kinds = Counter(kind for _wait, kind in frames)
    waits = sorted(wait for wait, kind in frames if kind == "reading.own")
    p95 = 1000 * waits[int(0.95 * (len(waits) - 1))] if waits else 0.0
    return Class(
        len(frames), kinds.pop("reading.own", 0), kinds.pop("frame.replaced", 0), sum(kinds.values()), round(p95)
    )


# -- The attackers


class Attack:
    """Sends what `messages` invents on the product's sockets until `wanted` messages have left."""

    def __init__(self, product: RunningProduct, wanted: int, outcome: Outcome) -> None:
        self._product, self._wanted, self._outcome = product, wanted, outcome

    async def run(self, attackers: list[Participant], instructor: dict[str, str]) -> None:
        """All sorts at once. `instructor`: the cookies of the class's owner."""
        *students, last = attackers
        session = last.session.public_id
        work = [self._students(student, seed) for seed, student in enumerate(students)]
        work += [self._elsewhere(f"/ws/dashboard/{session}/", instructor, 101), self._elsewhere("/ws/try/", {}, 102)]
        if settings.ROOM_CAMERAS:
            work.append(self._elsewhere(f"/ws/room/{session}/", instructor, 104))
        work.append(self._raw(f"/ws/camera/{session}/", student_cookies(last), 103))
        await asyncio.gather(*work)

    @property
    def _done(self) -> bool:
        return self._outcome.total >= self._wanted

    async def _students(self, student: Participant, seed: int) -> None:
        fuzzer, cookies = Fuzzer(seed), student_cookies(student)
        path = f"/ws/camera/{student.session.public_id}/"
        version = settings.DEVICE.version if settings.DEVICE else "none"
        while not self._done:
            await self._once("camera", path, cookies, fuzzer.frames_then_text(FRAMES_EACH))
            # With the message before them and the one behind, as many.
            await self._once("device", path, cookies, fuzzer.readings_then_text(FRAMES_EACH - 1, version))

    async def _elsewhere(self, path: str, cookies: dict[str, str], seed: int) -> None:
        fuzzer, what = Fuzzer(seed), path.split("/")[2]
        while not self._done:
            answered: list[Message] = [fuzzer.text(), fuzzer.frame()]
            messages = answered if what == "dashboard" else fuzzer.frames_then_text(20)
            await self._once(what, path, cookies, messages)
            await asyncio.sleep(0.1)

    async def _once(self, what: str, path: str, cookies: dict[str, str], messages: list[Message]) -> None:
        """One connection: everything is sent, then the answers are counted until the server closes."""
        try:
            async with asyncio.timeout(20), page(self._product, path, cookies) as socket:
                await self._send_all(what, socket, messages)
                async for answer in socket:
                    self._outcome.refusals[str(json.loads(answer).get("reason", "other answers"))] += 1
                self._outcome.closed[str(socket.close_code)] += 1
        except GONE as error:
            code = error.rcvd.code if isinstance(error, ConnectionClosed) and error.rcvd else type(error).__name__
            self._outcome.closed[str(code)] += 1

    async def _send_all(self, what: str, socket: ClientConnection, messages: list[Message]) -> None:
        for message in messages:
            await socket.send(message)
            self._outcome.sent[what] += 1

    async def _raw(self, path: str, cookies: dict[str, str], seed: int) -> None:
        fuzzer = Fuzzer(seed)
        while not self._done:
            try:
                async with asyncio.timeout(10):
                    await self._break_protocol(path, cookies, fuzzer)
            except GONE as error:
                self._outcome.closed[type(error).__name__] += 1
            await asyncio.sleep(0.1)

    async def _break_protocol(self, path: str, cookies: dict[str, str], fuzzer: Fuzzer) -> None:
        """A right handshake, and behind it what is no WebSocket at all."""
        host, port = self._product.base_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
        lines += [f"Origin: {self._product.base_url}", f"Cookie: {cookie}", "", ""]
        try:
            writer.write("\r\n".join(lines).encode())
            await reader.readuntil(b"\r\n\r\n")
            writer.write(fuzzer.raw())
            self._outcome.sent["raw bytes"] += 1
            await asyncio.wait_for(reader.read(), 3)
        finally:
            writer.close()


# -- The whole


async def attack(
    product: RunningProduct,
    honest: list[Participant],
    attackers: list[Participant],
    owner: dict[str, str],
    wanted: int,
) -> Outcome:
    """A little of the attack, so that every path has its memory; quiet seconds; the attack, and what was left of it.
    `owner`: the cookies of the class's instructor."""
    outcome, stop = Outcome(), asyncio.Event()
    students = [Student(product, one, portrait("happy", number + 1)) for number, one in enumerate(honest)]
    streaming = [asyncio.create_task(student.attend(stop)) for student in students]
    await Attack(product, wanted // WARM_UP, Outcome()).run(attackers, owner)
    outcome.calm = await _watched(students, asyncio.sleep(QUIET_SECONDS))
    log_before, pids, before = len(product.log()), product.pids(), memory(product)
    begun = time.monotonic()
    outcome.attacked = await _watched(students, Attack(product, wanted, outcome).run(attackers, owner))
    outcome.seconds = time.monotonic() - begun
    stop.set()
    await asyncio.gather(*streaming)
    after = memory(product)
    outcome.memory_mb = {name: (mb, after.get(name, 0.0)) for name, mb in before.items()}
    outcome.crashes = sum(pid != product.pids().get(name) for name, pid in pids.items())
    outcome.unforeseen = unforeseen(product.log()[log_before:])
    return outcome


async def _watched(students: list[Student], meanwhile: Awaitable[None]) -> Class:
    """What the class gets while something else happens."""
    begun = time.time()
    await meanwhile
    await asyncio.sleep(DUE_SECONDS + 1)
    return of_class(students, begun)


def memory(product: RunningProduct) -> dict[str, float]:
    """MB of each process of the product with its children (`up` without: they are the others)."""
    pids = product.pids()
    families = {name: [pid] if name == "up" else tree(pid) for name, pid in pids.items()}
    return {name: round(sum(map(_resident_mb, family)), 1) for name, family in families.items()}


def _resident_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def unforeseen(log: str) -> list[str]:
    """Lines that tell of an error that nobody thought of."""
    signs = ("Traceback", " ERROR ", " CRITICAL ", "Segmentation", "MemoryError")
    return [line for line in log.splitlines() if any(sign in line for sign in signs)]
