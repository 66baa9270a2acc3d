"""What the teacher may want to act on: who may need them, raised hands, alerts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from classroom.actions import start_session
from classroom.models import CheckIn, ClassSession, Course, Participant
from emotions.messages import Alert, AlertKind, Attention, CloseCode, Hand, Notices, Pace, Tile
from emotions.mood import dismissals
from emotions.reports.wording import RULES
from emotions.store import dismissed_key, sync_redis
from tests.browser.conftest import Join, Visitors
from tests.browser.dashboards import BEGAN_MS, PlayedSocket, played, point, sign_in, snapshot, tick, tile

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
    ada, ben, mia, other = tile("Ada"), tile("Ben"), tile("Mia (1)"), tile("Mia (2)")
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
    expect(page.locator("#attention-said")).to_have_text("May need you: Mia (2).")
    socket.send(tick(point(3)))
    assert names(page) == ["Ada", "Ben", "Mia (2)"]
    page.locator("#attention .who").nth(2).click()
    expect(page.locator("#student-name")).to_have_text("Mia (2)")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("section.attention")).to_be_hidden()
    page.keyboard.press("p")
    socket.send(tick(point(4), notices=Notices()))
    expect(page.locator("#nobody-waits")).to_be_visible()
    # Of now: what was before, they have just seen.
    expect(page.locator("#nobody-waits")).to_contain_text("Nobody is on this list now: here come those who")


def test_who_says_lost_is_named_and_told_until_the_teacher_has_seen_it(
    visitors: Visitors, join: Join, session: ClassSession
) -> None:
    """On the product's own ticker, between both pages. Who shares no name is a number, and nothing else."""
    student, hidden = join("Meera", "individual", timezone_id="Asia/Tokyo"), join("Nisha", "aggregate")
    for page in (student, hidden):
        expect(page.locator("[data-part=state]")).to_have_text("Live")
        page.get_by_role("button", name="Lost").click()
    told = student.locator("[data-part=attention]")
    expect(told).to_contain_text("Your instructor's page says that you may need them: said “lost”")
    said = CheckIn.objects.get(participant__session=session, participant__display_name="Meera")
    said_at = timezone.localtime(said.at)
    expect(told).to_contain_text(f"at {said_at:%H:%M}")  # In the school's zone, as the teacher reads it.
    page = visitors.new(camera=False)
    sign_in(page, session.course.instructor, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/")
    expect(page.locator("#attention strong")).to_have_text(["Meera"])
    expect(page.locator("#attention .who span")).to_contain_text("Said “lost”")
    page.get_by_role("button", name="Seen: take Meera off this list").click()
    expect(page.locator("#nobody-waits")).to_be_visible()
    expect(told).to_be_hidden()
    expect(hidden.locator("[data-part=attention]")).to_be_hidden()


def test_a_long_list_opens_on_demand(visitors: Visitors, session: ClassSession) -> None:
    tiles = [tile(f"Student {n}") for n in range(9)]
    rows = [waiting(one, lost_ms=BEGAN_MS) for one in tiles]
    page = played(visitors, session, snapshot([point(1)], tiles, Notices(attention=rows))).page
    expect(page.locator("#attention li")).to_have_count(4)
    page.get_by_role("button", name="5 more").press("Enter")
    expect(page.locator("#attention li")).to_have_count(9)
    expect(page.locator("#attention .who").nth(4)).to_be_focused()


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


# -- Raised hands


def test_raised_hands_have_names_for_the_teacher_and_a_number_for_the_class(
    visitors: Visitors, session: ClassSession
) -> None:
    student = Participant.objects.create(session=session, display_name="Ada", hand_raised_at=timezone.now())
    ben = tile("Ben")
    hands = [
        Hand(id=student.public_id, name="Ada", at_ms=BEGAN_MS - MINUTE_MS),
        Hand(id=ben.id, name="Ben", at_ms=BEGAN_MS),
    ]
    socket = played(visitors, session, snapshot([point(1)], [ben], Notices(hands=hands)))
    page = socket.page
    expect(page.locator("#hands-title")).to_have_text("2 hands up")
    assert page.locator("#hands strong").all_text_contents() == ["Ada", "Ben"]
    page.keyboard.press("p")
    expect(page.locator("#hands-title")).to_be_visible()
    expect(page.locator("#hands")).to_be_hidden()
    page.keyboard.press("p")
    page.get_by_role("button", name="Lower the hand of Ada").click()
    expect(page.locator("#hands-title")).to_have_text("1 hand up")
    student.refresh_from_db()
    assert student.hand_raised_at is None
    socket.send(tick(point(2), notices=Notices()))
    expect(page.locator("#hands-block")).to_be_hidden()


def test_anybody_can_be_let_out_whatever_they_share(visitors: Visitors, alice: User) -> None:
    session = start_session(Course.objects.create(title="Check-ins", instructor=alice), ClassSession.Mode.CHECK_INS)
    there = timezone.now() + timedelta(hours=1)  # However slow this machine is.
    for name in ("Yan", "Zed"):
        Participant.objects.create(session=session, display_name=name, last_seen_at=there)
    student = visitors.new(camera=False)
    join_without_camera(student, session, "Rude Name")
    student.get_by_role("button", name="Raise my hand").click()
    page = visitors.new(camera=False)
    sign_in(page, alice, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/")
    page.locator("#hands .who").click()
    expect(page.locator("#student-words")).to_have_text("Shares no readings with their name.")
    expect(page.locator("#student-readings")).to_be_hidden()
    let_out(page)
    expect(page.locator("#student-dialog")).to_be_hidden()
    expect(student.locator("[data-part=ending]")).to_be_visible()
    page.get_by_role("button", name="Who is here").click()
    expect(page.locator("#people-note")).to_have_text("Press a name to see or remove a student.")
    expect(page.locator("#people li")).to_have_count(2)
    expect(page.locator("#people li").last).to_have_text(re.compile(r"^Zed\s*joined \d\d:\d\d$"))
    page.get_by_role("button", name="Zed").click()
    expect(page.locator("#student-name")).to_have_text("Zed")
    let_out(page)
    page.get_by_role("button", name="Who is here").click()
    expect(page.locator("#people li")).to_have_text(re.compile("^Yan"))
    assert [one.display_name for one in session.participants.filter(removed_at=None)] == ["Yan"]


def join_without_camera(student: Page, session: ClassSession, name: str) -> None:
    student.goto(f"/join/{session.join_code}/")
    student.get_by_label("Your name").fill(name)
    student.get_by_role("button", name="Join").click()
    student.locator("button[value=none]").click()
    expect(student.locator("[data-part=state]")).to_have_text("Connected")


def test_who_has_closed_the_page_is_on_the_list_and_not_connected(visitors: Visitors, session: ClassSession) -> None:
    now = datetime.fromtimestamp(point(1).at_ms / 1000, UTC)  # The played session's, which begins before its tests.
    long_ago, lately = now - timedelta(minutes=10), now - timedelta(seconds=20)
    for name, seen in (("Ada", now + timedelta(hours=1)), ("Ben", long_ago), ("Cy", None), ("Mia", None)):
        Participant.objects.create(session=session, display_name=name, joined_at=long_ago, last_seen_at=seen)
    Participant.objects.filter(display_name="Cy").update(joined_at=lately)
    page = played(visitors, session, snapshot([point(1)])).page
    page.get_by_role("button", name="Who is here").click()
    joined = f"joined {timezone.localtime(long_ago):%H:%M}"
    expect(page.locator("#people li")).to_have_text(
        [
            f"Ada{joined}",
            f"Ben{joined}, not connected since {timezone.localtime(long_ago):%H:%M}",
            f"Cyjoined {timezone.localtime(lately):%H:%M}",
            f"Mia{joined}, never connected",
        ]
    )


def let_out(page: Page) -> None:
    page.get_by_role("button", name="Remove from the session…").click()
    page.get_by_role("button", name="Remove", exact=True).click()


def test_a_hand_goes_up_and_down_between_both_pages(visitors: Visitors, alice: User) -> None:
    """Without a camera, in a session of check-ins alone, on the product's own ticker."""
    session = start_session(Course.objects.create(title="Check-ins", instructor=alice), ClassSession.Mode.CHECK_INS)
    student = visitors.new(camera=False)
    join_without_camera(student, session, "Meera")
    hand = student.get_by_role("button", name="Raise my hand")
    expect(student.locator("[data-part=hand-answer]")).to_contain_text("Your instructor sees your name")
    hand.click()
    lower = student.get_by_role("button", name="Lower my hand")
    expect(lower).to_be_focused()  # The button that was pressed, with another word on it.
    page = visitors.new(camera=False)
    sign_in(page, alice, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/")
    expect(page.locator("#hands strong")).to_have_text("Meera")
    page.get_by_role("button", name="Lower the hand of Meera").click()
    expect(page.locator("#hands-block")).to_be_hidden()
    expect(hand).to_be_visible()
    hand.click()
    expect(page.locator("#hands-title")).to_have_text("1 hand up")
    lower.click()
    expect(page.locator("#hands-block")).to_be_hidden()
    for _ in range(12):  # Who plays with it is not cut off.
        for name in ("Raise my hand", "Got it", "Lower my hand"):
            if (button := student.get_by_role("button", name=name)).is_visible():
                button.click(force=True)
    student.wait_for_timeout(5000)
    expect(student.locator("[data-part=state]")).to_have_text("Connected")


# -- Alerts


def test_an_alert_is_a_calm_line_a_list_and_a_mark_on_the_timeline(visitors: Visitors, session: ClassSession) -> None:
    words = "Mood fell 24 points in 2 minutes: about 8 of 21 look troubled; 21 of 24 students measured."
    older = Alert(kind="too_fast", at_ms=BEGAN_MS + 5000, words="5 of 24 said too fast in the last 3 minutes.")
    alert = Alert(kind="mood", at_ms=BEGAN_MS + 50_000, words=words)
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 60)], (), Notices(alerts=[older])))
    page = socket.page
    expect(page.locator("#alerts-title")).to_have_text("1 alert")
    socket.send(tick(point(60), notices=Notices(alerts=[older, alert])))
    expect(page.locator("#alert")).to_have_text(words)
    expect(page.locator("#attention-said")).to_have_text(words)
    page.locator("#alerts-title").press("Enter")
    listed = page.locator("#alerts li").all_text_contents()
    assert [re.sub(r"^\d\d:\d\d ", "", line) for line in listed] == [alert.words, older.words]
    expect(page.locator("#mood-chart .annotation-text").first).to_have_text("Mood fell")
    kinds = page.evaluate(
        """async ([address, kinds]) => {
          const { asMarkers } = await import(address);
          return asMarkers(kinds.map((kind, at_ms) => ({ kind, at_ms })));
        }""",
        ["/static/emotions/js/dashboard/notices.js", get_args(AlertKind)],
    )
    assert kinds == [
        {"at_ms": n, "label": label} for n, label in enumerate(["Mood fell", "Lost", "Too fast", "Too slow"])
    ]
    socket.send(tick(point(150)))
    expect(page.locator("#alert")).to_be_hidden()
    expect(page.locator("#alerts-title")).to_have_text("2 alerts")


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_nothing_moves_when_an_alert_comes_and_goes(visitors: Visitors, session: ClassSession, width: int) -> None:
    """Whoever is about to press "Seen" presses it."""
    ada = tile("Ada")
    waits = [waiting(ada, lost_ms=BEGAN_MS)]
    size: Any = {"width": width, "height": 844}
    opening = snapshot([point(n) for n in range(1, 60)], [ada], Notices(attention=waits))
    socket = played(visitors, session, opening, viewport=size)
    page, seen = socket.page, socket.page.locator("#attention [data-done]")
    expect(seen).to_be_visible()
    before = seen.bounding_box()
    words = "Mood fell 24 points in 2 minutes: about 8 of 21 look troubled; 21 of 24 students measured."
    alerts = [Alert(kind="mood", at_ms=BEGAN_MS + 59_000, words=words)]
    socket.send(tick(point(60), notices=Notices(attention=waits, alerts=alerts)))
    expect(page.locator("#alert")).to_have_text(words)
    expect(page.locator("#alert")).to_be_in_viewport(ratio=1)
    assert seen.bounding_box() == before
    socket.send(tick(point(160)))
    expect(page.locator("#alert")).to_be_hidden()
    assert seen.bounding_box() == before


