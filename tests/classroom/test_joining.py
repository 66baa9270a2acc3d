"""The way in: code, name, cookie, consent; and every way in which it may go wrong."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import access, actions, codes, consent, places, throttle
from classroom.config.profile import PROFILES
from classroom.models import ClassSession, Course, Participant
from classroom.throttle import JOIN_CODES
from classroom.views import join as join_views
from classroom.views import student as student_views

Agree = Callable[..., None]
ClientOf = Callable[[Participant], Client]
JSON = {"Accept": "application/json"}


def _join(client: Client, session: ClassSession, name: str = "Sam") -> Any:
    return client.post(reverse("join_session", args=[session.join_code]), {"display_name": name})


# -- The code


def test_the_front_page_asks_for_a_code(client: Client, db: None) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.context["form"].fields["code"]
    assert "You see what is recorded about you, and can download or erase it." in page.content.decode()


@pytest.mark.parametrize("change", [str, str.lower, codes.spaced, lambda code: f" {code[:2]} {code[2:]} "])
def test_a_code_is_forgiven_its_case_and_its_blanks(
    client: Client, session: ClassSession, change: Callable[[str], str]
) -> None:
    answer = client.post("/join/", {"code": change(session.join_code)})
    assert answer.status_code == 302
    assert answer["Location"] == f"/join/{session.join_code}/"


def test_a_link_may_carry_the_code(client: Client, session: ClassSession) -> None:
    assert client.get("/join/", {"code": session.join_code})["Location"] == f"/join/{session.join_code}/"
    assert client.get("/join/").status_code == 200


@pytest.mark.parametrize(("typed", "status"), [("ZZZZZZZ", 404), ("", 400), ("---", 400), ("x" * 30, 400)])
def test_a_wrong_code_brings_the_field_again_with_words(client: Client, db: None, typed: str, status: int) -> None:
    page = client.post("/join/", {"code": typed})
    assert page.status_code == status
    assert page.context["form"].errors["code"]


def test_a_script_gets_words_too(client: Client, db: None) -> None:
    answer = client.post("/join/", {"code": "ZZZZZZZ"}, headers=JSON)
    assert answer.status_code == 404
    assert answer.json()["ok"] is False
    assert "No class is open under this code now" in answer.json()["error"]


def test_an_old_code_stops_working_when_it_is_renewed(client: Client, session: ClassSession) -> None:
    old = session.join_code
    actions.renew_code(session)
    assert client.get(f"/join/{old}/").status_code == 404
    assert client.get(f"/join/{session.join_code}/").status_code == 200


def test_the_code_of_an_ended_session_is_no_code(client: Client, session: ClassSession) -> None:
    actions.end_session(session)
    page = client.get(f"/join/{session.join_code}/")
    assert page.status_code == 404
    assert [action["url"] for action in page.context["actions"]] == [f"/join/{session.join_code}/", "/"]


# -- Guessing


def _use_up(address: str = "127.0.0.1") -> None:
    for _ in range(JOIN_CODES.limit):
        JOIN_CODES.count(address)


def test_a_network_that_guessed_too_much_asks_once_in_two_seconds_right_or_wrong(
    client: Client, session: ClassSession
) -> None:
    """Or a right code would show itself among the guesses by being let through."""
    _use_up()
    assert client.post("/join/", {"code": "ZZZZZZZ"}).status_code == 404
    assert client.post("/join/", {"code": session.join_code}).status_code == 429
    assert client.get(f"/join/{session.join_code}/").status_code == 429
    assert client.post("/join/", {"code": "YYYYYYY"}).status_code == 429
    elsewhere = client.post("/join/", {"code": session.join_code}, REMOTE_ADDR="10.0.0.9")
    assert elsewhere.status_code == 302


def test_a_right_code_waits_for_its_turn_and_then_opens_the_class_to_the_whole_network(
    client: Client, session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle.Networks, "LANE_MS", 50)
    _use_up()
    client.post("/join/", {"code": "ZZZZZZZ"})
    time.sleep(0.1)
    assert client.post("/join/", {"code": session.join_code}).status_code == 302
    for _ in range(5):
        assert Client().get(f"/join/{session.join_code}/").status_code == 200


def test_who_guesses_shuts_no_class_out_that_is_joined_from_there(
    client: Client, session: ClassSession, other_session: ClassSession
) -> None:
    """A pupil with a script behind the school's one address: the class goes on filling, another one's code waits."""
    assert client.post("/join/", {"code": session.join_code}).status_code == 302
    _use_up()
    client.post("/join/", {"code": "ZZZZZZZ"})
    for _ in range(30):
        assert _join(Client(), session).status_code == 302
    assert client.post("/join/", {"code": other_session.join_code}).status_code == 429


def test_where_the_dashboard_is_open_the_code_is_known(
    session: ClassSession, alice: User, login: Callable[[User], Client]
) -> None:
    _use_up()
    Client().post("/join/", {"code": "ZZZZZZZ"})
    assert Client().get(f"/join/{session.join_code}/").status_code == 429
    assert login(alice).get(reverse("dashboard", args=[session.public_id])).status_code == 200
    assert Client().get(f"/join/{session.join_code}/").status_code == 200


def test_invented_students_come_to_an_end(
    session: ClassSession, other_session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join_views, "JOINS", throttle.Guesses("join", limit=3, seconds=600))
    assert [_join(Client(), session).status_code for _ in range(5)] == [302, 302, 302, 429, 429]
    assert session.participants.count() == 3
    assert _join(Client(), other_session).status_code == 302
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    assert _join(elsewhere, session).status_code == 302


def test_one_form_sent_again_and_again_shuts_nobody_out(
    session: ClassSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only new students are counted: a pupil who sends a name without end must not close the class to the school."""
    monkeypatch.setattr(join_views, "JOINS", throttle.Guesses("join", limit=3, seconds=600))
    form, address = _form(Client(), session), reverse("join_session", args=[session.join_code])
    assert [Client().post(address, form).status_code for _ in range(4)] == [302] * 4
    assert _join(Client(), session, "Mia").status_code == 302
    assert session.participants.count() == 2


