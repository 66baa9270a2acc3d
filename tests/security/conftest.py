"""The classroom of its tests, for what reaches over the whole product."""

from __future__ import annotations

from tests.classroom.conftest import (
    agree,
    course,
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
    "course",
    "deployment",
    "keys",
    "login",
    "other_session",
    "sam",
    "session",
    "student_client",
    "tess",
]