def test_the_focus_stays_on_its_row_while_the_list_changes(visitors: Visitors, session: ClassSession) -> None:
    """Whoever works with the keyboard is not thrown to the top of the page by somebody else's trouble."""
    ada, ben, mia = tile("Ada"), tile("Ben"), tile("Mia")
    now = BEGAN_MS + 1000
    rows = [waiting(student, lost_ms=now) for student in (ada, ben)]
    socket = played(visitors, session, snapshot([point(1)], [ada, ben, mia], Notices(attention=rows)))
    page = socket.page
    seen = page.locator("#attention [data-done]")
    expect(seen).to_have_count(2)
    seen.nth(1).focus()
    socket.send(tick(point(2), notices=Notices(attention=[waiting(mia, lost_ms=now - MINUTE_MS), *rows])))
    expect(page.locator("#attention li")).to_have_count(3)
    assert names(page) == ["Mia", "Ada", "Ben"]
    expect(seen.nth(2)).to_be_focused()
    socket.send(tick(point(3), notices=Notices()))
    expect(page.locator("#attention li")).to_have_count(0)
    expect(page.locator("#attention-title")).to_be_focused()


def test_the_focus_goes_on_to_the_neighbour_of_a_tile_that_goes(visitors: Visitors, session: ClassSession) -> None:
    ada, ben, cy = tile("Ada"), tile("Ben"), tile("Cy")
    socket = played(visitors, session, snapshot([point(1)], [ada, ben, cy]))
    buttons = socket.page.locator("#tiles button")
    buttons.nth(0).focus()
    socket.send(tick(point(2), gone=[ada.id]))
    expect(buttons).to_have_count(2)
    expect(buttons.nth(0)).to_be_focused()
    buttons.nth(0).press("Enter")
    expect(socket.page.locator("#student-name")).to_have_text("Ben")
    socket.send(tick(point(3), gone=[ben.id]))  # With the dialog that was opened from it.
    expect(socket.page.locator("#student-dialog")).to_be_hidden()
    expect(socket.page.locator("#students-title")).to_be_focused()
    buttons.nth(0).focus()
    socket.send(tick(point(4), gone=[cy.id]))
    expect(buttons).to_have_count(0)
    expect(socket.page.locator("#students-title")).to_be_focused()


