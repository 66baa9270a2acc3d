"""What a socket lets through to the slots. Synchronous and without I/O: it runs for every frame."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import cast

from django.conf import settings

from emotions.consumers.admission import Scope, StudentAdmission
from emotions.device_files import Facts
from emotions.frames.frame import HEADER_BYTES, FrameHeader, SlotFrame, fault_of
from emotions.frames.limits import RemoteClock, TokenBucket
from emotions.frames.reading import DeviceReading
from emotions.messages import FrameRejected, Label, RejectReason
from emotions.meters import counts
from emotions.readings.observations import FaceRead, Observation
from ml.labels import LABELS
from ml.lesson import Lesson

FRAMES_PER_SECOND = 3.0
FRAMES_AT_ONCE = 5.0
# A picture of a room takes a worker many times as long as a student's.
ROOM_MAX_BYTES = 400_000
ROOM_PICTURES_PER_SECOND, ROOM_PICTURES_AT_ONCE = 1.0, 2.0


def frame_bucket() -> TokenBucket:
    """Room for jitter above the rate that the settings ask for."""
    return TokenBucket(max(FRAMES_PER_SECOND, 1500.0 / settings.SAMPLE_INTERVAL_MS), FRAMES_AT_ONCE)


class FrameGate:
    """One student's socket: whether a binary message becomes a frame, or why not."""

    _largest = 0
    """Bytes of a picture; 0: as the settings say."""

    def __init__(self, connection: uuid.UUID, admission: StudentAdmission) -> None:
        participant = admission.participant
        self.consent_epoch = participant.consent_epoch
        self.scope: Scope = admission.scope
        self.clock = RemoteClock()
        self._connection = connection
        self._participant = participant.pk
        self._session = participant.session_id
        self._inference = admission.inference
        self.place = admission.place
        # Set while this socket's pictures are read on the device; one socket has one producer.
        self._device: Facts | None = None
        self._lesson: Lesson | None = None
        self._bucket = frame_bucket()
        self._last = -1

    def renew(self, consent_epoch: int, scope: Scope) -> None:
        """The consent in force changed. Messages may overtake each other: an older one changes nothing."""
        if consent_epoch >= self.consent_epoch:
            self.consent_epoch, self.scope = consent_epoch, scope

    def begin_device(self, model_version: str) -> bool:
        """From now on messages are readings, made by this network; False where that is not allowed or not known."""
        facts = settings.DEVICE
        known = facts is not None and model_version == facts.version
        self._device = facts if known and self.place != "server" else None
        self._lesson = self._device.lesson if self._device else None
        return self.on_device

    def close(self) -> None:
        """The participant is gone: nothing more is let through."""
        self.scope = "none"

    def examine(self, message: bytes, received_ms: float) -> SlotFrame | FrameRejected:
        """The frame as it goes into its slot, or its refusal. Either is counted."""
        counts.RECEIVED.add()
        answer = self._examined(message, received_ms)
        if isinstance(answer, FrameRejected):
            counts.REJECTED.add(answer.reason)
        return answer

    @property
    def on_device(self) -> bool:
        return self._device is not None

    def examine_reading(self, message: bytes, received_ms: float) -> Observation | FrameRejected:
        """A reading that the student's device has made, as if a worker had; or its refusal. Either is counted."""
        counts.READINGS.add()
        answer = self._examined_reading(message, received_ms)
        if isinstance(answer, FrameRejected):
            counts.REJECTED.add(answer.reason)
        return answer

    def _examined_reading(self, message: bytes, received_ms: float) -> Observation | FrameRejected:
        try:
            reading = DeviceReading.unpack(message)
        except ValueError:
            return FrameRejected(sequence=None, reason="bad_reading")
        header = reading.header
        reason = self._turn_refusal(header, received_ms) or self._consent_refusal(header)
        captured_ms = None if reason else self.clock.corrected(header.captured_ms, received_ms)
        if captured_ms is None:
            return FrameRejected(sequence=header.sequence, reason=reason or "stale")
        return self._observation(self._frame(header, captured_ms, received_ms, b""), reading)

    def _examined(self, message: bytes, received_ms: float) -> SlotFrame | FrameRejected:
        try:
            header = FrameHeader.unpack(message)
        except ValueError:
            return FrameRejected(sequence=None, reason="bad_header")
        jpeg = message[HEADER_BYTES:]
        reason = self._refusal(header, jpeg, received_ms)
        captured_ms = None if reason else self.clock.corrected(header.captured_ms, received_ms)
        if captured_ms is None:
            return FrameRejected(sequence=header.sequence, reason=reason or "stale")
        return self._frame(header, captured_ms, received_ms, jpeg)

    def _refusal(self, header: FrameHeader, jpeg: bytes, received_ms: float) -> RejectReason | None:
        """Cheap checks first; every frame counts against the rate, every sequence only once."""
        if self.place == "device":
            return "wrong_place"
        refusal = self._turn_refusal(header, received_ms) or self._consent_refusal(header)
        return refusal or fault_of(jpeg, self._largest)

    def _turn_refusal(self, header: FrameHeader, received_ms: float) -> RejectReason | None:
        repeated, self._last = header.sequence <= self._last, max(header.sequence, self._last)
        if not self._bucket.take(received_ms / 1000):
            return "too_fast"
        return "repeated" if repeated else None

    def _consent_refusal(self, header: FrameHeader) -> RejectReason | None:
        if not self._inference:
            return "inference_off"
        if self.scope == "none":
            return "no_consent"
        return None if header.consent_epoch == self.consent_epoch else "old_epoch"

    def _frame(self, header: FrameHeader, captured_ms: float, received_ms: float, jpeg: bytes) -> SlotFrame:
        return SlotFrame(
            connection=self._connection,
            participant=self._participant,
            session=self._session,
            sequence=header.sequence,
            consent_epoch=header.consent_epoch,
            scope=self.scope,
            captured_ms=captured_ms,
            received_ms=received_ms,
            jpeg=jpeg,
        )

    def _observation(self, frame: SlotFrame, reading: DeviceReading) -> Observation:
        """Label and certainty follow from the seven numbers here, as they do for a worker's."""
        facts, lesson, label = self._device, self._lesson, reading.probabilities.index(max(reading.probabilities))
        if facts is None or lesson is None:
            raise ValueError("a reading came before device.began")
        face = FaceRead(
            box=reading.box,
            probabilities=reading.probabilities,
            label=cast(Label, LABELS[label]),
            confidence=reading.probabilities[label],
            uncertain=lesson.is_uncertain(reading.probabilities, label),
        )
        return Observation(
            frame, (face,), reading.face_count, reading.help, model_version=facts.version, source="device"
        )


class RoomGate(FrameGate):
    """A room camera's socket: larger pictures, fewer of them, each marked for the worker."""

    _largest = ROOM_MAX_BYTES

    def __init__(self, connection: uuid.UUID, admission: StudentAdmission) -> None:
        super().__init__(connection, admission)
        self._bucket = TokenBucket(ROOM_PICTURES_PER_SECOND, ROOM_PICTURES_AT_ONCE)

    def _frame(self, header: FrameHeader, captured_ms: float, received_ms: float, jpeg: bytes) -> SlotFrame:
        return replace(super()._frame(header, captured_ms, received_ms, jpeg), scope="room")
