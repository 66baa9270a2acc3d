"""Signing in and passwords."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth import forms
from django.contrib.auth.models import User
from django.core import mail
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import throttle
from classroom.throttle import LETTERS, PASSWORDS, TOO_MANY_PASSWORDS, client_address
from tests.conftest import PASSWORD


def _sign_in(client: Client, password: str = PASSWORD, **more: str) -> int:
    return client.post(reverse("login"), {"username": "alice", "password": password, **more}).status_code


def test_signing_in_leads_to_the_courses(client: Client, alice: User) -> None:
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert answer["Location"] == "/courses/"


@pytest.mark.parametrize("back", ["", "?", "?next=/accounts/login/", "?next=%2Fcourses%2F"])
@pytest.mark.parametrize("site", ["", "http://testserver", "//testserver"])
def test_who_is_signed_in_is_not_sent_back_to_sign_in(client: Client, alice: User, site: str, back: str) -> None:
    there = {"next": f"{site}{reverse('login')}{back}"}
    assert (
        client.post(reverse("login"), {"username": "alice", "password": PASSWORD, **there})["Location"] == "/courses/"
    )
    assert client.get(reverse("login"), there)["Location"] == "/courses/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(client: Client, alice: User, elsewhere: str) -> None:
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD, "next": elsewhere})
    assert answer["Location"] == "/courses/"


def test_a_session_that_was_planted_is_not_the_one_signed_in(client: Client, alice: User, settings: Settings) -> None:
    planted = client.session
    planted["known to somebody else"] = True
    planted.save()
    key = str(planted.session_key)
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert _sign_in(client) == 302
    assert client.session.session_key != key
    assert not client.session.exists(key)


def test_guessing_passwords_is_stopped_for_that_name_from_that_address(
    client: Client, alice: User, bob: User
) -> None:
    for _ in range(PASSWORDS.limit):
        assert _sign_in(client, "wrong") == 200
    page = client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
    assert page.status_code == 429
    assert page.context["form"].non_field_errors() == [TOO_MANY_PASSWORDS]
    assert 'value="alice"' in page.content.decode()
    assert client.post(reverse("login"), {"username": "ALICE", "password": PASSWORD}).status_code == 429
    assert client.post(reverse("login"), {"username": "bob", "password": PASSWORD}).status_code == 302
    away = {"username": "alice", "password": PASSWORD}
    assert Client().post(reverse("login"), away, REMOTE_ADDR="10.0.0.9").status_code == 302


def test_passwords_that_are_tried_at_once_are_no_more_than_one_by_one(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PASSWORDS", throttle.Guesses("password", limit=3, seconds=600))
    tried: list[str] = []

    def while_others_try(*_: Any, **typed: str) -> None:
        tried.append(typed["password"])
        if len(tried) < 7:
            _sign_in(Client(), "wrong")

    monkeypatch.setattr(forms, "authenticate", while_others_try)
    _sign_in(client, "wrong")
    assert len(tried) == 3


@pytest.mark.parametrize("door", ["login", "admin:login"])
def test_right_passwords_are_not_counted(dana: User, door: str) -> None:
    for _ in range(PASSWORDS.limit + 1):
        assert Client().post(reverse(door), {"username": "dana", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("door", ["login", "admin:login"])
def test_a_password_that_nobody_could_look_at_is_no_wrong_one(
    dana: User, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client(raise_request_exception=False)
    with monkeypatch.context() as patched:
        patched.setattr("django.contrib.auth.forms.authenticate", Mock(side_effect=OperationalError("is away")))
        for _ in range(PASSWORDS.limit + 1):
            answer = browser.post(reverse(door), {"username": "dana", "password": PASSWORD})
            assert answer.status_code >= 500
    assert browser.post(reverse(door), {"username": "dana", "password": PASSWORD}).status_code == 302


def test_who_guesses_in_the_classroom_does_not_lock_the_teacher_out(client: Client, alice: User) -> None:
    """The browser in which Alice has signed in before is counted apart, from the same address."""
    assert _sign_in(client) == 302
    client.post(reverse("logout"))
    stranger = Client()
    for _ in range(PASSWORDS.limit):
        _sign_in(stranger, "wrong")
    assert _sign_in(stranger) == 429
    assert _sign_in(client) == 302


def test_a_known_browser_has_its_own_wrong_passwords(client: Client, alice: User) -> None:
    _sign_in(client)
    client.post(reverse("logout"))
    for _ in range(PASSWORDS.limit):
        assert _sign_in(client, "wrong") == 200
    assert _sign_in(client) == 429


@pytest.mark.parametrize("cookie", ["", "x", "a:b:c", "WyJhIiwiYWxpY2UiXQ:1abcde:signature"])
def test_a_forged_known_browser_is_any_browser(client: Client, alice: User, cookie: str) -> None:
    client.cookies["known-browser"] = cookie
    for _ in range(PASSWORDS.limit):
        _sign_in(client, "wrong")
    assert _sign_in(client) == 429


def test_a_browser_known_under_one_name_is_any_browser_under_another(client: Client, alice: User, bob: User) -> None:
    assert _sign_in(client, username="bob") == 302
    client.post(reverse("logout"))
    for _ in range(PASSWORDS.limit):
        _sign_in(Client(), "wrong")
    assert _sign_in(client) == 429


def test_the_known_browsers_cookie_is_out_of_reach(client: Client, alice: User, settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True
    answer = client.post(reverse("login"), {"username": "alice", "password": PASSWORD})
    cookie = answer.cookies["known-browser"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")


def test_guesses_from_everywhere_at_one_name_and_from_one_place_at_every_name(
    client: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PASSWORDS_OF_A_NAME", throttle.Guesses("password-name", limit=5, seconds=60))
    monkeypatch.setattr(
        throttle, "PASSWORDS_OF_AN_ADDRESS", throttle.Guesses("password-address", limit=9, seconds=60)
    )
    for number in range(5):
        _sign_in(Client(REMOTE_ADDR=f"10.0.0.{number}"), "wrong")
    assert _sign_in(Client(REMOTE_ADDR="10.0.1.1")) == 429
    spraying = Client(REMOTE_ADDR="10.0.2.2")
    for number in range(9):
        _sign_in(spraying, "wrong", username=f"teacher{number}")
    assert _sign_in(spraying, username="bob") == 429
    assert _sign_in(Client(REMOTE_ADDR="10.0.3.3"), username="bob") == 302


def test_letters_are_sent_at_a_limited_rate(client: Client, alice: User, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    statuses = [
        client.post(reverse("password_reset"), {"email": alice.email}).status_code for _ in range(LETTERS.limit + 1)
    ]
    assert statuses == [302] * LETTERS.limit + [429]
    assert len(mail.outbox) == LETTERS.limit


@pytest.mark.parametrize("written", [" alice", "alice\t", "\uff41lice", " " * 200 + "alice", "ALICE"])
def test_a_name_written_otherwise_gives_no_further_guesses(client: Client, alice: User, written: str) -> None:
    for _ in range(PASSWORDS.limit):
        _sign_in(client, "wrong")
    answer = client.post(reverse("login"), {"username": written, "password": PASSWORD})
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_guesses_are_counted_for_a_line_not_for_each_of_its_addresses(here: str, there: str, same: bool) -> None:
    first, second = (client_address(RequestFactory().get("/", REMOTE_ADDR=address)) for address in (here, there))
    assert (first == second) is same


def test_the_administrations_own_door_counts_the_same_guesses(client: Client, dana: User) -> None:
    door, right = reverse("admin:login"), {"username": "dana", "password": PASSWORD}
    for _ in range(PASSWORDS.limit):
        assert "_auth_user_id" not in client.session
        client.post(door, {"username": "dana", "password": "wrong"})
    answer = client.post(door, right)
    assert TOO_MANY_PASSWORDS in answer.context["form"].non_field_errors()
    assert client.post(reverse("login"), right).status_code == 429
    assert client.post(door, right, REMOTE_ADDR="10.0.0.9").status_code == 302


def test_an_inactive_account_stays_out(client: Client, alice: User) -> None:
    User.objects.update(is_active=False)
    assert _sign_in(client) == 200
    assert "_auth_user_id" not in client.session


def test_a_password_is_changed(client: Client, alice: User) -> None:
    client.force_login(alice)
    data = {
        "old_password": PASSWORD,
        "new_password1": "a fresh and long one",
        "new_password2": "a fresh and long one",
    }
    assert client.post(reverse("password_change"), data)["Location"] == reverse("password_change_done")
    alice.refresh_from_db()
    assert alice.check_password("a fresh and long one")


def test_the_old_password_is_not_guessed_either(client: Client, alice: User, bob: User) -> None:
    """At a screen that somebody left: ten wrong ones, then even the right one waits. Nobody else does."""
    data = {"new_password1": "a fresh and long one", "new_password2": "a fresh and long one"}
    client.force_login(alice)
    for _ in range(PASSWORDS.limit):
        page = client.post(reverse("password_change"), data | {"old_password": "wrong"})
        assert TOO_MANY_PASSWORDS not in page.context["form"].errors["old_password"]
    page = client.post(reverse("password_change"), data | {"old_password": PASSWORD})
    assert page.context["form"].errors["old_password"] == [TOO_MANY_PASSWORDS]
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    client.force_login(bob)
    assert client.post(reverse("password_change"), data | {"old_password": PASSWORD}).status_code == 302


def test_a_right_old_password_with_a_weak_new_one_is_no_guess(client: Client, alice: User) -> None:
    client.force_login(alice)
    data = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    for _ in range(PASSWORDS.limit + 1):
        page = client.post(reverse("password_change"), data)
        assert "old_password" not in page.context["form"].errors


def test_the_administration_has_no_other_page_to_guess_at(client: Client, root: User) -> None:
    client.force_login(root)
    assert client.post(reverse("admin:password_change"), {"old_password": "wrong"})["Location"] == reverse(
        "password_change"
    )


@pytest.mark.parametrize("password", ["short", "password123", "alice@school"])
def test_a_weak_password_is_refused_in_words(client: Client, alice: User, password: str) -> None:
    client.force_login(alice)
    data = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    page = client.post(reverse("password_change"), data)
    assert page.context["form"].errors["new_password2"]


def test_a_forgotten_password_is_set_by_mail(client: Client, alice: User, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    answer = client.post(reverse("password_reset"), {"email": "alice@school.example"})
    assert answer["Location"] == reverse("password_reset_done")
    (letter,) = mail.outbox
    (link,) = re.findall(r"http://testserver\S+", str(letter.body))
    assert client.get(link, follow=True).context["validlink"]


def test_the_link_leads_to_the_public_address(client: Client, alice: User, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.PUBLIC_URL = "mail.school.example", "https://10.0.0.7:8443"
    client.post(reverse("password_reset"), {"email": "alice@school.example"})
    assert "https://10.0.0.7:8443/accounts/reset/" in str(mail.outbox[0].body)


def test_who_missed_the_invitation_gets_a_new_link(client: Client, alice: User, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    alice.set_unusable_password()
    alice.save()
    client.post(reverse("password_reset"), {"email": "Alice@school.example"})
    (letter,) = mail.outbox
    (link,) = re.findall(r"http://testserver\S+", str(letter.body))
    assert client.get(link, follow=True).context["validlink"]


@pytest.mark.parametrize("account", [{"is_active": False}, {"email": "al\u0131ce@school.example"}])
def test_no_letter_goes_to_the_closed_or_to_the_like(
    client: Client, alice: User, settings: Settings, account: dict[str, Any]
) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    User.objects.filter(pk=alice.pk).update(**account)
    client.post(reverse("password_reset"), {"email": "alice@school.example"})
    assert mail.outbox == []


def test_an_unknown_address_is_answered_alike(client: Client, alice: User, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.school.example"
    answer = client.post(reverse("password_reset"), {"email": "nobody@school.example"})
    assert answer["Location"] == reverse("password_reset_done")
    assert mail.outbox == []


def test_without_a_mail_server_nobody_is_told_to_wait(client: Client, alice: User) -> None:
    page = client.get(reverse("password_reset"))
    assert "Ask your administrator" in page.content.decode()
    assert client.post(reverse("password_reset"), {"email": "alice@school.example"}).status_code == 200
    assert mail.outbox == []


@pytest.mark.parametrize("name", ["password_reset_done", "password_reset_complete"])
def test_the_pages_between_open(client: Client, db: None, name: str) -> None:
    assert client.get(reverse(name)).status_code == 200


def test_a_worn_out_link_says_so(client: Client, db: None) -> None:
    page = client.get(reverse("password_reset_confirm", args=["MQ", "set-password"]))
    assert page.context["validlink"] is False
    assert "new one" in page.content.decode()


def test_signing_out(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post(reverse("logout"))["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_a_teacher_without_an_account_is_told_whom_to_ask(client: Client) -> None:
    assert "No account yet? Ask whoever looks after Roomtone at your school." in _text(client.get(reverse("login")))


def test_who_is_signed_in_finds_their_password_on_every_page(client: Client, alice: User) -> None:
    link = f'<a href="{reverse("password_change")}"'
    assert link not in _text(client.get(reverse("home")))
    client.force_login(alice)
    assert link in _text(client.get(reverse("courses")))


def _text(page: Any) -> str:
    return str(page.content.decode())
