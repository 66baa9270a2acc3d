"""Namesakes: told apart by who joined first, alike on the live page, in its lists and in the report."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from classroom import actions, consent
from classroom.models import ClassSession, Participant
from emotions.mood import snapshots
from emotions.mood.ticker import Ticker
from emotions.reports import people, sharers
from tests.emotions.parts import MeanEstimator
from tests.emotions.test_ticker import sit

# Whose public ids sort against their joining.
FIRST, SECOND, THIRD = UUID(int=9), UUID(int=5), UUID(int=1)


@pytest.fixture
def namesakes(session: ClassSession) -> list[Participant]:
    """Three of one name: the first takes part without a camera, the others share with it; all hands are up."""
    students = []
    for number, scope in ((FIRST, "none"), (SECOND, "individual"), (THIRD, "individual")):
        student = actions.join(session, "Mia")
        student.public_id = number
        student.save(update_fields=["public_id"])
        actions.record_consent(student, scope, consent.text_for(session).sha256)
        actions.raise_hand(student)
        sit(student, "off")
        students.append(student)
    return students


@pytest.mark.django_db
def test_the_live_page_its_hands_and_the_report_call_them_alike(
    session: ClassSession, namesakes: list[Participant]
) -> None:
    ticker = Ticker(MeanEstimator())
    ticker.tick(time.time() * 1000)
    shown = snapshots.build(session)
    assert {tile.id: tile.name for tile in shown.tiles} == {SECOND: "Mia (2)", THIRD: "Mia (3)"}
    assert {hand.id: hand.name for hand in shown.notices.hands} == {
        FIRST: "Mia (1)", SECOND: "Mia (2)", THIRD: "Mia (3)"
    }  # fmt: skip
    sharing = sharers.of_session(session)
    assert {one.id: one.name for one in sharing} == {tile.id: tile.name for tile in shown.tiles}
    assert [one.name for one in people.roll(session, sharing)] == ["Mia (1)", "Mia (2)", "Mia (3)"]


@pytest.mark.django_db
def test_a_number_stays_whoever_leaves_and_whoever_shares_later(
    session: ClassSession, namesakes: list[Participant]
) -> None:
    ticker, now = Ticker(MeanEstimator()), time.time() * 1000
    ticker.tick(now)
    first, second, _third = namesakes
    actions.record_consent(first, "individual", consent.text_for(session).sha256)
    actions.leave(second)
    ticker.tick(now + 1000)
    assert {tile.id: tile.name for tile in snapshots.build(session).tiles} == {FIRST: "Mia (1)", THIRD: "Mia (3)"}
    assert [one.name for one in sharers.of_session(session)] == ["Mia (1)", "Mia (2)", "Mia (3)"]
