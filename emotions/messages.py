"""Every message on a socket, as a closed type: an undeclared field fails where the message is made or read.

Times are Unix milliseconds. Probabilities, shares and sparkline values stand in the order of `ml.labels.LABELS`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter

from ml.labels import LABELS

Label = Literal["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
Help = Literal["no_face", "too_far", "too_dark"]
Word = Literal["lost", "too_fast", "too_slow", "got_it"]
Place = Literal["server", "device", "choice"]
CameraState = Literal["on", "paused", "hidden", "off", "denied", "busy"]
AlertKind = Literal["mood", "lost", "too_fast", "too_slow"]
Share = Annotated[float, Field(ge=0, le=1)]
Shares = Annotated[list[Share], Field(min_length=len(LABELS), max_length=len(LABELS))]
Fractions = tuple[float, float, float, float]


class CloseCode(IntEnum):
    """Why the server closes a socket. Clients do not come back after any of these; after other codes they do."""

    MALFORMED = 4400
    NOT_JOINED = 4401
    REMOVED = 4403
    NO_SUCH_SESSION = 4404
    TAKEN_OVER = 4409
    SESSION_ENDED = 4410
    WITHDRAWN = 4411
    TOO_LARGE = 4413
    OUTDATED = 4426
    TOO_MANY = 4429


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> str:
        return self.model_dump_json()


# -- A student's socket: from the browser


class Hello(Message):
    """First message: the browser's clock, from which the server corrects capture times."""

    type: Literal["hello"] = "hello"
    client_ms: float


class CameraStateChanged(Message):
    type: Literal["camera.state"] = "camera.state"
    state: CameraState


class CheckInSaid(Message):
    type: Literal["check_in"] = "check_in"
    word: Word


class HandMoved(Message):
    """The student raises a hand towards the teacher, or lowers it."""

    type: Literal["hand"] = "hand"
    up: bool


class DeviceBegan(Message):
    """From now on this socket's pictures are read on the student's device: binary messages are readings, not frames.

    `model_version`: of the network that reads them there.
    """

    type: Literal["device.began"] = "device.began"
    model_version: Annotated[str, Field(max_length=40)]


class StillThere(Message):
    """A page that has heard nothing for long asks whether the line lives; the answer is `StillHere`."""

    type: Literal["still.there"] = "still.there"


_OfStudent = Hello | CameraStateChanged | CheckInSaid | HandMoved | DeviceBegan | StillThere
FromStudent = TypeAdapter[_OfStudent](Annotated[_OfStudent, Field(discriminator="type")])


FromRoom = TypeAdapter[Hello | CameraStateChanged](Annotated[Hello | CameraStateChanged, Field(discriminator="type")])
"""A room camera's socket takes these: it is nobody, and says nothing of its own."""


# -- A student's socket: to the browser


class Welcome(Message):
    """`consent_epoch` goes into the header of every frame; `inference`: whether anything is measured at all;
    `place`: where pictures may be read; `room`: whether a camera of the room is declared."""

    type: Literal["welcome"] = "welcome"
    consent_epoch: int
    scope: Literal["none", "aggregate", "individual"]
    inference: bool
    place: Place
    interval_ms: int
    room: bool = False


class OwnReading(Message):
    """What was read in the student's own frame. Without a face, `label` and what follows from it are null."""

    type: Literal["reading.own"] = "reading.own"
    sequence: int
    box: Fractions | None
    label: Label | None
    uncertain: bool
    face_count: int
    help: Help | None
    seen_by_teacher: Literal["individual", "aggregate"]


class FrameReplaced(Message):
    """A newer frame took this one's place before it was analysed."""

    type: Literal["frame.replaced"] = "frame.replaced"
    sequence: int


class RoomRead(Message):
    """What became of a picture of the room's camera: `faces`, and `uncertain` among them, went into the sums. Both
    are null where fewer than `needed` were found: nothing was stored."""

    type: Literal["room.read"] = "room.read"
    sequence: int
    faces: int | None
    uncertain: int | None
    needed: int
    too_dark: bool


RejectReason = Literal[
    "too_large", "not_jpeg", "truncated", "dimensions", "undecodable", "too_fast", "repeated",
    "no_consent", "old_epoch", "inference_off", "stale", "busy", "bad_header",
    "bad_reading", "wrong_place", "unknown_model",
]  # fmt: skip


