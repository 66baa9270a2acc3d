"""Why an action was refused, in words for the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classroom.models import ClassSession


class RefusedError(Exception):
    """`message`: what happened and what to do. `status`: the HTTP status of an answer that says so."""

    status = 409
    message = "That isn't possible now."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)
        self.message = message or self.message


class SessionEndedError(RefusedError):
    status = 410
    message = "This session has ended."


class JoiningLockedError(RefusedError):
    status = 403
    message = "The instructor has locked joining. Ask to have it opened, then try again."


class NotPresentError(RefusedError):
    """The participant has left or was removed."""

    status = 403
    message = "You are no longer in this session."


class TextRefusedError(RefusedError):
    """A name or a label that can't be shown."""

    status = 400


class InferenceOffError(RefusedError):
    """`message` is the reason of the deployment's profile, or the session's mode."""

    status = 403


class AlreadyLiveError(RefusedError):
    """The course has a live session already: `session`."""

    message = "This course already has a live session. End it before you start another."

    def __init__(self, session: ClassSession) -> None:
        super().__init__()
        self.session = session