def with_a_refusal(visitors: Visitors, session: ClassSession) -> PlayedSocket:
    """Ada waits, and cannot be waved off the list."""
    ada = tile("Ada")
    rows = Notices(attention=[waiting(ada, lost_ms=BEGAN_MS)])
    socket = played(visitors, session, snapshot([point(1)], [ada], rows))
    socket.page.route("**/dismiss/", lambda route: route.fulfill(status=409, json={"error": "Not now."}))
    return socket


def test_a_message_that_is_dismissed_gives_the_focus_back(visitors: Visitors, session: ClassSession) -> None:
    page = with_a_refusal(visitors, session).page
    seen, dismiss = page.locator("#attention [data-done]"), page.get_by_role("button", name="Dismiss")
    seen.press("Enter")
    dismiss.press("Enter")
    expect(page.locator(".toast")).to_have_count(0)
    expect(seen).to_be_focused()
    seen.press("Enter")
    expect(dismiss).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    dismiss.click()
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


# Of what is said, whether the region had been there, and was rendered, before.
LISTEN = """() => {
  const regions = [...document.querySelectorAll("[role=status]")];
  const known = new Set(regions.filter((region) => region.checkVisibility()));
  const heard = (region) => {
    const words = region?.textContent.trim();
    if (words) window.said.push([known.has(region), words]);
  };
  window.said = [];
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      heard((target.nodeType === 1 ? target : target.parentElement)?.closest("[role=status]"));
      for (const node of addedNodes) if (node.nodeType === 1 && node.matches("[role=status]")) heard(node);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_what_is_heard_is_said_in_a_region_that_was_there_before(visitors: Visitors, session: ClassSession) -> None:
    """Many screen readers are silent about a region that comes together with its words."""
    socket = with_a_refusal(visitors, session)
    page = socket.page
    seen = page.locator("#attention [data-done]")
    expect(seen).to_be_visible()
    page.evaluate(LISTEN)
    alert = Alert(kind="lost", at_ms=BEGAN_MS + 2000, words="5 of 24 said lost in the last 3 minutes.")
    socket.send(tick(point(2), notices=Notices(alerts=[alert])).model_copy(update={"unread": True}))
    expect(page.locator("#alert")).to_be_visible()
    expect(page.locator("#unread")).to_be_visible()
    expect(page.locator("#unread-said")).to_contain_text("Nobody reads the pictures just now")
    ada = tile("Ada")
    rows = Notices(attention=[waiting(ada, lost_ms=BEGAN_MS)], alerts=[alert])
    socket.send(tick(point(3), [ada], notices=rows))
    seen.click()
    expect(page.locator(".toast")).to_be_visible()
    said = page.evaluate("window.said")
    assert [words for there, words in said if not there] == []
    everything = " ".join(words for _there, words in said)
    for words in (alert.words, "Nobody reads the pictures just now", "Not now."):
        assert words in everything


# Each text that the region has had.
HEARD = """
    window.heard = [];
    addEventListener("DOMContentLoaded", () => {
      const region = document.getElementById("spoken");
      const note = () => region.textContent && window.heard.push(region.textContent);
      new MutationObserver(note).observe(region, { childList: true, characterData: true, subtree: true });
    });
