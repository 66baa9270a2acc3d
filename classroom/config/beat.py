"""When housekeeping is due."""

from __future__ import annotations

import logging
from typing import Any

from celery.beat import Scheduler

log = logging.getLogger(__name__)


class Timetable(Scheduler):
    """Celery's, on a machine whose clock may be set back.

    Celery asks the clock when a task ran last. Set back by an hour, as on a laptop that was an hour ahead, the clock
    would have every task wait for an hour and its own interval; minutes that nobody closes meanwhile are missing from
    reports.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One step, in whose eyes nothing ran later than now. Returns the seconds until the next."""
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > entry.default_now()]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            log.warning("the clock was set back: the intervals of %d tasks begin anew", len(ahead))
            self._heap = None  # the times in it are the old clock's; Celery makes it anew
        seconds: float = super().tick(*args, **kwargs)
        return seconds
