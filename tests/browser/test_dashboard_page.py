"""The live page against a played socket: what it shows, when it comes back, what it never does."""

from __future__ import annotations

import json
import re
import sys
import time
import uuid
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from classroom import actions, codes, consent
from classroom.models import ClassSession, Course, Marker
from classroom.templatetags.roomtone import duration
from classroom.views.answers import SIGNED_OUT
from emotions.messages import (
    SPARK_LENGTH,
    Attention,
    CloseCode,
    MarkerPlaced,
    MarkersChanged,
    Notices,
    Pace,
    SessionChanged,
    StillHere,
    Tile,
    TileChange,
)
from emotions.reports import charts, sharers, wording
from emotions.reports.rows import MarkerRow, MoodRow
from ml.labels import LABELS
from tests.browser.accessibility import THEMES
from tests.browser.conftest import Visitors
from tests.browser.dashboards import (
    BEGAN_MS,
    CALM,
    chart,
    played,
    point,
    sign_in,
    snapshot,
    tick,
    tile,
    wait_for_chart,
    wait_until,
)
from tests.browser.test_student_colours import SIGN, contrast

pytestmark = pytest.mark.browser

TROUBLED = [0.15, 0.05, 0.20, 0.05, 0.30, 0.05, 0.20]
SCRIPTS = "/static/emotions/js/dashboard/"
# The first page of a tab is as another version would have made it.
FROM_BEFORE = """
    if (!sessionStorage.before) {
      sessionStorage.before = true;
      new MutationObserver(() => {
        const format = document.querySelector("meta[name=page-format]");
        if (format) format.content = "0badf00d";
      }).observe(document, { childList: true, subtree: true });
    }
"""


def sentence(page: Page) -> str:
    return page.locator("#sentence").inner_text()


def tile_names(page: Page) -> list[str]:
    return page.locator("#tiles .name").all_text_contents()


# -- What it shows


def test_the_page_says_what_the_tick_says(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 60)]))
    page = socket.page
    expect(page.locator("#sentence")).to_have_text("Calm, but about 3 of 21 look troubled.")
    expect(page.locator("#coverage")).to_have_text(
        "Rests on 21 of 24 students · most likely 1 to 5 look troubled · 2 not visible · "
        f"1 {wording.RULES['left_out']}"
    )
    expect(page.locator("#now li.neutral > :last-child")).to_have_text("62\xa0%")
    heard = "Neutral, 90 % band: 31\xa0% to 100\xa0%, estimate 62\xa0%"
    assert page.locator("#now li.neutral").text_content() == heard
    expect(page.locator("#connection-words")).to_have_text("Live")
    socket.send(*(tick(point(n, TROUBLED)) for n in range(60, 80)))
    expect(page.locator("#sentence")).to_have_text("Uneasy: about 15 of 21 look troubled.")
    expect(page.locator("#now li.sad > :last-child")).to_have_text("30\xa0%")
    expect(page.locator("#pace [data-word=lost]")).to_have_text("1")


def test_the_sentence_and_the_bars_speak_of_the_same_seconds(visitors: Visitors, session: ClassSession) -> None:
    """Ten calm seconds, then five troubled ones: the mean of both, and of both bands."""
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 60)]))
    page = socket.page
    socket.send(*(tick(point(n, TROUBLED)) for n in range(60, 65)))
    expect(page.locator("#sentence")).to_have_text("Calm, but about 7 of 21 look troubled.")
    expect(page.locator("#now li.sad")).to_have_text("Sad, 90 % band: 7\xa0% to 27\xa0%, estimate 13\xa0%")
    expect(page.locator("#now li.neutral > :last-child")).to_have_text("48\xa0%")


def test_the_chart_moves_and_matches_what_was_sent(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 30)]))
    wait_for_chart(socket.page)
    before = {trace["meta"]: trace for trace in chart(socket.page)}
    assert list(before) == list(charts.STACK)
    assert before["neutral"]["y"][-1] == pytest.approx(0.62)
    socket.send(*(tick(point(n, TROUBLED)) for n in range(30, 60)))
    wait_for_chart(socket.page, 4)
    after = {trace["meta"]: trace for trace in chart(socket.page)}
    assert after["neutral"]["x"][-1] > before["neutral"]["x"][-1]
    assert after["neutral"]["y"][-1] == pytest.approx(0.20)
    assert after["sad"]["y"][-1] == pytest.approx(0.30)
    assert len(after["sad"]["x"]) <= charts.MOST_POINTS


