"""`manage.py screenshots`: the pictures of the README, taken from a running product with synthetic students."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from classroom.local.browsers import find_chromium

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# A report down to its students by minute; all of it would be a long strip.
TALL = {"width": 1440, "height": 1740}
WAIT_MS = 60_000
# The chart is drawn every two seconds; a reading comes back within one.
SETTLE_MS = 3_000


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of the dashboard (or of its report) to take."""

    name: str
    theme: str
    viewport: dict[str, int]
    page: str = ""
    whole: bool = False


SHOTS = (
    Shot("dashboard", "light", DESKTOP),
    Shot("dashboard-dark", "dark", DESKTOP),
    Shot("dashboard-phone", "light", PHONE, whole=True),
    Shot("report", "light", TALL, page="report/"),
)


class Command(BaseCommand):
    help = (
        "Take the pictures of the README from a running demo. Needs playwright (requirements-dev.txt) and Chromium."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder for the PNGs")
        parser.add_argument("--url", default="http://localhost:8000", help="the running product")
        parser.add_argument("--username", default="instructor")
        parser.add_argument("--password", required=True, help="as `make run` prints it")

    def handle(self, *args: Any, **options: Any) -> None:
        options["out"].mkdir(parents=True, exist_ok=True)
        with chromium() as browser:
            instructor = Instructor(browser, options["url"].rstrip("/"))
            instructor.sign_in(options["username"], options["password"])
            for shot in SHOTS:
                self._say(instructor.take(shot, options["out"]))
            self._say(take_student(browser, instructor.join_address(), options["out"]))

    def _say(self, path: Path) -> None:
        self.stdout.write(f"{path} ({path.stat().st_size // 1024} kB)")


class Instructor:
    """A signed-in instructor with a live session."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser, self.url = browser, url
        self.state: Any = None
        self.dashboard = ""

    def sign_in(self, username: str, password: str) -> None:
        """Raises CommandError when the product refuses, or no session is live."""
        context = self.browser.new_context(base_url=self.url, ignore_https_errors=True)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", password)
        with page.expect_navigation():
            page.press("[name=password]", "Enter")
        self.dashboard = _live_dashboard(page)
        if not self.dashboard:
            raise CommandError(f"{self.url}: signing in failed, or {username} has no live session")
        self.state = context.storage_state()
        context.close()

    def take(self, shot: Shot, folder: Path) -> Path:
        context = self._context(viewport=shot.viewport, color_scheme=shot.theme)
        page = context.new_page()
        page.goto(self.dashboard + shot.page)
        page.wait_for_selector("#mood-chart[data-drawn]", timeout=WAIT_MS)
        page.wait_for_timeout(SETTLE_MS)
        path = folder / f"{shot.name}.png"
        page.screenshot(path=path, full_page=shot.whole)
        context.close()
        return path

    def join_address(self) -> str:
        context = self._context()
        page = context.new_page()
        page.goto(self.dashboard)
        code = page.locator("[data-join-code]").first.text_content().strip()
        context.close()
        return f"{self.url}/join/{code}/"

    def _context(self, **options: Any) -> Any:
        return self.browser.new_context(
            base_url=self.url, storage_state=self.state, ignore_https_errors=True, **options
        )


def _live_dashboard(page: Any) -> str:
    """The address of the first live session among the courses that the page lists; empty without one."""
    courses = [link.get_attribute("href") for link in page.locator("a[href^='/courses/'].card").all()]
    for course in courses:
        page.goto(course)
        link = page.get_by_role("link", name="Open the dashboard")
        if link.count():
            return str(link.first.get_attribute("href"))
    return ""


def take_student(browser: Any, address: str, folder: Path) -> Path:
    """A student's phone, after the first reading. Leaves the session afterwards by closing the page."""
    context = browser.new_context(viewport=PHONE, permissions=["camera"], ignore_https_errors=True)
    page = context.new_page()
    page.goto(address)
    page.fill("[name=display_name]", "Meera")
    page.press("[name=display_name]", "Enter")
    page.click("button[value=aggregate]")
    page.locator("[data-part=line]", has_text=re.compile("^You look")).wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(SETTLE_MS)
    path = folder / "student.png"
    page.screenshot(path=path)
    context.close()
    return path


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser whose camera shows a synthetic face. Raises CommandError where one of its parts is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise CommandError("playwright is missing: pip install -r requirements-dev.txt") from None
    found = find_chromium()
    if found is None:
        raise CommandError("Chromium is missing (Debian, Ubuntu: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream"]
        flags.append(f"--use-file-for-fake-video-capture={_camera(Path(folder))}")
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


def _camera(folder: Path) -> Path:
    """A film of one picture of a synthetic student, as Chromium takes it for a camera."""
    import numpy as np

    from emotions.simulation.pictures import encode
    from ml.synthetic import SyntheticFaces, compose_frame

    rng = np.random.default_rng(7)
    picture = encode(compose_frame(SyntheticFaces.load().face("happy", rng), rng, 640, 480))
    film = folder / "camera.mjpeg"
    film.write_bytes(picture * 20)
    return film
