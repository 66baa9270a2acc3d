"""Whether the files for browsers are there: every process asks when it starts, and none may fail for the answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from emotions import device_setup
from emotions.device_files import FACTS, NAMES, RUNTIME, Facts, present, wanted

SETTINGS = """
import sys
from pathlib import Path
from emotions import device_files
device_files.present.__defaults__ = (Path(sys.argv[1]),)
from classroom.config import {start}
from django.conf import settings
print(settings.DEVICE.version if settings.DEVICE else None)
"""


def lay(folder: Path, facts: Facts, names: tuple[str, ...] = NAMES) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    (folder / FACTS).write_text(json.dumps(asdict(facts)))


def test_all_of_them_for_the_network_that_is_served(tmp_path: Path) -> None:
    lay(tmp_path, wanted())
    assert present(tmp_path) == wanted()


@pytest.mark.parametrize("missing", NAMES)
def test_without_one_of_them_there_is_no_such_mode(tmp_path: Path, missing: str) -> None:
    lay(tmp_path, wanted(), tuple(name for name in NAMES if name != missing))
    assert present(tmp_path) is None


@pytest.mark.parametrize("facts", ["", "[]", "{}", '{"version": 3}', "\x00", "null"])
def test_facts_that_are_none(tmp_path: Path, facts: str) -> None:
    lay(tmp_path, wanted())
    (tmp_path / FACTS).write_text(facts)
    assert present(tmp_path) is None


def test_those_of_another_network_are_not_offered(tmp_path: Path) -> None:
    lay(tmp_path, replace(wanted(), version="roomtone-web-000000000000"))
    assert present(tmp_path) is None
    assert present(tmp_path / "nowhere") is None


def test_neither_are_those_with_a_detector_of_another_form(tmp_path: Path) -> None:
    """The page's script reads its outputs, and so fits one form alone."""
    lay(tmp_path, replace(wanted(), detector="0" * 64))
    assert present(tmp_path) is None


def test_what_an_earlier_version_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_setup, "write_models", lambda folder: None)
    lay(tmp_path, replace(wanted(), version="roomtone-web-000000000000"))
    (tmp_path / ".runtime").write_text(RUNTIME.integrity)
    (tmp_path / "face-detector.onnx").write_bytes(b"of before")
    device_setup.prepare(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*NAMES, FACTS, ".runtime"}


def test_a_runtime_that_somebody_removed_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []
    monkeypatch.setattr(device_setup, "write_models", lambda folder: None)
    monkeypatch.setattr(device_setup, "fetch", lambda package, folder: fetched.append(folder))
    lay(tmp_path, wanted())
    (tmp_path / ".runtime").write_text(RUNTIME.integrity)
    device_setup.prepare(tmp_path)
    assert fetched == [], "all is there"
    (tmp_path / Path(RUNTIME.files[-1]).name).unlink()
    device_setup.prepare(tmp_path)
    assert fetched == [tmp_path]


@pytest.mark.parametrize("start", ["asgi", "celery"])
@pytest.mark.parametrize("there", [True, False])
def test_a_process_knows_from_its_start(tmp_path: Path, start: str, there: bool) -> None:
    """The web process by asgi, worker and beat by celery; the ticker is a command, as the tests' own process is."""
    if there:
        lay(tmp_path, wanted())
    code = SETTINGS.format(start=start)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "classroom.config.settings"}
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [wanted().version if there else "None"]