@pytest.mark.parametrize("address", ["/join/?code={}", "/join/{}/"])
def test_the_work_for_a_code_does_not_tell_whether_it_is_right(
    client: Client, session: ClassSession, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Of a network that has to wait: the answer is the same, and so must be the time that it takes."""
    _use_up()
    client.post("/join/", {"code": "ZZZZZZZ"})
    asked: list[str] = []
    execute = redis.Redis.execute_command

    def noted(self: redis.Redis, *words: Any, **options: Any) -> Any:
        asked.append(words[0])
        return execute(self, *words, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", noted)
    works = []
    for code in (session.join_code, "YYYYYYY"):
        asked.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address.format(code)).status_code == 429
        works.append((tuple(asked), len(queries)))
    assert works == [(("EVAL", "EXISTS", "SET"), 1)] * 2


def test_wrong_codes_are_counted_on_both_addresses_and_right_ones_on_none(
    client: Client, session: ClassSession, settings: Settings
) -> None:
    def counted() -> int:
        with redis.Redis.from_url(settings.REDIS_URL) as store:
            return int(store.get(f"{settings.REDIS_PREFIX}:guesses:join-code:127.0.0.1") or 0)

    client.post("/join/", {"code": session.join_code})
    client.get(f"/join/{session.join_code}/")
    assert counted() == 0
    client.post("/join/", {"code": "ZZZZZZZ"})
    client.get("/join/ZZZZZZZ/")
    assert counted() == 2


def test_codes_that_are_tried_at_once_are_no_more_than_one_by_one(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_views, "JOIN_CODES", throttle.Guesses("join-code", limit=5, seconds=600))
    tried: list[str] = []

    def while_others_try(code: str) -> None:
        tried.append(code)
        if len(tried) < 9:
            Client().post("/join/", {"code": "ZZZZZZZ"})

    monkeypatch.setattr(access, "live_session_by_code", while_others_try)
    Client().post("/join/", {"code": "ZZZZZZZ"})
    assert len(tried) == 5 + 1  # and the one in two seconds


def test_a_guess_that_is_taken_back_after_its_window_leaves_nothing(settings: Settings) -> None:
    JOIN_CODES.take_back("10.1.1.2")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert not client.exists(f"{settings.REDIS_PREFIX}:guesses:join-code:10.1.1.2")


def test_the_window_ends(settings: Settings) -> None:
    JOIN_CODES.count("10.1.1.1")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        ttl = int(client.ttl(f"{settings.REDIS_PREFIX}:guesses:join-code:10.1.1.1"))
    assert 0 < ttl <= JOIN_CODES.seconds


def test_joining_works_while_redis_does_not_answer(client: Client, session: ClassSession, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.post("/join/", {"code": session.join_code}).status_code == 302
    assert client.post("/join/", {"code": "ZZZZZZZ"}).status_code == 404


# -- The name


def test_a_name_makes_a_participant_and_a_cookie(client: Client, session: ClassSession) -> None:
    page = client.get(f"/join/{session.join_code}/")
    assert (page.context["session"], page.context["course"]) == (session, session.course)
    assert page.context["instructor_name"] == "Alice"
    answer = _join(client, session, "  Sam  B ")
    participant = session.participants.get()
    assert participant.display_name == "Sam B"
    assert answer["Location"] == reverse("consent", args=[session.public_id])
    cookie = answer.cookies[f"participant-{session.public_id.hex}"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 43_200)
    assert cookie["secure"] == ""
    assert access.participant_from_cookies({cookie.key: cookie.value}, session.public_id) == participant


def test_the_cookie_is_secure_where_the_site_is(client: Client, session: ClassSession, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    answer = _join(client, session)
    assert answer.cookies[f"participant-{session.public_id.hex}"]["secure"] is True


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x07b"])
def test_a_bad_name_brings_the_field_again(client: Client, session: ClassSession, name: str) -> None:
    page = _join(client, session, name)
    assert page.status_code == 400
    assert page.context["form"].errors["display_name"]
    assert not session.participants.exists()


def test_a_reload_is_the_same_student(session: ClassSession, sam: Participant, student_client: ClientOf) -> None:
    client = student_client(sam)
    for answer in (client.get(f"/join/{session.join_code}/"), _join(client, session, "Sam again")):
        assert answer["Location"] == reverse("student", args=[session.public_id])
    assert session.participants.count() == 1


def _form(client: Client, session: ClassSession) -> dict[str, str]:
    page = client.get(f"/join/{session.join_code}/")
    return {"display_name": "Sam", "ticket": page.context["ticket"]}


def test_a_double_click_makes_one_student(session: ClassSession) -> None:
    """Both clicks were sent before the first one's cookie came back."""
    form, address = _form(Client(), session), reverse("join_session", args=[session.join_code])
    first, second = Client().post(address, form), Client().post(address, form)
    assert session.participants.count() == 1
    cookie = access.cookie_name(session.public_id)
    holders = {
        access.cookie_holder({cookie: answer.cookies[cookie].value}, session.public_id) for answer in (first, second)
    }
    assert holders == {session.participants.get()}


def test_a_form_sent_again_after_leaving_is_somebody_new(session: ClassSession) -> None:
    form, address = _form(Client(), session), reverse("join_session", args=[session.join_code])
    Client().post(address, form)
    actions.leave(session.participants.get())
    Client().post(address, form | {"display_name": "Mia"})
    assert sorted(session.participants.values_list("display_name", flat=True)) == ["Mia", "Sam"]


def test_a_form_sent_again_after_erasing_everything_is_somebody_new(session: ClassSession) -> None:
    """By the number a receipt would find them in a copy, and erase what they began anew."""
    form, address = _form(Client(), session), reverse("join_session", args=[session.join_code])
    Client().post(address, form)
    erased = session.participants.get()
    number = erased.public_id
    actions.erase(erased)
    Client().post(address, form)
    assert session.participants.get().public_id != number
    other = _form(Client(), session)
    Client().post(address, other)
    numbers = session.participants.values_list("public_id", flat=True)
    assert access.ticket_number(session, other["ticket"]) in numbers


@pytest.mark.parametrize(
    "forge", [lambda t: "", lambda t: t + "x", lambda t: t.replace(":", ".", 1), lambda t: "a:b:c"]
)
def test_a_forged_ticket_is_none(session: ClassSession, sam: Participant, forge: Callable[[str], str]) -> None:
    form = _form(Client(), session)
    Client().post(reverse("join_session", args=[session.join_code]), form | {"ticket": forge(form["ticket"])})
    assert session.participants.count() == 2


def test_a_ticket_counts_in_its_own_session(session: ClassSession, other_session: ClassSession) -> None:
    form = _form(Client(), session)
    Client().post(reverse("join_session", args=[session.join_code]), form)
    Client().post(reverse("join_session", args=[other_session.join_code]), form)
    assert (session.participants.count(), other_session.participants.count()) == (1, 1)


def test_joining_a_locked_session_says_so(client: Client, session: ClassSession) -> None:
    actions.lock_joining(session)
    for answer in (client.get(f"/join/{session.join_code}/"), _join(client, session)):
        assert answer.status_code == 403
        assert "locked" in answer.context["message"]
    assert not session.participants.exists()


def test_whoever_is_in_goes_on_though_joining_is_locked(
    session: ClassSession, sam: Participant, student_client: ClientOf
) -> None:
    actions.lock_joining(session)
    assert student_client(sam).get(f"/join/{session.join_code}/").status_code == 302


def test_csrf_is_enforced(session: ClassSession) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert _join(strict, session).status_code == 403
    assert not session.participants.exists()


def test_the_name_page_takes_few_queries(
    client: Client, session: ClassSession, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        client.get(f"/join/{session.join_code}/")


# -- Whose cookie


def _cookies(participant: Participant) -> dict[str, str]:
    response = HttpResponse()
    access.set_participant_cookie(response, participant)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def test_a_cookie_of_another_session_opens_nothing(sam: Participant, tess: Participant) -> None:
    ours, theirs = sam.session.public_id, tess.session.public_id
    (stolen,) = _cookies(sam).values()
    assert access.cookie_holder(_cookies(sam), theirs) is None
    assert access.cookie_holder({access.cookie_name(theirs): stolen}, theirs) is None
    assert access.cookie_holder({access.cookie_name(ours): stolen}, ours) == sam


@pytest.mark.parametrize("forge", ["unsigned", "other salt", "garbage", "empty", "nobody", "not a uuid"])
def test_a_forged_cookie_opens_nothing(sam: Participant, forge: str) -> None:
    value = {
        "unsigned": sam.public_id.hex,
        "other salt": signing.TimestampSigner(salt="another").sign(sam.public_id.hex),
        "garbage": "a:b:c",
        "empty": "",
        "nobody": access._signer.sign(uuid.uuid4().hex),
        "not a uuid": access._signer.sign("sam"),
    }[forge]
    assert access.cookie_holder({access.cookie_name(sam.session.public_id): value}, sam.session.public_id) is None


def test_a_cookie_expires(sam: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    cookies, now = _cookies(sam), timezone.now().timestamp()
    monkeypatch.setattr("time.time", lambda: now + access.COOKIE_SECONDS - 60)
    assert access.cookie_holder(cookies, sam.session.public_id) == sam
    monkeypatch.setattr("time.time", lambda: now + access.COOKIE_SECONDS + 60)
    assert access.cookie_holder(cookies, sam.session.public_id) is None


def test_who_has_gone_is_known_but_not_present(sam: Participant) -> None:
    cookies = _cookies(sam)
    actions.leave(sam)
    assert access.cookie_holder(cookies, sam.session.public_id) == sam
    assert access.participant_from_cookies(cookies, sam.session.public_id) is None


# -- Consent


def test_nothing_is_measured_before_the_text_was_answered(sam: Participant, student_client: ClientOf) -> None:
    client, session = student_client(sam), sam.session
    consent_url = reverse("consent", args=[session.public_id])
    assert client.get(reverse("student", args=[session.public_id]))["Location"] == consent_url
    page = client.get(consent_url)
    assert page.context["consent"] == consent.text_for(session)
    assert (page.context["inference_allowed"], page.context["reason"], page.context["asked_again"]) == (
        True,
        "",
        False,
    )


@pytest.mark.parametrize("scope", ["aggregate", "individual", "none"])
def test_the_answer_is_entered_with_the_hash_of_what_was_shown(
    sam: Participant, student_client: ClientOf, scope: str
) -> None:
    client, session = student_client(sam), sam.session
    address = reverse("consent", args=[session.public_id])
    shown = client.get(address).context["consent"].sha256
    answer = client.post(address, {"scope": scope, "text_hash": shown})
    assert answer["Location"] == reverse("student", args=[session.public_id])
    event = sam.consent_events.get()
    assert (event.scope, event.text_hash) == (scope, shown)
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [({"scope": "everything"}, 400), ({}, 400), ({"scope": "individual", "text_hash": "0" * 64}, 409)],
)
def test_a_bad_answer_is_not_entered(
    sam: Participant, student_client: ClientOf, data: dict[str, str], status: int
) -> None:
    known = {"text_hash": consent.text_for(sam.session).sha256}
    page = student_client(sam).post(reverse("consent", args=[sam.session.public_id]), known | data)
    assert page.status_code == status
    assert page.context["notice"]
    assert not sam.consent_events.exists()


def test_the_same_answer_twice_is_one_row(sam: Participant, student_client: ClientOf) -> None:
    client, address = student_client(sam), reverse("consent", args=[sam.session.public_id])
    answer = {"scope": "aggregate", "text_hash": consent.text_for(sam.session).sha256}
    for _ in range(throttle.ANSWERS.limit + 1):
        assert client.post(address, answer, headers=JSON).json()["consent_epoch"] == 1
    assert sam.consent_events.count() == 1


def test_who_changes_the_answer_without_end_waits_but_may_always_say_no(
    sam: Participant, student_client: ClientOf
) -> None:
    client, address = student_client(sam), reverse("consent", args=[sam.session.public_id])
    known = {"text_hash": consent.text_for(sam.session).sha256}
    for n in range(throttle.ANSWERS.limit):
        scope = ("aggregate", "individual")[n % 2]
        assert client.post(address, known | {"scope": scope}, headers=JSON).status_code == 200
    page = client.post(address, known | {"scope": "aggregate"})
    assert (page.status_code, page.context["notice"]) == (429, student_views.TOO_OFTEN)
    assert client.post(address, known | {"scope": "aggregate"}, headers=JSON).status_code == 429
    withdrawn = client.post(reverse("withdraw", args=[sam.session.public_id]), headers=JSON)
    assert withdrawn.json()["scope"] == "none"
    assert client.post(address, known | {"scope": "none"}, headers=JSON).status_code == 200
    assert list(sam.consent_events.values_list("scope", flat=True))[-3:] == ["individual", "none", "none"]


def test_it_is_asked_again_when_the_text_changes(sam: Participant, student_client: ClientOf, agree: Agree) -> None:
    actions.record_consent(sam, "aggregate", "0" * 64)
    client = student_client(sam)
    consent_url = reverse("consent", args=[sam.session.public_id])
    assert client.get(reverse("student", args=[sam.session.public_id]))["Location"] == consent_url
    assert client.get(consent_url).context["asked_again"] is True
    agree(sam)
    assert client.get(reverse("student", args=[sam.session.public_id])).status_code == 200


def test_whoever_withdrew_is_left_in_peace(sam: Participant, student_client: ClientOf) -> None:
    actions.record_consent(sam, "aggregate", "0" * 64)
    actions.withdraw(sam)
    page = student_client(sam).get(reverse("student", args=[sam.session.public_id]))
    assert page.status_code == 200
    assert page.context["camera_config"]["scope"] == "none"


def test_the_text_once_answered_has_a_way_back_and_says_that_the_camera_is_off(
    sam: Participant, student_client: ClientOf, agree: Agree
) -> None:
    client, address = student_client(sam), reverse("consent", args=[sam.session.public_id])
    back, off = "Back to the session, nothing changed", "In this tab your camera is off meanwhile."

    def shown() -> tuple[bool, bool]:
        page = client.get(address).content.decode()
        return back in page, off in page

    assert shown() == (False, False)
    agree(sam, "aggregate")
    assert shown() == (True, True)
    actions.withdraw(sam)
    assert shown() == (True, False)
    actions.record_consent(sam, "aggregate", "0" * 64)
    assert shown() == (False, False)  # Asked again: the session's page would lead here.


def test_a_session_without_cameras_offers_none(course: Course, student_client: ClientOf, settings: Settings) -> None:
    settings.PROFILE = PROFILES["check-ins"]
    sam = actions.join(actions.start_session(course, "check_ins"), "Sam")
    client, address = student_client(sam), reverse("consent", args=[sam.session.public_id])
    page = client.get(address)
    assert page.context["inference_allowed"] is False
    assert "not been told" in page.context["reason"]
    text = page.context["consent"]
    assert [choice.scope for choice in text.choices] == ["none"]
    assert client.post(address, {"scope": "individual", "text_hash": text.sha256}).status_code == 400
    client.post(address, {"scope": "none", "text_hash": text.sha256})
    config = client.get(reverse("student", args=[sam.session.public_id])).context["camera_config"]
    assert config["inference"] is False


# -- The student's page


def test_the_page_knows_what_its_script_needs(
    sam: Participant, student_client: ClientOf, agree: Agree, settings: Settings
) -> None:
    settings.SAMPLE_INTERVAL_MS, settings.TIME_ZONE = 1000, "Asia/Kolkata"
    agree(sam, "aggregate")
    page = student_client(sam).get(reverse("student", args=[sam.session.public_id]))
    config = page.context["camera_config"]
    read_by_the_page = {"inference", "reason"}
    assert set(config) - read_by_the_page == _read_by_the_script()
    assert config["ws_path"] == f"/ws/camera/{sam.session.public_id}/"
    assert config["participant_id"] == str(sam.public_id)
    assert (config["scope"], config["consent_epoch"], config["interval_ms"]) == ("aggregate", 1, 1000)
    assert config["offset_ms"] == 5.5 * 60 * 60 * 1000
    assert (config["place"], config["device"]) == (places.allowed(sam.session), places.for_browsers())
    assert config["urls"] == {"home": "/"}
    assert page.context["participant"] == sam
    assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")


@pytest.mark.parametrize("scope", ["individual", "none"])
def test_no_link_of_the_page_stops_the_camera_without_a_way_back(
    sam: Participant, student_client: ClientOf, agree: Agree, scope: str
) -> None:
    agree(sam, scope)
    page = student_client(sam).get(reverse("student", args=[sam.session.public_id])).content.decode()
    links = re.findall(r"<a\b[^>]*>", page)
    here = {re.search(r'href="([^"]*)"', link)[1] for link in links if 'target="_blank"' not in link}  # type: ignore[index]
    with_a_way_back = {reverse(name, args=[sam.session.public_id]) for name in ("consent", "own_data")}
    assert here == {"#main"} | with_a_way_back
    assert any(reverse("privacy") in link for link in links)


def test_the_page_says_who_sees_a_word_with_a_name(sam: Participant, student_client: ClientOf, agree: Agree) -> None:
    client, address = student_client(sam), reverse("student", args=[sam.session.public_id])
    agree(sam, "individual")
    named = "Your instructor sees how many said so; your name with it for “Lost”, and in the report."
    assert named in client.get(address).content.decode()
    agree(sam, "aggregate")
    page = client.get(address).content.decode()
    assert named not in page
    assert "once at least five take part without their name." in page


@pytest.mark.parametrize(
    ("scope", "instead"),
    [
        ("aggregate", "For a break, pause your camera, or just close the page."),
        ("none", "For a break, just close the page."),
    ],
)
def test_the_page_says_what_leaving_ends(
    sam: Participant, student_client: ClientOf, agree: Agree, scope: str, instead: str
) -> None:
    agree(sam, scope)
    page = student_client(sam).get(reverse("student", args=[sam.session.public_id])).content.decode()
    words = " ".join(page.split())
    assert "Leaving is for good in this browser: afterwards only your school can show or erase" in words
    assert instead in words


def _read_by_the_script() -> set[str]:
    script = Path(settings.BASE_DIR, "emotions/static/emotions/js/camera.js").read_text()
    return set(re.findall(r"\bconfig\.(\w+)", script))


def test_the_page_takes_few_queries(
    sam: Participant, student_client: ClientOf, agree: Agree, django_assert_num_queries: Any
) -> None:
    agree(sam)
    client = student_client(sam)
    with django_assert_num_queries(2):
        client.get(reverse("student", args=[sam.session.public_id]))


@pytest.mark.parametrize("name", ["student", "consent"])
def test_an_ended_session_is_gone(sam: Participant, student_client: ClientOf, name: str) -> None:
    actions.end_session(sam.session)
    page = student_client(sam).get(reverse(name, args=[sam.session.public_id]))
    assert page.status_code == 410
    assert "nothing is measured any more" in page.context["message"]


@pytest.mark.parametrize("name", ["student", "consent"])
def test_a_removed_student_is_told(sam: Participant, student_client: ClientOf, alice: Any, name: str) -> None:
    actions.remove_participant(sam, by=alice)
    page = student_client(sam).get(reverse(name, args=[sam.session.public_id]))
    assert page.status_code == 403
    assert "removed" in page.context["message"]


def test_without_a_cookie_the_way_leads_back_to_the_code(client: Client, session: ClassSession) -> None:
    answer = client.get(reverse("student", args=[session.public_id]), follow=True)
    assert answer.redirect_chain == [("/join/", 302)]
    assert [str(message) for message in answer.context["messages"]] == [
        "You are not in this session in this browser. Type the code to join."
    ]


def test_withdrawing(sam: Participant, student_client: ClientOf, agree: Agree) -> None:
    agree(sam)
    answer = student_client(sam).post(reverse("withdraw", args=[sam.session.public_id]), headers=JSON)
    assert answer.json() == {
        "ok": True,
        "redirect": reverse("student", args=[sam.session.public_id]),
        "scope": "none",
        "consent_epoch": 2,
    }
    sam.refresh_from_db()
    assert not sam.measured


@pytest.mark.parametrize("what", ["removed", "ended"])
def test_withdrawing_is_possible_after_a_removal_and_after_the_end(
    sam: Participant, student_client: ClientOf, agree: Agree, alice: User, what: str
) -> None:
    agree(sam, "individual")
    actions.remove_participant(sam, alice) if what == "removed" else actions.end_session(sam.session)
    client, mine = student_client(sam), reverse("own_data", args=[sam.session.public_id])
    form = f'action="{reverse("withdraw", args=[sam.session.public_id])}"'
    page = client.get(mine).content.decode()
    assert form in page
    assert "Take back what I agreed to" in page  # Nothing is measured any more that could be stopped.
    assert "Stop measuring me" not in page
    assert client.post(reverse("withdraw", args=[sam.session.public_id]))["Location"] == mine
    sam.refresh_from_db()
    assert sam.scope == "none"
    assert form not in client.get(mine).content.decode()


def test_measuring_is_stopped_under_one_name_on_both_pages(
    sam: Participant, student_client: ClientOf, agree: Agree
) -> None:
    agree(sam)
    for name in ("student", "own_data"):
        page = student_client(sam).get(reverse(name, args=[sam.session.public_id])).content.decode()
        assert re.search(r"<button [^>]*>\s*Stop measuring me\s*</button>", page)


def test_who_has_left_withdraws_no_more_in_that_browser(
    sam: Participant, student_client: ClientOf, agree: Agree
) -> None:
    agree(sam)
    actions.leave(sam)
    answer = student_client(sam).post(reverse("withdraw", args=[sam.session.public_id]), headers=JSON)
    assert answer.status_code == 401


def test_leaving_frees_the_browser_for_the_next_student(
    session: ClassSession, sam: Participant, student_client: ClientOf
) -> None:
    client = student_client(sam)
    answer = client.post(reverse("leave", args=[session.public_id]))
    assert answer["Location"] == "/"
    assert "only your school can show or erase" in client.get("/").content.decode()
    assert answer.cookies[access.cookie_name(session.public_id)]["max-age"] == 0
    assert client.get(reverse("student", args=[session.public_id]))["Location"] == "/join/"
    _join(client, session, "Tom")
    assert list(session.participants.present().values_list("display_name", flat=True)) == ["Tom"]


@pytest.mark.parametrize("name", ["withdraw", "leave"])
def test_the_cookie_of_another_session_changes_nothing(
    sam: Participant, tess: Participant, student_client: ClientOf, agree: Agree, name: str
) -> None:
    agree(sam)
    client = student_client(tess)
    client.cookies[access.cookie_name(sam.session.public_id)] = next(iter(_cookies(tess).values()))
    assert client.post(reverse(name, args=[sam.session.public_id]), headers=JSON).status_code == 401
    sam.refresh_from_db()
    assert sam.measured


@pytest.mark.parametrize("name", ["withdraw", "leave"])
def test_who_is_erased_meanwhile_is_told_so(
    sam: Participant, student_client: ClientOf, agree: Agree, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    agree(sam)
    address, client, found = reverse(name, args=[sam.session.public_id]), student_client(sam), access.cookie_holder
    with monkeypatch.context() as quicker:
        quicker.setattr(access, "cookie_holder", lambda *where: _erased(found(*where)))
        answer = client.post(address, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (403, "You are no longer in this session.")
    assert "no-store" in answer["Cache-Control"]
    assert client.post(address, headers=JSON).status_code == 401


def _erased(participant: Participant | None) -> Participant | None:
    if participant is not None:
        actions.erase(participant)
    return participant
