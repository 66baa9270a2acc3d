"""Nobody who shares only as part of the class is ever shown alone: in ticks, tiles, notices, reports, exports, admin.

A made-up class comes, answers, changes its mind, speaks, goes, erases; the real ticker ticks, and is now and then
replaced, with Redis emptied or not. What comes out is held against the rule, worked out here from the ledger alone.
"""

from __future__ import annotations

import csv
import io
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from classroom import actions, consent
from classroom.models import CheckIn, ClassSession, ConsentEvent, Course, Participant
from emotions import publish
from emotions.actions import record_readings
from emotions.messages import MoodTick
from emotions.mood.cohort import FLOOR, THERE_FOR
from emotions.mood.ticker import Ticker
from emotions.readings import live
from emotions.reports import exports, page, sharers, spoken, tables, term
from emotions.reports.totals import totals
from emotions.store import presence_key, sync_redis
from tests.emotions.parts import MeanEstimate, MeanEstimator, frame_of, observation

pytestmark = pytest.mark.django_db(transaction=True)

LENIENT = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
WORDS = list(CheckIn.Word.values)
who, scope_of, word = st.integers(0, 11), st.sampled_from(["individual", "aggregate", "none"]), st.sampled_from(WORDS)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sampled_from(["individual", "aggregate", "aggregate", "aggregate", "none"])),
        st.tuples(st.just("choose"), who, scope_of),
        st.tuples(st.just("withdraw"), who),
        st.tuples(st.just("leave"), who),
        st.tuples(st.just("vanish"), who),
        st.tuples(st.just("erase"), who),
        st.tuples(st.just("erase_last"), who),
        st.tuples(st.just("say"), who, word),
        st.tuples(st.just("restart"), st.booleans()),
        st.tuples(
            st.just("tick"),
        ),
    ),
    min_size=8,
    max_size=24,
)


class Telltale(MeanEstimator):
    """As MeanEstimator, and remembers whose readings it was given: each student's are unlike all others'."""

    def __init__(self) -> None:
        self.given: set[bytes] = set()

    def estimate(self, probabilities: npt.NDArray[np.float32]) -> MeanEstimate:
        self.given = {bytes(row) for row in probabilities}
        return super().estimate(probabilities)


def face_of(participant: Participant) -> tuple[float, ...]:
    raw = np.random.default_rng(participant.pk).dirichlet(np.ones(7))
    return tuple(raw.astype(np.float32).tolist())


@dataclass
class Room:
    """One session, and what was seen of it."""

    session: ClassSession
    estimator: Telltale = field(default_factory=Telltale)
    people: list[Participant] = field(default_factory=list)
    vanished: set[int] = field(default_factory=set)
    hidden: frozenset[int] = frozenset()
    now_ms: float = field(default_factory=lambda: time.time() * 1000)
    ticks: list[MoodTick] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ticker = Ticker(self.estimator)

    def do(self, step: tuple[Any, ...]) -> None:
        what, *rest = step
        if what in {"choose", "withdraw", "leave", "vanish", "erase", "erase_last", "say"}:
            here = [one for one in self.people if one.left_at is None]
            if here:
                getattr(self, what)(here[rest[0] % len(here)], *rest[1:])
        else:
            getattr(self, what)(*rest)

    def come(self, scope: str) -> None:
        student = actions.join(self.session, f"Student {len(self.people)}")
        self.people.append(student)
        self.choose(student, scope)

    def choose(self, student: Participant, scope: str) -> None:
        actions.record_consent(student, scope, consent.text_for(self.session).sha256)

    def withdraw(self, student: Participant) -> None:
        actions.withdraw(student)

    def leave(self, student: Participant) -> None:
        actions.leave(student)

    def vanish(self, student: Participant) -> None:
        """The tab was closed long ago. Who speaks or chooses after that, does so without being seen."""
        self.vanished.add(student.pk)
        sync_redis().hdel(presence_key(self.session.pk), str(student.pk))
        long_ago = timezone.now() - timedelta(minutes=10)
        Participant.objects.filter(pk=student.pk).update(joined_at=long_ago, last_seen_at=long_ago)

    def erase(self, student: Participant) -> None:
        self.people.remove(student)
        actions.erase(student)

    def erase_last(self, student: Participant) -> None:
        actions.erase_last(student, 1)

    def say(self, student: Participant, said: str) -> None:
        CheckIn.objects.create(participant=student, word=said)

    def restart(self, with_redis: bool) -> None:
        """Another ticker takes over. `with_redis`: what is kept there is lost as well, but for who is there."""
        if with_redis:
            for name in ("tiles", "cohort", "watch", "notices"):
                sync_redis().delete(*sync_redis().keys(f"*:{name}:*") or ["nothing"])
        self.ticker = Ticker(self.estimator)

    def tick(self) -> None:
        self.now_ms += 1000
        here = [one for one in self.people if one.left_at is None and one.pk not in self.vanished]
        measured = [one for one in here if one.scope != "none"]
        for one in here:
            seat = f"{uuid.uuid4().hex}:on:{int(self.now_ms)}"
            sync_redis().hset(presence_key(self.session.pk), str(one.pk), seat)
        seen = [observation(frame_of(one, captured_ms=self.now_ms), face_of(one)) for one in measured]
        record_readings(seen)
        with sync_redis().pipeline() as pipe:
            live.update(pipe, seen)
            pipe.execute()
        self.estimator.given = set()
        self.ticker.tick(self.now_ms)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[MoodTick]:
    """Every tick on its way to dashboards."""
    told: list[MoodTick] = []
    send = publish.mood_tick

    def listening(pipe: Any, session: int, tick: MoodTick) -> None:
        told.append(tick)
        send(pipe, session, tick)

    monkeypatch.setattr(publish, "mood_tick", listening)
    return told