class FrameRejected(Message):
    type: Literal["frame.rejected"] = "frame.rejected"
    sequence: int | None
    reason: RejectReason


class CheckInSaved(Message):
    """`for_ms`: how long the word counts from now on; `by_name`: whether with the student's name. `ago_ms`: how long
    ago it was said, where a page that opens is told of it again."""

    type: Literal["check_in.saved"] = "check_in.saved"
    word: Word
    for_ms: float
    by_name: bool
    ago_ms: float = 0


class ConsentChanged(Message):
    """Consent was given anew (in another tab): frames carry this epoch from now on."""

    type: Literal["consent.changed"] = "consent.changed"
    consent_epoch: int
    scope: Literal["none", "aggregate", "individual"]


class HandChanged(Message):
    """The student's hand is up for `for_ms` more, or down (0): lowered, or the teacher has seen it."""

    type: Literal["hand.changed"] = "hand.changed"
    for_ms: float


class OwnAttention(Message):
    """What the teacher's page says of this student, as `Attention`; nothing where all is null and false."""

    type: Literal["attention.own"] = "attention.own"
    troubled_ms: float | None = None
    unsure: bool = False
    lost_ms: float | None = None


class RoomChanged(Message):
    """A camera that sees the room was declared, or is no more."""

    type: Literal["room.changed"] = "room.changed"
    room: bool


class SessionEnded(Message):
    type: Literal["session.ended"] = "session.ended"


# -- The dashboard's socket: to the browser


class Pace(Message):
    """How many students' last check-in within the window says so.

    `withheld`: students who don't share individually and are too few to be counted, whatever they say.
    """

    lost: int = 0
    too_fast: int = 0
    too_slow: int = 0
    got_it: int = 0
    withheld: int = 0


class Point(Message):
    """The class mood of one second. `shares`, `low`, `high` (a 90 % band) are null under the floor, and so are the
    ends of the band of those who look troubled together.

    `measured`: the students that the shares rest on, `uncertain` among them; under the floor, those with a fresh
    reading. `not_visible`: connected with the camera on, but without one. All within `connected`, within `joined`.
    Beside shares, the rest of those connected have no camera on, or have a fresh reading that is held back
    (emotions.mood.cohort).
    `on_device`: of the measured, those whose pictures are read on their own device.
    """

    sequence: int
    at_ms: float
    shares: Shares | None
    low: Shares | None
    high: Shares | None
    troubled_low: Share | None = None
    troubled_high: Share | None = None
    joined: int
    connected: int
    measured: int
    uncertain: int
    not_visible: int
    pace: Pace
    on_device: int = 0


TileState = Literal["measured", "not_visible", "paused", "camera_off", "disconnected"]


class TileChange(Message):
    """How the tile of a student who shares individually looks now. `name`: null where it is what it was.
    `seen_ms`: when a face was last read, null for one who is measured now, and for one who never was."""

    id: UUID
    name: str | None
    state: TileState
    label: Label | None
    uncertain: bool
    seen_ms: float | None
    value: float | None


class Tile(TileChange):
    """A student who shares individually. `name`: as everywhere (`classroom.text.distinct_names`); `value`: the
    reading's pleasantness, -1..1, for the sparkline."""

    name: str


_CLOSED: dict[str, tuple[object, ...]] = {
    "state": get_args(TileState),
    "label": get_args(Label),
    "uncertain": (False, True),
}
TILE_FIELDS = tuple((name, _CLOSED.get(name)) for name in Tile.model_fields)
"""What stands at each place of a tile's row: a field, and the values among which the row holds a place, or null where
it holds the value itself. The dashboard gets it with its page."""


def _as_row(tile: TileChange) -> list[object]:
    look = tile.model_dump(mode="json")
    return [
        look[name] if values is None or look[name] is None else values.index(look[name])
        for name, values in TILE_FIELDS
    ]


def _from_row(row: object) -> object:
    """A row of another length, or with a place that there isn't, is an error, as an unknown field is elsewhere."""
    if not isinstance(row, list):
        return row
    return {
        name: value if values is None or value is None else dict(enumerate(values)).get(value, value)
        for (name, values), value in zip(TILE_FIELDS, row, strict=True)
    }


