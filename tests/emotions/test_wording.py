"""The words for a class mood: what they say, and what they never say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotions.mood.trouble import troubled
from emotions.reports import wording
from ml.labels import INDEX, LABELS
from tests.emotions.mood_data import CALM, TROUBLED


def point(shares: Any = CALM, **changes: Any) -> dict[str, Any]:
    values = {"joined": 24, "connected": 24, "measured": 21, "not_visible": 2, "uncertain": 0, "pace": {}}
    values |= {"on_device": 0, "troubled_low": None, "troubled_high": None}
    return {"shares": shares, **values, **changes}


def only(label: str) -> list[float]:
    return [1.0 if name == label else 0.0 for name in LABELS]


@pytest.mark.parametrize(
    ("given_point", "sentence"),
    [
        (point(), "Calm, but about 3 of 21 look troubled."),
        (point(TROUBLED), "Uneasy: about 15 of 21 look troubled."),
        (point(only("neutral")), "Calm, hardly anybody looks troubled."),
        (point(only("happy")), "Cheerful, hardly anybody looks troubled."),
        (point(measured=6), "Calm, but about 1 of 6 looks troubled."),
        (point(pace={"lost": 5}), "Calm, but about 3 of 21 look troubled; 5 say they are lost."),
        (point(pace={"lost": 2}), "Calm, but about 3 of 21 look troubled."),
        (
            point(only("neutral"), pace={"too_fast": 18}),
            "Calm, hardly anybody looks troubled; 18 say it is too fast.",
        ),
        (
            point(only("neutral"), pace={"lost": 3, "too_fast": 3, "too_slow": 9}),
            "Calm, hardly anybody looks troubled; 9 say it is too slow, 3 that they are lost, 3 that it is too fast.",
        ),
        (
            point(only("neutral"), pace={"lost": 2, "too_fast": 9, "got_it": 20}),
            "Calm, hardly anybody looks troubled; 9 say it is too fast.",
        ),
        (
            point(only("neutral"), connected=80, pace={"lost": 10, "too_fast": 9}),
            "Calm, hardly anybody looks troubled; 10 say they are lost.",
        ),
        (
            point(None, measured=3, pace={"too_fast": 9}),
            f"{wording.RULES['under_floor']} 9 students say it is too fast.",
        ),
        (point(None, measured=8, pace={"too_fast": 2}), wording.RULES["withheld"]),
        (point(None, measured=3), wording.RULES["under_floor"]),
        (point(None, measured=8), wording.RULES["withheld"]),
        (point(None, measured=0), wording.RULES["under_floor"]),
        (point(None, measured=0, connected=0), "Nobody is connected now."),
        (point(None, measured=0, connected=0, joined=0), "Nobody is in this session now."),
    ],
)
def test_the_class_in_one_sentence(given_point: dict[str, Any], sentence: str) -> None:
    assert wording.sentence(given_point) == sentence


def test_without_measuring_the_students_words_are_the_sentence() -> None:
    assert wording.sentence(point(None, pace={"lost": 3}), measuring=False) == "3 of 24 say they are lost."
    assert wording.sentence(point(None, pace={"lost": 1}), measuring=False) == "1 of 24 says they are lost."
    nobody = "Nobody says they are lost or that the pace is wrong."
    assert wording.sentence(point(None), measuring=False) == nobody
    assert wording.sentence(point(None, pace={"got_it": 4}), measuring=False) == nobody
    assert wording.sentence(point(None, pace={"withheld": 3}), measuring=False) == wording.RULES["unheard"]


@pytest.mark.parametrize(
    ("pace", "sentence"),
    [
        ({"too_fast": 18}, "18 of 24 say it is too fast."),
        ({"too_slow": 1}, "1 of 24 says it is too slow."),
        ({"lost": 2, "too_fast": 9}, "9 of 24 say it is too fast, 2 that they are lost."),
        ({"lost": 1, "too_fast": 1, "withheld": 3}, "1 of 24 says they are lost, 1 that it is too fast."),
    ],
)
def test_every_word_about_the_pace_is_heard_and_the_commonest_first(pace: dict[str, int], sentence: str) -> None:
    assert wording.sentence(point(None, pace=pace), measuring=False) == sentence


def test_who_lost_the_connection_still_counts_among_those_who_said_so() -> None:
    """The pace has their last words, so "of" is said of all who are there: never "6 of 2"."""
    said = wording.sentence(point(None, joined=10, connected=2, pace={"lost": 6}), measuring=False)
    assert said == "6 of 10 say they are lost."
    said = wording.sentence(point(None, joined=3, connected=0, pace={"lost": 3}), measuring=False)
    assert said == "3 of 3 say they are lost."


def test_coverage_says_what_the_mood_rests_on() -> None:
    parts = wording.coverage(point(uncertain=4))
    assert parts == ["Rests on 21 of 24 students", "2 not visible", f"1 {wording.RULES['left_out']}", "4 unsure"]
    assert wording.coverage(point(measured=24, not_visible=0)) == ["Rests on 24 of 24 students"]
    assert wording.coverage(point(measured=24, not_visible=0, on_device=9))[1:] == ["9 on their own device"]
    assert wording.coverage(point(None, measured=3))[1:] == ["2 not visible", f"19 {wording.RULES['left_out']}"]
    assert wording.coverage(point(None, measured=0))[0] == "24 connected"


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.05, 0.24), ["most likely 1 to 5 look troubled"]),
        ((0.0, 0.06), ["most likely 0 to 1 look troubled"]),
        ((0.13, 0.14), []),
        ((None, None), []),
    ],
)
def test_the_number_in_the_sentence_has_its_band(ends: tuple[float | None, float | None], said: list[str]) -> None:
    ends_of = dict(zip(("troubled_low", "troubled_high"), ends, strict=True))
    parts = wording.coverage(point(measured=21, connected=21, not_visible=0, **ends_of))
    assert parts == ["Rests on 21 of 21 students", *said]
    assert wording.coverage(point(None, measured=3, connected=3, not_visible=0)) == ["3 of 3 measured"]


def test_a_report_says_where_pictures_were_read() -> None:
    own = "on the students’ own devices"
    assert wording.on_device(None, only=False) == wording.on_device(0.0, only=False) == []
    assert wording.on_device(0.25, only=False) == [f"25\xa0% of it was read {own}, the rest on the server."]
    assert wording.on_device(0.4, only=True) == [f"40\xa0% of it was read {own}, the rest on the server."]
    hardly = f"Hardly any of it was read {own}, nearly all on the server."
    assert wording.on_device(0.004, only=False) == wording.on_device(0.004, only=True) == [hardly]
    assert wording.on_device(0.005, only=False) == [f"1\xa0% of it was read {own}, the rest on the server."]
    assert wording.on_device(1.0, only=True) == [f"Every picture was read {own}; none left them."]


@pytest.mark.parametrize("share", [1.0, 0.997])
def test_where_the_server_might_have_read_one_nobody_claims_that_none_went_there(share: float) -> None:
    """A student whose camera shows no face is in no reading, and their pictures may go to the server."""
    assert wording.on_device(share, only=False) == ["Nearly all of it was read on the students’ own devices."]


@given(st.lists(st.floats(0.001, 1), min_size=7, max_size=7), st.integers(5, 500))
def test_every_mood_has_words_and_no_verdict(weights: list[float], measured: int) -> None:
    shares = [weight / sum(weights) for weight in weights]
    said = wording.sentence(point(shares, measured=measured, connected=measured))
    assert said.endswith(".")
    assert " is sad" not in said
    assert " are sad" not in said
    count = wording.rounded(troubled(shares) * measured)
    assert ("hardly anybody" in said) if count == 0 else (f"about {count} of {measured} " in said)


def test_troubled_is_what_the_rules_list() -> None:
    assert wording.RULES["troubled"] == ["angry", "disgust", "fear", "sad"]
    assert troubled(CALM) == pytest.approx(sum(CALM[INDEX[name]] for name in wording.RULES["troubled"]))


def test_halves_are_rounded_up_as_in_the_browser() -> None:
    assert [wording.rounded(value) for value in (0.5, 1.5, 2.5, 2.49)] == [1, 2, 3, 2]
    assert wording.percent(0.205) == "21\xa0%"
