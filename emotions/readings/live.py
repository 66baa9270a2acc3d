"""The latest reading per participant, in Redis: written by workers, read once a second by the ticker."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from emotions import other_versions
from emotions.messages import Label
from emotions.readings.observations import FaceRead, Observation, Source
from emotions.store import live_key
from ml.labels import INDEX, LABELS

_READING = struct.Struct(f">dIBB{len(LABELS)}f")
_UNCERTAIN, _ON_DEVICE = 1, 2
LIVE_SECONDS = 120

FARTHEST_APART_MS = 20_000
"""Two frames of one student that are read at the same time are closer to each other: no frame gets so old."""

# Two workers may hold two frames of one student: the later capture stays. A capture that is later by more than
# FARTHEST_APART_MS is of a clock that has been set back since. A reading begins with its time.
_KEEP_LATEST = """
for i = 3, #ARGV, 2 do
  local old = redis.call('HGET', KEYS[1], ARGV[i])
  local ahead = old and struct.unpack('>d', old) - struct.unpack('>d', ARGV[i + 1]) or 0
  if ahead <= 0 or ahead > tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


@dataclass(frozen=True, slots=True)
class LiveReading:
    """`captured_ms`: the server's clock. `probabilities`: (7,), summing to 1."""

    captured_ms: float
    consent_epoch: int
    label: Label
    uncertain: bool
    probabilities: tuple[float, ...]
    source: Source = "server"

    def pack(self) -> bytes:
        where = INDEX[self.label]
        flags = self.uncertain * _UNCERTAIN | (self.source == "device") * _ON_DEVICE
        return _READING.pack(self.captured_ms, self.consent_epoch, where, flags, *self.probabilities)

    @classmethod
    def unpack(cls, value: bytes) -> LiveReading:
        captured_ms, epoch, where, flags, *probabilities = _READING.unpack(value)
        source: Source = "device" if flags & _ON_DEVICE else "server"
        return cls(captured_ms, epoch, LABELS[where], bool(flags & _UNCERTAIN), tuple(probabilities), source)


def update(pipe: redis.client.Pipeline, observations: Iterable[Observation]) -> None:
    """Queue on `pipe` what was stored, each session in one command."""
    by_session: dict[int, list[bytes | int]] = {}
    for observation in observations:
        face = observation.face
        if face is not None:
            arguments = by_session.setdefault(observation.frame.session, [LIVE_SECONDS, FARTHEST_APART_MS])
            arguments += [observation.frame.participant, _reading(observation, face).pack()]
    for session, arguments in by_session.items():
        pipe.eval(_KEEP_LATEST, 1, live_key(session), *arguments)


def forget(client: redis.Redis, session_pk: int, participant_pks: Iterable[int]) -> None:
    """Withdrawal, leaving, erasure: the reading goes at once."""
    pks = [str(pk) for pk in participant_pks]
    if pks:
        client.hdel(live_key(session_pk), *pks)


def outlived(rows: Mapping[Any, Any], readings: Mapping[int, LiveReading], consents: Mapping[int, int]) -> list[int]:
    """Whose reading is of an earlier consent than the one in force, or of nobody who is present; or of another
    version, so that nobody can say of which consent it is.

    A worker may write what it stored after the withdrawal has cleared it away; the others' readings would keep it
    alive. `rows` and what `parse` made of them; `consents`: the epoch of everybody present.
    """
    current = {pk for pk, reading in readings.items() if pk in consents and reading.consent_epoch >= consents[pk]}
    return [pk for pk in map(int, rows) if pk not in current]


def parse(rows: Mapping[Any, Any]) -> dict[int, LiveReading]:
    """A session's hash as HGETALL gives it, by participant, without what another version put there."""
    return other_versions.readable(rows, LiveReading.unpack, "readings")


def _reading(observation: Observation, face: FaceRead) -> LiveReading:
    frame = observation.frame
    return LiveReading(
        frame.captured_ms, frame.consent_epoch, face.label, face.uncertain, face.probabilities, observation.source
    )
