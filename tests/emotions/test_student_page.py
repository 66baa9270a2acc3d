"""The page of one student: theirs alone, and only while they share individually."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import actions, consent
from classroom.models import CheckIn, ClassSession, Course, Participant
from emotions.models import EmotionEvent, MinuteRollup
from emotions.reports import student_page
from ml.labels import INDEX, LABELS
from tests.emotions.conftest import Join
from tests.emotions.lectures import hold

pytestmark = pytest.mark.usefixtures("pages")
START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    hold(session, START, 12)
    return session


def named(session: ClassSession, name: str) -> Participant:
    return Participant.objects.get(session=session, display_name=name)


def built(session: ClassSession, name: str) -> student_page.StudentPage:
    page = student_page.build(session, named(session, name).public_id)
    assert page is not None
    return page


def address(session: ClassSession, participant: Participant) -> str:
    return reverse("student_report", args=[session.public_id, participant.public_id])


def test_it_says_what_the_readings_say(lecture: ClassSession) -> None:
    page = built(lecture, "Anaya")
    events = list(EmotionEvent.objects.filter(participant=named(lecture, "Anaya")))
    assert sum(line.readings for line in page.minutes) == len(events)
    assert sum(line.unsure for line in page.minutes) == sum(event.uncertain for event in events)
    beginning, slide, exercise = page.sections
    inside = [event for event in events if 4 * 60 <= (event.captured_at - START).total_seconds() < 8 * 60]
    sad = sum(event.label == "sad" for event in inside) / len(inside)
    assert slide.words.startswith(f"Sad {int(sad * 100 + 0.5)}\xa0%, "), "no mood of one person"
    assert f"Sad {int(sad * 100 + 0.5)}\xa0%" in slide.strip
    assert beginning.minutes == exercise.minutes == 4


@pytest.mark.parametrize(
    ("uncertain", "whole", "section"),
    [
        (0, "Most often neutral, 42\xa0% of readings", "Neutral 42\xa0%, happy 32\xa0% of readings"),
        (51, "Mostly unsure; most often neutral", "Mostly unsure; most often neutral"),
    ],
)
def test_the_whole_session_and_its_sections_count_alike(
    session: ClassSession, join: Join, uncertain: int, whole: str, section: str
) -> None:
    """The label that was the likeliest, in words and in the strip beside them; not the mean of probabilities here
    and of labels there."""
    student = join("Ada")
    for n, (neutral, happy, sad) in enumerate([(30, 12, 18), (12, 20, 8)]):
        counts, sums = [0] * len(LABELS), [0.0] * len(LABELS)
        for label, count in (("neutral", neutral), ("happy", happy), ("sad", sad)):
            counts[INDEX[label]], sums[INDEX[label]] = count, count * 0.4
        sums[INDEX["fear"]] = sum(counts) * 0.6
        MinuteRollup.objects.create(
            session=session, participant=student, minute=START + timedelta(minutes=n), readings=sum(counts),
            uncertain=uncertain * (1 - n), probability_sums=sums, label_counts=counts,
        )  # fmt: skip
    student.consent_events.update(at=START)
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=START + timedelta(minutes=2))
    session.refresh_from_db()
    page = built(session, "Ada")
    (own,) = page.sections
    assert (page.line.words, own.words) == (whole, section)
    assert "Neutral 42\xa0%, Happy 32\xa0%" in own.strip
    assert own.strip == page.line.strip


def test_their_own_words_stand_with_them_but_none_from_before_they_shared(session: ClassSession, join: Join) -> None:
    student = join("Ada", "aggregate")
    CheckIn.objects.create(participant=student, word="too_fast", at=timezone.now())
    actions.record_consent(student, "individual", consent.text_for(session).sha256)
    CheckIn.objects.create(participant=student, word="lost", at=timezone.now())
    assert [word for _, word in built(session, "Ada").said] == ["Lost"]


def test_of_nobody_else_is_there_a_page(client: Client, lecture: ClassSession, alice: User) -> None:
    client.force_login(alice)
    assert client.get(address(lecture, named(lecture, "Anaya"))).status_code == 200
    for name in ("Arjun", "Kabir"):  # They share only in the aggregate.
        answer = client.get(address(lecture, named(lecture, name)))
        assert answer.status_code == 404
        assert name not in answer.content.decode()
    unknown = reverse("student_report", args=[lecture.public_id, uuid.uuid4()])
    assert client.get(unknown).status_code == 404


def test_it_is_gone_once_they_change_their_mind(
    client: Client, session: ClassSession, join: Join, alice: User
) -> None:
    client.force_login(alice)
    student = join("Ada")
    assert client.get(address(session, student)).status_code == 200
    actions.withdraw(student)
    assert client.get(address(session, student)).status_code == 404


def test_a_stranger_a_colleague_and_another_session_find_nothing(
    client: Client, lecture: ClassSession, alice: User, bob: User, charlie: User
) -> None:
    student = named(lecture, "Anaya")
    assert client.get(address(lecture, student)).status_code == 404
    for person in (bob, charlie):
        client.force_login(person)
        assert client.get(address(lecture, student)).status_code == 404
    client.force_login(alice)
    other = actions.start_session(Course.objects.create(title="Topology", instructor=alice))
    assert client.get(address(other, student)).status_code == 404


def test_it_shows_nobody_else(client: Client, lecture: ClassSession, alice: User) -> None:
    client.force_login(alice)
    html = client.get(address(lecture, named(lecture, "Anaya"))).content.decode()
    assert "style=" not in html
    others = Participant.objects.filter(session=lecture).exclude(display_name="Anaya")
    assert [one.display_name for one in others if one.display_name in html] == []


def test_no_figure_of_the_class_stands_beside_one_student(client: Client, lecture: ClassSession, alice: User) -> None:
    """The class's are corrected and the student's are not: the same faces look worse in the one than in the other."""
    client.force_login(alice)
    html = client.get(address(lecture, named(lecture, "Anaya"))).content.decode()
    text = " ".join(re.sub(r"<[^>]+>", " ", html[html.index("<main") : html.index("</main>")]).split())
    assert "looked troubled" not in text, "the words of a class mood"
    assert "Rests on" not in text
    assert html.count('class="lane stacked"') == 1
    assert "of the same faces they show more sad, angry and afraid. Don't compare the two." in text


def test_somebody_without_a_reading_has_a_page_too(session: ClassSession, join: Join) -> None:
    join("Ada")
    page = built(session, "Ada")
    assert page.line.words == "No readings"
    assert page.minutes == []
    assert [line.words for line in page.sections] == ["No reading"]


def test_the_number_of_queries_is_fixed(
    lecture: ClassSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    student = named(lecture, "Anaya")
    with django_assert_num_queries(7):
        student_page.build(lecture, student.public_id)
