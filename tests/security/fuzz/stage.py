"""The class in which the attack takes place: a few who work, more who attack with cookies of the same class."""

from __future__ import annotations

import asyncio
import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections

from classroom.local.running import RunningProduct
from tests.emotions.parts import room_camera
from tests.pipeline.students import instructor_cookies, new_session, new_student
from tests.security.fuzz.attack import Outcome, attack

HONEST, ATTACKERS = 6, 13


def played(product: RunningProduct, messages: int) -> Outcome:
    """The attack with that many messages, in a class of its own."""
    owner = User.objects.create_user(f"fuzz-{uuid.uuid4().hex[:8]}")
    session = new_session(owner)
    honest = [new_student(session, f"Honest {number}") for number in range(HONEST)]
    attackers = [new_student(session, f"Attacker {number}") for number in range(ATTACKERS)]
    if settings.ROOM_CAMERAS:
        room_camera(session, owner)
    cookies = instructor_cookies(owner)
    connections.close_all()
    return asyncio.run(attack(product, honest, attackers, cookies, messages))