"""
TROUBLED = [0.15, 0.05, 0.20, 0.05, 0.30, 0.05, 0.20]


class Told:
    """A class whose seconds the test plays, and what was heard of it."""

    def __init__(self, visitors: Visitors, session: ClassSession) -> None:
        clock: dict[str, Any] = {"before": lambda page: page.clock.install(), "script": HEARD}
        self.socket = played(visitors, session, snapshot([point(1, None, **NOBODY)]), **clock)
        self.page = self.socket.page
        self.second = 1
        expect(self.page.locator("#connection-words")).to_have_text("Live")

    def goes_on(self, seconds: int, *args: Any, **changes: Any) -> list[str]:
        """What was heard in these seconds."""
        already = len(self.page.evaluate("window.heard"))
        for _ in range(seconds):
            self.second += 1
            self.socket.send(tick(point(self.second, *args, **changes)))
            self.page.clock.run_for(1000)
        heard: list[str] = self.page.evaluate("window.heard")
        return heard[already:]


NOBODY: dict[str, Any] = {"joined": 0, "connected": 0, "measured": 0, "not_visible": 0}


def test_those_who_hear_the_page_hear_what_is_true_by_now(visitors: Visitors, session: ClassSession) -> None:
    """A class that is coming in is another one each second; then only another mood, or other words, are news."""
    told = Told(visitors, session)
    assert told.goes_on(2, None, **(NOBODY | {"joined": 1})) == []  # Nobody is connected yet.
    assert told.goes_on(8, None, joined=3, connected=3, measured=1, not_visible=0) == [RULES["under_floor"]]
    assert told.goes_on(30, None, measured=3) == []
    expect(told.page.locator("#spoken")).to_have_text("")
    assert told.goes_on(30) == ["Calm, but about 3 of 21 look troubled."]
    assert told.goes_on(40, uncertain=4, measured=19, pace=Pace(lost=2)) == []
    (heard,) = told.goes_on(30, pace=Pace(lost=5))
    assert heard == "Calm, but about 3 of 21 look troubled; 5 say they are lost."
    (heard,) = told.goes_on(30, TROUBLED, pace=Pace(lost=7))
    assert re.fullmatch(r"Uneasy: about \d+ of 21 look troubled; 7 say they are lost\.", heard)


def test_the_spoken_summary_can_be_switched_off_and_stays_so(visitors: Visitors, session: ClassSession) -> None:
    told = Told(visitors, session)
    told.page.get_by_role("button", name="Spoken summary: on").click()
    assert told.goes_on(30) == []
    told.socket.openings.append(snapshot([point(n) for n in range(1, 40)]))
    told.page.reload()
    told.second = 40
    told.page.get_by_role("button", name="Spoken summary: off").click()
    assert told.goes_on(10) == ["Calm, but about 3 of 21 look troubled."]


# -- The tab


def test_the_tabs_title_calls_where_no_frame_is_painted_and_names_nobody(
    visitors: Visitors, session: ClassSession
) -> None:
    """A tab behind another one has no frames."""
    hands = [Hand(id=tile(name).id, name=name, at_ms=BEGAN_MS) for name in ("Ada", "Ben")]
    alert = Alert(kind="lost", at_ms=BEGAN_MS + 2000, words="5 of 24 said lost in the last 3 minutes.")
    socket = played(visitors, session, snapshot([point(1)]), script="window.requestAnimationFrame = () => 0;")
    expect(socket.page).to_have_title("Calculus 1 · live · Roomtone")
    socket.send(tick(point(2), notices=Notices(hands=hands, alerts=[alert])))
    expect(socket.page).to_have_title("2 hands · 1 alert · Calculus 1 · live · Roomtone")
    socket.send(tick(point(100), notices=Notices(hands=hands[:1], alerts=[alert])))
    expect(socket.page).to_have_title("1 hand · Calculus 1 · live · Roomtone")
    socket.close(int(CloseCode.NO_SUCH_SESSION))
    expect(socket.page).to_have_title("Calculus 1 · live · Roomtone")


def test_three_presses_of_a_key_remove_nobody(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(1)], [tile("Ada")]))
    page = socket.page
    removed: list[str] = []
    page.on("request", lambda asked: removed.append(asked.url) if "/remove/" in asked.url else None)
    page.locator("#tiles button").focus()
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
    expect(page.locator("#student-dialog")).to_be_visible()  # opened, closed, opened
    page.get_by_role("button", name="Remove from the session").click()
    expect(page.locator("#remove-question")).to_be_focused()
    expect(page.locator("#remove-name")).to_have_text("Remove Ada from this session?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#remove-step")).to_be_hidden()
    assert not removed


def test_an_answer_that_comes_late_lets_out_whom_it_names(visitors: Visitors, session: ClassSession) -> None:
    """Not whose dialog is open by then."""
    ada, ben = tile("Ada"), tile("Ben")
    page = played(visitors, session, snapshot([point(1)], [ada, ben])).page
    held: list[Route] = []
    page.route("**/remove/", lambda route: held.insert(0, route))
    page.locator("#tiles").get_by_role("button", name="Ada").click()
    let_out(page)
    page.keyboard.press("Escape")
    page.locator("#tiles").get_by_role("button", name="Ben").click()
    held[0].fulfill(json={"ok": True, "participant": str(ada.id)})
    expect(page.locator("#tiles .name")).to_have_text(["Ben"])
    expect(page.locator("#student-name")).to_have_text("Ben")
    expect(page.locator("#student-dialog")).to_be_visible()


def test_the_same_news_is_heard_again(visitors: Visitors, session: ClassSession) -> None:
    ada = tile("Ada")
    rows = Notices(attention=[waiting(ada, lost_ms=BEGAN_MS)])
    socket = played(visitors, session, snapshot([point(1)], [ada], rows), before=lambda page: page.clock.install())
    said = socket.page.locator("#attention-said")
    expect(said).to_have_text("May need you: Ada.")
    socket.page.clock.run_for(6_000)
    expect(said).to_have_text("")
    socket.send(tick(point(2), notices=Notices()))
    expect(socket.page.locator("#nobody-waits")).to_be_visible()
    socket.send(tick(point(3), notices=rows))
    expect(said).to_have_text("May need you: Ada.")


def test_before_the_socket_speaks_the_page_claims_nothing_of_students(
    visitors: Visitors, session: ClassSession
) -> None:
    """And what needs the script waits for it."""
    page = played(visitors, session).page
    expect(page.locator("#nobody-waits")).to_be_hidden()
    expect(page.locator("#no-students")).to_be_hidden()
    expect(page.locator("#students-title")).to_have_text("Students who share with their name")
    expect(page.locator("[data-opens=end-dialog]")).to_be_enabled()
