"""The pages' sockets against one that is played within the page: when they come back, and what they then hear."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visitors

pytestmark = pytest.mark.browser

# A network in the page: `made` are the sockets, `play(type, facts)` is what one of them goes through.
NETWORK = """
  const made = [], heard = [];
  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 1;
    constructor() { super(); made.push(this); }
    send() {}
    close() {}
    play(type, facts) {
      const event = Object.assign(new Event(type), facts);
      this[`on${type}`]?.(event);
      this.dispatchEvent(event);
    }
  };
"""
STUDENTS = """
  const { FrameSocket } = await import("/static/emotions/js/camera/frame-socket.js");
  const socket = new FrameSocket("/ws/camera/");
  socket.onmessage = ({ n }) => heard.push(n);
  socket.connect();
"""
TEACHERS = """
  const { DashboardSocket } = await import("/static/emotions/js/dashboard/dashboard-socket.js");
  const socket = new DashboardSocket("/ws/dashboard/", {
    after: () => null, expectsNews: () => true, onState: () => {}, onMessage: ({ n }) => heard.push(n),
  });
  socket.open();
"""
LOST_AND_BACK = """
  const counts = [];
  const count = () => counts.push(made.length);
  const front = () => document.dispatchEvent(new Event("visibilitychange"));
  front(); count();
  made[0].play("close", { code: 1012 }); count();
  front(); count();
  made[0].play("message", { data: '{"n": 1}' });
  made[1].play("message", { data: '{"n": 2}' });
  made[1].play("close", { code: 1012 });
  dispatchEvent(new Event("online")); count();
  made[2].play("close", { code: 4410 });
  front(); dispatchEvent(new Event("online")); count();
  return [counts, heard];
"""


OFF_AND_ON_THE_NET = """
  const states = [];
  socket.onstate = (name) => states.push(name);
  socket.onState = ({ name }) => states.push(name);
  made[0].play("message", { data: '{"n": 1}' });
  states.length = 0;
  dispatchEvent(new Event("offline"));
  dispatchEvent(new Event("offline"));
  const before = made.length;
  dispatchEvent(new Event("online"));
  made[0].play("message", { data: '{"n": 2}' });
  return [states, before, made.length, heard];
"""


@pytest.mark.parametrize("opens", [STUDENTS, TEACHERS])
def test_a_page_that_is_off_the_net_says_so_and_comes_back_with_it(visitors: Visitors, opens: str) -> None:
    """At once: nobody waits until an answer is missed."""
    page = visitors.new(camera=False)
    page.goto("/join/")
    states, before, after, heard = page.evaluate(f"async () => {{{NETWORK}{opens}{OFF_AND_ON_THE_NET}}}")
    assert states == ["waiting", "connecting"]
    assert (before, after, heard) == (1, 2, [1])


@pytest.mark.parametrize("opens", [STUDENTS, TEACHERS])
def test_a_lost_line_is_opened_at_once_where_the_page_comes_to_the_front(visitors: Visitors, opens: str) -> None:
    """And nothing is heard any more of the socket before."""
    page = visitors.new(camera=False)
    page.goto("/join/")
    counts, heard = page.evaluate(f"async () => {{{NETWORK}{opens}{LOST_AND_BACK}}}")
    assert counts == [1, 1, 2, 3, 3]
    assert heard == [2]


def test_each_failure_in_a_row_is_waited_for_longer(visitors: Visitors) -> None:
    page = visitors.new(camera=False)
    page.goto("/join/")
    waits, opened = page.evaluate(
        """async () => {
          const { Retry } = await import("/static/emotions/js/retry.js");
          const opened = [];
          const retry = new Retry(() => opened.push(true));
          const failures = (chance, count) => {
            Math.random = () => chance;
            return Array.from({ length: count }, () => retry.failed());
          };
          const waits = [failures(0, 6), [retry.failing]];
          retry.succeeded();
          waits.push([retry.failing], failures(0.5, 2));
          retry.cancel();
          dispatchEvent(new Event("online"));
          return [waits, opened.length];
        }"""
    )
    assert waits == [[1, 2, 4, 8, 15, 15], [True], [False], [1.25, 2.5]]
    assert opened == 0