def test_under_the_floor_nothing_is_drawn_and_the_page_says_why(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(n, None) for n in range(1, 10)]))
    page = socket.page
    expect(page.locator("#sentence")).to_have_text(wording.RULES["under_floor"])
    expect(page.locator("#now li.happy > :last-child")).to_have_text("–")
    others = wording.RULES["left_out"]
    expect(page.locator("#coverage")).to_have_text(f"3 of 24 measured · 2 not visible · 19 {others}")
    expect(page.locator("#no-mood")).to_have_text("The timeline begins with the first class mood.")
    expect(page.locator("#no-mood")).to_be_visible()
    wait_for_chart(page)
    assert chart(page) == []


def test_before_anybody_joins_the_code_is_the_page(visitors: Visitors, session: ClassSession) -> None:
    nobody = {"joined": 0, "connected": 0, "measured": 0, "not_visible": 0}
    socket = played(visitors, session, snapshot([point(1, None, **nobody)]))
    expect(socket.page.locator("#lobby .code")).to_be_visible()
    expect(socket.page.locator("#lobby img")).to_be_visible()
    expect(socket.page.locator("#class")).to_be_hidden()
    socket.send(tick(point(2, None, **(nobody | {"joined": 1, "connected": 1}))))
    expect(socket.page.locator("#lobby")).to_be_hidden()
    expect(socket.page.locator("#sentence")).to_have_text(wording.RULES["under_floor"])
    socket.send(tick(point(3, None, **nobody)))
    expect(socket.page.locator("#sentence")).to_have_text("Nobody is in this session now.")
    expect(socket.page.locator("#lobby")).to_be_hidden()  # Who has left leaves a timeline behind.


# -- Students who share individually


def test_tiles_say_in_words_what_they_show(visitors: Visitors, session: ClassSession) -> None:
    tiles = [
        tile("Ada"),
        tile("Ben", label="sad", uncertain=True),
        tile("Cy", state="not_visible", label=None, value=None, seen_ms=point(1).at_ms - 180_000),
        tile("Di", state="paused", label=None, value=None, seen_ms=None),
        tile("Mia (1)"),
        tile("Mia (2)"),
    ]
    socket = played(visitors, session, snapshot([point(1)], tiles))
    page = socket.page
    expect(page.locator("#tiles li")).to_have_count(6)
    assert tile_names(page) == ["Ada", "Ben", "Cy", "Di", "Mia (1)", "Mia (2)"]
    assert page.locator("#tiles .word").all_text_contents()[:4] == ["Happy", "Sad?", "Not visible", "Paused"]
    assert page.locator("#tiles .seen").all_text_contents()[2:4] == ["seen 3 min ago", "not seen yet"]
    page.get_by_role("button", name="Ben").click()
    expect(page.locator("#student-words")).to_have_text("Looks sad, unsure.")
    expect(page.locator("#student-curve")).to_have_text("All along neutral.")


CURVES = [
    ([], ""),
    ([0.9], "All along pleasant."),
    ([0.9, -0.9], "First pleasant, last unpleasant."),
    ([0.6] * 13 + [0.1] * 14 + [-0.5] * 13, "First pleasant, then neutral, last unpleasant."),
    ([0.6] * 13 + [0.1] * 14 + [0.5] * 13, "First pleasant, then neutral, last pleasant."),
    ([-0.6] * 27 + [0.2] * 13, "First unpleasant, last neutral."),
]


