"""Words about the pace in reports: the same as on the live page, and of nobody who is promised not to be named."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from classroom.models import CheckIn, ClassSession, ConsentEvent, Marker, Participant
from emotions.messages import Pace
from emotions.models import MoodPoint
from emotions.mood.cohort import FLOOR, THERE_FOR
from emotions.mood.roster import live_rosters
from emotions.mood.ticker import NOTE_SEEN_SECONDS
from emotions.reports import exports, overview, pace, page, selectors, spoken, tables
from emotions.reports.term import term_rows

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=minute(30))
    session.refresh_from_db()
    return session


def present(
    session: ClassSession,
    *consents: tuple[float, str],
    joined: float = 0,
    left: float | None = None,
    seen: float | None = 30,
) -> int:
    """Somebody with these answers, each since that minute, who was connected up to the minute `seen`; their key."""
    scope = consents[-1][1] if consents else "none"
    gone, last = (minute(at) if at is not None else None for at in (left, seen))
    one = Participant.objects.create(
        session=session, display_name="Sam", scope=scope, joined_at=minute(joined), left_at=gone, last_seen_at=last
    )
    for epoch, (at, answer) in enumerate(consents, start=1):
        ConsentEvent.objects.create(
            participant=one, epoch=epoch, kind="given", scope=answer, text_hash="", at=minute(at)
        )
    return one.pk


def say(participant: int, at: float, word: str = "lost") -> None:
    CheckIn.objects.create(participant_id=participant, word=word, at=minute(at))


def counted(session: ClassSession) -> list[float]:
    return [(word.at - START).total_seconds() / 60 for word in pace.talk([session.pk]).words]


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


def test_who_closed_the_laptop_is_company_no_more(lecture: ClassSession) -> None:
    """They did not leave, but the list of those present names who was there: the last one's word would be theirs."""
    last = present(lecture)
    for _ in range(FLOOR - 1):
        present(lecture, seen=20)
    for at in (19, 20.5, 21, 25):
        say(last, at)
    assert counted(lecture) == [19.0, 20.5], "up to THERE_FOR after the last sign"


def test_who_never_connected_is_company_for_nobody(lecture: ClassSession) -> None:
    last = present(lecture)
    for _ in range(FLOOR - 1):
        present(lecture, seen=None)
    say(last, 5)
    assert counted(lecture) == []


def test_who_is_connected_is_company_all_along(lecture: ClassSession) -> None:
    """The last note of it may be older than the end, and so may be the one before the newest word."""
    at_the_end = 30 - 2 * NOTE_SEEN_SECONDS / 60
    crowd = [present(lecture, seen=at_the_end) for _ in range(FLOOR)]
    say(crowd[0], 29.99)
    assert counted(lecture) == [pytest.approx(29.99)]
    assert THERE_FOR.total_seconds() > 2 * NOTE_SEEN_SECONDS


def test_a_word_with_the_name_needs_no_sign_beside_it(lecture: ClassSession) -> None:
    say(present(lecture, (0, "individual"), seen=None), 20)
    assert counted(lecture) == [20.0]


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


@pytest.mark.parametrize(("others", "closed"), [(FLOOR - 1, 0), (FLOOR, 0), (FLOOR, 1), (FLOOR + 1, 1)])
def test_the_live_page_and_the_report_count_the_same(lecture: ClassSession, others: int, closed: int) -> None:
    """`closed`: how many of the others have closed their tab."""
    crowd = [present(lecture, (0, "aggregate"), seen=0 if n < closed else 5) for n in range(others)][::-1]
    people = [present(lecture, (0, "individual")), *crowd]
    said = dict(zip(people, ["lost", "lost", "too_fast"], strict=False))
    for who, word in said.items():
        say(who, 5, word)
    ClassSession.objects.filter(pk=lecture.pk).update(ended_at=None)
    live = live_rosters(minute(5))[lecture.pk].pace
    (section,) = selectors.sections(lecture, [], selectors.said(lecture))
    there = others - closed
    assert Pace(**section.said, withheld=there if there < FLOOR else 0) == live


@pytest.mark.parametrize(("last", "told"), [(5, True), (4, True), (1, False), (0, False)])
@pytest.mark.parametrize("speaks", [True, False])
def test_words_from_before_the_fifth_came_are_said_to_be_left_out(
    lecture: ClassSession, last: float, told: bool, speaks: bool
) -> None:
    """The live page shows them once the fifth is there. In their own minute only those few had joined; whether
    anybody spoke then is told as little."""
    crowd = [present(lecture, joined=last * n / (FLOOR - 1)) for n in range(FLOOR)]
    if speaks and last:
        say(crowd[0], 0)
        say(crowd[3], last - 0.1)
        ClassSession.objects.filter(pk=lecture.pk).update(ended_at=None)
        Participant.objects.update(last_seen_at=minute(last + 0.1))
        assert live_rosters(minute(last + 0.1))[lecture.pk].pace.lost in {1, 2}
        ClassSession.objects.filter(pk=lecture.pk).update(ended_at=minute(30))
        Participant.objects.update(last_seen_at=minute(30))
    assert counted(lecture) == []
    lecture.refresh_from_db()
    summaries = [page.build(lecture).summary, overview.overview(lecture).summary]
    sheets = {sheet.name: list(sheet.rows) for sheet in tables.tables(lecture)}
    summaries.append([str(row[1]) for row in sheets["summary"] if row[0] == "in_words"])
    assert [spoken.NOT_COUNTED in lines for lines in summaries] == [told] * 3
    assert summaries[0] == summaries[1] == summaries[2]


