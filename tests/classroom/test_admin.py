"""The school's administration: past sessions found, recorded things read and never edited, people invited."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, retention
from classroom.models import ClassSession, ConsentEvent, Course, Participant

SESSIONS = "admin:classroom_classsession_changelist"
NEW_PASSWORD = "a fresh and long one"


@pytest.fixture
def office(dana: User, login: Callable[[User], Client]) -> Client:
    return login(dana)


def _past(course: Course, days: int, students: int = 0) -> ClassSession:
    start = timezone.now() - timedelta(days=days)
    session = ClassSession.objects.create(course=course, started_at=start, ended_at=start + timedelta(minutes=50))
    Participant.objects.bulk_create(Participant(session=session, display_name=f"S{n}") for n in range(students))
    return session


def _found(page: Any) -> list[ClassSession]:
    return list(page.context["cl"].result_list)


def test_lists_bear_the_names_that_a_sessions_page_calls_them_by(root: User, login: Callable[[User], Client]) -> None:
    index = login(root).get(reverse("admin:index")).content.decode()
    names = [re.sub(r"\s+", " ", name).strip() for name in re.findall(r'/admin/\w+/\w+/"[^>]*>([^<]+)</a>', index)]
    assert {"Readings", "Minutes", "Class mood", "Sessions", "Consents", "Texts that were shown"} <= set(names)
    assert not {"Emotion events", "Minute rollups", "Mood points", "Class sessions"} & set(names)


# -- Finding sessions


@pytest.mark.parametrize("who", ["course", "instructor", "words", "ended", "live", "date"])
def test_sessions_are_found(office: Client, course: Course, bob: User, who: str) -> None:
    optics = Course.objects.create(title="Optics", instructor=bob)
    old = _past(optics, days=400)
    live = actions.start_session(course)
    cases: dict[str, tuple[dict[str, Any], list[ClassSession]]] = {
        "course": ({"course__id__exact": optics.pk}, [old]),
        "instructor": ({"course__instructor__id__exact": bob.pk}, [old]),
        "words": ({"q": "optics"}, [old]),
        "ended": ({"state": "ended"}, [old]),
        "live": ({"state": "live"}, [live]),
        "date": ({"started_at__year": old.started_at.year}, [old]),
    }
    query, expected = cases[who]
    assert _found(office.get(reverse(SESSIONS), query)) == expected


def test_a_session_links_to_its_report(office: Client, course: Course) -> None:
    session = _past(course, days=2)
    text = office.get(reverse(SESSIONS)).content.decode()
    assert reverse("report", args=[session.public_id]) in text
    assert "50 min" in text


def test_the_number_of_queries_does_not_grow(
    office: Client, course: Course, django_assert_max_num_queries: Any
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(30) as counted:
            office.get(reverse(SESSIONS))
        return len(counted)

    _past(course, days=1, students=2)
    few = queries()
    for number in range(20):
        _past(course, days=number, students=3)
    assert queries() == few


# -- One session


def test_a_session_shows_its_students_and_their_consents(
    office: Client, session: ClassSession, sam: Participant, agree: Callable[..., None]
) -> None:
    agree(sam, "individual")
    actions.withdraw(sam)
    actions.place_marker(session, "Slide 4")
    text = office.get(reverse("admin:classroom_classsession_change", args=[session.pk])).content.decode()
    for words in ("Sam", "Given (Also with the name)", "Withdrawn (No camera)", "Slide 4"):
        assert words in text


def test_a_big_session_takes_as_many_queries_as_a_small_one(
    office: Client, course: Course, django_assert_max_num_queries: Any
) -> None:
    def queries(students: int) -> int:
        session = _past(course, days=students, students=students)
        for participant in session.participants.all():
            ConsentEvent.objects.create(
                participant=participant, epoch=1, kind="given", scope="aggregate", text_hash="a" * 64
            )
        with django_assert_max_num_queries(30) as counted:
            office.get(reverse("admin:classroom_classsession_change", args=[session.pk]))
        return len(counted)

    assert queries(2) == queries(40)


@pytest.mark.parametrize("scope", ["", "none", "aggregate", "individual"])
def test_a_word_stands_beside_a_name_only_of_those_who_share_it(
    office: Client, sam: Participant, agree: Callable[..., None], scope: str
) -> None:
    if scope:
        agree(sam, scope)
    actions.save_check_in(sam, "too_fast")
    page = reverse("admin:classroom_participant_change", args=[sam.pk])
    assert ("Too fast" in office.get(page).content.decode()) is (scope == "individual")
    agree(sam, "none")
    agree(sam, "individual")
    assert "Too fast" not in office.get(page).content.decode()


def test_a_receipt_leads_to_no_student(office: Client, sam: Participant, agree: Callable[..., None]) -> None:
    """Erased minutes raise the epoch of a consent without an answer: whose is above its ledger's has erased some."""
    agree(sam)
    actions.save_check_in(sam, "lost")
    receipt = actions.erase_last(sam, 5)
    agree(sam, "aggregate")
    assert sam.consent_epoch == 3
    rows = {"participant": sam, "consentevent": sam.consent_events.latest("epoch"), "classsession": sam.session}
    for name, row in rows.items():
        page = office.get(reverse(f"admin:classroom_{name}_change", args=[row.pk])).content.decode()
        assert "poch" not in page
    for page in ("changelist", "change"):
        args = [receipt.pk] if page == "change" else []
        told = office.get(reverse(f"admin:classroom_erasure_{page}", args=args)).content.decode()
        assert "words about the pace" not in told
        assert receipt.course in told


