"""The one folder that holds what a local run keeps: databases, secrets, certificate. Standard library only.

`python -m classroom.local.folder --remove` removes it (`make clean`).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
THROW_AWAY = "throw-away"


class FolderInUseError(Exception):
    """Another process holds this folder's lock."""


def default_folder() -> Path:
    """`.roomtone` in the checkout; for root a folder under /var/lib.

    Postgres refuses to run as root, so it runs as `nobody`, who can't reach a checkout in a home directory.
    """
    if os.geteuid() != 0:
        return CHECKOUT / ".roomtone"
    return Path("/var/lib") / f"roomtone-{hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]}"


@dataclass(slots=True)
class DataFolder:
    """An open, locked data folder. The lock ends with the process, however it ends."""

    path: Path
    _lock: int

    @classmethod
    def open(cls, path: Path | None = None) -> DataFolder:
        """Make the folder if it is missing and lock it; raises FolderInUseError with the holder's process id."""
        path = (path or default_folder()).absolute()
        path.mkdir(parents=True, exist_ok=True)
        # Root's folder is passed through by `nobody`, nothing in it can be listed.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        opened = cls(path, _locked(path))
        opened.forget_state()
        return opened

    @classmethod
    def throw_away(cls, above: Path | None = None) -> DataFolder:
        """A new folder below `above` (the default one); what a killed run left there is removed first."""
        parent = (above or default_folder()) / THROW_AWAY
        parent.mkdir(parents=True, exist_ok=True)
        for folder in (parent.parent, parent):
            folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        with _alone(parent):
            for left in parent.iterdir():
                _remove_unless_locked(left)
            return cls.open(Path(tempfile.mkdtemp(dir=parent)))

    def secret(self, name: str, length: int = 32) -> str:
        """A random word that is made once and kept in secrets.json (mode 0600)."""
        file = self.path / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if name not in known:
            known[name] = secrets.token_urlsafe(length)
            write_private(file, json.dumps(known, indent=1))
        return known[name]

    def write_state(self, state: dict[str, Any]) -> None:
        """Say in state.json what runs: a reader sees the old text or the new one, never half of it."""
        write_private(self.path / "state.json", json.dumps(state, indent=1))

    def forget_state(self) -> None:
        """What was written no longer holds."""
        (self.path / "state.json").unlink(missing_ok=True)

    def close(self) -> None:
        """Give the lock back."""
        self.forget_state()
        os.close(self._lock)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        # Its lock goes with it: a run that begins now would take what is left for a killed run's, and remove it too.
        with _alone(self.path.parent):
            self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.path)
        os.close(self._lock)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, in one step."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(file)


@contextlib.contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Of all who make and remove folders in this one, nobody else does so now. Waits for its turn."""
    held = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _locked(path: Path) -> int:
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode() or "unknown"
        os.close(lock)
        raise FolderInUseError(f"Roomtone is already running with the data in {path} (process {holder}).") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def _remove_unless_locked(path: Path) -> None:
    try:
        DataFolder.open(path)._remove()
    except FolderInUseError:
        return


def main(arguments: list[str]) -> int:
    """Print the folder's place, or remove it."""
    parser = argparse.ArgumentParser(prog="python -m classroom.local.folder", description=__doc__)
    parser.add_argument("--remove", action="store_true", help="remove the folder and everything in it")
    path = default_folder()
    if not parser.parse_args(arguments).remove:
        print(path)
    elif path.exists():
        try:
            DataFolder.open(path).remove()
        except FolderInUseError as error:
            print(f"{error} Stop it first.", file=sys.stderr)
            return 1
        print(f"Removed {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
