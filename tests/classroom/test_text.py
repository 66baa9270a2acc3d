"""Names, codes and the words of consent, as properties."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from classroom import codes, consent
from classroom.errors import TextRefusedError
from classroom.models import ClassSession
from classroom.text import distinct_names, person_name, tidy


def _tidied(text: str) -> tuple[str | None, str]:
    try:
        return tidy(text, what="The name", longest=40), ""
    except TextRefusedError as error:
        return None, error.message


@given(st.text(max_size=80))
def test_a_tidy_text_can_be_shown_and_is_left_alone(text: str) -> None:
    """Whatever is typed: refused in words, or one visible line that stays as it is when tidied again."""
    tidied, refusal = _tidied(text)
    if tidied is None:
        assert refusal.startswith("The name")
        return
    assert 1 <= len(tidied) <= 40
    assert tidied == tidied.strip() == unicodedata.normalize("NFC", tidied)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in tidied}
    assert tidy(tidied, what="The name", longest=40) == tidied


def test_an_instructor_without_a_name_is_called_by_what_they_sign_in_with() -> None:
    assert person_name(User(username="ada", first_name="Ada", last_name="King")) == "Ada King"
    assert person_name(User(username="ada")) == "ada"


def test_names_that_occur_twice_are_told_apart() -> None:
    assert distinct_names(["Mia", "Ben", "Mia"]) == ["Mia (1)", "Ben", "Mia (2)"]


@given(st.integers(0, 3), st.booleans())
def test_a_code_survives_every_way_of_typing_it(blanks: int, lower: bool) -> None:
    code = codes.new_join_code()
    typed = (" " * blanks).join(codes.spaced(code))
    assert codes.normalise(typed.lower() if lower else typed) == code


def test_codes_hold_no_letter_that_is_misread() -> None:
    drawn = "".join(codes.new_join_code() for _ in range(500))
    assert set(drawn) <= set(codes.ALPHABET)
    assert not set(codes.ALPHABET) & set("01ILOU")


def test_every_word_counts_in_the_hash() -> None:
    text = consent.text_for(ClassSession(mode="camera"))
    changed = replace(text, short=(replace(text.short[0], text=text.short[0].text + "."), *text.short[1:]))
    assert len({text.sha256, changed.sha256, replace(text, title="Else").sha256}) == 3
    assert consent.text_for(ClassSession(mode="camera")).sha256 == text.sha256


def test_the_text_says_how_often_it_is_measured(settings: Settings) -> None:
    said = {}
    for interval in (1000, 500, 5000):
        settings.SAMPLE_INTERVAL_MS = interval
        said[interval] = consent.text_for(ClassSession(mode="camera"))
    assert "once a second" in said[1000].short[0].text
    assert "every 0.5 seconds" in said[500].short[0].text
    assert "every 5 seconds" in said[5000].whole[0].text
    assert len({text.sha256 for text in said.values()}) == 3


def test_the_text_promises_no_more_than_the_pages_show() -> None:
    """The report says more of who shares with the name than their own page does."""
    told = {paragraph.heading: paragraph.text for paragraph in consent.text_for(ClassSession(mode="camera")).whole}
    assert "same words" not in " ".join(told.values())
    assert "how often each expression was read, by minute and by section" in told["Who sees it"]
    assert "Your own page shows no such summary" in told["Who sees it"]


@pytest.mark.parametrize(
    ("mode", "scopes"), [("camera", ["aggregate", "individual", "none"]), ("check_ins", ["none"])]
)
def test_what_can_be_chosen(mode: str, scopes: list[str]) -> None:
    assert [choice.scope for choice in consent.text_for(ClassSession(mode=mode)).choices] == scopes
