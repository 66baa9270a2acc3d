"""`manage.py tick`: the process that makes a mood point a second for every live session."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from classroom.garbage import search_rarely
from emotions.meters import sending
from emotions.mood.ticker import Ticker
from ml.quantify import MoodEstimator


class Command(BaseCommand):
    help = "Make one mood point a second for every live session. A second ticker stands by for the first."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT; the second in hand is finished."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        sending.start("ticker")
        ticker = Ticker(MoodEstimator.load())
        search_rarely()
        ticker.run(stop)
