"""The deployment's profile: whether inferring emotions from faces may run at all in this place.

Unset means no: a school switches measuring on by naming the rules that it runs under. See docs/privacy.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What a deployment may do, and under which rules.

    `jurisdiction`: whose rules those are, for people; `reason`: shown where something is switched off, in words for a
    teacher; `condition`: what those rules ask of a student who consents, as part of the text that they answer.
    """

    name: str
    inference: bool
    demo: bool
    reason: str
    jurisdiction: str = "Not named"
    condition: str = ""


PROFILES: dict[str, Profile] = {
    "check-ins": Profile(
        "check-ins",
        inference=False,
        demo=False,
        reason="Measuring faces is off: this installation has not been told which rules apply to it. "
        "Words about the pace work without cameras.",
    ),
    "eu": Profile(
        "eu",
        inference=False,
        demo=False,
        reason="Measuring faces is off: in the European Union, inferring emotions in education is forbidden "
        "except for medical or safety reasons (AI Act, Article 5(1)(f)). Words about the pace work without cameras.",
        jurisdiction="European Union",
    ),
    "illinois": Profile(
        "illinois",
        inference=True,
        demo=False,
        reason="Measuring faces is on, with each student's consent (Illinois, Biometric Information Privacy Act).",
        jurisdiction="Illinois, United States",
        condition="By choosing to be measured you release your school, in writing, to collect readings of your face "
        "for the purpose and the time that this text names (Illinois, Biometric Information Privacy Act). If you are "
        "under 18, a parent or guardian has to agree first.",
    ),
    "india": Profile(
        "india",
        inference=True,
        demo=False,
        reason="Measuring faces is on, for adults and with each one's consent (India, Digital Personal Data "
        "Protection Act).",
        jurisdiction="India",
        condition="Only if you are 18 or older: following the behaviour of children is forbidden (India, Digital "
        "Personal Data Protection Act, section 9). If you are younger, take part without a camera. You may withdraw "
        "as easily as you agree, and complain to your school and to the Data Protection Board of India.",
    ),
    "consent": Profile(
        "consent",
        inference=True,
        demo=False,
        reason="Measuring faces is on, with each student's consent.",
        jurisdiction="Elsewhere: the school has looked at its own law",
    ),
    "demo": Profile(
        "demo",
        inference=True,
        demo=True,
        reason="This is a demonstration with synthetic students.",
        jurisdiction="None: a demonstration",
    ),
}
