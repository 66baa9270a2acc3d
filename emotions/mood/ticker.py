"""Once a second, for every live session: live state -> one mood point, stored and sent. `manage.py tick` runs it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import SystemRandom
from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from redis.client import Pipeline
from redis.exceptions import RedisError

from emotions import publish
from emotions.frames import slots
from emotions.messages import MoodTick, Notices, Pace, Point, RoomMood
from emotions.meters import counts
from emotions.mood import dismissals, notices, presence, rooms, roster
from emotions.mood.alerts import SENSITIVITIES
from emotions.mood.cohort import Group
from emotions.mood.estimate import Estimator, Moment, Standing, Student, next_point, standings, tile
from emotions.mood.lease import Lease
from emotions.mood.notices import Heard, Times
from emotions.mood.roster import NOBODY_JOINED, Roster
from emotions.mood.states import Left, SessionState, taken_up
from emotions.readings import live
from emotions.store import (
    cohort_key,
    dismissed_key,
    key,
    live_key,
    notices_key,
    presence_key,
    sync_redis,
    tiles_key,
    watch_key,
)

log = logging.getLogger(__name__)

LEASE_MS = 4_000
STATE_SECONDS = 120
"""How long tiles, cohort, notices and what lies behind them outlive their ticker."""
NOTE_SEEN_SECONDS = 15.0
UNREAD_MS = 6_000
"""A drain that was lost is found sooner, and a reading counts for longer: the teacher hears it before the mood
goes."""
# What a part that is down raises: that is every class's second, not one's.
_DOWN = (DatabaseError, InterfaceError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class Scene:
    """One session this second."""

    session: int
    roster: Roster
    present: list[Standing]
    dismissed: Times
    room: RoomMood | None
    unread: bool


class Ticker:
    """One per process. `tick` does one second's work; `run` calls it until it is told to stop."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self._lease = Lease(sync_redis(), key("ticker"), LEASE_MS)
        self._states: dict[int, SessionState] = {}
        self._cohorts: dict[int, Group] = {}
        # Of classes that failed, or of which nothing could be sent: newer than what Redis has.
        self._kept: dict[int, Group] = {}
        self._noted = 0.0
        # A cohort whose lots could be foreseen would protect nobody.
        self._rng = SystemRandom()

    def run(self, stop: Event) -> None:
        """On each full second, until `stop` is set."""
        while not stop.wait(1 - time.time() % 1):
            self.attempt(time.time() * 1000)
        self._give_way()

    def attempt(self, now_ms: float) -> bool:
        """`tick_if_held`; False, with a line in the log, where a part is down. The next second tries again."""
        try:
            return self.tick_if_held(now_ms)
        except _DOWN as error:
            log.warning("this second has no mood point: %s: %s", type(error).__name__, error)
            counts.TICKS_FAILED.add()
            self._start_anew()
            connection.close()
            return False

    def _start_anew(self) -> None:
        """What is remembered is read again, but for the cohorts: a Redis that was restarted would have lost them."""
        self._cohorts |= {pk: state.memory.cohort for pk, state in self._states.items()}
        self._states.clear()

    def _forget_all(self) -> None:
        """Another ticker goes on with the classes: what this one knows of their cohorts is of an earlier second."""
        for known in (self._states, self._cohorts, self._kept):
            known.clear()

    def _give_way(self) -> None:
        """The next ticker begins at once; without Redis it waits for the lease to end."""
        try:
            self._lease.release()
        except RedisError as error:
            log.warning("the lease ends by itself: %s", error)

    def tick_if_held(self, now_ms: float) -> bool:
        """One second's work, unless another ticker does it. Whether it was done here."""
        if not self._lease.hold():
            self._forget_all()
            return False
        with counts.TICK.timed():
            self.tick(now_ms)
        return True

    @contextmanager
    def _one_class(self, session: int) -> Iterator[None]:
        """What goes wrong with one class costs that class this second, and nobody else theirs. It then begins anew,
        but for its cohort: two points may not differ by a single student."""
        try:
            yield
        except _DOWN:
            raise
        except Exception:
            log.exception("session %d has no mood point this second", session)
            counts.CLASSES_FAILED.add()
            if (state := self._states.pop(session, None)) is not None:
                self._kept[session] = state.memory.cohort

    def tick(self, now_ms: float) -> None:
        """Every live session: point stored, then tiles kept and tick sent, in one round each.

        Raises IntegrityError when another ticker stored this second's point."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        in_rooms = rooms.now_in_rooms(now_ms) if settings.ROOM_CAMERAS else {}
        known = roster.live_rosters(now)
        # A room that is seen needs no student who has joined.
        empty = [*in_rooms, *roster.still_live(self._just_left(set(known) | set(in_rooms)))]
        rosters = dict.fromkeys(empty, NOBODY_JOINED) | known
        self._settle_states(set(rosters), now_ms)
        scenes = self._look(rosters, in_rooms, now_ms)
        ticks = self._ticks_of(scenes, round(now_ms))
        points = {session: tick.point for session, tick in ticks.items()}
        roster.store_points(points, self._estimator.model_version)
        counts.POINTS.add(amount=len(ticks))
        # Until Redis has them: the next point must not differ from the one that is stored by a single student.
        self._kept |= {session: self._states[session].memory.cohort for session in ticks}
        self._send(scenes, self._without_erased(ticks, rosters))
        self._kept = {session: cohort for session, cohort in self._kept.items() if session not in self._states}
        self._note_seen(scenes, now)

    # -- What is known

    def _just_left(self, present: set[int]) -> list[int]:
        """Sessions whose last tick still had somebody in them: dashboards must hear that everybody has left."""
        return [pk for pk, state in self._states.items() if state.joined and pk not in present]

    def _settle_states(self, session_pks: set[int], now_ms: float) -> None:
        """Forget sessions that ended; go on where the last ticker of a session stopped."""
        new = session_pks - set(self._states)
        self._states = {pk: state for pk, state in self._states.items() if pk in session_pks}
        self._kept = {pk: cohort for pk, cohort in self._kept.items() if pk in session_pks}
        if not new:
            return
        points = roster.last_points(new)
        with sync_redis().pipeline(transaction=False) as pipe:
            for pk in sorted(new):
                pipe.mget(tiles_key(pk), cohort_key(pk), watch_key(pk), notices_key(pk))
            kept = pipe.execute()
        recent = roster.recent_points(new, now_ms)
        for pk, (tiles, cohort, watches, told) in zip(sorted(new), kept, strict=True):
            with self._one_class(pk):
                left = Left(tiles, cohort, watches, told, points.get(pk), recent.get(pk, []))
                self._states[pk] = taken_up(left, self._kept.get(pk), self._cohorts.get(pk), now_ms)
        self._cohorts.clear()

    def _look(
        self, rosters: Mapping[int, Roster], in_rooms: Mapping[int, RoomMood | None], now_ms: float
    ) -> list[Scene]:
        with sync_redis().pipeline(transaction=False) as pipe:
            for session in rosters:
                pipe.hgetall(presence_key(session))
                pipe.hgetall(live_key(session))
                pipe.hgetall(dismissed_key(session))
            found = iter(pipe.execute())
        waiting = slots.waiting_since(sync_redis())
        scenes = []
        for session, known in rosters.items():
            parts = next(found), next(found), next(found)
            with self._one_class(session):
                unread = _unread(known, waiting, now_ms)
                scenes.append(_scene(session, known, parts, now_ms, in_rooms.get(session), unread))
        return [scene for scene in scenes if scene.session in self._states]

    # -- What it makes of it

    def _ticks_of(self, scenes: list[Scene], at_ms: int) -> dict[int, MoodTick]:
        """By session, of those that have something to say."""
        ticks = {}
        for scene in scenes:
            with self._one_class(scene.session):
                tick = self._tick_of(scene, at_ms)
                if tick is not None:
                    ticks[scene.session] = tick
        return ticks

    def _tick_of(self, scene: Scene, at_ms: int) -> MoodTick | None:
        """None for an empty room where nothing has changed: a session left open overnight fills no table."""
        state = self._states[scene.session]
        moment = Moment(state.sequence + 1, at_ms, max(0.0, at_ms - state.at_ms) / 1000, scene.roster.pace)
        point, memory = next_point(scene.present, state.memory, moment, self._estimator, self._rng)
        alerts = state.alarm.advance(point, SENSITIVITIES.get(scene.roster.alerts))
        told = state.watcher.advance(scene.present, Heard(scene.roster.lost, scene.dismissed, alerts), at_ms)
        # Each half minute is told, were it like the one before: a page that was opened since has heard none.
        beside = (scene.room and rooms.block_end(at_ms), scene.room, scene.unread)
        if point.connected == 0 and state.counts == _counts(point) and state.beside == beside and told is None:
            return None
        named = [one for one in scene.present if _shares_name(one.student)]
        anew = state.begin_anew([one.student for one in named])
        changed, gone = state.board.advance((tile(one) for one in named), anew)
        state.sequence, state.at_ms, state.memory, state.counts = point.sequence, at_ms, memory, _counts(point)
        state.beside = beside
        return MoodTick(point=point, tiles=changed, gone=gone, notices=told, room=scene.room, unread=scene.unread)

    def _without_erased(self, ticks: Mapping[int, MoodTick], rosters: Mapping[int, Roster]) -> dict[int, MoodTick]:
        """A word that is erased between its reading and the point's storing was in no stored point that the erasure
        could clear; one that is erased later finds this one (emotions.actions.forget_words)."""
        silent = {pk: _silent(ticks[pk]) for pk in roster.erased_meanwhile(rosters) if pk in ticks}
        roster.take_words_out({pk: tick.point for pk, tick in silent.items()})
        return {**ticks, **silent}

    # -- What it says

    def _send(self, scenes: list[Scene], ticks: Mapping[int, MoodTick]) -> None:
        """Tiles and their tick in one transaction: a snapshot is never between the two."""
        with sync_redis().pipeline(transaction=True) as pipe:
            for scene in scenes:
                tick = ticks.get(scene.session)
                if tick is None:
                    pipe.expire(tiles_key(scene.session), STATE_SECONDS)
                else:
                    with self._one_class(scene.session):
                        self._send_one(pipe, scene.session, tick)
            pipe.execute()

    def _send_one(self, pipe: Pipeline, session: int, tick: MoodTick) -> None:
        state = self._states[session]
        pipe.set(tiles_key(session), state.board.dump(tick.point.sequence), ex=STATE_SECONDS)
        pipe.set(cohort_key(session), json.dumps(sorted(state.memory.cohort)), ex=STATE_SECONDS)
        pipe.set(notices_key(session), (state.watcher.last or Notices()).to_json(), ex=STATE_SECONDS)
        pipe.set(watch_key(session), state.watcher.dump(), ex=STATE_SECONDS)
        publish.mood_tick(pipe, session, tick)
        for student, row in state.watcher.changed.items():
            publish.own_attention(pipe, student, notices.as_own(row))

    def _note_seen(self, scenes: list[Scene], now: datetime) -> None:
        if 0 <= now.timestamp() - self._noted < NOTE_SEEN_SECONDS:  # less: the clock was set back
            return
        self._noted = now.timestamp()
        here = [one.student.pk for scene in scenes for one in scene.present if one.state != "disconnected"]
        roster.note_seen(here, now)


def _unread(known: Roster, waiting: Mapping[int, float], now_ms: float) -> bool:
    """Whether the picture of any of these students has waited for so long that nobody can be reading them."""
    since = [waiting[pk] for pk in known.consents if pk in waiting]
    return bool(since) and now_ms - min(since) > UNREAD_MS


def _scene(
    session: int, known: Roster, parts: tuple[Any, Any, Any], now_ms: float, room: RoomMood | None, unread: bool
) -> Scene:
    """`parts`: presences, readings and dismissals as Redis has them."""
    presences, readings = presence.parse(parts[0]), live.parse(parts[1])
    live.forget(sync_redis(), session, live.outlived(parts[1], readings, known.consents))
    present = standings(known.students, presences, readings, now_ms)
    return Scene(session, known, present, dismissals.parse(parts[2]), room, unread)


def _silent(tick: MoodTick) -> MoodTick:
    """Nobody said anything about the pace."""
    return tick.model_copy(update={"point": tick.point.model_copy(update={"pace": Pace()})})


def _counts(point: Point) -> tuple[object, ...]:
    return (point.joined, point.connected, point.measured, point.not_visible, point.pace)


def _shares_name(student: Student) -> bool:
    return student.scope == "individual"
