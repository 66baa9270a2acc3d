"""A dashboard in a browser whose socket is played by the test: messages as the product makes them, at its pace."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth.models import User
from playwright.sync_api import Page, WebSocketRoute

from classroom.models import ClassSession
from emotions.messages import Message, MoodSnapshot, MoodTick, Notices, Pace, Point, Tile, TileChange, TileWithHistory
from emotions.mood.trouble import troubled
from tests.browser.conftest import Visitors
from tests.pipeline.students import instructor_cookies

CALM = [0.03, 0.02, 0.03, 0.20, 0.05, 0.05, 0.62]
# The second 0 of every played session.
BEGAN_MS = time.time() * 1000


def point(sequence: int, shares: Sequence[float] | None = CALM, **changes: Any) -> Point:
    known = None if shares is None else list(shares)
    values: dict[str, Any] = {
        "sequence": sequence, "at_ms": BEGAN_MS + sequence * 1000, "shares": known,
        "low": known and [share / 2 for share in known], "high": known and [min(1, share * 2) for share in known],
        "troubled_low": known and troubled(known) / 2, "troubled_high": known and min(1, troubled(known) * 2),
        "joined": 24, "connected": 24, "measured": 21 if known else 3, "uncertain": 0, "not_visible": 2,
        "pace": Pace(lost=1),
    }  # fmt: skip
    return Point(**(values | changes))


def tile(name: str, **changes: Any) -> Tile:
    values: dict[str, Any] = {
        "id": uuid.uuid4(), "name": name, "state": "measured", "label": "happy",
        "uncertain": False, "seen_ms": None, "value": 0.5,
    }  # fmt: skip
    return Tile(**(values | changes))


def snapshot(points: Sequence[Point], tiles: Sequence[Tile] = (), notices: Notices | None = None) -> MoodSnapshot:
    with_history = [TileWithHistory(**each.model_dump(), spark=[0.1, 0.2]) for each in tiles]
    sequence = points[-1].sequence if points else 0
    told = notices or Notices()
    return MoodSnapshot(sequence=sequence, points=list(points), tiles=with_history, markers=[], notices=told)


def tick(
    new: Point, tiles: Sequence[TileChange] = (), gone: Sequence[uuid.UUID] = (), notices: Notices | None = None
) -> MoodTick:
    return MoodTick(point=new, tiles=list(tiles), gone=list(gone), notices=notices)


class PlayedSocket:
    """Answers the page's connections: each begins with the next of `openings`."""

    def __init__(self, page: Page, openings: Sequence[Message]) -> None:
        self.page = page
        self.openings = list(openings)
        self.connections: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/dashboard/**", self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        self.connections.append(route)
        if self.openings:
            route.send(self.openings.pop(0).to_json())

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.connections[-1].send(message.to_json())

    def close(self, code: int) -> None:
        self.connections[-1].close(code=code)

    def wait_for_connection(self, number: int) -> str:
        """The query `after` of the page's connection `number` (from 1), once it is there."""
        end = time.monotonic() + 10
        while len(self.connections) < number:
            assert time.monotonic() < end, "the page did not connect"
            self.page.wait_for_timeout(50)
        return parse_qs(urlsplit(self.connections[number - 1].url).query).get("after", [""])[0]


def played(
    visitors: Visitors,
    session: ClassSession,
    *openings: Message,
    before: Callable[[Page], object] = lambda page: None,
    **options: Any,
) -> PlayedSocket:
    """The dashboard of the session's own instructor, with a played socket; `before` gets the tab."""
    began = datetime.fromtimestamp(BEGAN_MS / 1000, UTC)
    ClassSession.objects.filter(pk=session.pk).update(started_at=began)
    page = visitors.new(camera=False, **options)
    sign_in(page, session.course.instructor, visitors.base_url)
    before(page)
    socket = PlayedSocket(page, openings)
    page.goto(f"/teach/{session.public_id}/")
    socket.wait_for_connection(1)
    return socket


def sign_in(page: Page, user: User, base_url: str) -> None:
    cookies = instructor_cookies(user)
    page.context.add_cookies([{"name": name, "value": value, "url": base_url} for name, value in cookies.items()])


def drawn(page: Page) -> int:
    """How often the chart has been drawn."""
    return int(page.locator("#mood-chart").get_attribute("data-drawn") or 0)


def wait_until(page: Page, expression: str, arg: Any = None, seconds: float = 30.0) -> None:
    """Poll from outside: Playwright's own wait evaluates text within the page, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"not within {seconds:g} s: {expression}"
        page.wait_for_timeout(100)


def wait_for_chart(page: Page, times: int = 1) -> None:
    wait_until(page, "n => Number(document.getElementById('mood-chart').dataset.drawn ?? 0) >= n", times)


def chart(page: Page) -> Any:
    """What Plotly holds: per trace its emotion, times and shares."""
    traces = "({meta, x, y, fillcolor}) => ({meta, x, y, fillcolor})"
    return page.evaluate(f"document.getElementById('mood-chart').data.map({traces})")
