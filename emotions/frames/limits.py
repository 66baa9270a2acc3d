"""How often somebody may do something, and what time it was on another clock. Pure: the caller brings the time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class TokenBucket:
    """Lets `rate` events a second through on average, and `burst` at once. Times are seconds of one clock."""

    rate: float
    burst: float
    _tokens: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now: float) -> bool:
        """Whether one more event may pass now; if so, it is counted."""
        if self._at is not None:
            self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


STALE_AFTER_MS = 10_000.0
# A browser holds back when its last frame is not yet sent, so a backlog has a frame or two. More in a row: its clock
# was set back.
_STALE_IN_A_ROW = 3


class RemoteClock:
    """Turns capture times of a browser's clock into ours. All times are Unix milliseconds.

    The offset is measured at the first message and then only ever shrinks: nothing is captured after it arrived, so
    a frame that seems to be from the future shows that the offset holds a delay, or that the clock was set forward.
    Frames come in the order in which they were captured: one that seems to be older than the one before shows that
    the clock was set back, and the offset is measured anew. (By less than the time between two frames it may be set
    back unnoticed: then times are wrong by so much.)
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._stale = 0
        self._last_ms = -math.inf

    def anchor(self, client_ms: float, received_ms: float) -> None:
        """The browser says its time."""
        self._offset = received_ms - client_ms

    def corrected(self, captured_ms: float, received_ms: float) -> float | None:
        """When it was captured on our clock, never later than it arrived; None for a frame older than
        STALE_AFTER_MS."""
        if captured_ms < self._last_ms:
            self.anchor(captured_ms, received_ms)
        self._last_ms = captured_ms
        self._offset = min(self._offset, received_ms - captured_ms)
        # A huge number has no room for milliseconds: the sum may lie years ahead, and the reading would stay "now".
        at = min(captured_ms + self._offset, received_ms)
        if received_ms - at <= STALE_AFTER_MS:
            self._stale = 0
            return at
        self._stale += 1
        if self._stale >= _STALE_IN_A_ROW:
            self.anchor(captured_ms, received_ms)
            self._stale = 0
        return None
