"""A real Firefox, driven over WebDriver BiDi, the protocol that it speaks by itself.

Playwright's own Firefox is a build that no distribution carries, and its way to a stock one asks for a command that
Firefox does not know (`emulation.setMediaFeaturesOverride`). So: the few commands that the tests and the parity bench
need, no more.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

START_SECONDS = 60.0
ANSWER_SECONDS = 60.0
# A camera without asking, which shows a plain colour; and a Firefox that asks nobody outside for anything.
PREFERENCES: dict[str, bool | int | str] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class FirefoxPage:
    """One tab. `evaluate` and `goto` are Playwright's, as far as the tests need them."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        """What the console and the content security policy complained of."""
        self.requests: list[tuple[str, int]] = []
        """Address and bytes of the body of whatever the page or its workers asked for."""
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self._context = self.command("browsingContext.getTree")["contexts"][0]["context"]

    def command(self, method: str, **parameters: Any) -> Any:
        """Its result; raises RuntimeError with what Firefox says of it."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(ANSWER_SECONDS))
            if message["type"] == "event":
                self._heard(message["method"], message["params"])
            elif message["id"] == number:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
                return message["result"]

    def _heard(self, event: str, said: dict[str, Any]) -> None:
        if event == "network.beforeRequestSent":
            self.requests.append((said["request"]["url"], said["request"]["bodySize"] or 0))
        elif said.get("level") == "error":
            self.errors.append(said.get("text") or "")

    def before_each_page(self, function: str) -> None:
        """Call it in every page that opens from here on, before the page's own scripts."""
        self.command("script.addPreloadScript", functionDeclaration=function)

    def goto(self, url: str) -> None:
        self.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """What a function of the page (JavaScript), called with `argument`, returns; values are JSON's."""
        answer = self.command(
            "script.callFunction",
            functionDeclaration=f"async (said) => JSON.stringify(await ({function})(JSON.parse(said)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(argument)}],
            target={"context": self._context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def text(self, selector: str) -> str:
        """What a visible element says; "" for none."""
        said = self.evaluate(
            "(css) => [...document.querySelectorAll(css)].find((one) => one.checkVisibility())?.innerText", selector
        )
        return said or ""

    def wait_for(self, selector: str, pattern: str, seconds: float = 30.0) -> str:
        """Until the element's words hold the pattern (a regular expression); raises AssertionError."""
        until = time.monotonic() + seconds
        while not re.search(pattern, said := self.text(selector)):
            assert time.monotonic() < until, f"expected {pattern!r} in {selector}, found {said!r}; {self.errors}"
            time.sleep(0.2)
        return said

    def hide(self) -> None:
        """As behind another tab."""
        self.command("browsingContext.create", type="tab")

    def press(self, selector: str) -> None:
        """Click it; where that leads to another page, `wait_for` waits for it."""
        self.evaluate("(css) => { document.querySelector(css).click(); }", selector)


@contextmanager
def firefox_page(program: str, profile: Path) -> Iterator[FirefoxPage]:
    """A tab of a Firefox with a new profile, which ends with the block."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    arguments = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    log = profile / "firefox.log"
    with log.open("wb") as said, subprocess.Popen(arguments, stdout=said, stderr=said) as process:
        try:
            with connect(f"{_address(log)}/session", max_size=None, proxy=None) as socket:
                yield FirefoxPage(socket)
        finally:
            process.terminate()


def _address(log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while not (found := re.search(r"BiDi listening on (ws://\S+)", log.read_text(errors="replace"))):
        assert time.monotonic() < until, f"Firefox does not start:\n{log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.1)
    return found[1]
