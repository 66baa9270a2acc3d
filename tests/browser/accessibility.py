"""What axe-core finds on a page, and how the page looks: in both themes, on a desk and on a phone.

SCREENSHOTS=<folder> in the environment keeps a picture of every page that is held to it:

    make test SCREENSHOTS=build/pages ARGS=tests/browser/test_accessibility.py
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Visitors

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What another theme can change: it is the same page in other colours."""
THEMES: dict[Literal["dark", "light"], dict[str, Any]] = {"dark": COLOURS, "light": EVERYTHING}
SETTLED = "() => Promise.all(document.getAnimations().map(({ finished }) => finished)).then(() => null)"
"""Django's administration fades from one colour to the next, however much motion somebody wants."""


def violations(page: Page, options: dict[str, Any]) -> list[str]:
    """One line each: the rule and the place. `options`: axe-core's."""
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


@dataclass(frozen=True, slots=True)
class Looks:
    """A page as somebody sees it. axe-core is put into it by a script, which the page's own policy forbids."""

    visitors: Visitors
    viewport: dict[str, int]

    @property
    def options(self) -> dict[str, Any]:
        """Of a browser's context."""
        return {"viewport": self.viewport, "bypass_csp": True, "reduced_motion": "reduce"}

    def page(self, **more: Any) -> Page:
        return self.visitors.new(**self.options, **more)

    def hold(self, page: Page, name: str) -> None:
        """No rule is broken in either theme, and nothing makes the page wider than it is."""
        for theme, options in THEMES.items():
            page.emulate_media(color_scheme=theme)
            page.evaluate(SETTLED)
            self._keep(page, f"{name}-{theme}")
            broken = violations(page, options)
            assert not broken, f"{name}, {theme}: {broken}"
        assert page.evaluate("document.documentElement.scrollWidth") <= self.viewport["width"], name

    def _keep(self, page: Page, name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{self.viewport['width']}.png", full_page=True)
