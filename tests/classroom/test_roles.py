"""The roles of the administration: who sees which rows, who may do what, and that nobody gives themselves more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classroom import access, actions, roles
from classroom.models import ClassSession, ConsentEvent, Course, Erasure, Participant

LISTS = ("course", "classsession", "participant", "consentevent")
Agree = Callable[..., None]


def member(name: str, role: str) -> User:
    user = User.objects.create_user(name, f"{name}@school.example", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def people(alice: User, bob: User, charlie: User, root: User) -> dict[str, User]:
    """One of each role. Alice and Bob teach, and are let into the administration; Charlie is not."""
    for teacher in (alice, bob):
        User.objects.filter(pk=teacher.pk).update(is_staff=True)
        teacher.groups.add(Group.objects.get(name=roles.INSTRUCTOR))
    return {
        "owner": User.objects.get(pk=alice.pk),
        "other": User.objects.get(pk=bob.pk),
        "school admin": member("olga", roles.SCHOOL_ADMIN),
        "superuser": root,
        "plain": charlie,
        "staff": User.objects.create_user("clerk", is_staff=True),
    }


@pytest.fixture
def both(sam: Participant, tess: Participant, agree: Agree) -> list[ClassSession]:
    """Alice's session and Bob's, each with a student who shares individually."""
    for student in (sam, tess):
        agree(student)
    return [sam.session, tess.session]


# -- The groups themselves


def test_the_groups_are_there_and_migrating_again_changes_nothing(db: None) -> None:
    def rights() -> dict[str, set[str]]:
        return {
            name: {f"{p.content_type.app_label}.{p.codename}" for p in Group.objects.get(name=name).permissions.all()}
            for name in roles.ROLES
        }

    before = rights()
    call_command("migrate", verbosity=0)
    assert rights() == before
    assert Group.objects.filter(name__in=roles.ROLES).count() == 2
    assert {name.split("_")[0] for name in before[roles.INSTRUCTOR]} == {
        "classroom.view", "classroom.export", "emotions.view",
    }  # fmt: skip
    assert "classroom.see_every_session" in before[roles.SCHOOL_ADMIN] - before[roles.INSTRUCTOR]


def test_what_was_taken_from_a_role_is_put_back_and_what_was_added_stays(db: None) -> None:
    group = Group.objects.get(name=roles.INSTRUCTOR)
    added = Permission.objects.get(codename="view_user")
    group.permissions.set([added])
    roles.grant_roles()
    assert added in group.permissions.all()
    assert group.permissions.filter(codename="view_classsession").exists()


def test_no_role_edits_what_was_recorded(db: None) -> None:
    for group in Group.objects.filter(name__in=roles.ROLES):
        names = set(group.permissions.filter(content_type__app_label="emotions").values_list("codename", flat=True))
        assert names == {"view_emotionevent", "view_minuterollup", "view_moodpoint"}
        names = set(group.permissions.filter(content_type__app_label="classroom").values_list("codename", flat=True))
        assert not {name for name in names if name.startswith(("add_", "change_"))} - {"change_course"}


# -- Which rows


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("owner", [0]),
        ("other", [1]),
        ("school admin", [0, 1]),
        ("superuser", [0, 1]),
        ("plain", None),
        ("staff", None),
    ],
)
def test_everybody_sees_the_sessions_that_are_theirs_to_see(
    login: Callable[[User], Client],
    people: dict[str, User],
    both: list[ClassSession],
    who: str,
    seen: list[int] | None,
) -> None:
    browser = login(people[who])
    for name in LISTS:
        page = browser.get(reverse(f"admin:classroom_{name}_changelist"))
        assert page.status_code == (200 if seen is not None else 403 if who == "staff" else 302)
        if seen is None:
            continue
        of: dict[str, Callable[[object], object]] = {
            "course": lambda row: row,
            "classsession": lambda row: row.course,  # type: ignore[attr-defined]
            "participant": lambda row: row.session.course,  # type: ignore[attr-defined]
            "consentevent": lambda row: row.participant.session.course,  # type: ignore[attr-defined]
        }
        assert {of[name](row) for row in page.context["cl"].result_list} == {both[n].course for n in seen}
        text = page.content.decode()
        for n, session in enumerate(both):
            assert (session.course.title in text) is (n in seen)


@pytest.mark.parametrize("who", ["owner", "other", "school admin", "superuser", "plain", "staff"])
def test_a_page_of_somebody_elses_session_is_not_found(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession], who: str
) -> None:
    browser, mine = login(people[who]), who in {"owner", "school admin", "superuser"}
    session = both[0]
    student = session.participants.get()
    rows = {"classsession": session, "participant": student, "course": session.course}
    rows |= {"consentevent": ConsentEvent.objects.get(participant=student)}
    for name, row in rows.items():
        page = browser.get(reverse(f"admin:classroom_{name}_change", args=[row.pk]))
        assert (page.status_code == 200) is mine
        assert mine or session.course.title not in page.content.decode()
    assert (browser.get(reverse("report", args=[session.public_id])).status_code == 200) is mine
    expected = who in {"school admin", "superuser"}
    assert access.reads_every_session(people[who]) is expected


def test_an_instructor_is_not_told_of_colleagues(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    for name in LISTS:
        page = login(people["owner"]).get(reverse(f"admin:classroom_{name}_changelist")).content.decode()
        assert "Bob" not in page
        assert "Optics" not in page
    wanted = {"course__instructor__id__exact": people["other"].pk}
    assert login(people["owner"]).get(reverse("admin:classroom_classsession_changelist"), wanted).status_code == 400


UNSHOWN = [
    ("classroom_participant", {"check_ins__isnull": "False"}),
    ("classroom_participant", {"check_ins__id__exact": "1"}),
    ("classroom_participant", {"check_ins__id__gt": "0"}),
    ("classroom_participant", {"check_ins__id__range": "0,9"}),
    ("classroom_participant", {"+__id__exact": "1"}),
    ("classroom_participant", {"consent_epoch__gt": "1"}),
    ("classroom_participant", {"last_seen_at__isnull": "False"}),
    ("classroom_classsession", {"rollups__id__gt": "0"}),
    ("classroom_classsession", {"+__id__exact": "1"}),
    ("classroom_classsession", {"+__isnull": "False"}),
    ("classroom_consentevent", {"epoch__gt": "1"}),
    ("classroom_consentevent", {"participant__consent_epoch__gt": "1"}),
    ("emotions_moodpoint", {"pace__lost__gte": "1"}),
    ("emotions_moodpoint", {"session__rollups__id__gt": "0"}),
]


@pytest.mark.parametrize("who", ["owner", "school admin"])
@pytest.mark.parametrize(("page", "asked"), UNSHOWN)
def test_nobody_is_found_by_what_no_page_shows(
    login: Callable[[User], Client], people: dict[str, User], sam: Participant, who: str, page: str, asked: Any
) -> None:
    """Whoever said any word, asked readings least, erased something: one address would list them by name."""
    actions.save_check_in(sam, "lost")
    own = {} if page == "classroom_classsession" else {"session__id__exact": sam.session.pk}
    own = {"participant__id__exact": sam.pk} if page == "classroom_consentevent" else own
    address = reverse(f"admin:{page}_changelist")
    assert login(people[who]).get(address, own | asked).status_code == 400
    assert login(people[who]).get(address, own).status_code == 200


def test_no_count_of_a_receipt_is_guessed(
    login: Callable[[User], Client], people: dict[str, User], sam: Participant
) -> None:
    actions.save_check_in(sam, "lost")
    actions.erase_last(sam, 5)
    address = reverse("admin:classroom_erasure_changelist")
    for asked in ("rows__CheckIn__gte", "rows__has_key", "trace__startswith", "public_id__startswith"):
        assert login(people["school admin"]).get(address, {asked: "1"}).status_code == 400
    assert login(people["school admin"]).get(address, {"what__exact": "minutes"}).status_code == 200


# -- What they may do


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("owner", {"export_chosen"}),
        ("school admin", {"export_chosen", "close_chosen", "purge_chosen", "erase_chosen"}),
        ("superuser", {"export_chosen", "close_chosen", "purge_chosen", "erase_chosen"}),
    ],
)
def test_actions_are_those_of_the_role(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession], who: str, may: set[str]
) -> None:
    browser, address = login(people[who]), reverse("admin:classroom_classsession_changelist")
    form = browser.get(address).context["action_form"]
    assert {name for name, _ in form.fields["action"].choices if name} == may
    for action in {"close_chosen", "purge_chosen", "erase_chosen"} - may:
        browser.post(address, {"action": action, "_selected_action": [both[0].pk], "confirmed": "yes"})
    both[0].refresh_from_db()
    assert both[0].live


def test_an_instructor_cannot_export_a_colleagues_session(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    data = {"action": "export_chosen", "_selected_action": [both[1].pk]}
    answer = login(people["owner"]).post(reverse("admin:classroom_classsession_changelist"), data)
    assert answer.status_code == 302
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("who", ["owner", "school admin", "superuser"])
@pytest.mark.parametrize("app", ["classroom", "emotions"])
def test_nobody_edits_what_was_recorded(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession], who: str, app: str
) -> None:
    browser = login(people[who])
    for model in apps.get_app_config(app).get_models():
        name = model._meta.model_name
        # A room's sums are told as means alone: no page lists them.
        if name in {"marker", "checkin", "roomreading"}:
            continue
        added = browser.get(reverse(f"admin:{app}_{name}_add")).status_code
        assert added == (200 if (who, name) == ("superuser", "course") else 403)
    course = reverse("admin:classroom_course_change", args=[both[0].course.pk])
    data = {"title": "Renamed", "instructor": people["owner"].pk}
    assert (browser.post(course, data).status_code == 302) is (who != "owner")
    assert Course.objects.filter(title="Renamed").exists() is (who != "owner")


def test_a_forgotten_session_is_ended_after_a_question_and_by_name(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    browser, address = login(people["school admin"]), reverse("admin:classroom_classsession_changelist")
    actions.end_session(both[1])
    data = {"action": "close_chosen", "_selected_action": [session.pk for session in both]}
    page = browser.post(address, data).content.decode()
    assert "End these sessions for good?" in page
    assert "live for under a minute, 1 student" in " ".join(page.split())
    assert "has ended already" in page
    assert ClassSession.objects.live().filter(pk=both[0].pk).exists()
    answer = browser.post(address, data | {"confirmed": "yes"}, follow=True)
    assert not ClassSession.objects.live().exists()
    told = [str(message) for message in answer.context["messages"]]
    assert sorted(words.split(": ")[1] for words in told) == ["It had ended already.", "ended."]
    (line,) = LogEntry.objects.all()
    assert (line.user, line.object_id) == (people["school admin"], str(both[0].pk))
    assert line.get_change_message() == "Ended in the administration."


def test_an_erased_session_leaves_a_line_and_an_erased_student_none(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    browser, (session, other) = login(people["school admin"]), both
    for name, row in (("participant", other.participants.get()), ("classsession", session)):
        actions.end_session(session)
        data = {"action": "erase_chosen", "_selected_action": [row.pk], "confirmed": "yes"}
        browser.post(reverse(f"admin:classroom_{name}_changelist"), data)
    (line,) = LogEntry.objects.all()
    assert (line.is_deletion(), line.object_repr) == (True, str(session))
    assert not Participant.objects.exists()


def test_more_than_can_be_asked_for_is_refused(
    login: Callable[[User], Client], people: dict[str, User], course: Course
) -> None:
    now = timezone.now()
    ClassSession.objects.bulk_create(ClassSession(course=course, started_at=now, ended_at=now) for _ in range(201))
    browser, address = login(people["school admin"]), reverse("admin:classroom_classsession_changelist")
    for action in ("export_chosen", "close_chosen", "purge_chosen", "erase_chosen"):
        first = ClassSession.objects.values_list("pk", flat=True)[0]
        data = {"action": action, "_selected_action": [first], "select_across": "1", "confirmed": "yes"}
        page = browser.post(address, data, follow=True)
        assert "Choose 200 at most" in page.content.decode()
    assert ClassSession.objects.filter(purged_at=None).count() == 201


# -- Accounts


def test_a_school_admin_invites_people_but_makes_nobody_mightier(
    login: Callable[[User], Client], people: dict[str, User]
) -> None:
    Group.objects.create(name="Everything").permissions.set(Permission.objects.all())
    olga, alice = people["school admin"], people["owner"]
    browser = login(olga)
    for person in (olga, alice):
        address = reverse("admin:auth_user_change", args=[person.pk])
        fields = browser.get(address).context["adminform"].form.fields
        assert not {"is_superuser", "user_permissions"} & set(fields)
        assert {group.name for group in fields["groups"].queryset} == set(roles.ROLES)
        wanted: dict[str, Any] = {
            "username": person.username,
            "is_superuser": "on",
            "is_staff": "on",
            "is_active": "on",
        }
        wanted |= {"groups": [str(Group.objects.get(name="Everything").pk)], "user_permissions": ["1"]}
        browser.post(address, wanted)
        person.refresh_from_db()
        assert not person.is_superuser
        assert not person.user_permissions.exists()
        assert not person.groups.filter(name="Everything").exists()


def test_a_school_admin_reaches_nobody_with_rights_of_their_own(
    login: Callable[[User], Client], people: dict[str, User]
) -> None:
    """With such a person's password would come those rights."""
    browser, clerk = login(people["school admin"]), people["staff"]
    address = reverse("admin:auth_user_password_change", args=[clerk.pk])
    assert browser.get(address).status_code == 200
    clerk.user_permissions.add(Permission.objects.get(codename="change_permission"))
    assert browser.get(address).status_code == 403