def new_room(teacher: User) -> Room:
    course = Course.objects.create(title=f"Course {uuid.uuid4().hex[:8]}", instructor=teacher)
    room = Room(actions.start_session(course))
    for scope in ["aggregate"] * 5 + ["individual"] * 2:
        room.come(scope)
    return room


# -- What the ledger says


def named_since(student: Participant) -> datetime | None:
    """Since when the consent in force shares the name, if it does."""
    last = ConsentEvent.objects.filter(participant=student).latest("epoch")
    return last.at if last.kind == "given" and last.scope == "individual" else None


def by_name(student: Participant, at: datetime) -> bool:
    since = named_since(student)
    return since is not None and at >= since


def there_until(student: Participant) -> datetime:
    """Who closed a tab has not left, and is there no more."""
    seen = (student.last_seen_at or student.joined_at) + THERE_FOR
    return min(seen, student.left_at or seen)


def there_at(people: list[Participant], at: datetime) -> list[Participant]:
    return [one for one in people if one.joined_at <= at < there_until(one)]


def nameless_at(people: list[Participant], at: datetime) -> int:
    return sum(not by_name(one, at) for one in there_at(people, at))


def silence_says_something(session: ClassSession) -> bool:
    """Not where for most of the time that anybody was there, too few of them were so without a name."""
    people = list(Participant.objects.filter(session=session))
    changes = {at for one in people for at in (one.joined_at, there_until(one), named_since(one)) if at}
    start, end = session.started_at, session.ended_at or timezone.now()
    edges = sorted({start, end, *(at for at in changes if start < at < end)})
    few, anybody = timedelta(0), timedelta(0)
    for a, b in pairwise(edges):
        few += (b - a) * (0 < nameless_at(people, a) < FLOOR)
        anybody += (b - a) * bool(there_at(people, a))
    return 2 * few <= anybody


def countable(session: ClassSession) -> Counter[str]:
    """The words that a report may count, worked out one by one."""
    people = list(Participant.objects.filter(session=session))
    said = CheckIn.objects.filter(participant__session=session).select_related("participant")
    return Counter(
        one.word for one in said if by_name(one.participant, one.at) or nameless_at(people, one.at) >= FLOOR
    )


# -- Ticks, tiles, notices


def check_tick(room: Room, told: list[MoodTick]) -> None:
    """The mood without the visible tiles rests on nobody or a crowd, and so does what changed since the last tick."""
    present = {one.pk: one for one in Participant.objects.present().filter(session=room.session)}
    faces = {np.array(face_of(one), np.float32).tobytes(): pk for pk, one in present.items()}
    assert room.estimator.given <= set(faces), "somebody is in the mood who is gone"
    members = {faces[row] for row in room.estimator.given}
    individual = {pk for pk, one in present.items() if one.scope == "individual"}
    hidden = frozenset(members - individual)
    assert len(members) == 0 or len(members) >= FLOOR
    assert len(hidden) == 0 or len(hidden) >= FLOOR
    assert len(hidden ^ room.hidden) == 0 or len(hidden ^ room.hidden) >= FLOOR
    room.hidden = hidden
    for tick in told:
        assert (tick.point.shares is None) == (not members)
        assert {tile.id for tile in tick.tiles} <= {present[pk].public_id for pk in individual}
        check_words(tick, list(present.values()), datetime.fromtimestamp(room.now_ms / 1000, UTC))