def test_a_curve_is_told_in_words(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    said = page.evaluate(
        """async ([address, curves]) => {
          const { curveWords } = await import(address);
          return curves.map((values) => curveWords(values));
        }""",
        [f"{SCRIPTS}words.js", [values for values, _ in CURVES]],
    )
    assert said == [words for _, words in CURVES]


def test_the_tile_that_has_the_focus_shows_it(visitors: Visitors, session: ClassSession) -> None:
    """What lies outside of a tile is cut off, as it is laid out only where it is seen."""
    page = played(visitors, session, snapshot([point(1)], [tile("Ada")])).page
    page.locator("#tiles button").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    outline = page.locator("#tiles button:focus-visible").evaluate(
        "button => ['outlineOffset', 'outlineWidth'].map((name) => parseFloat(getComputedStyle(button)[name]))"
    )
    assert outline[1] >= 2
    assert sum(outline) <= 0


def test_the_number_of_a_namesake_is_never_cut_off(visitors: Visitors, session: ClassSession) -> None:
    name = "A name as long as a name can ever be here (2)"
    page = played(visitors, session, snapshot([point(1)], [tile(name)]), viewport={"width": 390, "height": 844}).page
    expect(page.locator("#tiles .name")).to_have_text(name)
    expect(page.locator("#tiles button")).to_have_attribute("title", f"{name} · Looks happy, fairly sure")
    cut, inside = page.evaluate("""() => {
      const [given, which] = ["given", "which"].map((name) => document.querySelector(`#tiles .${name}`));
      const ends = [which, which.closest(".name")].map((element) => element.getBoundingClientRect().right);
      return [given.scrollWidth > given.clientWidth, ends[0] <= ends[1] + 0.5];
    }""")
    assert cut
    assert inside


def test_namesakes_keep_their_numbers_over_a_reload_and_in_the_report(
    visitors: Visitors, session: ClassSession
) -> None:
    """On the product's own ticker. Their ids sort against their joining."""
    for number in sorted((uuid.uuid4() for _ in range(2)), reverse=True):
        student = actions.join(session, "Mia")
        student.public_id = number
        student.save(update_fields=["public_id"])
        actions.record_consent(student, "individual", consent.text_for(session).sha256)
    page = visitors.new(camera=False)
    sign_in(page, session.course.instructor, visitors.base_url)
    reported = {str(one.id): one.name for one in sharers.of_session(session)}
    for load in (page.goto, lambda _address: page.reload()):
        load(f"/teach/{session.public_id}/")
        expect(page.locator("#tiles .name")).to_have_text(["Mia (1)", "Mia (2)"], timeout=20_000)
        shown = page.locator("#tiles li").evaluate_all(
            "all => all.map((item) => [item.dataset.id, item.querySelector('.name').textContent])"
        )
        assert dict(shown) == reported


def test_a_tick_touches_only_what_it_changes(visitors: Visitors, session: ClassSession) -> None:
    """500 students, of whom one changes: one tile is touched, the others not at all."""
    tiles = [tile(f"Student {n:03}", state="paused", label=None, value=None, seen_ms=None) for n in range(500)]
    socket = played(visitors, session, snapshot([point(1)], tiles))
    page = socket.page
    expect(page.locator("#tiles li")).to_have_count(500)
    page.wait_for_timeout(1500)
    page.evaluate("""() => {
      window.touched = new Set();
      const note = (changes) => changes.forEach(({target}) => {
        const element = target.nodeType === 1 ? target : target.parentElement;
        window.touched.add(element.closest("[data-id]")?.dataset.id ?? "grid");
      });
      const options = {subtree: true, childList: true, attributes: true, characterData: true};
      new MutationObserver(note).observe(document.getElementById("tiles"), options);
    }""")
    look = tiles[7].model_dump() | {"name": None, "state": "measured", "label": "sad", "value": -0.5}
    socket.send(tick(point(2), [TileChange(**look)]))
    page.wait_for_timeout(1500)
    assert page.evaluate("[...window.touched]") == [str(tiles[7].id)]
    expect(page.locator(f"[data-id='{tiles[7].id}'] .name")).to_have_text("Student 007")


def test_a_sparkline_grows_by_what_the_page_has_already(visitors: Visitors, session: ClassSession) -> None:
    """As `tests.emotions.ticks.apply_tick`: a tile that is not in the tick goes on with its value."""
    ada = tile("Ada", value=0.5)
    socket = played(visitors, session, snapshot([point(1)], [ada]))
    socket.send(*(tick(point(n)) for n in range(2, 4)))
    line = socket.page.locator("#tiles polyline")
    expect(line).to_have_attribute("points", re.compile(r"^(\S+ ){3}\S+$"))
    socket.send(*(tick(point(n)) for n in range(4, 4 + SPARK_LENGTH)))
    expect(line).to_have_attribute("points", re.compile(rf"^(\S+ ){{{SPARK_LENGTH - 1}}}\S+$"))
    socket.send(tick(point(100), gone=[ada.id]))
    expect(socket.page.locator("#tiles li")).to_have_count(0)


def test_a_marker_that_is_set_on_another_page_is_shown(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 4)]))
    socket.send(MarkersChanged(markers=[MarkerPlaced(id=7, label="Quiz", at_ms=point(2).at_ms)]))
    expect(socket.page.locator("#markers-title")).to_have_text("1 marker")
    socket.send(MarkersChanged(markers=[]))
    expect(socket.page.locator("#markers-block")).to_be_hidden()


def test_tiles_sort_by_name_by_time_and_by_ease(visitors: Visitors, session: ClassSession) -> None:
    tiles = [
        tile("Bo", state="paused", label=None, value=None, seen_ms=point(2).at_ms),
        tile("Ada", value=0.9),
        tile("Ben", value=-0.9),
        tile("Cy", state="paused", label=None, value=None, seen_ms=point(3).at_ms),
    ]
    socket = played(visitors, session, snapshot([point(4)], tiles))
    socket.send(tick(point(5)))
    page = socket.page
    expect(page.locator("#tiles li")).to_have_count(4)
    for order, names in [
        ("attention", ["Ben", "Ada", "Bo", "Cy"]),
        ("time", ["Ada", "Ben", "Cy", "Bo"]),
        ("name", ["Ada", "Ben", "Bo", "Cy"]),
    ]:
        page.get_by_label("Sort by").select_option(order)
        assert tile_names(page) == names
    lost = Attention(id=tiles[3].id, troubled_ms=None, unsure=False, lost_ms=point(5).at_ms)
    socket.send(tick(point(6), notices=Notices(attention=[lost])))
    expect(page.locator("#attention strong")).to_have_text("Cy")
    page.get_by_label("Sort by").select_option("attention")
    assert tile_names(page) == ["Cy", "Ben", "Ada", "Bo"]


