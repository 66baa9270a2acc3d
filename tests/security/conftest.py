"""The cast of the classroom's tests, for what reaches over the whole product."""

from __future__ import annotations

from tests.classroom.conftest import (
    agree,
    alice,
    bob,
    charlie,
    course,
    dana,
    deployment,
    login,
    other_session,
    sam,
    session,
    student_client,
    tess,
)
from tests.emotions.conftest import keys

__all__ = [
    "agree",
    "alice",
    "bob",
    "charlie",
    "course",
    "dana",
    "deployment",
    "keys",
    "login",
    "other_session",
    "sam",
    "session",
    "student_client",
    "tess",
]
