"""An instructor's pages: courses, a course, and what is done to a running session."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import access, actions
from classroom.config import env
from classroom.config.profile import PROFILES
from classroom.models import ClassSession, Course, Marker, Participant
from classroom.templatetags.roomtone import duration

JSON = {"Accept": "application/json"}


@pytest.fixture
def teacher(alice: User, login: Callable[[User], Client]) -> Client:
    return login(alice)


def _past(course: Course, number: int) -> ClassSession:
    start = timezone.now() - timedelta(days=number + 1)
    return ClassSession.objects.create(course=course, started_at=start, ended_at=start + timedelta(minutes=48))


# -- Courses


def test_an_instructor_sees_their_own_courses(teacher: Client, course: Course, other_session: ClassSession) -> None:
    page = teacher.get("/courses/")
    assert list(page.context["courses"]) == [course]
    assert "No session yet" in page.content.decode()


def test_a_live_course_says_so(teacher: Client, course: Course, session: ClassSession) -> None:
    page = teacher.get("/courses/")
    assert page.context["courses"][0].live_sessions == [session]
    assert "Live now" in page.content.decode()


def test_a_course_is_made(teacher: Client, alice: User) -> None:
    answer = teacher.post("/courses/", {"title": "  Linear   algebra "})
    made = Course.objects.get()
    assert (made.title, made.instructor) == ("Linear algebra", alice)
    assert answer["Location"] == reverse("course", args=[made.public_id])


@pytest.mark.parametrize("title", ["", "  ", "x" * 121, "a\x00b"])
def test_a_course_needs_a_title(teacher: Client, title: str) -> None:
    page = teacher.post("/courses/", {"title": title})
    assert page.status_code == 400
    assert page.context["form"].errors["title"]
    assert not Course.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_courses(
    teacher: Client, alice: User, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        made = Course.objects.create(title=f"Course {number}", instructor=alice)
        for _ in range(3):
            _past(made, number)
        actions.start_session(made)
    with django_assert_num_queries(4):  # sign-in session, user, courses, live sessions
        teacher.get("/courses/")


# -- One course


def test_a_course_lists_its_sessions_with_their_students(teacher: Client, course: Course) -> None:
    session = _past(course, 1)
    Participant.objects.create(session=session, display_name="Sam")
    page = teacher.get(reverse("course", args=[course.public_id]))
    text = page.content.decode()
    assert [row.participant_count for row in page.context["page"]] == [1]
    assert "48 min" in text
    assert reverse("report", args=[session.public_id]) in text


def test_the_number_of_queries_does_not_grow_with_the_sessions(
    teacher: Client, course: Course, session: ClassSession, django_assert_num_queries: Any
) -> None:
    for number in range(60):
        Participant.objects.create(session=_past(course, number), display_name="Sam")
    # sign-in session, user, course, count, sessions, the live one, moods, joined, words, who was there, consents
    with django_assert_num_queries(11):
        page = teacher.get(reverse("course", args=[course.public_id]))
    assert len(page.context["page"]) == 40


def test_a_live_session_is_shown_with_its_code(teacher: Client, session: ClassSession) -> None:
    page = teacher.get(reverse("course", args=[session.course.public_id]))
    text = page.content.decode()
    assert page.context["join_url"] == f"http://testserver/join/{session.join_code}/"
    assert f"{session.join_code[:3]}-{session.join_code[3:]}" in text
    assert reverse("dashboard", args=[session.public_id]) in text


def _said(page: Any) -> str:
    """What a page shows, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def test_the_list_names_sessions_by_their_title_and_their_day(teacher: Client, course: Course) -> None:
    for title, day in (("Chain rule", 3), ("", 10)):
        start = datetime(2026, 3, day, 9, 15, tzinfo=UTC)
        ClassSession.objects.create(course=course, title=title, started_at=start, ended_at=start)
    text = teacher.get(reverse("course", args=[course.public_id])).content.decode()
    links = re.findall(r'<a href="/teach/[^"]*/report/">(.*?)</a>', text, re.DOTALL)
    local = timezone.localtime(datetime(2026, 3, 10, 9, 15, tzinfo=UTC))
    # The title alone for the eye, which has the day beside it.
    seen = [re.sub(r"<span class=.visually-hidden.>.*?</span>", "", link).strip() for link in links]
    assert seen == [f"Tue 10 Mar, {local:%H:%M}", "Chain rule"]
    heard = [re.sub(r"<[^>]+>", "", link).strip() for link in links]
    assert heard == [f"Tue 10 Mar, {local:%H:%M}", "Chain rule · Tue 3 Mar"]
    assert "Untitled" not in text