def test_nothing_is_said_to_be_left_out_where_nobody_was_there(lecture: ClassSession) -> None:
    assert spoken.NOT_COUNTED not in page.build(lecture).summary
    present(lecture, (0, "individual"))
    assert spoken.NOT_COUNTED not in page.build(lecture).summary


def test_every_figure_of_a_report_counts_the_same_words(lecture: ClassSession) -> None:
    """The summary, its sections, each minute, the files, the term: none of them tells the one that is not counted."""
    say(present(lecture, (0, "individual")), 5)
    say(present(lecture, (0, "aggregate")), 7)
    assert page.build(lecture).summary[-2:] == ["Students said “lost” once.", spoken.NOT_COUNTED]
    assert selectors.said_by_minute(selectors.said(lecture).words) == {minute(5): {"lost": 1}}
    assert [(line.title, line.total) for line in page.build(lecture).heat.said] == [("Lost", 1)]
    assert term_rows([lecture])[0].hard == 1
    sheets = {sheet.name: list(sheet.rows) for sheet in tables.tables(lecture)}
    assert sum(sum(filter(None, row[1:])) for row in sheets["check_ins"]) == 1  # type: ignore[arg-type, misc]
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
        words = pace.talk([lecture.pk, other.pk]).words
    assert [(word.session, word.word) for word in words] == [(lecture.pk, "lost")]
    assert [row.hard for row in term_rows([lecture, other])] == [1, None]


# -- Where nobody is heard, silence says nothing


def cells_of(session: ClassSession) -> dict[str, list[object]]:
    """What each file and page says of "lost", by where it stands."""
    sheets = {sheet.name: list(sheet.rows) for sheet in tables.tables(session)}
    text = "".join(exports.minutes(session, exports.DIALECTS["comma"])).removeprefix("\ufeff")
    return {
        "check_ins": [row[1] for row in sheets["check_ins"]],
        "sections": [row[-4] for row in sheets["sections"]],
        "csv": [row["said_lost"] for row in csv.DictReader(io.StringIO(text))],
        "page": [line.section.said["lost"] or line.section.heard for line in page.build(session).sections],
        "term": [term_rows([session])[0].hard],
    }


def points(session: ClassSession) -> None:
    MoodPoint.objects.bulk_create(
        MoodPoint(
            session=session, sequence=n + 1, at=minute(n), shares=None, low=None, high=None, joined=FLOOR,
            connected=FLOOR, measured=0, uncertain=0, not_visible=0, pace={},
        )
        for n in range(30)
    )  # fmt: skip


def test_a_zero_is_empty_from_when_on_nobody_was_heard(lecture: ClassSession) -> None:
    """Five without a name, of whom one leaves after ten minutes: the live page says that no word counts from then
    on."""
    crowd = [present(lecture, left=10 if n == 0 else None) for n in range(FLOOR)]
    Marker.objects.create(session=lecture, label="quiz", at=minute(10))
    points(lecture)
    say(crowd[1], 20)
    told = cells_of(lecture)
    assert told["check_ins"] == [0] * 10 + [None] * 20
    assert told["csv"] == ["0"] * 10 + [""] * 20
    assert told["sections"] == [0, None]
    assert told["page"] == [True, False]
    assert told["term"] == [None], "for most of the session nobody was heard"


def test_a_zero_is_a_zero_where_they_were_heard_for_most_of_it(lecture: ClassSession) -> None:
    for n in range(FLOOR):
        present(lecture, left=20 if n == 0 else None)
    told = cells_of(lecture)
    assert told["check_ins"] == [0] * 20 + [None] * 10
    assert (told["sections"], told["term"]) == ([0], [0])


def test_an_empty_room_is_no_time_in_which_anybody_was_heard(lecture: ClassSession) -> None:
    """Four were there for a third of the session, and nobody else ever."""
    for _ in range(FLOOR - 1):
        present(lecture, joined=10, seen=20)
    told = cells_of(lecture)
    assert told["check_ins"] == [0] * 10 + [None] * 11 + [0] * 9
    assert (told["sections"], told["term"]) == ([None], [None])


def test_among_named_ones_a_short_visit_makes_nothing_unknown(lecture: ClassSession) -> None:
    present(lecture, (0, "individual"))
    present(lecture, joined=10, left=12)
    assert cells_of(lecture)["sections"] == [0]
