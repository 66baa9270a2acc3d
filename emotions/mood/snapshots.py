"""What a dashboard begins with: everything as of one tick. For the socket and for pages (both synchronous calls)."""

from __future__ import annotations

from uuid import UUID

from classroom.models import ClassSession, Participant
from emotions.messages import MoodSnapshot, Notices, OwnAttention, Point, SessionChanged, TileWithHistory
from emotions.models import MoodPoint
from emotions.mood import board, notices
from emotions.reports import selectors
from emotions.store import notices_key, sync_redis, tiles_key


def build(session: ClassSession, after: int = 0) -> MoodSnapshot:
    """The session as of its last tick: at most 300 points of the last half hour (only those later than `after`, for
    a dashboard that was cut off), the tiles, the markers, the notices.

    The tiles are read first: a tick stores its point before its tiles, so every point up to theirs is there. Without
    tiles in Redis (a session that has ended) it is as of the last stored point; in a live session as of the one
    before: the first tiles may be on their way, in the tick of the last one. Not so where everybody has left: then no
    tick follows, and there are no tiles.
    """
    sequence, tiles, told = _kept(session.pk)
    points = _points(session.pk, after, sequence)
    if sequence is None and session.live and points and points[-1].joined:
        points = points[:-1]
    if sequence is None:
        sequence = points[-1].sequence if points else after
    markers = selectors.placed_markers(session)
    return MoodSnapshot(sequence=sequence, points=points, tiles=tiles, markers=markers, notices=told)


def session_now(session: ClassSession) -> SessionChanged:
    """As it stands in the database; `session` is brought up to date."""
    session.refresh_from_db(fields=["join_code", "joining_locked", "ended_at"])
    return selectors.as_changed(session)


def own_attention(participant: Participant) -> OwnAttention | None:
    """What the teacher's page says of this student now; None where it says nothing."""
    text = sync_redis().get(notices_key(participant.session_id))
    if not text or participant.scope != Participant.Scope.INDIVIDUAL:
        return None
    rows = notices.load(text).attention
    return next((notices.as_own(row) for row in rows if row.id == participant.public_id), None)


def _kept(session_pk: int) -> tuple[int | None, list[TileWithHistory], Notices]:
    """Only of those who share now: what the ticker keeps may be older than a withdrawal, and outlives the session."""
    tiles, text = sync_redis().mget(tiles_key(session_pk), notices_key(session_pk))
    if not tiles:
        return None, [], Notices()
    present = Participant.objects.present().filter(session=session_pk).values_list("public_id", "scope")
    sharing = {one for one, scope in present if scope == Participant.Scope.INDIVIDUAL}
    sequence, known = board.load(tiles)
    told = _of(notices.load(text), sharing, {one for one, _scope in present})
    return sequence, [tile for tile in known if tile.id in sharing], told


def _of(told: Notices, sharing: set[UUID], present: set[UUID]) -> Notices:
    return Notices(
        attention=[row for row in told.attention if row.id in sharing],
        hands=[hand for hand in told.hands if hand.id in present],
        alerts=told.alerts,
    )


def _points(session_pk: int, after: int, newest: int | None) -> list[Point]:
    """As `board.thinned`."""
    rows = MoodPoint.objects.filter(session=session_pk)
    if newest is None:
        newest = rows.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    rows = rows.filter(sequence__gte=max(after + 1, board.first_kept(newest)), sequence__lte=newest)
    return board.thinned(row.as_message() for row in rows.order_by("sequence"))