def test_a_running_sessions_report_is_reached_from_its_course(teacher: Client, session: ClassSession) -> None:
    text = teacher.get(reverse("course", args=[session.course.public_id])).content.decode()
    assert f'<a href="{reverse("report", args=[session.public_id])}">The session so far</a>' in text


@pytest.mark.parametrize("mode", ClassSession.Mode.values)
def test_the_live_page_leads_to_the_session_so_far(teacher: Client, course: Course, mode: str) -> None:
    """Also without cameras, and without scripts."""
    address = reverse("report", args=[actions.start_session(course, mode).public_id])
    text = teacher.get(f"/teach/{course.sessions.get().public_id}/").content.decode()
    card, without_script = text.split('class="card pace"')[1].split("<dl")[0], text.split("<noscript>")[1]
    assert (address in card) is (mode == "check_ins")
    assert f'<a href="{address}">' in without_script.split("</noscript>")[0]
    assert text.count(f'<a class="small personal" href="{address}">The session so far</a>') == 1 + (
        mode == "check_ins"
    )


def test_kinds_of_sessions_have_one_name(teacher: Client, course: Course) -> None:
    actions.end_session(actions.start_session(course, "check_ins"))
    text = _said(teacher.get(reverse("course", args=[course.public_id])))
    assert "Faces and pace" in text
    assert "Pace only" in text
    assert "Ended pace only" in text
    assert "check-ins" not in text.casefold()


def test_what_is_set_on_a_courses_page_has_a_name_of_its_own(teacher: Client, course: Course) -> None:
    """The place of the session to start and the one of all new ones; each button by what it sets."""
    text = teacher.get(reverse("course", args=[course.public_id])).content.decode()
    labels = [label.strip() for label in re.findall(r"<label for=[^>]*>([^<]*)</label>", text)]
    assert len(labels) == len(set(labels))
    buttons = [words.strip() for words in re.findall(r'<button class="button quiet small"[^>]*>([^<]*)<', text)]
    assert buttons == ["Set alerts", "Set days", "Set default"]


# -- Names


@pytest.mark.parametrize(("name", "model"), [("course", Course), ("report", ClassSession)])
def test_a_new_name_may_be_as_long_as_the_model_takes(
    teacher: Client, session: ClassSession, name: str, model: type[Any]
) -> None:
    actions.place_marker(session, "Slide 4")
    actions.end_session(session)
    address = reverse(name, args=[session.course.public_id if name == "course" else session.public_id])
    with patch.object(model._meta.get_field("title"), "max_length", 77):
        text = teacher.get(address).content.decode()
    form = text.split('class="rename"')[1].split("</form>")[0]
    assert 'maxlength="77"' in form
    assert f'maxlength="{Marker._meta.get_field("label").max_length}"' in text or name == "course"


def test_a_button_is_called_what_it_does(teacher: Client, session: ClassSession) -> None:
    text = teacher.get(reverse("report", args=[session.public_id])).content.decode()
    assert 'aria-label="Rename: Title of the session"' in text
    assert '<p class="hint" id="name-of-session-hint">May be left empty: then its date is shown.</p>' in text
    assert 'aria-describedby="name-of-session-hint"' in text


def test_a_course_is_renamed(teacher: Client, course: Course) -> None:
    page = reverse("course", args=[course.public_id])
    address = reverse("rename_course", args=[course.public_id])
    assert f'action="{address}"' in teacher.get(page).content.decode()
    assert teacher.post(address, {"title": " Linear   algebra "})["Location"] == page
    course.refresh_from_db()
    assert course.title == "Linear algebra"


def test_a_course_without_a_title_is_refused_in_words(teacher: Client, course: Course) -> None:
    address = reverse("rename_course", args=[course.public_id])
    answer = teacher.post(address, {"title": ""}, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "The title is empty.")
    assert "The title is empty." in teacher.post(address, {"title": ""}, follow=True).content.decode()
    course.refresh_from_db()
    assert course.title == "Calculus 1"


def test_a_session_is_renamed_in_its_report(teacher: Client, session: ClassSession) -> None:
    """While it runs, and after it; its title may go."""
    report = reverse("report", args=[session.public_id])
    address = reverse("rename_session", args=[session.public_id])
    for title in ("Chain rule", ""):
        assert f'action="{address}"' in teacher.get(report).content.decode()
        assert teacher.post(address, {"title": title})["Location"] == report
        session.refresh_from_db()
        assert session.title == title
        actions.end_session(session)


