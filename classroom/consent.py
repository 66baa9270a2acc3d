"""What a student is told before anything is measured, word for word, with the hash that the ledger keeps.

A change of any word is a new text with another hash, and everybody is asked again. Bump `VERSION` with it: it is
what people quote. Where the words and the program disagree, the program is wrong.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache

from django.conf import settings

from classroom import places
from classroom.models import ClassSession, ConsentEvent, Participant, ReadingPlace, ShownText

VERSION = "2026-11g"


@dataclass(frozen=True, slots=True)
class Choice:
    """One button. `scope`: a value of Participant.Scope."""

    scope: str
    label: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """`short`: three lines that everybody reads; `whole`: one tap away; `choices`: of equal weight, in this order."""

    version: str
    title: str
    short: tuple[Paragraph, ...]
    whole: tuple[Paragraph, ...]
    choices: tuple[Choice, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of every word of the text, independent of how a page lays it out."""
        words = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()


_NO_CAMERA = Choice(
    "none",
    "Take part without a camera",
    "No face is read. You are in the list of those present, and can say how the pace is.",
)
_WITH_CAMERA = (
    Choice("aggregate", "Only as part of the class", "Your instructor sees the class average, never you alone."),
    Choice("individual", "Also with my name", "Your instructor also sees your readings beside your name."),
)
_PACE = Paragraph(
    "Your own words",
    "When you press Lost, Too fast, Too slow or Got it, that word and its time are stored under your name. Your "
    "instructor sees how many said so, and your name with it only if you share with your name. When you raise your "
    "hand, your instructor sees your name until it is down; that it was up is not kept after the session.",
)
_NAME = Paragraph(
    "Your name",
    "Your instructor sees the name that you typed in the list of those present, and when you came and went; both are "
    "also in the report of the session. It need not be your full name.",
)
_LAW = Paragraph(
    "The law",
    "Reading emotions from faces is restricted or forbidden in some places, in the European Union in education above "
    "all. Your school decides whether it may be used here, and answers for it. This text is no legal advice.",
)
_CAN_DO = (
    "On your page of the session, “What is recorded about me” shows what there is. You can download all of it, and "
    "erase the last minutes or everything, also after the session: up to 12 hours after you joined, in this browser. "
    "Later, and after you have left a session, ask your school."
)
_OWN = Paragraph("What you can do", _CAN_DO)
_OWN_MEASURED = Paragraph(
    "What you can do",
    f"{_CAN_DO} The class mood stays when you erase: each second of it was made of five students or more, and names "
    "nobody.",
)