def test_a_school_admin_reads_receipts_and_texts_and_an_instructor_does_not(
    login: Callable[[User], Client], people: dict[str, User]
) -> None:
    for name in ("erasure", "showntext"):
        address = reverse(f"admin:classroom_{name}_changelist")
        assert login(people["school admin"]).get(address).status_code == 200
        assert login(people["owner"]).get(address).status_code == 403


def test_how_long_a_course_keeps_its_sessions_is_not_set_in_passing(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    """Its teacher's own form asks before it deletes; the administration's would not."""
    course = both[0].course
    address = reverse("admin:classroom_course_change", args=[course.pk])
    data = {"title": "Algebra", "instructor": course.instructor.pk, "keep_days": "0"}
    assert login(people["school admin"]).post(address, data).status_code == 302
    course.refresh_from_db()
    assert (course.title, course.keep_days) == ("Algebra", None)


def test_a_school_admin_does_not_reach_a_superusers_password(
    login: Callable[[User], Client], people: dict[str, User]
) -> None:
    browser, root = login(people["school admin"]), people["superuser"]
    assert browser.post(reverse("admin:auth_user_password_change", args=[root.pk]), {}).status_code == 403
    data = {"email": "olga@school.example", "username": "root"}
    assert browser.post(reverse("admin:auth_user_change", args=[root.pk]), data).status_code == 403
    sent: dict[str, Any] = {"action": "send_links", "_selected_action": [str(root.pk)]}
    page = browser.post(reverse("admin:auth_user_changelist"), sent, follow=True)
    (told,) = [str(message) for message in page.context["messages"]]
    assert "only a superuser may do this" in told
    assert "http" not in told


def test_the_administration_finds_no_number_of_a_students_own_receipt(
    login: Callable[[User], Client], people: dict[str, User], both: list[ClassSession]
) -> None:
    """It opens a page that tells the student how often they were read; the school must not learn that."""
    session = {"course": "Algebra", "session_started_at": timezone.now()}
    own = Erasure.objects.create(what="participant", why="student", rows={"EmotionEvent": 17}, **session)
    whole = Erasure.objects.create(what="session", why="school", rows={"Marker": 2}, **session)
    browser = login(people["school admin"])

    def page(receipt: Erasure) -> str:
        return browser.get(reverse("admin:classroom_erasure_change", args=[receipt.pk])).content.decode()

    def found(search: object) -> int:
        listed = browser.get(reverse("admin:classroom_erasure_changelist"), {"q": str(search)})
        return int(listed.context["cl"].result_count)

    assert str(own.public_id) not in page(own)
    assert str(whole.public_id) in page(whole)
    assert found(own.public_id) == 1, "who shows a receipt can be told that it is one"
    assert found(str(own.public_id)[:8]) == 0, "else it could be guessed"
    assert found("Algebra") == 2
    for lookup in ("public_id__startswith", "public_id__lt", "public_id"):
        address = reverse("admin:classroom_erasure_changelist")
        assert browser.get(address, {lookup: str(own.public_id)[:8]}, follow=False).status_code in {302, 400}