def test_tiles_stay_in_order_after_a_look_at_one(visitors: Visitors, session: ClassSession) -> None:
    """The dialog gives the focus back to its tile, which is no hand on the tiles; the keyboard is one."""
    tiles = [tile("Ada", value=0.9), tile("Ben", value=-0.2)]
    socket = played(visitors, session, snapshot([point(1)], tiles))
    page = socket.page
    page.get_by_label("Sort by").select_option("attention")
    page.locator("#tiles").get_by_role("button", name="Ada").click()
    page.locator("#student-dialog").get_by_role("button", name="Close").click()
    page.mouse.move(0, 0)
    focused = page.locator(f"[data-id='{tiles[0].id}'] button")
    expect(focused).to_be_focused()
    socket.send(tick(point(2), [as_change(tile("Cy", value=-0.8))]))
    expect(page.locator("#tiles .name")).to_have_text(["Cy", "Ben", "Ada"])
    expect(focused).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#tiles :focus-visible")).to_have_count(1)
    socket.send(tick(point(3), [as_change(tile("Di", value=-0.9))]))
    expect(page.locator("#tiles .name")).to_have_text(["Cy", "Ben", "Ada", "Di"])


def as_change(new: Tile) -> TileChange:
    return TileChange(**new.model_dump())


MEASURE = """
    window.work = [];
    window.longest = 0;
    const later = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) => later((now) => {
      const began = performance.now();
      callback(now);
      window.work.push(performance.now() - began);
    });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
    }).observe({ type: "longtask" });
    // How fast this machine is now: the same sum takes about 10 ms on a free core.
    window.reference = () => {
      const began = performance.now();
      let sum = 0;
      for (let n = 0; n < 8e6; n += 1) sum += Math.sqrt(n);
      return sum && performance.now() - began;
    };
"""


def test_a_class_of_two_hundred_stays_smooth(
    visitors: Visitors, session: ClassSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """Per tick: words, bars, 200 sparklines, 40 tiles that look different. The figures are printed; the bounds are
    loose, and go with how fast the machine is at the moment."""
    tiles = [tile(f"Student {n:03}") for n in range(200)]
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 60)], tiles), script=MEASURE)
    page = socket.page
    expect(page.locator("#tiles li")).to_have_count(200)
    wait_for_chart(page)
    page.evaluate("window.work.length = window.longest = 0")
    for second in range(20):
        label = ("sad", "happy")[second % 2]
        changed = [one.model_copy(update={"label": label, "value": second / 20}) for one in tiles[second % 5 :: 5]]
        socket.send(tick(point(60 + second), changed))
        page.wait_for_timeout(250)
    work = sorted(page.evaluate("window.work"))
    longest, reference = page.evaluate("[window.longest, window.reference()]")
    middle, slow = work[len(work) // 2], max(1.0, reference / 10)
    with capsys.disabled():
        sys.stdout.write(
            f"\n200 tiles: {middle:.1f} ms a tick (median of {len(work)}), longest task {longest:.0f} ms "
            f"(the reference sum: {reference:.0f} ms)\n"
        )
    assert middle < 16 * 2 * slow
    assert longest < 50 * 4 * slow


def test_on_a_projector_no_name_is_shown(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(1)], [tile("Ada")]))
    page = socket.page
    expect(page.get_by_text("Ada")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_text("Ada")).to_be_hidden()
    expect(page.locator("#sentence")).to_be_visible()
    expect(page.get_by_role("button", name="End session")).to_be_hidden()
    page.get_by_role("button", name="Leave projector").click()
    expect(page.get_by_text("Ada")).to_be_visible()
    expect(page.get_by_role("button", name="Projector", exact=True)).to_be_visible()


# The screen of a test is as large as its window already.
NO_FULL_SCREEN = "Element.prototype.requestFullscreen = () => Promise.reject(new Error('not here'));"
WALL: dict[str, Any] = {"viewport": {"width": 1920, "height": 1080}, "script": NO_FULL_SCREEN}
PLACES = [".annotation-text", ".xtick text", "#pace dd", "#sentence", "#now li"]
SIZES = "all => all.map((place) => parseFloat(getComputedStyle(document.querySelector(place)).fontSize))"


