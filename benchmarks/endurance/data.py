"""Where `up` keeps its data while it is put through this."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UP_DATA = "folder for the data of `up`, which stays; else one of its own, which is removed"


@contextmanager
def data_folder(named: Path | None) -> Iterator[Path]:
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "data"