def test_what_is_not_told_hangs_on_no_wording(sam: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.save_check_in(sam, "lost")
    receipt = actions.erase(sam)
    receipt.rows |= {"EmotionEvent": 4, "MinuteRollup": 2}
    monkeypatch.setattr(retention, "ROWS", {name: f"{words}, reworded" for name, words in retention.ROWS.items()})
    assert [words for words, _ in retention.told_lines(receipt)] == ["names, with when they came and went, reworded"]
    assert len(retention.receipt_lines(receipt)) == 4


def test_a_name_cannot_carry_markup(office: Client, session: ClassSession) -> None:
    actions.join(session, "<b>Sam</b>")
    text = office.get(reverse("admin:classroom_classsession_change", args=[session.pk])).content.decode()
    assert "<b>Sam</b>" not in text
    assert "&lt;b&gt;Sam&lt;/b&gt;" in text


# -- What was recorded stays


@pytest.mark.parametrize("name", ["classsession", "participant", "consentevent"])
@pytest.mark.parametrize("superuser", [False, True])
def test_what_was_recorded_is_not_edited(
    login: Callable[[User], Client],
    dana: User,
    root: User,
    sam: Participant,
    agree: Callable[..., None],
    name: str,
    superuser: bool,
) -> None:
    agree(sam)
    client = login(root if superuser else dana)
    row = {"classsession": sam.session, "participant": sam, "consentevent": sam.consent_events.get()}[name]
    change = reverse(f"admin:classroom_{name}_change", args=[row.pk])
    before = type(row)._default_manager.values().get(pk=row.pk)
    page = client.get(change)
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.post(change, {"display_name": "Else", "title": "Else", "kind": "declined"}).status_code == 403
    assert client.post(reverse(f"admin:classroom_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse(f"admin:classroom_{name}_add")).status_code == 403
    assert type(row)._default_manager.values().get(pk=row.pk) == before


def test_a_course_is_handed_over(office: Client, course: Course, bob: User) -> None:
    data = {"title": course.title, "instructor": bob.pk}
    office.post(reverse("admin:classroom_course_change", args=[course.pk]), data)
    course.refresh_from_db()
    assert course.instructor == bob


@pytest.mark.parametrize("name", ["course", "classsession", "participant", "consentevent"])
def test_every_list_opens(office: Client, sam: Participant, agree: Callable[..., None], name: str) -> None:
    agree(sam)
    assert office.get(reverse(f"admin:classroom_{name}_changelist")).status_code == 200


@pytest.mark.parametrize("role", ["stranger", "instructor"])
def test_administration_is_for_staff(role: str, client: Client, alice: User, login: Callable[[User], Client]) -> None:
    browser = client if role == "stranger" else login(alice)
    for name in ("admin:index", SESSIONS, "admin:auth_user_changelist"):
        assert browser.get(reverse(name))["Location"].startswith(reverse("admin:login"))


# -- Inviting


def _invite(office: Client) -> Any:
    data = {"username": "erin", "email": "erin@school.example", "first_name": "Erin", "last_name": ""}
    return office.post(reverse("admin:auth_user_add"), data, follow=True)


def _set_password(link: str) -> Client:
    browser = Client()
    form = browser.get(link, follow=True)
    assert form.context["validlink"]
    data = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert browser.post(form.redirect_chain[-1][0], data)["Location"] == reverse("password_reset_complete")
    return browser


def test_an_invited_instructor_sets_a_password_and_teaches(office: Client) -> None:
    page = _invite(office)
    erin = User.objects.get(username="erin")
    assert not erin.has_usable_password()
    assert (erin.is_staff, erin.is_active) == (False, True)
    (link,) = re.findall(r"http://testserver\S+", " ".join(str(message) for message in page.context["messages"]))
    browser = _set_password(link)
    answer = browser.post(reverse("login"), {"username": "erin", "password": NEW_PASSWORD})
    assert answer["Location"] == "/courses/"
    assert browser.get("/courses/").status_code == 200
    assert Client().get(link, follow=True).context["validlink"] is False, "the link worked twice"


def test_with_a_mail_server_the_link_is_sent_and_not_shown(office: Client, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    page = _invite(office)
    (letter,) = mail.outbox
    assert letter.to == ["erin@school.example"]
    (link,) = re.findall(r"http://testserver\S+", str(letter.body))
    assert link not in page.content.decode()
    _set_password(link)


def test_a_mail_server_that_refuses_is_reported(
    office: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_HOST = "mail.school.example"

    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("no such luck")

    monkeypatch.setattr("classroom.invitations.send_mail", refuse)
    page = _invite(office)
    text = " ".join(str(message) for message in page.context["messages"])
    assert "no such luck" not in text, "that is for the log"
    assert "The e-mail to erin@school.example could not be sent. Give erin this link" in text
    (link,) = re.findall(r"http://testserver\S+", text)
    _set_password(link)


def test_a_new_link_is_made_for_whoever_lost_the_first(office: Client, alice: User) -> None:
    data = {"action": "send_links", "_selected_action": [alice.pk]}
    page = office.post(reverse("admin:auth_user_changelist"), data, follow=True)
    (message,) = page.context["messages"]
    (link,) = re.findall(r"http://testserver\S+", str(message))
    _set_password(link)
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_an_account_needs_an_address(office: Client, db: None) -> None:
    page = office.post(reverse("admin:auth_user_add"), {"username": "erin"})
    assert page.context["adminform"].form.errors["email"]


# -- Erasing


def _erase(browser: Client, name: str, *rows: Any, confirmed: bool = True) -> Any:
    data = {"action": "erase_chosen", "_selected_action": [row.pk for row in rows]}
    data |= {"confirmed": "yes"} if confirmed else {}
    return browser.post(reverse(f"admin:classroom_{name}_changelist"), data, follow=True)


def test_a_student_is_erased_after_a_question(
    office: Client, session: ClassSession, sam: Participant, agree: Callable[..., None]
) -> None:
    agree(sam)
    tom = actions.join(session, "Tom")
    page = _erase(office, "participant", sam, confirmed=False)
    assert "There is no way back" in page.content.decode()
    assert session.participants.count() == 2
    _erase(office, "participant", sam)
    assert list(session.participants.all()) == [tom]
    assert not ConsentEvent.objects.exists()


def test_a_past_session_is_erased_and_a_live_one_is_not(
    office: Client, course: Course, session: ClassSession, sam: Participant
) -> None:
    past = _past(course, days=3, students=2)
    page = _erase(office, "classsession", past, session)
    assert list(ClassSession.objects.all()) == [session]
    assert list(Participant.objects.all()) == [sam]
    assert any("End it first" in str(message) for message in page.context["messages"])


@pytest.mark.parametrize(("action", "words"), [("close", "All of these have ended."), ("erase", "end them first.")])
def test_where_nothing_can_be_done_there_is_no_button(
    office: Client, course: Course, session: ClassSession, action: str, words: str
) -> None:
    past = _past(course, days=3)

    def question(*chosen: ClassSession) -> str:
        data = {"action": f"{action}_chosen", "_selected_action": [one.pk for one in chosen]}
        return office.post(reverse(SESSIONS), data).content.decode().split('id="content"')[1]

    vain = question(past if action == "close" else session)
    assert words in vain
    assert 'name="confirmed"' in vain
    assert 'class="default"' not in vain
    assert 'class="default"' in question(past, session)


def test_erasing_takes_the_permission(alice: User, login: Callable[[User], Client], course: Course) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_classsession"))
    past = _past(course, days=3)
    _erase(login(clerk), "classsession", past)
    assert ClassSession.objects.filter(pk=past.pk).exists()