def sizes(page: Page) -> dict[str, float]:
    """How large it is written in PLACES, in pixels."""
    return dict(zip(PLACES, page.evaluate(SIZES, PLACES), strict=True))


def test_on_a_projector_all_is_large_and_then_as_before(visitors: Visitors, session: ClassSession) -> None:
    points = [point(n) for n in range(1, 200)]
    socket = played(visitors, session, snapshot(points), **WALL)
    page = socket.page
    marked = [MarkerPlaced(id=n, label=f"Slide {n}", at_ms=point(60 * n).at_ms) for n in (1, 2)]
    socket.send(MarkersChanged(markers=marked))
    expect(page.locator(".annotation-text")).to_have_count(2)
    before = sizes(page)
    page.keyboard.press("p")
    wait_until(page, "getComputedStyle(document.querySelector('.annotation-text')).fontSize === '18px'")
    on_the_wall = sizes(page)
    assert on_the_wall[".xtick text"] == 18
    assert on_the_wall["#pace dd"] >= 60
    assert on_the_wall["#now li"] >= 20
    box = page.locator("#class").bounding_box()
    assert box
    assert box["width"] > 1800
    page.keyboard.press("p")
    wait_until(page, "getComputedStyle(document.querySelector('.annotation-text')).fontSize === '12px'")
    assert sizes(page) == before