def kept(keep_days: int | None) -> Paragraph:
    """For how long what is recorded stays."""
    if keep_days is None:
        return Paragraph("How long it is kept", "Until your school deletes the session.")
    return Paragraph(
        "How long it is kept", f"{_days(keep_days)} after the session at most; then everything about it is deleted."
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


_HOW_SURE = Paragraph(
    "How sure it is",
    "It is often wrong. An expression is not a feeling, and neither is attention. No mark and no decision about you "
    "may rest on it.",
)
_WHO_SEES = Paragraph(
    "Who sees it",
    "You see each reading of yours as it is made. Only as part of the class: your readings are counted in the class "
    "average, which is shown for five students or more. Also with my name: beside your name your instructor sees "
    "your last reading and how it went, and in the report how often each expression was read, by minute and by "
    "section. Your own page shows no such summary, but you can download what it is made of. Your name also comes on "
    "a short list of students who may need your instructor when you say Lost, or look troubled more than is usual "
    "for you for two minutes; your own page then says so. Readings are stored under the name that you typed; those "
    "who look after the server for your school can reach them.",
)
_FREE = Paragraph(
    "Your choice",
    "It is free: you take part in the lecture whatever you choose. You can pause the camera at any moment, choose "
    "otherwise, or withdraw. From then on nothing more is measured.",
)


_STORED = "The estimate, the time, and where the face was are stored."
_LOOKS_FOR = (
    "a program looks for your face and estimates how far it shows anger, disgust, fear, happiness, sadness, surprise "
    "or nothing in particular"
)
_ON_SERVER = Paragraph(
    "What is measured",
    "While your camera is on, your browser sends small pictures to your school's server. {often}, "
    f"{_LOOKS_FOR}. {_STORED} The picture is not: it stays in memory for seconds and is then gone.",
)
_ON_DEVICE = Paragraph(
    "What is measured",
    "While your camera is on, your own browser reads small pictures. {often}, "
    f"{_LOOKS_FOR}. No picture leaves your device: it sends seven numbers, the time, and where the face was, and "
    "these are stored.",
)
_CHOOSE = Paragraph(
    "Where it is read",
    "You can have the pictures read on your own device instead, at any time, with a button under your own picture: "
    "then no picture leaves it, and only the numbers are sent. Without that they go to the server.",
)


_ROOM = Paragraph(
    "A camera of the room",
    "Your instructor may also switch on a camera that sees the room, after declaring that everybody in its view has "
    "agreed to it. What you choose here is no agreement to that one: tell your instructor if you don’t want to be in "
    "its view. Of its pictures, sums over five faces or more are stored, and nobody by name; what it has seen is not "
    "part of what you can download or erase, since no person can be found in it.",
)


@cache
def _camera(interval_ms: int, place: ReadingPlace, keep_days: int | None, condition: str, rooms: bool) -> ConsentText:
    """The text of a session with cameras, which are sampled every `interval_ms` and may be read in `place`; `rooms`:
    whether there may be one of the room, too."""
    often = _often(interval_ms)
    device = place == ReadingPlace.DEVICE
    told = _ON_DEVICE if device else _ON_SERVER
    measured = Paragraph(told.heading, told.text.format(often=often))
    where = "a program on your own device" if device else "a program"
    pictures = "Pictures never leave your device." if device else "Pictures for seconds."
    choose = (_CHOOSE,) if place == ReadingPlace.CHOICE else ()
    room = (_ROOM,) if rooms and not device else ()
    rest = (_HOW_SURE, _WHO_SEES, kept(keep_days), _OWN_MEASURED, _FREE, _NAME, _PACE, *room, _law(condition))
    return ConsentText(
        version=f"{VERSION}-camera-{place}{'-room' if room else ''}",
        title="Before you join",
        short=(
            Paragraph(
                "What is measured",
                f"{often}, {where} guesses from a small picture whether your face looks happy, sad, angry or "
                "otherwise. It is often wrong.",
            ),
            Paragraph("Who sees it", "You, and your instructor: the class average, or you by name if you choose so."),
            Paragraph("How long it is kept", f"{pictures} Readings {_until(keep_days)}."),
        ),
        whole=(measured, *choose, *rest),
        choices=(*_WITH_CAMERA, _NO_CAMERA),
    )


def _until(keep_days: int | None) -> str:
    return (
        "until your school deletes the session" if keep_days is None else f"for {_days(keep_days)} after the session"
    )


def _law(condition: str) -> Paragraph:
    return Paragraph(_LAW.heading, f"{condition} {_LAW.text}") if condition else _LAW


def _often(interval_ms: int) -> str:
    seconds = interval_ms / 1000
    return "About once a second" if 0.8 <= seconds <= 1.2 else f"About every {seconds:g} seconds"


@cache
def _check_ins(keep_days: int | None) -> ConsentText:
    """The text of a session without any camera."""
    return ConsentText(
        version=f"{VERSION}-check-ins",
        title="Before you join",
        short=(
            Paragraph(
                "What is recorded",
                "The name that you typed, when you came and went, and what you say about the pace.",
            ),
            Paragraph(
                "Who sees it", "Your instructor: who is present, how many pressed what, and raised hands by name."
            ),
            Paragraph("How long it is kept", f"{_until(keep_days).capitalize()}. No camera is used."),
        ),
        whole=(_NAME, _PACE, kept(keep_days), _OWN),
        choices=(Choice("none", "Take part", "No camera is used in this session."),),
    )


def inference_refusal(session: ClassSession) -> str:
    """Why no face is measured in this session, in words; empty where measuring may run."""
    if not settings.PROFILE.inference:
        return str(settings.PROFILE.reason)
    if not session.measures:
        return "Your instructor runs this session without cameras."
    return places.refusal(session)


def text_for(session: ClassSession) -> ConsentText:
    """The text that a student of this session is shown now."""
    if inference_refusal(session):
        return _check_ins(session.keep_days)
    place, condition = places.allowed(session), settings.PROFILE.condition
    return _camera(settings.SAMPLE_INTERVAL_MS, place, session.keep_days, condition, settings.ROOM_CAMERAS)


def keep_text(session: ClassSession, sha256: str) -> None:
    """Keep the words behind this hash, if they are the session's now: a ledger of hashes alone proves nothing."""
    text = text_for(session)
    if text.sha256 == sha256:
        keep(text)


def keep(text: ConsentText) -> None:
    """Keep the words that somebody answers."""
    if not ShownText.objects.filter(sha256=text.sha256).exists():
        shown = ShownText(sha256=text.sha256, version=text.version, words=asdict(text))
        ShownText.objects.bulk_create([shown], ignore_conflicts=True)


def mode_refusals() -> dict[ClassSession.Mode, str]:
    """Every mode of a session, and why this deployment does not allow it; empty where it does."""
    profile = settings.PROFILE
    return {mode: "" if profile.inference or not mode.measures else profile.reason for mode in ClassSession.Mode}


def must_ask(participant: Participant) -> bool:
    """Whether this participant has to be asked: never asked, or the text has changed since.

    Someone who has withdrawn is left in peace: the way back is theirs to take.
    """
    last = participant.consent_events.order_by("-epoch").first()
    if last is None:
        return True
    return last.kind != ConsentEvent.Kind.WITHDRAWN and last.text_hash != text_for(participant.session).sha256
