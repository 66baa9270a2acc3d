"""The rule of snapshots and ticks that both sides are held to: emotions/mood/board.py and dashboard/live-class.js."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from emotions.messages import SPARK_LENGTH, MoodSnapshot, MoodTick, Tile, TileChange, TileWithHistory
from emotions.mood.board import in_order, thinned


def apply_tick(snapshot: MoodSnapshot, tick: MoodTick) -> MoodSnapshot:
    """What a dashboard holds after a tick: the same as a fresh snapshot.

    Tiles that are gone go; tiles of the tick replace theirs and keep the sparkline, and the name where none comes;
    then each tile that has a value, in the tick or not, adds it to its sparkline. A tick that the snapshot includes
    changes nothing.
    """
    if tick.point.sequence <= snapshot.sequence:
        return snapshot
    tiles: dict[UUID, Tile] = {tile.id: tile for tile in snapshot.tiles if tile.id not in set(tick.gone)}
    sparks = {tile.id: tile.spark for tile in snapshot.tiles if tile.id in tiles}
    tiles.update((change.id, _changed(tiles.get(change.id), change)) for change in tick.tiles)
    return MoodSnapshot(
        sequence=tick.point.sequence,
        points=thinned([*snapshot.points, tick.point]),
        tiles=in_order(_grown(tile, sparks) for tile in tiles.values()),
        markers=snapshot.markers,
        notices=tick.notices or snapshot.notices,
    )


def _changed(old: Tile | None, change: TileChange) -> Tile:
    name = old.name if old and change.name is None else change.name
    return Tile.model_validate(change.model_dump() | {"name": name})


def _grown(tile: Tile, sparks: Mapping[UUID, list[float]]) -> TileWithHistory:
    more = [] if tile.value is None else [tile.value]
    spark = [*sparks.get(tile.id, []), *more][-SPARK_LENGTH:]
    return TileWithHistory(**tile.model_dump(exclude={"spark"}), spark=spark)
