"""A dashboard in a real browser beside a large class: main-thread time, long tasks, points in the chart."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from playwright.sync_api import CDPSession, sync_playwright

from classroom.local.browsers import find_chromium

SETTLE_SECONDS = 6.0
_TRACED = ["toplevel", "devtools.timeline"]
_TASKS = ("RunTask", "ThreadControllerImpl::RunTask")
_WORK = {"longest_frame_cpu_ms": "FireAnimationFrame", "longest_chart_cpu_ms": "TimerFire"}
"""What the dashboard does in a frame (words and tiles), and in a timer after it (the chart)."""
_LONG_TASKS = """
window.longTasks = [];
new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((task) => task.duration)))
  .observe({ type: "longtask" });
"""
_POINTS = (
    "() => Math.max(0, ...[...document.querySelectorAll('.js-plotly-plot')].flatMap("
    "(plot) => plot.data.map((trace) => (trace.x || []).length)))"
)


def watch(base_url: str, session_id: str, who: str, seconds: float) -> dict[str, Any]:
    """What the page's main thread does while ticks come. `who`: the instructor's cookie.

    {"skipped": why} without a Chromium.
    """
    found = find_chromium()
    if found is None:
        return {"skipped": "no Chromium on this machine"}
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=options)
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            name, _, value = who.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": base_url}])
            page = context.new_page()
            page.add_init_script(_LONG_TASKS)
            page.goto(f"{base_url}/teach/{session_id}/")
            page.wait_for_timeout(1000 * SETTLE_SECONDS)
            page.evaluate("() => { window.longTasks.length = 0; }")
            before = _busy(cdp := context.new_cdp_session(page))
            browser.start_tracing(page=page, categories=_TRACED)
            page.wait_for_timeout(1000 * (seconds - SETTLE_SECONDS))
            trace = json.loads(browser.stop_tracing())["traceEvents"]
            busy = _busy(cdp) - before
            return _longest(trace) | {
                "main_thread_ms_per_second": round(1000 * busy / (seconds - SETTLE_SECONDS), 1),
                "tasks_over_50_ms": page.evaluate("() => window.longTasks.length"),
                "longest_task_ms": page.evaluate("() => Math.max(0, ...window.longTasks)"),
                "tiles": page.locator("#tiles li").count(),
                "points_in_a_trace": page.evaluate(_POINTS),
            }
        finally:
            browser.close()


def _busy(cdp: CDPSession) -> float:
    """Seconds that the main thread has worked since the page began."""
    cdp.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def _longest(trace: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Processor milliseconds of the page's longest task, and of the longest frame and chart in it.

    Time by the clock counts what other processes did meanwhile: beside a load that fills all cores, mostly that.
    """
    of_main = _main_thread([event for event in trace if event.get("ph") == "X" and "tdur" in event])
    longest: dict[str, float] = defaultdict(float)
    for event in of_main:
        longest[event["name"]] = max(longest[event["name"]], event["tdur"] / 1000)
    found = {"longest_task_cpu_ms": max(longest[name] for name in _TASKS)}
    return {name: round(ms, 1) for name, ms in (found | {key: longest[name] for key, name in _WORK.items()}).items()}


def _main_thread(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the thread that draws frames: the page's own."""
    threads: dict[tuple[int, int], list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        threads[event["pid"], event["tid"]].append(event)
    return max(
        threads.values(), key=lambda found: sum(event["name"] == _WORK["longest_frame_cpu_ms"] for event in found)
    )