def test_a_sessions_title_may_be_too_long(teacher: Client, session: ClassSession) -> None:
    address = reverse("rename_session", args=[session.public_id])
    assert "The title is too long" in teacher.post(address, {"title": "x" * 121}, follow=True).content.decode()


def test_markers_are_mended_after_class(teacher: Client, session: ClassSession) -> None:
    """The live page, which has them while it runs, is closed by then."""
    kept, gone = (actions.place_marker(session, label) for label in ("Silde 4", "By mistake"))
    report = reverse("report", args=[session.public_id])
    forms = [reverse("rename_marker", args=[session.public_id, kept.pk]),
             reverse("remove_marker", args=[session.public_id, gone.pk])]  # fmt: skip
    text = teacher.get(report).content.decode()
    assert not any(address in text for address in forms)
    actions.end_session(session)
    text = teacher.get(report).content.decode()
    assert all(address in text for address in forms)
    teacher.post(forms[0], {"label": "Slide 4"})
    answer = teacher.post(forms[1], {"label": "By mistake"}, follow=True)
    assert answer.redirect_chain[-1][0] == report
    assert [marker.label for marker in session.markers.all()] == ["Slide 4"]


def test_who_only_reads_a_report_is_offered_no_names_to_mend(
    login: Callable[[User], Client], dana: User, session: ClassSession
) -> None:
    actions.place_marker(session, "Slide 4")
    actions.end_session(session)
    text = login(dana).get(reverse("report", args=[session.public_id])).content.decode()
    assert "/rename/" not in text
    assert "/remove/" not in text


def test_a_renamed_course_still_knows_why_a_session_was_deleted(teacher: Client, course: Course) -> None:
    """Its receipt bears the name of then, and refers to no row."""
    session = _past(course, 1)
    actions.purge_session(session)
    actions.rename_course(course, "Calculus 2")
    report = teacher.get(reverse("report", args=[session.public_id])).content.decode()
    assert "because the school decided it" in report
    assert "or its markers" not in report


# -- Starting


def test_a_session_is_started(teacher: Client, course: Course) -> None:
    address = reverse("start_session", args=[course.public_id])
    answer = teacher.post(address, {"mode": "camera", "title": "Chain rule"})
    session = course.sessions.get()
    assert (session.mode, session.title) == ("camera", "Chain rule")
    assert answer["Location"] == reverse("dashboard", args=[session.public_id])


def test_a_second_start_leads_to_the_session_that_runs(teacher: Client, session: ClassSession) -> None:
    answer = teacher.post(reverse("start_session", args=[session.course.public_id]), {"mode": "camera"})
    assert answer["Location"] == reverse("dashboard", args=[session.public_id])
    assert session.course.sessions.count() == 1


@pytest.mark.parametrize("data", [{}, {"mode": "telepathy"}, {"mode": "camera", "title": "x" * 121}])
def test_a_bad_start_brings_the_form_again(teacher: Client, course: Course, data: dict[str, str]) -> None:
    page = teacher.post(reverse("start_session", args=[course.public_id]), data)
    assert page.status_code == 400
    assert page.context["form"].errors
    assert not course.sessions.exists()


def test_where_inference_is_not_allowed_it_is_not_offered(
    teacher: Client, course: Course, settings: Settings
) -> None:
    settings.PROFILE = PROFILES["eu"]
    page = teacher.get(reverse("course", args=[course.public_id]))
    assert [value for value, _ in page.context["form"].fields["mode"].choices] == ["check_ins"]
    assert "AI Act" in page.content.decode()
    answer = teacher.post(reverse("start_session", args=[course.public_id]), {"mode": "camera"})
    assert answer.status_code == 400
    assert not course.sessions.exists()


# -- Controls


@pytest.mark.parametrize(("verb", "locked"), [("lock_session", True), ("unlock_session", False)])
def test_joining_is_locked_and_opened(teacher: Client, session: ClassSession, verb: str, locked: bool) -> None:
    ClassSession.objects.update(joining_locked=not locked)
    answer = teacher.post(reverse(verb, args=[session.public_id]), headers=JSON)
    assert answer.json()["session"]["joining_locked"] is locked
    session.refresh_from_db()
    assert session.joining_locked is locked


def test_the_code_is_renewed(teacher: Client, session: ClassSession) -> None:
    before = session.join_code
    facts = teacher.post(reverse("renew_code", args=[session.public_id]), headers=JSON).json()["session"]
    session.refresh_from_db()
    assert facts["join_code"] == session.join_code != before
    assert facts["join_url"].endswith(f"/join/{session.join_code}/")
    assert facts["code_shown"] == f"{session.join_code[:3]}-{session.join_code[3:]}"


