"""The first admin of an installation on one machine: a link in the terminal of `up`, and nowhere else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import invitations
from classroom.invitations import first_admin, set_password_link, set_password_path
from classroom.local import welcome
from classroom.local.product import Choices, Product
from classroom.local.screen import Screen

NEW_PASSWORD = "a fresh and long one"


def choose_password(browser: Client, path: str) -> None:
    form = browser.get(path, follow=True)
    fields = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert browser.post(form.redirect_chain[-1][0], fields)["Location"] == reverse("password_reset_complete")


@pytest.mark.django_db
def test_the_first_admin_chooses_a_password_and_signs_in(client: Client) -> None:
    user = first_admin()
    assert user is not None
    assert (user.username, user.is_staff, user.is_superuser) == ("admin", True, True)
    assert not user.has_usable_password()
    choose_password(client, set_password_path(user))
    answer = client.post(reverse("admin:login"), {"username": "admin", "password": NEW_PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert first_admin() is None, "a second start offers nothing"


@pytest.mark.django_db
def test_the_next_start_makes_a_new_link_for_the_same_account(client: Client) -> None:
    links = []
    for _ in range(2):
        user = first_admin()
        assert user is not None
        links.append(set_password_path(user))
    assert User.objects.count() == 1
    assert client.get(links[0], follow=True).context["validlink"] is False
    assert client.get(links[1], follow=True).context["validlink"] is True


@pytest.mark.django_db
def test_an_account_that_is_there_is_given_no_rights() -> None:
    teacher = User.objects.create_user("Admin", "admin@school.example", "a long enough password")
    user = first_admin()
    assert user is not None
    assert (user.username, user.is_superuser) == ("admin2", True)
    teacher.refresh_from_db()
    assert not teacher.is_superuser
    assert teacher.has_usable_password()


@pytest.mark.django_db
@pytest.mark.parametrize(("active", "needed"), [(True, False), (False, True)])
def test_an_admin_who_can_sign_in_is_enough(active: bool, needed: bool) -> None:
    User.objects.create_superuser("root", None, "a long enough password", is_active=active)
    assert (first_admin() is not None) is needed


def test_a_link_to_set_a_password_has_the_public_address(alice: User, settings: Settings) -> None:
    request = RequestFactory().get("/admin/")
    assert set_password_link(request, alice).startswith("http://testserver/accounts/reset/")
    settings.PUBLIC_URL = "https://roomtone.school.example"
    assert set_password_link(request, alice).startswith("https://roomtone.school.example/accounts/reset/")


def test_a_letter_names_the_public_address(alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST, settings.PUBLIC_URL = "mail.school.example", "https://roomtone.school.example"
    letters: list[str] = []
    monkeypatch.setattr(invitations, "send_mail", lambda title, body, *rest: letters.append(body))
    invitations.invite(RequestFactory().get("/admin/"), alice)
    assert "with Roomtone on roomtone.school.example." in letters[0]
    assert "testserver" not in letters[0]


def test_both_addresses_get_a_link() -> None:
    found = {"username": "admin", "path": "/p/"}
    assert [row[1] for row in welcome.links("http://localhost:1", "", found)] == ["http://localhost:1/p/"]
    rows = welcome.links("https://localhost:1", "https://192.0.2.7:1/", found)
    assert [row[1] for row in rows] == ["https://localhost:1/p/", "https://192.0.2.7:1/p/"]


def test_what_goes_into_a_file_or_a_journal_holds_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    product = Product(Choices(folder=tmp_path), Screen())
    monkeypatch.setattr(product, "_run", lambda service: pytest.fail("a link was made for it"))
    assert product._first_admin() is None
    product._folder.close()
    assert any("in a terminal" in note for note in welcome.notes(certificate=False, unsaid=True))
