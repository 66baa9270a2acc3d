"""The tiles of a session as dashboards have them: what a tick must say, and what a snapshot starts from."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, groupby
from typing import Any
from uuid import UUID

from emotions.messages import SPARK_LENGTH, Point, Tile, TileChange, TileWithHistory

# Of a value -1..1: below it nobody sees a difference.
VISIBLE_CHANGE = 0.1

# The chart has at most 300 points a trace: the last two minutes whole, half an hour before them as means of ten.
RECENT, WINDOW, STRIDE = 120, 1_800, 10

_FIELDS = [name for name in Tile.model_fields if name != "id"]


class Board:
    """Belongs to the ticker. A tile is sent again when it looks different; a sparkline grows by the value that the
    dashboard already has, so most of a still class costs no bytes."""

    def __init__(self, tiles: Iterable[TileWithHistory] = ()) -> None:
        self._tiles: dict[UUID, Tile] = {}
        # A value in hundredths, 0..200: a byte each.
        self._sparks: dict[UUID, bytes] = {}
        for tile in tiles:
            self._tiles[tile.id] = Tile(**tile.model_dump(exclude={"spark"}))
            self._sparks[tile.id] = bytes(_byte(value) for value in tile.spark)

    def advance(self, tiles: Iterable[Tile], anew: Collection[UUID] = ()) -> tuple[list[TileChange], list[UUID]]:
        """This second's tiles; returns how those look that look different, and the students whose tile goes.

        `anew`: students whose tile begins again, without what its sparkline remembers. It goes, and comes.
        """
        now = {tile.id: tile for tile in tiles}
        gone = [student for student in self._tiles if student not in now or student in anew]
        for student in gone:
            del self._tiles[student], self._sparks[student]
        different = [tile for student, tile in now.items() if looks_different(self._tiles.get(student), tile)]
        changes = [_change(self._tiles.get(tile.id), tile) for tile in different]
        self._tiles.update((tile.id, tile) for tile in different)
        self._grow()
        return changes, gone

    def _grow(self) -> None:
        for student, tile in self._tiles.items():
            spark = self._sparks.get(student, b"")
            more = b"" if tile.value is None else bytes((_byte(tile.value),))
            self._sparks[student] = (spark + more)[-SPARK_LENGTH:]

    def tiles(self) -> list[TileWithHistory]:
        """By name."""
        return in_order(_with_history(tile, self._sparks[student]) for student, tile in self._tiles.items())

    def dump(self, sequence: int) -> str:
        """As it is kept in Redis, with the sequence of the tick that it includes."""
        rows = [
            (*tile.model_dump(exclude={"id"}).values(), self._sparks[student].hex(), student.hex)
            for student, tile in self._tiles.items()
        ]
        return json.dumps([sequence, rows])


def load(text: bytes | str) -> tuple[int, list[TileWithHistory]]:
    """What `Board.dump` wrote: the sequence and the tiles, by name. None, where another version of it wrote them: the
    next tick brings them all."""
    sequence, rows = json.loads(text)
    if any(len(row) != len(_FIELDS) + 2 for row in rows):
        return sequence, []
    return sequence, in_order(_from_row(*row) for row in rows)


def _change(old: Tile | None, new: Tile) -> TileChange:
    named = old is None or old.name != new.name
    return TileChange(**new.model_dump(exclude={"name"}), name=new.name if named else None)


def looks_different(old: Tile | None, new: Tile) -> bool:
    """Whether a person would see it."""
    if old is None or (old.name, old.state, old.label, old.uncertain) != (
        new.name,
        new.state,
        new.label,
        new.uncertain,
    ):
        return True
    return _moved(old.value, new.value)


def thinned(points: Iterable[Point]) -> list[Point]:
    """Of the WINDOW, the last RECENT as they are, and before them a mean for each STRIDE. In order of sequence.

    A stride is averaged when the last of it is old enough, so it makes no difference whether that is done each second
    or at once.
    """
    points = list(points)
    newest = points[-1].sequence if points else 0
    inside = [point for point in points if point.sequence >= first_kept(newest)]
    strides = [list(stride) for _end, stride in groupby(inside, key=lambda point: _end(point.sequence))]
    whole = [stride if newest - _end(stride[0].sequence) < RECENT else [mean(stride)] for stride in strides]
    return list(chain.from_iterable(whole))


def first_kept(newest: int) -> int:
    """The first sequence of the oldest stride that is not quite out of the WINDOW."""
    return (newest - WINDOW) // STRIDE * STRIDE + 1


def _end(sequence: int) -> int:
    """The last sequence of the stride."""
    return -(-sequence // STRIDE) * STRIDE


def mean(points: Sequence[Point]) -> Point:
    """One point for several: shares and band are means of the seconds that have them, null where fewer than half do.

    `measured` is the least: no mean claims more than its weakest second. Everything else is the last one's.
    """
    if len(points) == 1:
        return points[0]
    known = [point for point in points if point.shares is not None]
    shares, low, high = (_means(known, field) if 2 * len(known) >= len(points) else None for field in _BANDS)
    at_ms = round(sum(point.at_ms for point in points) / len(points))
    measured = min(point.measured for point in points)
    changes = {"shares": shares, "low": low, "high": high, "at_ms": at_ms, "measured": measured}
    return points[-1].model_copy(update=changes)


_BANDS = ("shares", "low", "high")


def _means(points: Sequence[Point], field: str) -> list[float]:
    columns = zip(*(getattr(point, field) for point in points), strict=True)
    return [round(sum(column) / len(points), 4) for column in columns]


def in_order(tiles: Iterable[TileWithHistory]) -> list[TileWithHistory]:
    return sorted(tiles, key=lambda tile: (tile.name.casefold(), tile.id))


def _with_history(tile: Tile, spark: bytes) -> TileWithHistory:
    return TileWithHistory(**tile.model_dump(), spark=[_value(byte) for byte in spark])


def _from_row(*row: Any) -> TileWithHistory:
    *values, spark, student = row
    return TileWithHistory(
        id=UUID(hex=student),
        **dict(zip(_FIELDS, values, strict=True)),
        spark=[_value(byte) for byte in bytes.fromhex(spark)],
    )


def _moved(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(old - new) >= VISIBLE_CHANGE


def _byte(value: float) -> int:
    return round(value * 100) + 100


def _value(byte: int) -> float:
    return (byte - 100) / 100