def test_a_wall_without_a_mood_is_filled_by_the_pace(visitors: Visitors, alice: User) -> None:
    session = actions.start_session(
        Course.objects.create(title="Check-ins", instructor=alice), ClassSession.Mode.CHECK_INS
    )
    said = point(1, None, pace=Pace(lost=5, too_fast=3), measured=0, not_visible=0)
    page = played(visitors, session, snapshot([said]), **WALL).page
    expect(page.locator("#sentence")).to_have_text("5 of 24 say they are lost, 3 that it is too fast.")
    expect(page.locator(".site-footer")).not_to_contain_text("estimates")  # Nothing is measured.
    page.keyboard.press("p")
    box = page.locator("#class").bounding_box()
    assert box
    assert 0.6 * 1080 < box["height"] < 0.95 * 1080
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_the_chart_follows_the_theme(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 9)]), color_scheme="light")
    page = socket.page
    wait_for_chart(page)
    assert chart(page)[3]["fillcolor"] == "#1e9de0"
    page.locator("[data-theme-toggle]").click()
    wait_until(page, "document.getElementById('mood-chart').data[3].fillcolor === '#8fbeef'")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_the_page_without_scrolling_sideways(
    visitors: Visitors, session: ClassSession, width: int
) -> None:
    tiles = [tile("A name as long as a name can ever be here") for _ in range(8)]
    opening = snapshot([point(n) for n in range(1, 40)], tiles)
    page = played(visitors, session, opening, viewport={"width": width, "height": 844}).page
    wait_for_chart(page)
    expect(page.get_by_label("Sort by")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", THEMES)
def test_a_button_is_told_from_the_number_beside_it(
    visitors: Visitors, session: ClassSession, theme: Literal["dark", "light"]
) -> None:
    """By an outline of 3:1. While the class goes on, nothing is more urgent than the rest: none of them is filled."""
    looks: dict[str, Any] = {"color_scheme": theme, "reduced_motion": "reduce"}
    rows = Notices(
        attention=[Attention(id=(ada := tile("Ada")).id, troubled_ms=None, unsure=False, lost_ms=BEGAN_MS)]
    )
    page = played(visitors, session, snapshot([point(1)], [ada], rows), **looks).page
    expect(page.locator("#attention .button")).to_be_enabled()
    buttons = page.evaluate(
        """() => [...document.querySelectorAll(".button")].filter((one) => one.checkVisibility()).map((one) => {
          const { borderTopColor, backgroundColor } = getComputedStyle(one);
          return [one.textContent.trim(), borderTopColor, backgroundColor];
        })"""
    )
    said = " ".join(words for words, *_ in buttons)
    assert all(word in said for word in ("Marker", "Projector", "End session", "Seen"))
    for words, line, ground in buttons:
        assert contrast(as_hex(line), as_hex(ground)) >= SIGN, words
    assert len({ground for *_, ground in buttons}) == 1


def as_hex(colour: str) -> str:
    """Of "rgb(251, 250, 248)"."""
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


# -- The connection


def test_a_lost_connection_comes_back_without_a_gap(visitors: Visitors, session: ClassSession) -> None:
    missed = snapshot([point(n) for n in range(13, 31)])
    socket = played(visitors, session, snapshot([point(n) for n in range(1, 11)]), missed)
    page = socket.page
    socket.send(tick(point(11)), tick(point(12)))
    expect(page.locator("#connection-words")).to_have_text("Live")
    wait_for_chart(page)
    page.evaluate(
        """() => {
          window.heard = [];
          const words = document.getElementById("connection-words");
          new MutationObserver(() => window.heard.push(words.textContent)).observe(words, { childList: true });
        }"""
    )
    socket.close(1011)
    assert socket.wait_for_connection(2) == "12"
    expect(page.locator("#connection-words")).to_have_text("Live")
    assert page.evaluate("window.heard") == ["Connection lost. Trying again", "Live"]
    wait_until(page, "document.getElementById('mood-chart').data[0].x.length >= 30")
    times = chart(page)[0]["x"]
    assert {round((b - a) / 1000) for a, b in pairwise(times)} == {1}


@pytest.mark.parametrize(
    ("code", "words", "sign_in"),
    [(CloseCode.NOT_JOINED, "signed out", True), (CloseCode.NO_SUCH_SESSION, "no longer yours", False)],
)
def test_a_final_close_is_said_and_not_fought(
    visitors: Visitors, session: ClassSession, code: CloseCode, words: str, sign_in: bool
) -> None:
    socket = played(visitors, session, snapshot([point(1)]))
    socket.close(int(code))
    expect(socket.page.locator("#closed-words")).to_contain_text(words)
    expect(socket.page.locator("#closed-sign-in")).to_be_visible(visible=sign_in)
    expect(socket.page.get_by_role("button", name="End session")).to_be_hidden()
    socket.page.wait_for_timeout(2500)
    assert len(socket.connections) == 1


def test_a_page_from_before_an_update_loads_itself_anew(visitors: Visitors, session: ClassSession) -> None:
    page = visitors.new(camera=False, script=FROM_BEFORE)
    sign_in(page, session.course.instructor, visitors.base_url)
    page.clock.install()
    page.goto(f"/teach/{session.public_id}/")
    expect(page.locator("#closed-words")).to_contain_text("Roomtone was updated.")
    page.clock.fast_forward(60_000)
    expect(page.locator("#connection-words")).to_have_text("Live")


def changed(code: str, *, ended: bool = False) -> SessionChanged:
    """A session that another tab has locked."""
    shown, path = codes.spaced(code), f"/join/{code}/"
    return SessionChanged(join_code=code, code_shown=shown, join_path=path, joining_locked=True, ended=ended)


def test_an_end_elsewhere_leads_to_the_report(visitors: Visitors, session: ClassSession) -> None:
    nobody = {"joined": 0, "connected": 0, "measured": 0, "not_visible": 0}
    socket = played(visitors, session, snapshot([point(1, None, **nobody)]))
    page = socket.page
    page.get_by_role("button", name="End session").click()
    socket.send(changed("AAAAAAA", ended=True))
    link = page.get_by_role("link", name="Open the report")
    expect(link).to_have_attribute("href", f"/teach/{session.public_id}/report/")
    expect(page.get_by_role("button", name="End session")).to_be_hidden()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("m")
    page.wait_for_timeout(1200)  # The page's own second has passed.
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#lobby")).to_be_hidden()


def test_a_teacher_who_was_signed_out_does_not_hear_that_the_class_is_over(
    visitors: Visitors, session: ClassSession
) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="End session").click()
    page.locator("#end-form").get_by_role("button", name="End session").click()
    expect(page.locator("#end-dialog .refusal")).to_have_text(SIGNED_OUT)


def test_an_empty_room_hears_that_the_line_lives_and_what_time_it_is(
    visitors: Visitors, session: ClassSession
) -> None:
    nobody = {"joined": 0, "connected": 0, "measured": 0, "not_visible": 0}
    empty = snapshot([point(1, None, **nobody)])
    socket = played(visitors, session, empty, empty, before=lambda page: page.clock.install())
    page = socket.page
    expect(page.locator("#connection-words")).to_have_text("Live")
    for _ in range(5):
        page.clock.run_for(6_000)
        socket.send(StillHere(now_ms=BEGAN_MS + 3_605_000))
    expect(page.locator("#elapsed")).to_have_text("1 h")
    assert len(socket.connections) == 1
    page.clock.run_for(21_000)
    socket.wait_for_connection(2)


def test_a_class_without_ticks_has_no_live_line(visitors: Visitors, session: ClassSession) -> None:
    """That the server answers is not enough where each second should bring news."""
    whole = snapshot([point(1)])
    socket = played(visitors, session, whole, whole, before=lambda page: page.clock.install())
    expect(socket.page.locator("#connection-words")).to_have_text("Live")
    for _ in range(5):
        socket.page.clock.run_for(5_000)
        if len(socket.connections) == 1:
            socket.send(StillHere(now_ms=BEGAN_MS))
    socket.wait_for_connection(2)


