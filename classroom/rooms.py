"""A room's camera: it sees many people, none of whom can press a button for themselves.

So it is off unless the installation switches it on, runs only after the instructor's recorded declaration, and of its
pictures sums alone are stored (emotions.models.RoomReading). docs/decisions/0017.
"""

from __future__ import annotations

from django.conf import settings

from classroom import places
from classroom.consent import Choice, ConsentText, Paragraph, kept
from classroom.models import ClassSession, Participant, ReadingPlace

VERSION = "2026-11b-room"
OFF = "Room cameras are off in this installation. Whoever runs the server can allow them; see the page on privacy."
CHECK_INS = "It runs without cameras."
ON_DEVICES = (
    "Pictures may only be read on the students’ own devices in this session, and a room camera’s pictures would go "
    "to the server."
)


def refusal(session: ClassSession) -> str:
    """Why this session can't have a room camera, in words; empty where it can."""
    if not settings.PROFILE.inference:
        return str(settings.PROFILE.reason)
    if not settings.ROOM_CAMERAS:
        return OFF
    if not session.measures:
        return CHECK_INS
    return ON_DEVICES if places.allowed(session) == ReadingPlace.DEVICE else ""


def camera_of(session: ClassSession) -> Participant | None:
    """The session's room camera, declared or withdrawn; None before the first declaration."""
    return session.participants.filter(kind=Participant.Kind.ROOM).select_related("session").first()


def declared(session: ClassSession) -> bool:
    """Whether a declaration is in force, and nothing forbids the camera meanwhile."""
    camera = camera_of(session)
    return camera is not None and camera.measured and not refusal(session)


def declaration(session: ClassSession) -> ConsentText:
    """What the instructor reads and confirms, as it stands now."""
    condition = settings.PROFILE.condition
    law = (Paragraph("What the law here asks of each person", condition),) if condition else ()
    return ConsentText(
        version=VERSION,
        title="Before you switch a room camera on",
        short=(),
        whole=(*_DECLARED, *law, _STORED, kept(session.keep_days), _LIMITS),
        choices=(Choice("aggregate", "I declare this", "Recorded with your name, the time and these words."),),
    )


_DECLARED = (
    Paragraph(
        "Everybody in view was told",
        "Each person whom the camera can see knows that it is there, what is read from their faces, who sees it and "
        "how long it is kept. A sign at the door says so, too.",
    ),
    Paragraph(
        "Everybody in view has agreed",
        "Each of them has agreed beforehand, freely, and in writing where the law asks for it; for a child, so has a "
        "parent or guardian. Whoever did not agree sits where the camera can’t see them, and loses nothing by it.",
    ),
    Paragraph(
        "I switch it off",
        "When anybody in view takes their agreement back, when a stranger comes in, and when the lecture is over. It "
        "goes off within a second.",
    ),
    Paragraph(
        "What it is not for",
        "No mark, no discipline, no attendance and no decision about anybody rests on it.",
    ),
)
_STORED = Paragraph(
    "What is stored",
    "Of each picture: how many faces were found, how many of them the program was unsure about, and seven sums over "
    "all of them. No picture, no single face and no place in the room. Nothing at all where fewer than five faces "
    "are found, or fewer than five more than there are students in the session who agreed to be measured by a camera "
    "of their own.",
)
_LIMITS = Paragraph(
    "What it can’t do",
    "It is often wrong, more so for small faces far back. Nobody can be taken out of the sums afterwards: they hold "
    "no person. You can have all of them deleted.",
)
