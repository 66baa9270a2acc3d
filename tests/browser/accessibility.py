"""What axe-core finds on a page, and how the page looks: in both themes, on a desk and on a phone.

SCREENSHOTS=<folder> in the environment keeps a picture of every page that is held to it:

    make test SCREENSHOTS=build/pages ARGS=tests/browser/test_accessibility.py
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Visitors

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def violations(page: Page) -> list[str]:
    """One line each: the rule and the place."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


@dataclass(frozen=True, slots=True)
class Looks:
    """A page as somebody sees it. axe-core is put into it by a script, which the page's own policy forbids."""

    visitors: Visitors
    theme: str
    viewport: dict[str, int]

    @property
    def options(self) -> dict[str, Any]:
        """Of a browser's context."""
        return {"color_scheme": self.theme, "viewport": self.viewport, "bypass_csp": True}

    def page(self, **more: Any) -> Page:
        return self.visitors.new(**self.options, **more)

    def hold(self, page: Page, name: str) -> None:
        """No rule is broken, and nothing makes the page wider than it is."""
        if folder := os.environ.get("SCREENSHOTS"):
            path = Path(folder) / f"{name}-{self.theme}-{self.viewport['width']}.png"
            page.screenshot(path=path, full_page=True)
        broken = violations(page)
        assert not broken, f"{name}: {broken}"
        assert page.evaluate("document.documentElement.scrollWidth") <= self.viewport["width"], name
