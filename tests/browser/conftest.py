"""A real Chromium with a camera that shows a synthetic face, and pages that must not complain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from classroom.actions import start_session
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course
from tests.browser.fake_camera import write_video

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
]
# What an answer of 4xx leaves in the console; the tests that expect one look at the page.
NOT_A_COMPLAINT = "Failed to load resource: the server responded with a status of 4"
# Every call for the camera is counted: there must be none before consent.
COUNT_CALLS = """
    window.cameraCalls = 0;
    const devices = navigator.mediaDevices;
    if (devices) {
      const open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (wanted) => { window.cameraCalls += 1; return open(wanted); };
    }
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
"""


@dataclass
class Visitors:
    """Makes browser contexts (each with cookies of its own) and keeps what their pages complained about."""

    browser: Browser
    base_url: str
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def new(self, *, camera: bool = True, script: str = "", **options: Any) -> Page:
        """A visitor's first tab. `camera`: whether the browser may open it without asking."""
        context = self.browser.new_context(base_url=self.base_url, **options)
        context.set_default_timeout(15_000)
        if camera:
            context.grant_permissions(["camera"], origin=self.base_url)
        context.add_init_script(COUNT_CALLS + script)
        self.contexts.append(context)
        return self.watch(context.new_page())

    def tab(self, page: Page) -> Page:
        """Another tab of the same visitor."""
        return self.watch(page.context.new_page())

    def watch(self, page: Page) -> Page:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NOT_A_COMPLAINT):
            self.complaints.append(f"{message.location}: {message.text}")


@pytest.fixture(scope="session")
def face_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("camera") / "face.mjpeg")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """One a module: while it lives, no other event loop runs in this thread."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str, playwright: Playwright, face_video: Path) -> Iterator[Browser]:
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={face_video}"]
    launched = playwright.chromium.launch(executable_path=chromium, args=flags)
    yield launched
    launched.close()


@pytest.fixture
def visitors(product: RunningProduct, browser: Browser) -> Iterator[Visitors]:
    """Fails a test whose pages broke the content security policy, threw, or wrote an error to the console."""
    made = Visitors(browser, product.base_url)
    yield made
    for context in made.contexts:
        context.close()
    assert made.complaints == []


@pytest.fixture
def session(alice: User) -> ClassSession:
    """A live session of Alice's; the name of its course is its own."""
    return start_session(Course.objects.create(title="Calculus 1", instructor=alice))


Join = Callable[..., Page]


@pytest.fixture
def join(visitors: Visitors, session: ClassSession) -> Join:
    """`join(name, scope, before, **options of Visitors.new)`: a student on their own page; `before` gets the tab."""

    def join_as(
        name: str = "Meera",
        scope: str = "aggregate",
        before: Callable[[Page], object] = lambda page: None,
        **options: Any,
    ) -> Page:
        page = visitors.new(**options)
        before(page)
        page.goto(f"/join/{session.join_code}/")
        page.get_by_label("Your name").fill(name)
        page.get_by_role("button", name="Join").click()
        page.locator(f"button[value={scope}]").click()
        page.wait_for_url(f"**/session/{session.public_id}/")
        return page

    return join_as
