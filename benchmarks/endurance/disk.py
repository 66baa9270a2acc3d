"""A small disk for Postgres alone, so that it can be filled without harm to anything else. Needs Linux and root."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK = "ROOMTONE_CHAOS_DISK"
"""The environment variable that names the disk's folder to the run."""
SIZE_MB = 640
"""For root, Postgres's programs lie on it as well."""


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """Where it is mounted, until the block ends; None where this account may mount nothing."""
    with tempfile.TemporaryDirectory(prefix="roomtone-disk-") as folder:
        if os.geteuid() != 0 or not _mounted(folder):
            yield None
            return
        # Postgres runs as `nobody` and has to pass through.
        Path(folder).chmod(0o711)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def _mounted(folder: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", folder]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