def test_a_chart_that_did_not_load_is_said_once_and_asked_for_again(
    visitors: Visitors, session: ClassSession
) -> None:
    def without_the_library(page: Page) -> None:
        page.clock.install()
        page.route("**/plotly*.js", lambda route: route.fulfill(status=404))

    socket = played(visitors, session, snapshot([point(n) for n in range(1, 9)]), before=without_the_library)
    page = socket.page
    said = page.get_by_text("The chart did not load")
    expect(said).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    for n in range(9, 16):
        socket.send(tick(point(n)))
        page.clock.run_for(1_000)
    expect(said).to_have_count(0)
    page.unroute("**/plotly*.js")
    for n in range(16, 51):
        socket.send(tick(point(n)))
        page.clock.run_for(1_000)
    wait_for_chart(page)
    expect(said).to_have_count(0)


def test_a_change_in_another_tab_shows_here(visitors: Visitors, session: ClassSession) -> None:
    socket = played(visitors, session, snapshot([point(1)]))
    socket.send(changed("ABC2345"))
    expect(socket.page.locator(".code-button .code")).to_have_text("ABC-2345")
    link = f"{visitors.base_url}/join/ABC2345/"
    assert set(socket.page.locator("[data-join-link]").all_text_contents()) == {link}
    expect(socket.page.locator("#locked")).to_be_visible()
    expect(socket.page.locator(".toast")).to_have_count(0)