def check_words(tick: MoodTick, present: list[Participant], now: datetime) -> None:
    """Of those without a name all words or none; nobody is named for a word that was said without a name."""
    last = {one.pk: CheckIn.objects.filter(participant=one).last() for one in present}
    others = sum(one.scope != "individual" for one in there_at(present, now))
    told = [
        said.word
        for one in present
        if (said := last[one.pk]) and (others >= FLOOR or by_name(one, said.at))
    ]  # fmt: skip
    assert {name: n for name, n in tick.point.pace.model_dump(exclude={"withheld"}).items() if n} == Counter(told)
    assert tick.point.pace.withheld == (others if others < FLOOR else 0)
    named = {row.id for row in tick.notices.attention if row.lost_ms} if tick.notices else set()
    allowed = {
        one.public_id
        for one in present
        if (said := last[one.pk]) and said.word == "lost" and by_name(one, said.at)
    }  # fmt: skip
    assert named <= allowed


@LENIENT
@given(steps=STEPS)
@example(steps=[("say", 0, "lost"), ("choose", 0, "individual"), ("tick",)])
@example(steps=[("come", "aggregate"), ("tick",), ("restart", True), ("tick",)])
@example(steps=[("vanish", 1), ("say", 0, "lost"), ("tick",)])
@pytest.mark.usefixtures("profile", "keys")
def test_no_tick_shows_anybody_alone(steps: list[tuple[Any, ...]], heard: list[MoodTick]) -> None:
    teacher, _ = User.objects.get_or_create(username="alice")
    room = new_room(teacher)
    for step in [("tick",), *steps, ("tick",), ("tick",)]:
        heard.clear()
        room.do(step)
        if step[0] == "tick":
            check_tick(room, heard)
    actions.end_session(room.session)


# -- Reports, exports, admin


@LENIENT
@given(steps=STEPS, cuts=st.lists(st.integers(0, 30), max_size=3))
@example(steps=[("vanish", 1), ("say", 0, "lost"), ("tick",)], cuts=[])
@pytest.mark.usefixtures("profile", "keys", "pages")
def test_no_report_and_no_export_shows_anybody_alone(steps: list[tuple[Any, ...]], cuts: list[int]) -> None:
    teacher, _ = User.objects.get_or_create(username="alice")
    room = new_room(teacher)
    for n, step in enumerate(steps):
        room.do(step)
        if n in cuts:
            actions.place_marker(room.session, f"Marker {n}")
    actions.end_session(room.session)
    # Its last words fall into the second of its end.
    ClassSession.objects.filter(pk=room.session.pk).update(ended_at=timezone.now() + timedelta(seconds=1))
    room.session.refresh_from_db()
    check_report(room.session)
    check_readings(room.session)
    check_admin(room.session)


def check_report(session: ClassSession) -> None:
    expected = countable(session)
    report = page.build(session)
    in_sections = Counter[str]()
    for line in report.sections:
        in_sections.update(line.section.said)
    assert +in_sections == expected
    rows = {table.name: list(table.rows) for table in tables.tables(session)}
    columns = [
        Counter({word: n or 0 for word, n in zip(tables.WORDS, row[1:], strict=True)}) for row in rows["check_ins"]
    ]
    assert +sum(columns, Counter[str]()) == expected
    (one,) = term.term_rows([session])
    hard = one.hard or 0
    assert hard <= sum(expected[word] for word in term.HARD_WORDS)
    assert (hard == 0) == (not any(expected[word] for word in term.HARD_WORDS))
    assert (one.hard is None) == (hard == 0 and not silence_says_something(session)), "a zero is nobody"
    sharing = {str(student.public_id) for student in Participant.objects.filter(session=session, scope="individual")}
    assert {row[1] for row in rows["students"]} <= sharing
    assert {str(line.id) for line in report.heat.lines} <= sharing
    check_own_words(session, report)


def check_own_words(session: ClassSession, report: page.Report) -> None:
    """Beside a name stands what was said since it is shared, and nothing else."""
    told = {line.student.id: line.said for line in report.students}
    for student in Participant.objects.filter(session=session):
        if named_since(student) is None:
            assert student.public_id not in told
        else:
            said = [one.word for one in CheckIn.objects.filter(participant=student) if by_name(student, one.at)]
            assert told[student.public_id] == spoken.of_student(Counter(said))


def check_readings(session: ClassSession) -> None:
    """Each reading in the file is of somebody who shares with the name, and since they do."""
    shown = sharers.events_of_sharers(session)
    for event in shown:
        assert by_name(event.participant, event.received_at)
    text = "".join(exports.minutes(session, exports.DIALECTS["comma"])).removeprefix(exports.BYTE_ORDER_MARK)
    for row in csv.DictReader(io.StringIO(text)):
        assert row["share_happy"] == "" or float(row["measured"]) >= FLOOR


def check_admin(session: ClassSession) -> None:
    """The count of readings is that of those which are shown one by one."""
    assert totals(session).readings == sharers.events_of_sharers(session).count()
