"""Writes and fetches the files of on-device mode: apart from the rest, for the web process never loads all this."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from classroom.local.registry import fetch
from emotions.device_files import FACTS, FOLDER, NAMES, RUNTIME, Facts, present, wanted
from ml.serving.device import write_models

STAMP = ".runtime"
"""Says which runtime is there."""


def prepare(folder: Path = FOLDER) -> Facts:
    """Bring the files up to date. Raises FetchError; ModelFileError or DetectorModelError of ml.serving."""
    known = present(folder)
    if known is not None:
        return known
    (folder / FACTS).unlink(missing_ok=True)
    _clear(folder)
    write_models(folder)
    if not _has_runtime(folder):
        fetch(RUNTIME, folder)
        (folder / STAMP).write_text(RUNTIME.integrity, encoding="utf-8")
    (folder / FACTS).write_text(json.dumps(asdict(wanted())), encoding="utf-8")
    return wanted()


def _clear(folder: Path) -> None:
    """Files of an earlier version would be published for ever."""
    for file in folder.glob("*"):
        if file.is_file() and file.name not in (*NAMES, STAMP):
            file.unlink()


def _has_runtime(folder: Path) -> bool:
    """The stamp is written after the files; somebody may have removed one since."""
    stamp, files = folder / STAMP, [folder / Path(name).name for name in RUNTIME.files]
    known = stamp.exists() and stamp.read_text(encoding="utf-8") == RUNTIME.integrity
    return known and all(file.is_file() for file in files)
