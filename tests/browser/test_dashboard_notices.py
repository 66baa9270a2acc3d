"""What the teacher may want to act on, against a played socket: who may need them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from classroom.models import ClassSession, Participant
from emotions.messages import Attention, Notices, Tile
from emotions.mood import dismissals
from emotions.store import dismissed_key, sync_redis
from tests.browser.conftest import Visitors
from tests.browser.dashboards import BEGAN_MS, played, point, snapshot, tick, tile

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000


def waiting(who: Tile, **reasons: Any) -> Attention:
    values: dict[str, Any] = {"troubled_ms": None, "unsure": False, "lost_ms": None}
    return Attention(id=who.id, **(values | reasons))


def names(page: Page) -> list[str]:
    return page.locator("#attention strong").all_text_contents()


def words(page: Page) -> list[str]:
    return page.locator("#attention .who span").all_text_contents()


def test_who_may_need_the_teacher_and_why(visitors: Visitors, session: ClassSession) -> None:
    ada, ben, mia, other = tile("Ada"), tile("Ben"), tile("Mia"), tile("Mia")
    now = BEGAN_MS + 1000
    rows = [
        waiting(ada, troubled_ms=now - 4 * MINUTE_MS),
        waiting(ben, troubled_ms=now - 2 * MINUTE_MS, unsure=True, lost_ms=now - MINUTE_MS),
    ]
    socket = played(visitors, session, snapshot([point(1)], [ada, ben, mia, other], Notices(attention=rows)))
    page = socket.page
    expect(page.locator("#attention li")).to_have_count(2)
    assert names(page) == ["Ada", "Ben"]
    assert words(page) == [
        "Looked troubled more than usual for 4 minutes, fairly sure",
        "Said “lost” 1 min ago · looked troubled more than usual for 2 minutes, unsure",
    ]
    expect(page.locator("#nobody-waits")).to_be_hidden()
    socket.send(tick(point(2), notices=Notices(attention=[*rows, waiting(other, lost_ms=now)])))
    expect(page.locator("#attention-said")).to_have_text("May need you: Mia (2)")
    socket.send(tick(point(3)))
    assert names(page) == ["Ada", "Ben", "Mia (2)"]
    page.locator("#attention .who").nth(2).click()
    expect(page.locator("#student-name")).to_have_text("Mia (2)")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("#attention-card")).to_be_hidden()
    page.keyboard.press("p")
    socket.send(tick(point(4), notices=Notices()))
    expect(page.locator("#nobody-waits")).to_be_visible()


def test_a_long_list_opens_on_demand(visitors: Visitors, session: ClassSession) -> None:
    tiles = [tile(f"Student {n}") for n in range(9)]
    rows = [waiting(one, lost_ms=BEGAN_MS) for one in tiles]
    page = played(visitors, session, snapshot([point(1)], tiles, Notices(attention=rows))).page
    expect(page.locator("#attention li")).to_have_count(4)
    page.get_by_role("button", name="5 more").click()
    expect(page.locator("#attention li")).to_have_count(9)


def test_seen_takes_the_name_off_and_says_so_to_the_server(visitors: Visitors, session: ClassSession) -> None:
    students = [Participant.objects.create(session=session, display_name=name) for name in ("Ada", "Ben")]
    tiles = [tile(student.display_name, id=student.public_id) for student in students]
    rows = [waiting(one, lost_ms=BEGAN_MS) for one in tiles]
    page = played(visitors, session, snapshot([point(1)], tiles, Notices(attention=rows))).page
    page.get_by_role("button", name="Seen: take Ada off this list").press("Enter")
    expect(page.locator("#attention li")).to_have_count(1)
    assert names(page) == ["Ben"]
    assert list(dismissals.parse(sync_redis().hgetall(dismissed_key(session.pk)))) == [students[0].pk]
    expect(page.get_by_role("button", name="Seen: take Ben off this list")).to_be_focused()
