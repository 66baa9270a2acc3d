"""The deployment's profile: whether inferring emotions from faces may run at all in this place.

Unset means no: a school switches measuring on by naming the rules that it runs under. See docs/privacy.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What a deployment may do. `reason` is shown where something is switched off, in words for a teacher."""

    name: str
    inference: bool
    demo: bool
    reason: str


PROFILES: dict[str, Profile] = {
    "check-ins": Profile(
        "check-ins",
        inference=False,
        demo=False,
        reason="Measuring faces is off: this installation has not been told which rules apply to it. "
        "Check-ins work without cameras.",
    ),
    "eu": Profile(
        "eu",
        inference=False,
        demo=False,
        reason="Measuring faces is off: in the European Union, inferring emotions in education is forbidden "
        "except for medical or safety reasons (AI Act, Article 5(1)(f)). Check-ins work without cameras.",
    ),
    "consent": Profile(
        "consent",
        inference=True,
        demo=False,
        reason="Measuring faces is on, with each student's consent.",
    ),
    "demo": Profile(
        "demo",
        inference=True,
        demo=True,
        reason="This is a demonstration with synthetic students.",
    ),
}