def test_a_message_stands_in_the_open_dialog_and_the_opposite_button_has_the_focus(
    visitors: Visitors, session: ClassSession
) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    page.locator(".code-button").click()
    page.get_by_role("button", name="Lock joining").press("Enter")
    said = page.locator("#join-dialog .toast")
    expect(said).to_contain_text("Nobody new can join.")
    expect(page.get_by_role("button", name="Open joining")).to_be_focused()
    page.get_by_role("button", name="Open joining").press("Enter")
    expect(said).to_contain_text("Joining is open again.")
    expect(page.get_by_role("button", name="Lock joining")).to_be_focused()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("body > .toasts")).to_contain_text("Joining is open again.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)


# -- One rule on both sides

POINTS = st.builds(
    lambda weights, measured, more, said, gone, ends: {
        "shares": [weight / sum(weights) for weight in weights] if measured > 4 else None,
        "joined": measured + more + gone, "connected": measured + more, "measured": measured,
        "not_visible": more // 2, "uncertain": measured // 3, "on_device": measured // 2,
        "troubled_low": ends[0] if measured > 4 else None, "troubled_high": ends[1] if measured > 4 else None,
        "pace": {**said, "withheld": more},
    },
    st.lists(st.floats(0.001, 1), min_size=7, max_size=7), st.integers(0, 300), st.integers(0, 9),
    st.fixed_dictionaries({row["word"]: st.integers(0, 40) for row in wording.RULES["pace"]}), st.integers(0, 9),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)  # fmt: skip


def test_the_page_and_the_server_use_the_same_words(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    said: list[tuple[dict[str, object], bool]] = []

    @settings(max_examples=300, deadline=None, database=None)
    @given(POINTS, st.booleans())
    def collect(given_point: dict[str, object], measuring: bool) -> None:
        said.append((given_point, measuring))

    collect()
    in_the_page = page.evaluate(
        """async ([address, rules, cases]) => {
          const { Wording } = await import(address);
          const words = new Wording(rules);
          return cases.map((both) => [words.sentence(...both), words.coverage(...both)]);
        }""",
        [f"{SCRIPTS}words.js", wording.RULES, said],
    )
    on_the_server = [[wording.sentence(case, measuring=m), wording.coverage(case, measuring=m)] for case, m in said]
    assert in_the_page == on_the_server


def test_the_page_and_the_server_tell_lengths_alike(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    minutes = [0, 1, 59, 60, 61, 119, 120, 150]
    in_the_page = page.evaluate(
        """async ([address, minutes]) => {
          const { duration } = await import(address);
          return minutes.map((count) => duration(count * 60_000 + 20_000));
        }""",
        [f"{SCRIPTS}words.js", minutes],
    )
    assert in_the_page == [duration(timedelta(minutes=count, seconds=20)) for count in minutes]


def test_the_page_and_the_server_draw_the_same_figure(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    rows = [
        MoodRow(n * 7000.0, None if 40 < n < 60 or n > 95 else mood, mood, mood, None, 24, 24, 20, 1, 1)
        for n, mood in enumerate([CALM, TROUBLED] * 50)
    ]
    markers = [MarkerRow(1, "a <b> & c", 70_000.0), MarkerRow(2, "x" * 50, 90_000.0)]
    ours = charts.mood_figure(rows, markers, start_ms=0, end_ms=700_000, offset_ms=3_600_000)
    theirs = page.evaluate(
        """async ([address, style, labels, rows, markers]) => {
          const { moodFigure } = await import(address);
          return moodFigure(style, labels, rows, markers, 0, 700000, 3600000);
        }""",
        [
            f"{SCRIPTS}figure.js",
            charts.style(),
            list(LABELS),
            [{"at_ms": row.at_ms, "shares": row.shares, "low": row.low, "high": row.high} for row in rows],
            [{"label": marker.label, "at_ms": marker.at_ms} for marker in markers],
        ],
    )
    assert theirs == json.loads(json.dumps(ours))


# -- What the instructor does


def test_a_dialog_closes_by_a_click_beside_it_and_by_no_other(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    page.keyboard.press("m")
    dialog = page.locator("#marker-dialog")
    dialog.click(position={"x": 6, "y": 6})  # Its padding.
    expect(dialog).to_be_visible()
    field = page.locator("#marker-label").bounding_box()
    assert field
    page.mouse.move(field["x"] + 20, field["y"] + 10)
    page.mouse.down()
    page.mouse.move(5, 5)  # A text is selected outwards.
    page.mouse.up()
    expect(dialog).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()


def test_a_marker_that_was_not_set_leaves_no_name_behind(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    page.keyboard.press("m")
    page.keyboard.type("Quiz")
    page.locator("#marker-dialog").get_by_role("button", name="Cancel").click()
    page.keyboard.press("m")
    expect(page.locator("#marker-label")).to_have_value("")


# A hundred times as fast; the limits that were asked for are kept.
IMPATIENT = """
    window.limits = [];
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (limit) => { window.limits.push(limit); return timeout(limit / 100); };
"""


def test_an_answer_that_never_comes_is_waited_for_no_longer_than_15_seconds(
    visitors: Visitors, session: ClassSession
) -> None:
    """And what was done is not known, so nothing is claimed of it."""
    page = played(visitors, session, snapshot([point(1)]), script=IMPATIENT).page
    page.route("**/lock/", lambda route: None)
    page.locator(".code-button").click()
    lock = page.get_by_role("button", name="Lock joining")
    lock.press("Enter")
    refusal = page.locator("#join-dialog .refusal")
    expect(refusal).to_have_text("No answer came. Look whether it was done; if not, try again.")
    expect(lock).to_be_enabled()
    expect(lock).to_be_focused()
    assert page.evaluate("window.limits") == [15_000]


def test_single_keys_can_be_switched_off_and_stay_so(visitors: Visitors, session: ClassSession) -> None:
    page = played(visitors, session, snapshot([point(1)])).page
    page.get_by_role("button", name="Keys M and P: on").click()
    for _ in range(2):
        expect(page.get_by_role("button", name="Keys M and P: off")).to_be_visible()
        expect(page.locator("kbd").first).to_be_hidden()
        page.keyboard.press("p")
        page.keyboard.press("m")
        expect(page.locator("body")).not_to_have_class(re.compile("projector"))
        expect(page.locator("#marker-dialog")).to_be_hidden()
        page.reload()
    page.get_by_role("button", name="Keys M and P: off").click()
    page.keyboard.press("m")
    expect(page.locator("#marker-dialog")).to_be_visible()


def test_a_marker_is_set_with_one_key_renamed_and_removed(visitors: Visitors, session: ClassSession) -> None:
    lately = time.time() * 1000 - 60_000
    points = [point(n, at_ms=lately + n * 1000) for n in range(1, 60)]
    page = played(visitors, session, snapshot(points)).page
    wait_for_chart(page)
    page.keyboard.press("m")
    asked = time.time()
    page.wait_for_timeout(2500)
    page.keyboard.type("Slide 4")
    page.keyboard.press("Enter")
    expect(page.locator("#marker-dialog")).to_be_hidden()
    expect(page.locator("#mood-chart .annotation-text")).to_have_text("Slide 4")
    marker = Marker.objects.get(session=session)
    assert marker.label == "Slide 4"
    assert abs(marker.at.timestamp() - asked) < 2
    page.locator("#markers-title").press("Enter")
    page.get_by_role("button", name="Slide 4: rename or remove").press("Enter")
    page.get_by_label("What happened at").fill("Slide 5")
    page.keyboard.press("Enter")
    expect(page.locator("#mood-chart .annotation-text")).to_have_text("Slide 5")
    marker.refresh_from_db()
    assert marker.label == "Slide 5"
    page.get_by_role("button", name="Slide 5: rename or remove").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator("#mood-chart .annotation-text")).to_have_count(0)
    assert not Marker.objects.filter(session=session).exists()