def test_ending_leads_to_the_report(teacher: Client, session: ClassSession) -> None:
    answer = teacher.post(reverse("end_session", args=[session.public_id]))
    assert answer["Location"] == reverse("report", args=[session.public_id])
    session.refresh_from_db()
    assert not session.live


def test_ending_twice_is_no_error(teacher: Client, session: ClassSession) -> None:
    for _ in range(2):
        answer = teacher.post(reverse("end_session", args=[session.public_id]), headers=JSON)
        assert (answer.status_code, answer.json()["session"]["ended"]) == (200, True)


@pytest.mark.parametrize("verb", ["lock_session", "unlock_session", "renew_code", "add_marker"])
def test_an_ended_session_refuses_in_words(teacher: Client, session: ClassSession, verb: str) -> None:
    actions.end_session(session)
    address = reverse(verb, args=[session.public_id])
    answer = teacher.post(address, {"label": "Quiz"}, headers=JSON)
    assert (answer.status_code, answer.json()) == (410, {"ok": False, "error": "This session has ended."})
    page = teacher.post(address, {"label": "Quiz"})
    assert page["Location"] == reverse("dashboard", args=[session.public_id])


def test_a_participant_is_removed(teacher: Client, session: ClassSession, sam: Participant) -> None:
    data = {"participant": str(sam.public_id)}
    answer = teacher.post(reverse("remove_participant", args=[session.public_id]), data, headers=JSON)
    assert answer.json()["participant"] == str(sam.public_id)
    sam.refresh_from_db()
    assert sam.removed_at is not None


