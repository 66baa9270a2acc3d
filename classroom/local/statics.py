"""Whether the pages' files must be collected again: compressing them takes longer than looking."""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

from classroom.local.folder import CHECKOUT

_PACKAGES = ("django", "plotly", "whitenoise")


def static_stamp(checkout: Path = CHECKOUT) -> str:
    """A word that changes when one of our static files or a package that brings some changes."""
    digest = hashlib.sha256("".join(importlib.metadata.version(name) for name in _PACKAGES).encode())
    for file in sorted(file for app in ("classroom", "emotions") for file in (checkout / app / "static").rglob("*")):
        status = file.stat()
        digest.update(f"{file}{status.st_size}{status.st_mtime_ns}".encode())
    return digest.hexdigest()


def static_files_changed(folder: Path, stamp: str) -> bool:
    """Whether `folder`/static was not collected for this stamp."""
    known = folder / "static.stamp"
    return not known.exists() or known.read_text() != stamp
