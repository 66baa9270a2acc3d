"""A student's socket: frames in, the student's own results out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from pydantic import TypeAdapter, ValidationError

from classroom.actions import hand_up_ms, lower_hand, raise_hand, save_check_in
from classroom.errors import RefusedError
from classroom.models import CheckIn, Participant
from emotions import publish
from emotions.consumers.admission import Scope, StudentAdmission, admit_student
from emotions.consumers.base import DOWN, Socket, in_database, log
from emotions.consumers.gate import FrameGate
from emotions.consumers.roll_call import RollCall, Standing
from emotions.frames.device_intake import DeviceIntake
from emotions.frames.frame import SlotFrame, largest_message
from emotions.frames.intake import Intake
from emotions.frames.limits import TokenBucket
from emotions.hub import Hub
from emotions.messages import (
    CameraStateChanged,
    CheckInSaid,
    CheckInSaved,
    CloseCode,
    ConsentChanged,
    DeviceBegan,
    FrameRejected,
    FromStudent,
    HandChanged,
    HandMoved,
    Hello,
    Message,
    RejectReason,
    RoomChanged,
    SessionEnded,
    StillHere,
    StillThere,
    Welcome,
    participant_group,
    students_group,
)
from emotions.mood import presence, snapshots
from emotions.mood.alerts import WORDS_MS
from emotions.mood.presence import AHEAD_MS, Seat
from emotions.readings.observations import Observation
from emotions.store import async_redis

LARGEST_TEXT = 2_000
MESSAGES_PER_SECOND = 50.0
_T = TypeVar("_T")
CHECK_INS_PER_SECOND, CHECK_INS_AT_ONCE = 0.5, 6.0


class CameraConsumer(Socket):
    """/ws/camera/<session>/. Access is settled when it opens; frames then touch no database."""

    kind = "camera"
    gate_class: ClassVar[type[FrameGate]] = FrameGate
    understood: ClassVar[TypeAdapter[Any]] = FromStudent
    seat: Seat
    seated = False
    in_roll_call: ClassVar[bool] = True
    room = False
    """Whether the student was told of a camera of the room."""
    camera_known = False

    async def enter(self) -> None:
        self.connection = uuid.uuid4()
        self.since = time.time()
        self.messages = TokenBucket(MESSAGES_PER_SECOND, burst=MESSAGES_PER_SECOND)
        self.check_ins = TokenBucket(CHECK_INS_PER_SECOND, burst=CHECK_INS_AT_ONCE)
        admission = await self._admission()
        if isinstance(admission, CloseCode):
            await self.turn_away(admission)
        else:
            await self._sit_down(admission)

    async def _admission(self) -> StudentAdmission | CloseCode:
        return await in_database(admit_student, self.scope.get("cookies", {}), self._session_id())

    async def _sit_down(self, admission: StudentAdmission) -> None:
        """Groups first, then the others go: whichever of two tabs is the newer hears nothing that closes it."""
        participant = self.participant = admission.participant
        self.seat, self.seated = Seat(participant.session_id, participant.pk, self.connection), True
        self.gate = self.gate_class(self.connection, admission)
        self.intake, self.device_intake = Intake.here(), DeviceIntake.here()
        await self.channel_layer.group_add(participant_group(participant.pk), self.channel_name)
        await self.channel_layer.group_add(students_group(participant.session_id), self.channel_name)
        await publish.taken_over(async_redis(), participant.pk, self.connection, self.since)
        await Hub.here().open(self.connection, self.tell_text, self.seat)
        await presence.mark(async_redis(), [self.seat])
        await self._recheck()
        if self.in_roll_call:
            RollCall.here().open(self)

    async def _recheck(self) -> None:
        """What changed before the groups were joined was said to nobody."""
        again = await self._admission()
        if isinstance(again, CloseCode):
            await self.turn_away(again)
            return
        self.gate.renew(again.participant.consent_epoch, again.scope)
        self.room = again.room
        await self.tell(self._welcome(again))
        for told in await in_database(_said_before, again.participant):
            await self.tell(told)

    def _welcome(self, admission: StudentAdmission) -> Welcome:
        return Welcome(
            consent_epoch=self.gate.consent_epoch,
            scope=self.gate.scope,
            inference=admission.inference,
            place=admission.place,
            interval_ms=self.interval_ms(),
            room=admission.room,
        )

    def interval_ms(self) -> int:
        """How often the page takes a picture."""
        return int(settings.SAMPLE_INTERVAL_MS)

    async def leave(self) -> None:
        if not self.seated:
            return
        Hub.here().close(self.connection)
        RollCall.here().close(self)
        discard = self.channel_layer.group_discard
        for undo in (
            partial(presence.leave, async_redis(), self.seat),
            partial(discard, participant_group(self.seat.participant), self.channel_name),
            partial(discard, students_group(self.seat.session), self.channel_name),
        ):
            try:
                await undo()
            except DOWN as error:
                log.warning("a socket's end is not noted, its presence will expire: %s", error)

    # -- From the browser

    async def binary_received(self, data: bytes) -> None:
        received_ms = time.time() * 1000
        if not await self._let_in(len(data), largest_message()):
            return
        if self.gate.on_device:
            await self._offer(self.gate.examine_reading(data, received_ms))
        else:
            await self._offer(self.gate.examine(data, received_ms))

    async def _offer(self, taken: SlotFrame | Observation | FrameRejected) -> None:
        match taken:
            case FrameRejected():
                await self.tell(taken)
                return
            case SlotFrame():
                self.intake.offer(taken)
            case Observation():
                self.device_intake.offer(taken)
        await self._camera_is_on()

    async def text_received(self, text: str) -> None:
        if not await self._let_in(len(text), LARGEST_TEXT):
            return
        try:
            message = self.understood.validate_json(text)
        except ValidationError:
            await self.turn_away(CloseCode.MALFORMED)
        else:
            await self._answer(message)

    async def _answer(self, message: object) -> None:
        match message:
            case Hello():
                self.gate.clock.anchor(message.client_ms, time.time() * 1000)
            case CameraStateChanged():
                await self._camera_state(message)
            case CheckInSaid():
                await self._check_in(message)
            case HandMoved():
                await self._hand(message)
            case DeviceBegan():
                await self._begin_device(message)
            case StillThere():
                await self.tell(StillHere(now_ms=time.time() * 1000))

    async def _begin_device(self, message: DeviceBegan) -> None:
        """Before the first reading. Of a network that is not ours, or where the server is to read, none is taken."""
        if not self.gate.begin_device(message.model_version):
            reason: RejectReason = "wrong_place" if self.gate.place == "server" else "unknown_model"
            await self.tell(FrameRejected(sequence=None, reason=reason))

    async def _let_in(self, size: int, largest: int) -> bool:
        """Whether a message may be looked at; otherwise the socket closes."""
        if not self.messages.take(time.monotonic()):
            await self.turn_away(CloseCode.TOO_MANY)
        elif size > largest:
            await self.turn_away(CloseCode.TOO_LARGE)
        return not self.closing

    async def _camera_is_on(self) -> None:
        """A frame tells as much, until the page has said something of its camera."""
        if not self.camera_known:
            await self._camera_state(CameraStateChanged(state="on"))

    async def _camera_state(self, message: CameraStateChanged) -> None:
        self.camera_known = True
        self.seat.camera = message.state
        try:
            await presence.mark(async_redis(), [self.seat])
        except DOWN as error:
            log.warning("a camera's state will be told with the next refresh: %s", error)

    async def _check_in(self, message: CheckInSaid) -> None:
        saved: CheckIn | None = await self._said(save_check_in, self.participant, message.word)
        if saved is not None:
            await self.tell(CheckInSaved(word=message.word, for_ms=WORDS_MS, by_name=self.gate.scope == "individual"))

    async def _hand(self, message: HandMoved) -> None:
        """The answer comes by way of the participant's group, as when the teacher lowers it."""
        await self._said(raise_hand if message.up else lower_hand, self.participant)

    async def _said(self, action: Callable[..., _T], *args: object) -> _T | None:
        """What the student does towards the teacher; None, and the socket closes, where it can't be taken."""
        if not self.check_ins.take(time.monotonic()):
            await self.turn_away(CloseCode.TOO_MANY)
            return None
        try:
            return await in_database(action, *args)
        except RefusedError:
            # Not only the end: it may be said in the moment in which the student was sent out.
            now = await self._admission()
            await self._end(now if isinstance(now, CloseCode) else CloseCode.SESSION_ENDED)
            return None

    # -- From the roll call

    @property
    def standing(self) -> Standing:
        return Standing(self.gate.consent_epoch, self.gate.scope, self.room)

    async def ask_again(self) -> None:
        """The database says something else than this socket knows: the message of it was lost, or is on its way."""
        async with self._turn:
            if self.closing:
                return
            now = await self._admission()
            if isinstance(now, CloseCode):
                await self._end(now)
                return
            if now.participant.consent_epoch > self.gate.consent_epoch:
                await self._renew(now.participant.consent_epoch, now.scope)
            if now.room != self.room:
                self.room = now.room
                await self.tell(RoomChanged(room=now.room))

    # -- From emotions.publish

    async def taken_over(self, event: dict[str, Any]) -> None:
        """Two tabs may open in the same instant: both messages reach both, and one of them is newer. One that is far
        older by its clock has opened after that was set back."""
        set_back = event["since"] < self.since - AHEAD_MS / 1000
        if set_back or (event["since"], event["connection"]) > (self.since, self.connection.hex):
            await self.turn_away(CloseCode.TAKEN_OVER)

    async def consent_changed(self, event: dict[str, Any]) -> None:
        await self._renew(event["consent_epoch"], event["scope"])

    async def _renew(self, consent_epoch: int, scope: Scope) -> None:
        if consent_epoch < self.gate.consent_epoch:  # the roll call was quicker than this message
            return
        withdrawn = scope == "none" and self.gate.scope != "none"
        self.gate.renew(consent_epoch, scope)
        await self._forget_frames()
        if withdrawn:
            await self.turn_away(CloseCode.WITHDRAWN)
        else:
            await self.tell(ConsentChanged(consent_epoch=consent_epoch, scope=scope))

    async def hand_changed(self, event: dict[str, Any]) -> None:
        await self.tell_text(event["text"])

    async def room_changed(self, event: dict[str, Any]) -> None:
        self.room = RoomChanged.model_validate_json(event["text"]).room
        await self.tell_text(event["text"])

    async def attention_own(self, event: dict[str, Any]) -> None:
        """What the teacher's page says of this student, the student reads, too."""
        await self.tell_text(event["text"])

    async def turned_out(self, event: dict[str, Any]) -> None:
        await self._end(event["code"])

    async def _end(self, code: CloseCode) -> None:
        self.gate.close()
        await self._forget_frames()
        await self.turn_away(code)

    async def _forget_frames(self) -> None:
        """Those of an earlier consent that this process still holds must not fill the slot that was emptied."""
        try:
            await self.intake.forget(self.participant.pk)
        except DOWN as error:
            log.warning("a frame of an earlier consent may wait for seconds, and is not stored: %s", error)

    async def session_ended(self, event: dict[str, Any]) -> None:
        await self.tell(SessionEnded())
        await self.turn_away(CloseCode.SESSION_ENDED)

    def _session_id(self) -> uuid.UUID:
        session_id: uuid.UUID = self.scope["url_route"]["kwargs"]["session_id"]
        return session_id


def _said_before(participant: Participant) -> list[Message]:
    """What the teacher's page knows of the student, and theirs does not: it was made anew, or is another tab."""
    up_ms = hand_up_ms(participant)
    hand = HandChanged(for_ms=up_ms) if up_ms else None
    told = (hand, _word_that_counts(participant), snapshots.own_attention(participant))
    return [message for message in told if message is not None]


def _word_that_counts(participant: Participant) -> CheckInSaved | None:
    """The last one, while it counts: by the rule of `emotions.mood.roster`."""
    now = timezone.now()
    said = participant.check_ins.filter(at__gt=now - timedelta(milliseconds=WORDS_MS)).last()
    if said is None:
        return None
    ago_ms = max(0.0, (now - said.at).total_seconds() * 1000)
    answered = participant.consent_events.aggregate(last=Max("at"))["last"]
    named = participant.scope == Participant.Scope.INDIVIDUAL and answered is not None and said.at >= answered
    told = {"word": said.word, "for_ms": WORDS_MS - ago_ms, "by_name": named, "ago_ms": ago_ms}
    return CheckInSaved.model_validate(told)
