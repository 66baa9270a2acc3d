"""Which browsers this machine has, for pictures, tests and measurements."""

from __future__ import annotations

import shutil

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FIREFOX = ("firefox-esr", "firefox")


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome; None where there is none."""
    return _first(_CHROMIUM)


def find_firefox() -> str | None:
    """The path of a Firefox; None where there is none."""
    return _first(_FIREFOX)


def _first(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)
