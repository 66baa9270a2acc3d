"""The data folder: one user at a time, secrets made once and kept private, nothing outside it touched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from classroom.local import folder
from classroom.local.folder import DataFolder, FolderInUseError


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_a_second_run_in_the_same_folder_is_refused_in_words(tmp_path: Path) -> None:
    held = DataFolder.open(tmp_path / "data")
    code = (
        "import sys; from pathlib import Path; from classroom.local.folder import DataFolder\n"
        "DataFolder.open(Path(sys.argv[1]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert other.returncode == 1
    assert f"Roomtone is already running with the data in {tmp_path / 'data'}" in other.stderr
    held.close()
    DataFolder.open(tmp_path / "data").close()


def test_the_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from classroom.local.folder import DataFolder\n"
        "held = DataFolder.open(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "data")], check=False)
    assert killed.returncode == -9
    DataFolder.open(tmp_path / "data").close()


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    first = DataFolder.open(tmp_path)
    word, other = first.secret("postgres"), first.secret("valkey")
    first.close()
    again = DataFolder.open(tmp_path)
    assert again.secret("postgres") == word != other
    assert mode(tmp_path / "secrets.json") == "0o600"
    again.close()


def test_the_state_is_gone_after_the_end(tmp_path: Path) -> None:
    held = DataFolder.open(tmp_path)
    held.write_state({"ready": True})
    assert mode(tmp_path / "state.json") == "0o600"
    held.close()
    assert not (tmp_path / "state.json").exists()


def test_the_state_of_a_killed_run_is_gone_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}")
    DataFolder.open(tmp_path)
    assert not (tmp_path / "state.json").exists()


def test_root_keeps_its_data_outside_home_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert folder.default_folder().parent == Path("/var/lib")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert folder.default_folder() == folder.CHECKOUT / ".roomtone"


def test_two_checkouts_of_root_have_two_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    here = folder.default_folder()
    monkeypatch.setattr(folder, "CHECKOUT", tmp_path)
    assert folder.default_folder() != here


def test_throw_away_folders_of_killed_runs_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folder, "default_folder", lambda: tmp_path / "data")
    left = tmp_path / "data" / "throw-away" / "left"
    left.mkdir(parents=True)
    (left / "file").write_text("old")
    first = DataFolder.throw_away()
    second = DataFolder.throw_away()
    assert not left.exists()
    assert first.path.exists(), "a folder in use is not removed"
    for made in (first, second):
        made.remove()
    assert list((tmp_path / "data" / "throw-away").iterdir()) == []


def test_a_run_that_begins_while_another_ends_removes_nothing_under_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[DataFolder] = []
    real, beginning = shutil.rmtree, threading.Thread(target=lambda: begun.append(DataFolder.throw_away(tmp_path)))

    def removed_in_steps(path: Path) -> None:
        """The lock is gone, the rest is not."""
        (path / "lock").unlink()
        beginning.start()
        beginning.join(0.3)
        assert (path / "table").exists()
        real(path)

    ending = DataFolder.throw_away(tmp_path)
    (ending.path / "table").touch()
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", removed_in_steps)
        ending.remove()
    beginning.join()
    assert [made.path for made in begun] == list((tmp_path / "throw-away").iterdir())
    begun[0].remove()


def test_cleaning_removes_the_folder_unless_it_is_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folder, "default_folder", lambda: tmp_path / "data")
    held = DataFolder.open(tmp_path / "data")
    assert folder.main(["--remove"]) == 1
    assert "Stop it first." in capsys.readouterr().err
    held.close()
    assert folder.main(["--remove"]) == 0
    assert not (tmp_path / "data").exists()
    assert folder.main(["--remove"]) == 0, "nothing to remove is fine"


def test_opening_a_held_folder_raises_its_own_error(tmp_path: Path) -> None:
    held = DataFolder.open(tmp_path)
    with pytest.raises(FolderInUseError):
        DataFolder.open(tmp_path)
    held.close()
