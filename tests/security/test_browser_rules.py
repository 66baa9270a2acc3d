"""What browsers are told about our pages, and what an installation that says nothing is set to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from classroom import headers
from classroom.local.folder import CHECKOUT
from classroom.models import ClassSession, Participant
from tests.conftest import PASSWORD
from tests.security import addresses

SECRET = "a-key-of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz"
SCHOOL = {
    "ROOMTONE_PROFILE": "consent",
    "ROOMTONE_SECRET_KEY": SECRET,
    "ROOMTONE_ALLOWED_HOSTS": "roomtone.school.example",
}


def _manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command under these settings, and none of this test's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROOMTONE_", "DJANGO_"))}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=CHECKOUT, env=kept | environment, text=True, capture_output=True)


def _setting(words: str, **environment: str) -> str:
    program = f"from django.conf import settings; print({words})"
    ran = _manage("shell", "--verbosity", "0", "-c", program, **environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


# -- An installation


def test_a_schools_settings_pass_djangos_own_check() -> None:
    ran = _manage("check", "--deploy", "--fail-level", "WARNING", **SCHOOL)
    assert (ran.returncode, "no issues" in ran.stdout) == (0, True), ran.stdout + ran.stderr


@pytest.mark.parametrize(("address", "warned"), [("", True), ("https://roomtone.school.example", False)])
def test_who_sends_letters_is_asked_where_their_links_lead(address: str, warned: bool) -> None:
    letters = SCHOOL | {"EMAIL_HOST": "mail.school.example"}
    letters |= {"ROOMTONE_PUBLIC_URL": address} if address else {}
    ran = _manage("check", "--deploy", "--fail-level", "WARNING", **letters)
    assert (ran.returncode != 0, "Set ROOMTONE_PUBLIC_URL" in ran.stderr) == (warned, warned), ran.stdout + ran.stderr


@pytest.mark.parametrize("key", ["", "too-short-to-be-a-secret"])
def test_without_a_secret_key_nothing_starts(key: str) -> None:
    ran = _manage("check", **(SCHOOL | {"ROOMTONE_SECRET_KEY": key}))
    assert ran.returncode == 1
    assert "ROOMTONE_SECRET_KEY" in ran.stderr
    assert not key or key not in ran.stderr


def test_cookies_and_hsts_are_strict_unless_somebody_says_otherwise() -> None:
    names = "SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SESSION_COOKIE_HTTPONLY SECURE_SSL_REDIRECT DEBUG"
    words = ", ".join(f"settings.{name}" for name in names.split())
    assert _setting(words, **SCHOOL) == "True True True True False"
    words = "settings.SECURE_HSTS_SECONDS, settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE"
    assert _setting(words, **SCHOOL) == "31536000 Lax Lax"
    # Other sites of the school's, below this name, are not ours to bind.
    words = "settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD"
    assert _setting(words, **SCHOOL) == "False False"


# -- Every page


def _pages() -> list[str]:
    return [name for name in addresses.names() if not name.startswith("admin:(")]


@pytest.mark.parametrize("name", _pages())
def test_every_answer_carries_the_rules(
    name: str, client: Client, session: ClassSession, sam: Participant, alice: User
) -> None:
    """Also a redirect, a refusal, a file."""
    answer = client.get(addresses.address_of(name, addresses.Scene(session, sam)))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not {"unsafe", "*", "http:", "https:", "blob: 'self'"} & set(policy.replace("'", " ").split())
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ("camera=(self)" in answer["Permissions-Policy"]) is (name in {"student", "try", "room"})
    assert "microphone=()" in answer["Permissions-Policy"]


def test_a_static_file_carries_them_too(client: Client, settings: Any) -> None:
    answer = client.get("/static/no-such-file.js")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Permissions-Policy"] == headers.permissions(())


def test_what_a_page_needs_is_a_feature_that_is_off_elsewhere() -> None:
    names = set(addresses.names())
    for name, features in headers.NEEDED.items():
        assert name in names
        assert set(features) <= set(headers.FEATURES)


# -- Ways elsewhere


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "https:evil.example", "http:///evil.example", "javascript:alert(1)", "https://testserver@evil.example",
        "\tjavascript:alert(1)", "https://testserver.evil.example/", "data:text/html,x", "/\t/evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("door", ["login", "logout", "admin:login"])
def test_no_door_leads_to_another_site(
    door: str, elsewhere: str, client: Client, dana: User, deployment: None
) -> None:
    data = {"username": "dana", "password": PASSWORD, "next": elsewhere}
    answer = client.post(f"{reverse(door)}?{'x=1'}", data)
    assert answer.status_code == 302
    assert answer["Location"] in {"/", "/courses/", "/admin/"}


def test_a_host_that_is_not_ours_is_refused(client: Client, db: None) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_signing_in_gives_the_visit_a_new_key(client: Client, alice: User) -> None:
    """At both doors: a key that somebody planted before is worth nothing afterwards."""
    for door in (reverse("login"), reverse("admin:login")):
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = planted = str(session.session_key)
        User.objects.filter(pk=alice.pk).update(is_staff=True)
        client.post(door, {"username": "alice", "password": PASSWORD})
        assert client.session.session_key != planted
        assert not client.session.exists(planted)
        client.logout()


def test_every_claim_of_the_page_on_security_names_a_test_that_exists() -> None:
    page = (CHECKOUT / "docs/security.md").read_text()
    rows = page.split("## What holds")[1].split("## What does not hold")[0].splitlines()
    claims = [row for row in rows if row.startswith("| ") and "shown by" not in row]
    assert len(claims) > 15
    for claim in claims:
        named = re.findall(r"`([a-z]+/[a-z_]*(?:\.\w+)?)`", claim.split("|")[2])
        assert named, claim
        assert all((CHECKOUT / "tests" / name).exists() for name in named), claim