@pytest.mark.parametrize("name", ["remove_participant", "lower_hand"])
def test_who_is_erased_meanwhile_is_gone_and_no_error(
    teacher: Client, session: ClassSession, sam: Participant, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = access.participant_in

    def found_and_erased(*where: Any) -> Participant:
        participant = found(*where)
        actions.erase(participant)
        return participant

    monkeypatch.setattr(access, "participant_in", found_and_erased)
    address, who = reverse(name, args=[session.public_id]), str(sam.public_id)
    answer = teacher.post(address, {"participant": who}, headers=JSON)
    assert (answer.status_code, answer.json()["participant"]) == (200, who)


def test_a_marker_is_placed(teacher: Client, session: ClassSession) -> None:
    answer = teacher.post(reverse("add_marker", args=[session.public_id]), {"label": "Slide 4"}, headers=JSON)
    marker = session.markers.get()
    assert answer.json()["marker"] == {"id": marker.pk, "label": "Slide 4", "at_ms": marker.at.timestamp() * 1000}


def test_a_marker_without_words_gets_a_number(teacher: Client, session: ClassSession) -> None:
    for _ in range(2):
        assert teacher.post(reverse("add_marker", args=[session.public_id]), {"label": " "}).status_code == 302
    assert [marker.label for marker in session.markers.all()] == ["Moment 1", "Moment 2"]


@pytest.mark.parametrize(
    ("ago", "seconds"),
    [("90000", 90), ("0", 0), ("", 0), ("-5", 0), ("soon", 0), ("600000", 600), ("999999", 600), ("9" * 5000, 0)],
)
def test_a_marker_stands_where_it_was_asked_for(
    teacher: Client, session: ClassSession, ago: str, seconds: int
) -> None:
    ClassSession.objects.filter(pk=session.pk).update(started_at=timezone.now() - timedelta(hours=1))
    before = timezone.now()
    teacher.post(reverse("add_marker", args=[session.public_id]), {"label": "Quiz", "ago_ms": ago})
    at = session.markers.get().at + timedelta(seconds=seconds)
    assert before <= at <= timezone.now()


def test_a_marker_is_never_before_the_session(teacher: Client, session: ClassSession) -> None:
    teacher.post(reverse("add_marker", args=[session.public_id]), {"label": "Quiz", "ago_ms": "600000"})
    assert session.markers.get().at == session.started_at


def test_the_square_code_is_a_picture_without_styles(teacher: Client, session: ClassSession) -> None:
    answer = teacher.get(reverse("session_qr", args=[session.public_id]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert "no-store" in answer["Cache-Control"]
    root = ET.fromstring(answer.content)
    assert root.tag.endswith("svg")
    assert "style" not in {name for element in root.iter() for name in element.attrib}


def test_students_are_given_the_public_address(teacher: Client, session: ClassSession, settings: Settings) -> None:
    address = reverse("session_qr", args=[session.public_id])
    before = teacher.get(address).content
    settings.PUBLIC_URL = "https://10.0.0.7:8443"
    facts = teacher.post(reverse("lock_session", args=[session.public_id]), headers=JSON).json()["session"]
    page = teacher.get(reverse("course", args=[session.course.public_id]))
    assert facts["join_url"] == page.context["join_url"] == f"https://10.0.0.7:8443/join/{session.join_code}/"
    assert teacher.get(address).content != before


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("https://10.0.0.7:8443", "https://10.0.0.7:8443"),
        ("https://school.example", "school.example"),
        ("http://10.0.0.7:8000", "10.0.0.7:8000"),
        ("", "testserver"),
    ],
)
def test_the_waiting_page_shows_the_address_that_students_can_open(
    address: str, typed: str, teacher: Client, session: ClassSession, settings: Settings
) -> None:
    settings.PUBLIC_URL = address
    page = teacher.get(reverse("dashboard", args=[session.public_id]))
    assert page.context["typed_address"] == typed
    assert f'<p class="address">{typed}</p>' in page.content.decode()


def test_the_list_of_who_is_here_has_everybody_and_nothing_else(teacher: Client, session: ClassSession) -> None:
    for name, scope in (("bea", "none"), ("Ada", "individual"), ("Cy", "aggregate")):
        Participant.objects.create(session=session, display_name=name, scope=scope)
    for name, gone in (("Left", "left_at"), ("Removed", "removed_at")):
        Participant.objects.create(session=session, display_name=name, **{gone: timezone.now()})
    people = who_is_here(teacher, session)
    assert [person["name"] for person in people] == ["Ada", "bea", "Cy"]
    assert {frozenset(person) for person in people} == {frozenset({"id", "name", "joined_ms", "seen_ms"})}


def who_is_here(teacher: Client, session: ClassSession) -> list[dict[str, Any]]:
    answer = teacher.get(reverse("people", args=[session.public_id]), headers=JSON).json()
    return list(answer["people"])


def test_the_list_of_who_is_here_says_when_each_was_connected_last(teacher: Client, session: ClassSession) -> None:
    seen = timezone.now()
    for name, at in (("Ada", seen), ("Ben", None)):
        Participant.objects.create(session=session, display_name=name, last_seen_at=at)
    assert [person["seen_ms"] for person in who_is_here(teacher, session)] == [seen.timestamp() * 1000, None]


def test_namesakes_on_the_list_keep_their_numbers(teacher: Client, session: ClassSession) -> None:
    """By who joined first, also after another has left."""
    for number in (3, 1, 2):
        Participant.objects.create(session=session, display_name="Mia", public_id=UUID(int=number))
    Participant.objects.filter(public_id=UUID(int=3)).update(left_at=timezone.now())
    shown = {person["id"]: person["name"] for person in who_is_here(teacher, session)}
    assert shown == {str(UUID(int=1)): "Mia (2)", str(UUID(int=2)): "Mia (3)"}


@pytest.mark.parametrize(
    "value", ["school.example", "ftp://school.example", "https://", "https://school.example/path"]
)
def test_a_public_address_that_is_none_stops_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMTONE_PUBLIC_URL", value)
    with pytest.raises(ImproperlyConfigured, match="ROOMTONE_PUBLIC_URL"):
        env.address("ROOMTONE_PUBLIC_URL")


def test_the_square_code_changes_with_the_code(teacher: Client, session: ClassSession) -> None:
    address = reverse("session_qr", args=[session.public_id])
    before = teacher.get(address).content
    actions.renew_code(session)
    assert teacher.get(address).content != before


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "under a minute"), (1, "1 min"), (48, "48 min"), (60, "1 h"), (150, "2 h 30 min")]
)
def test_lengths_read_as_people_say_them(minutes: int, words: str) -> None:
    assert duration(timedelta(minutes=minutes, seconds=20)) == words


def test_who_was_signed_out_meanwhile_is_told_so_and_led_back(client: Client, course: Course) -> None:
    """The address of a form is none that a browser could open after the sign-in."""
    start, before = reverse("start_session", args=[course.public_id]), reverse("course", args=[course.public_id])
    answer = client.post(start, {"title": "Lesson 7"}, headers={"Referer": f"http://testserver{before}"})
    text = answer.content.decode()
    assert answer.status_code == 404, "a stranger learns nothing"
    assert "You were signed out meanwhile, so nothing was changed." in text
    assert f'name="next" value="http://testserver{before}"' in text
    elsewhere = client.post(start, headers={"Referer": "https://elsewhere.example/teach/"}).content.decode()
    assert 'name="next" value="/courses/"' in elsewhere
    assert not ClassSession.objects.exists()
