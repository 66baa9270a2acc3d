"""Words about the pace in reports: the same as on the live page, and of nobody who is promised not to be named."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from classroom.models import CheckIn, ClassSession, ConsentEvent, Participant
from emotions.messages import Pace
from emotions.mood.cohort import FLOOR
from emotions.mood.estimate import Student
from emotions.mood.roster import Roster, Said
from emotions.reports import exports, pace, page, selectors, tables
from emotions.reports.term import term_rows

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=minute(30))
    session.refresh_from_db()
    return session


def present(session: ClassSession, *consents: tuple[float, str], joined: float = 0, left: float | None = None) -> int:
    """Somebody with these answers, each since that minute; their key."""
    scope = consents[-1][1] if consents else "none"
    gone = minute(left) if left is not None else None
    one = Participant.objects.create(
        session=session, display_name="Sam", scope=scope, joined_at=minute(joined), left_at=gone
    )
    for epoch, (at, answer) in enumerate(consents, start=1):
        ConsentEvent.objects.create(
            participant=one, epoch=epoch, kind="given", scope=answer, text_hash="", at=minute(at)
        )
    return one.pk


def say(participant: int, at: float, word: str = "lost") -> None:
    CheckIn.objects.create(participant_id=participant, word=word, at=minute(at))


def counted(session: ClassSession) -> list[float]:
    return [(word.at - START).total_seconds() / 60 for word in pace.heard([session.pk])]


@pytest.mark.parametrize(("others", "heard"), [(FLOOR - 1, []), (FLOOR, [5.0])])
def test_a_word_without_a_name_counts_from_five_on(lecture: ClassSession, others: int, heard: list[float]) -> None:
    crowd = [present(lecture, (0, "aggregate")) for _ in range(others)]
    present(lecture, (0, "individual"))
    say(crowd[0], 5)
    assert counted(lecture) == heard


def test_a_word_with_a_name_counts_beside_whomever(lecture: ClassSession) -> None:
    named, alone = present(lecture, (0, "individual")), present(lecture)
    say(named, 5)
    say(alone, 6)
    assert counted(lecture) == [5.0]


def test_who_is_gone_is_company_no_more(lecture: ClassSession) -> None:
    crowd = [present(lecture, left=10 if n == 0 else None, joined=2) for n in range(FLOOR)]
    for at in (1.99, 2, 9.99, 10, 11):
        say(crowd[1], at)
    assert counted(lecture) == [2.0, pytest.approx(9.99)]


@pytest.mark.parametrize(("answers", "heard"), [([], [15.0, 25.0]), ([(20, "none")], [])])
def test_only_the_consent_in_force_covers_a_word(
    lecture: ClassSession, answers: list[tuple[float, str]], heard: list[float]
) -> None:
    """Who no longer shares the name is one of those without, for what was said before as well."""
    changing = present(lecture, (0, "aggregate"), (10, "individual"), *answers)
    for _ in range(FLOOR - 2):
        present(lecture, (0, "aggregate"))
    for at in (5, 15, 25):
        say(changing, at)
    assert counted(lecture) == heard
    present(lecture, (0, "aggregate"))
    if answers:
        assert counted(lecture) == [5.0, 15.0, 25.0]


@pytest.mark.parametrize("others", [FLOOR - 1, FLOOR])
def test_the_live_page_and_the_report_count_the_same(lecture: ClassSession, others: int) -> None:
    people = [present(lecture, (0, "individual")), *(present(lecture, (0, "aggregate")) for _ in range(others))]
    said = dict(zip(people, ["lost", "lost", "too_fast"], strict=False))
    for who, word in said.items():
        say(who, 5, word)
    rows = Participant.objects.filter(session=lecture)
    roll = [Student(one.pk, one.public_id, one.display_name, one.scope, one.consent_epoch, None) for one in rows]
    live = Roster(roll, {pk: Said(word, 0.0, pk == people[0]) for pk, word in said.items()}, "normal").pace
    (section,) = selectors.sections(lecture, [], selectors.words(lecture))
    assert Pace(**section.said, withheld=live.withheld) == live


def test_every_figure_of_a_report_counts_the_same_words(lecture: ClassSession) -> None:
    """The summary, its sections, each minute, the files, the term: none of them tells the one that is not counted."""
    say(present(lecture, (0, "individual")), 5)
    say(present(lecture, (0, "aggregate")), 7)
    assert page.build(lecture).summary[-1] == "Students said “lost” once."
    assert selectors.said_by_minute(selectors.words(lecture)) == {minute(5): {"lost": 1}}
    assert [(line.title, line.total) for line in page.build(lecture).heat.said] == [("Lost", 1)]
    assert term_rows([lecture])[0].hard == 1
    sheets = {sheet.name: list(sheet.rows) for sheet in tables.tables(lecture)}
    assert sum(sum(row[1:]) for row in sheets["check_ins"]) == 1  # type: ignore[arg-type, misc]
    assert sum(row[-4] for row in sheets["sections"]) == 1  # type: ignore[misc]
    text = "".join(exports.minutes(lecture, exports.DIALECTS["comma"])).removeprefix("\ufeff")
    assert sum(int(row["said_lost"]) for row in csv.DictReader(io.StringIO(text))) == 0


def test_sessions_keep_their_crowds_apart(
    lecture: ClassSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = ClassSession.objects.create(course=lecture.course, started_at=START, ended_at=minute(30))
    here = [present(lecture) for _ in range(FLOOR)]
    there = [present(other) for _ in range(FLOOR - 1)]
    say(here[0], 5)
    say(there[0], 5, "too_fast")
    with django_assert_num_queries(3):
        assert [(word.session, word.word) for word in pace.heard([lecture.pk, other.pk])] == [(lecture.pk, "lost")]
    assert [row.hard for row in term_rows([lecture, other])] == [1, None]
