"""The challenge's file: `emotion,pixels,Usage`, plain or packed."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from ml.data.problems import MOST_FACES, SIDE, DataError, Progress, Rows, shorten
from ml.labels import LABELS

PIXELS = SIDE * SIDE
LONGEST_LINE = 16 * 1024
"""Characters: 2,304 pixels of three digits and a blank are 9,216."""


def read_csv(path: Path, progress: Progress | None = None) -> Rows:
    """(n, 48, 48) uint8 pixels, (n,) labels, (n,) usage. Raises DataError."""
    pixels, labels, usage = bytearray(), [], []
    for number, (emotion, grey, use) in _rows(path):
        labels.append(_label(emotion, path, number))
        pixels += _pixels(grey, path, number)
        usage.append(use)
        if progress:
            progress(len(labels))
    if not labels:
        raise DataError(f"{path}: expected rows of emotion,pixels,Usage, received an empty file.")
    faces = np.frombuffer(bytes(pixels), np.uint8).reshape(-1, SIDE, SIDE)
    return faces, np.array(labels, np.int64), np.array(usage)


def _rows(path: Path) -> Iterator[tuple[int, tuple[str, str, str]]]:
    """(row number as an editor counts, the three values); the header may name the columns in any order."""
    try:
        with _open(path) as text:
            table = csv.reader(_short_lines(text, path))
            columns = _columns(next(table, []), path)
            for row in table:
                if table.line_num > MOST_FACES + 1:
                    raise DataError(f"{path}: expected at most {MOST_FACES:,} rows, received more.")
                yield table.line_num, _values(row, columns, path, table.line_num)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: expected a CSV file (plain, .gz, .xz or .zip), could not read it: {error}."
        ) from error


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_csv(archive, path)) as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        return
    with _unpacked(path) as text:
        yield text


def _unpacked(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _only_csv(archive: zipfile.ZipFile, path: Path) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(names) != 1:
        raise DataError(f"{path}: expected one .csv inside the archive, received {len(names)}.")
    return names[0]


def _short_lines(text: IO[str], path: Path) -> Iterator[str]:
    """Lines as they come, never more of one than LONGEST_LINE: what a packed file unpacks to is bounded."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise DataError(f"{path}, row {number}: expected at most {LONGEST_LINE:,} characters, received more.")
        yield line


def _columns(header: list[str], path: Path) -> tuple[int, int, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("emotion", "pixels") if name not in names]
    if missing:
        received = shorten(",".join(header)) or "an empty file"
        raise DataError(f"{path}, row 1: expected the columns emotion,pixels,Usage, received {received}.")
    return names.index("emotion"), names.index("pixels"), names.index("usage") if "usage" in names else -1


def _values(row: list[str], columns: tuple[int, int, int], path: Path, number: int) -> tuple[str, str, str]:
    if len(row) <= max(columns):
        raise DataError(f"{path}, row {number}: expected {max(columns) + 1} values, received {len(row)}.")
    emotion, pixels, usage = columns
    return row[emotion], row[pixels], row[usage].strip() if usage >= 0 else "Training"


def _label(text: str, path: Path, number: int) -> int:
    """A label as the challenge writes it, 0 to 6."""
    if text.strip() not in {str(index) for index in range(len(LABELS))}:
        raise DataError(f"{path}, row {number}: expected a label 0 to {len(LABELS) - 1}, received {shorten(text)!r}.")
    return int(text)


def _pixels(text: str, path: Path, number: int) -> bytes:
    """2,304 grey levels as bytes; `bytes` itself refuses what is outside 0..255."""
    values = text.split()
    if len(values) != PIXELS:
        raise DataError(f"{path}, row {number}: expected {PIXELS:,} pixels, received {len(values):,}.")
    try:
        return bytes(map(int, values))
    except ValueError as error:
        raise DataError(f"{path}, row {number}: expected pixels 0 to 255, received {_wrong(values)!r}.") from error


def _wrong(values: list[str]) -> str:
    return shorten(next(value for value in values if not (value.isdigit() and int(value) <= 255)))