# More than half of a large class's tick would be names of fields, and the same few words again and again.
TileRow = Annotated[TileChange, BeforeValidator(_from_row), PlainSerializer(_as_row, when_used="json")]


class TileWithHistory(Tile):
    """`spark`: the last values, oldest first, at most SPARK_LENGTH."""

    spark: list[float]


SPARK_LENGTH = 40


class MarkerPlaced(Message):
    id: int
    label: str
    at_ms: float


class Attention(Message):
    """A student who shares individually and may need the teacher: why, and how sure. Never a verdict.

    `troubled_ms`: since when their readings have stayed below their own usual (`unsure`: most of them were guesses);
    `lost_ms`: when they said that they are lost. At least one of both is there.
    """

    id: UUID
    troubled_ms: float | None
    unsure: bool
    lost_ms: float | None


class Hand(Message):
    """A raised hand, since `at_ms`. It is raised towards the teacher, so it bears a name whatever else is shared: the
    same as everywhere."""

    id: UUID
    name: str
    at_ms: float


class Alert(Message):
    """Something changed in the class at `at_ms`: in whole words, which give the reason and what it rests on."""

    kind: AlertKind
    at_ms: float
    words: str


class Notices(Message):
    """What the teacher may want to act on, longest waiting first."""

    attention: list[Attention] = []
    hands: list[Hand] = []
    alerts: list[Alert] = []


class RoomMood(Message):
    """What a room's camera saw in the last whole half minute: means over its pictures, counted apart from the class
    mood, since the same students may be in both. `faces`, and `uncertain` among them, are rounded."""

    faces: int
    uncertain: int
    shares: Shares


class MoodSnapshot(Message):
    """Everything a dashboard shows, as of `sequence`; followed by ticks with greater sequences."""

    type: Literal["mood.snapshot"] = "mood.snapshot"
    sequence: int
    points: list[Point]
    tiles: list[TileWithHistory]
    markers: list[MarkerPlaced]
    notices: Notices = Notices()


class MoodTick(Message):
    """What one second changed: the new point, the tiles that differ (as rows), the students whose tile goes, and the
    notices as a whole, where they differ. As they are now: `room`, if there is a room's camera; `unread`, whether
    pictures of this class wait and nobody reads them."""

    type: Literal["mood.tick"] = "mood.tick"
    point: Point
    tiles: list[TileRow]
    gone: list[UUID]
    notices: Notices | None = None
    room: RoomMood | None = None
    unread: bool = False


class TilesGone(Message):
    """Students who withdrew, left or erased, at once: the next tick says the same."""

    type: Literal["tiles.gone"] = "tiles.gone"
    gone: list[UUID]


class SessionChanged(Message):
    """The instructor changed the session (perhaps in another tab). `code_shown`: as people read it; `join_path`: the
    address that it opens, on whatever host students use."""

    type: Literal["session.changed"] = "session.changed"
    join_code: str
    code_shown: str
    join_path: str
    joining_locked: bool
    ended: bool


class MarkersChanged(Message):
    """The instructor named a moment, or changed a name (perhaps in another tab): all the markers there are now."""

    type: Literal["markers.changed"] = "markers.changed"
    markers: list[MarkerPlaced]


class StillHere(Message):
    """The line lives: an answer to a student's question, and said to instructors' pages every few seconds, where else
    nothing may be. `now_ms`: the server's clock."""

    type: Literal["still.here"] = "still.here"
    now_ms: float


# -- The try page's socket


class TryFace(Message):
    box: Fractions
    label: Label
    confidence: float
    uncertain: bool
    probabilities: Shares


class TryReading(Message):
    type: Literal["try.reading"] = "try.reading"
    sequence: int
    faces: list[TryFace]
    too_dark: bool


class TryBusy(Message):
    """Sessions come first: this frame was not analysed."""

    type: Literal["try.busy"] = "try.busy"
    sequence: int


# -- Groups of the channel layer (only `emotions.publish` sends to them)


def session_group(session_pk: int) -> str:
    """Every dashboard of a session."""
    return f"session.{session_pk}"


def students_group(session_pk: int) -> str:
    """Every student's socket of a session."""
    return f"students.{session_pk}"


def participant_group(participant_pk: int) -> str:
    """The sockets of one participant: one, but for the moment of a take-over."""
    return f"participant.{participant_pk}"
