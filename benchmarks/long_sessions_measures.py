"""What `python -m benchmarks.long_sessions` calls, and how each call is measured. Wants Django to be set up."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from benchmarks.long_sessions_data import Progress, Size, seed
from classroom import access, actions
from classroom.models import ClassSession, Participant
from emotions.admin import WINDOW
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.mood import roster, snapshots
from emotions.reports import rollups, sharers

RUNS = 5
LIMIT_MS = 1000.0
CSV_ROWS = 100_000
STUDENTS_A_DAY, FRAMES_PER_SECOND, LESSON_HOURS_A_DAY = 500, 1.0, 5.0
"""For the rows of a day: a school of so many students, each measured for so many hours."""

Figure = dict[str, Any]


def measured(options: argparse.Namespace, bars: Callable[[], AbstractContextManager[Progress]]) -> Figure:
    """Migrate, fill, measure. `bars`: shown while it is filled, and gone before anything is measured."""
    call_command("migrate", verbosity=0)
    size = Size(options.sessions, options.students, options.hours, options.events, options.elsewhere)
    owners, admin = _accounts()
    begun = time.perf_counter()
    with bars() as show:
        session = seed(size, [owner.pk for owner in owners], show)
    seeding = round(time.perf_counter() - begun, 1)
    sizes = _sizes(size)
    found = Measures(session, owners[0], admin).all()
    slowest = max(found["calls"].items(), key=lambda item: item[1]["ms"])
    return {
        "size": sizes,
        "seeding_s": seeding,
        "slowest": {"call": slowest[0], "ms": slowest[1]["ms"], "under_a_second": slowest[1]["ms"] < LIMIT_MS},
        **found,
        "storage": storage(),
    }


def _accounts() -> tuple[list[Any], Any]:
    """Four instructors, the first of whom owns the long session, and a school admin."""
    make = get_user_model().objects.create_user
    owners = [make(f"instructor-{number}") for number in range(4)]
    return owners, make("administrator", is_staff=True, is_superuser=True)


def _sizes(size: Size) -> Figure:
    rows = {model.__name__: model.objects.count() for model in (ClassSession, Participant, MoodPoint, MinuteRollup)}
    counted = {"events": EmotionEvent.objects.count(), "events_in_the_long_session": size.events}
    return counted | rows | {"students_in_the_long_session": size.students, "hours": size.hours}


class Measures:
    """Everything that is called, by name. The long session is live for the first part, then ends."""

    def __init__(self, session: Any, owner: Any, admin: Any) -> None:
        self.session, self.now = session, datetime.now(UTC)
        self.owner, self.admin, self.student = (Client() for _ in range(3))
        self.owner.force_login(owner)
        self.admin.force_login(admin)
        self._become_a_student()
        self.calls: dict[str, Figure] = {}

    def _become_a_student(self) -> None:
        response = HttpResponse()
        self.participant = self.session.participants.filter(scope="individual").first()
        access.set_participant_cookie(response, self.participant)
        self.student.cookies = response.cookies

    def all(self) -> Figure:
        """Names of calls -> {"ms", "worst_ms", "queries"}; the export of readings as a stream."""
        self._pages()
        self._live()
        self._admin()
        self._of_the_ticker()
        self._once("end of the session", self._end)
        self._report("ended")
        stream = asyncio.run(self._stream())
        self._once("one student erased", self._erase_a_student)
        self._once("an old session erased", self._erase_an_old_session)
        return {"calls": self.calls, "readings_csv": stream}

    # -- What is called

    def _pages(self) -> None:
        course = self.session.course
        self._page("courses", self.owner, "/courses/")
        self._page("course", self.owner, f"/courses/{course.public_id}/")
        self._page("course, page 2", self.owner, f"/courses/{course.public_id}/?page=2")
        self._page("student's own page", self.student, f"/session/{self.session.public_id}/")

    def _live(self) -> None:
        self._page("dashboard", self.owner, f"/teach/{self.session.public_id}/")
        self._call("dashboard's snapshot", lambda: snapshots.build(self.session))
        self._report("live")

    def _report(self, state: str) -> None:
        self._page(f"report ({state})", self.owner, f"/teach/{self.session.public_id}/report/")
        self._page(f"minutes CSV ({state})", self.owner, f"/teach/{self.session.public_id}/report.csv")

    def _admin(self) -> None:
        shown = sharers.individual_events(EmotionEvent.objects.filter(session=self.session)).count()
        late = min(shown, WINDOW) // 100  # of 50 rows each: the middle
        readings, one = "/admin/emotions/emotionevent/", f"?session__id__exact={self.session.pk}"
        old = f"?session__id__exact={self.session.pk // 2}"
        self._page("admin: sessions", self.admin, "/admin/classroom/classsession/")
        self._page("admin: sessions, searched", self.admin, "/admin/classroom/classsession/?q=long")
        self._page("admin: the long session", self.admin, f"/admin/classroom/classsession/{self.session.pk}/change/")
        self._page("admin: participants", self.admin, "/admin/classroom/participant/")
        self._page("admin: consents", self.admin, "/admin/classroom/consentevent/")
        self._page("admin: one student", self.admin, f"/admin/classroom/participant/{self.participant.pk}/change/")
        self._page("admin: readings", self.admin, readings)
        self._page("admin: readings, a late page", self.admin, f"{readings}{one}&p={late}")
        self._page("admin: readings, a rare emotion", self.admin, f"{readings}?label__exact=disgust")
        self._page("admin: readings, of a name", self.admin, f"{readings}?q=Meera+4")
        self._page("admin: readings, of no such name", self.admin, f"{readings}?q=Nobody")
        self._page("admin: readings of the long session", self.admin, readings + one)
        self._page("admin: readings of an old session", self.admin, readings + old)
        own = f"?participant__id__exact={self.participant.pk}"
        self._page("admin: readings of a student", self.admin, readings + own)
        self._page("admin: mood points", self.admin, "/admin/emotions/moodpoint/")
        self._page("admin: mood points of the long session", self.admin, f"/admin/emotions/moodpoint/{one}")
        self._page("admin: minutes", self.admin, "/admin/emotions/minuterollup/")
        self._page("admin: minutes of the long session", self.admin, f"/admin/emotions/minuterollup/{one}")

    def _of_the_ticker(self) -> None:
        everybody = list(self.session.participants.values_list("pk", flat=True))
        self._call("ticker: rosters of all live sessions", lambda: roster.live_rosters(self.now))
        self._call("ticker: last points, when it starts", lambda: roster.last_points([self.session.pk]))
        self._call("ticker: one point stored", self._store_a_point)
        self._call("ticker: last seen, every 15 s", lambda: roster.note_seen(everybody, self.now))
        self._call("beat: close_minutes", lambda: rollups.close_minutes(self.now))

    def _store_a_point(self) -> None:
        last = roster.last_points([self.session.pk])[self.session.pk]
        point = last.as_message().model_copy(update={"sequence": last.sequence + 1})
        roster.store_points({self.session.pk: point}, last.model_version)

    def _end(self) -> None:
        actions.end_session(self.session)

    def _erase_a_student(self) -> None:
        actions.erase(self.participant)

    def _erase_an_old_session(self) -> None:
        actions.erase_session(ClassSession.objects.get(pk=self.session.pk // 2))

    async def _stream(self) -> Figure:
        """The first CSV_ROWS rows of the readings, as the ASGI server would send them."""

        client = AsyncClient()
        client.cookies = self.owner.cookies
        begun, rows, first = time.perf_counter(), 0, 0.0
        answer = await client.get(f"/teach/{self.session.public_id}/events.csv")
        async for chunk in answer.streaming_content:
            first = first or time.perf_counter() - begun
            rows += chunk.count(b"\n")
            if rows > CSV_ROWS:
                break
        seconds = time.perf_counter() - begun
        return {"first_byte_ms": round(first * 1000, 1), "rows": rows, "rows_per_s": round(rows / seconds)}

    # -- How it is measured

    def _page(self, name: str, client: Any, address: str) -> None:
        def get() -> None:
            answer = client.get(address)
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: GET {address} answered {answer.status_code}")

        self._call(name, get)

    def _call(self, name: str, call: Callable[[], object]) -> None:
        queries = _queries(call)
        times = [_milliseconds(call) for _ in range(RUNS)]
        ms = round(statistics.median(times), 1)
        self.calls[name] = {"ms": ms, "worst_ms": round(max(times), 1), "queries": queries}

    def _once(self, name: str, call: Callable[[], object]) -> None:
        """What can't be done twice."""
        ms = round(_milliseconds(call), 1)
        self.calls[name] = {"ms": ms, "worst_ms": ms, "queries": None}


def _milliseconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def _queries(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def storage() -> Figure:
    """Bytes for each row of the large tables, with their indexes, and what a school's day makes of them."""
    tables = {"event": "emotions_emotionevent", "mood_point": "emotions_moodpoint", "rollup": "emotions_minuterollup"}
    found = {f"bytes_per_{row}": _bytes_per_row(table) for row, table in tables.items()}
    rows = int(STUDENTS_A_DAY * FRAMES_PER_SECOND * 3600 * LESSON_HOURS_A_DAY)
    day = {"students": STUDENTS_A_DAY, "hours": LESSON_HOURS_A_DAY, "events": rows}
    day["event_gigabytes"] = round(rows * found["bytes_per_event"]["total"] / 1e9, 2)
    return found | {"a_day": day}


def _bytes_per_row(table: str) -> Figure:
    sizes = "SELECT pg_total_relation_size(%s), pg_indexes_size(%s), (SELECT count(*) FROM {})"
    with connection.cursor() as cursor:
        cursor.execute(sizes.format(table), [table, table])
        total, indexes, rows = cursor.fetchone()
    return {"total": round(total / rows, 1), "of_which_indexes": round(indexes / rows, 1), "rows": rows}
