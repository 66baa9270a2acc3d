"""The tokens of the design: contrast, and that light and dark name the same ones. No browser is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

TEXT, SIGN = 4.5, 3.0  # WCAG 2.2: AA for text; for the outline of a control and for a graphic.
THEMES = {
    "light": r":root \{(.*?)\}",
    "dark by the system": r':root:not\(\[data-theme="light"\]\) \{(.*?)\}',
    "dark by choice": r':root\[data-theme="dark"\] \{(.*?)\}',
}
EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise"]  # Neutral is pale on purpose, and outlined.


def tokens(theme: str) -> dict[str, str]:
    css = Path(str(finders.find("classroom/css/tokens.css"))).read_text()
    block = re.search(THEMES[theme], css, re.DOTALL)
    assert block, theme
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_signs_have_contrast(theme: str) -> None:
    colours = tokens(theme)
    least = {"ink": TEXT, "muted": TEXT, "accent": TEXT, "edge": SIGN}
    for name, ratio in least.items():
        for ground in ["page", "card"]:
            assert contrast(colours[name], colours[ground]) >= ratio, (name, ground)
    assert contrast(colours["muted"], colours["wash"]) >= TEXT
    assert contrast(colours["on-accent"], colours["accent"]) >= TEXT
    assert contrast(colours["page"], colours["ink"]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_emotions_stand_out_from_the_card_that_a_chart_lies_on(theme: str) -> None:
    colours = tokens(theme)
    for emotion in EMOTIONS:
        assert contrast(colours[emotion], colours["card"]) >= SIGN, emotion


def test_dark_is_the_same_dark_however_it_is_chosen() -> None:
    assert tokens("dark by the system") == tokens("dark by choice")
    assert tokens("light").keys() == tokens("dark by choice").keys()
