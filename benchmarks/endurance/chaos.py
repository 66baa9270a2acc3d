"""`make chaos`: parts die under a class that is measured, one after the other. Prints what that cost.

Ends with 1 where a reading that a student was told of is not stored exactly once and as told, or where anybody does
not come back. `python -m benchmarks.endurance` starts it with a Postgres that writes safely, on a small disk of its
own where this account may mount one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models import F  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks import product  # noqa: E402
from benchmarks.endurance.crowd import Crowd  # noqa: E402
from benchmarks.endurance.data import UP_DATA, data_folder  # noqa: E402
from benchmarks.endurance.disk import DISK  # noqa: E402
from benchmarks.endurance.faults import Fault, Stage, faults  # noqa: E402
from classroom.models import Participant  # noqa: E402
from emotions.models import EmotionEvent  # noqa: E402
from emotions.simulation.pictures import synthetic_bank  # noqa: E402

LONGEST_OUTAGE = 60.0
LAST_ANSWERS_SECONDS = 7.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fault did. `recovered`: seconds from its lifting until every student was told of a frame that was sent
    after it, None where that did not happen within LONGEST_OUTAGE. `reconnected`: students who had to come back.
    `missing`: of the seconds from its beginning to the recovery, those for which a student has no reading."""

    fault: str
    recovered: float | None
    reconnected: int
    due: int
    missing: int


def suffer_all(stage: Stage, faults: Sequence[Fault], calm: float, say: Say) -> list[Outcome]:
    """One fault after the other, with `calm` seconds before each and after the last."""
    say("Waiting for everybody's first reading")
    _wait_for_everybody(stage.crowd, 0.0)
    time.sleep(calm)
    outcomes = []
    for fault in faults:
        say(fault.name)
        outcomes.append(_suffer(stage, fault))
        time.sleep(calm)
    return outcomes


def _suffer(stage: Stage, fault: Fault) -> Outcome:
    began = time.monotonic()
    fault.begin(stage)
    time.sleep(fault.hold)
    fault.lift(stage)
    lifted = time.monotonic()
    recovered = _wait_for_everybody(stage.crowd, lifted)
    end = recovered or time.monotonic()
    due = round((end - began) * len(stage.crowd.notes))
    told = sum(began <= at <= end for notes in stage.crowd.notes for _label, at in list(notes.told.values()))
    back = sum(any(at > began for at in notes.connections) for notes in stage.crowd.notes)
    after = round(recovered - lifted, 1) if recovered else None
    return Outcome(fault.name, after, back, due, max(0, due - told))


def _wait_for_everybody(crowd: Crowd, moment: float) -> float | None:
    """When the last student was told of a frame that was sent after `moment`; None after LONGEST_OUTAGE."""
    end = time.monotonic() + LONGEST_OUTAGE
    while time.monotonic() < end:
        times = [notes.told_of_a_frame_sent_after(moment) for notes in crowd.notes]
        if None not in times:
            return max(time for time in times if time is not None)
        time.sleep(0.2)
    return None


def audit(crowd: Crowd, tickets: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """What the database holds against what the students were told."""
    keys = {(session, name): number for number, (name, session, _cookie) in enumerate(tickets)}
    people = Participant.objects.values_list("pk", "session__public_id", "display_name")
    number_of = {pk: keys[str(session), name] for pk, session, name in people if (str(session), name) in keys}
    events = EmotionEvent.objects.filter(participant__in=number_of)
    rows = [
        ((number_of[pk], sequence), label)
        for pk, sequence, label in events.values_list("participant", "sequence", "label")
    ]
    stored, labels = Counter(key for key, _label in rows), dict(rows)
    told = {(n, seq): label for n, notes in enumerate(crowd.notes) for seq, (label, _at) in notes.told.items()}
    refused = Counter(reason for notes in crowd.notes for reason in notes.refused.elements())
    return {
        "readings_told": len(told),
        "events_stored": len(rows),
        "told_but_not_stored": len(told.keys() - stored.keys()),
        "stored_twice": sum(count > 1 for count in stored.values()),
        "stored_as_another_reading": sum(labels.get(key, label) != label for key, label in told.items()),
        "in_another_session": events.exclude(participant__session=F("session")).count(),
        "frames_refused": dict(refused),
    }


MUST_BE_NONE = ("told_but_not_stored", "stored_twice", "stored_as_another_reading", "in_another_session")


def chaos(students: int, faults: Sequence[Fault], calm: float, say: Say, data: Path | None = None) -> dict[str, Any]:
    """The whole run: the product, the students, the faults, the audit. `data`: as `data_folder` takes it."""
    disk = os.environ.get(DISK)
    with data_folder(data) as folder, product.running(folder, 1) as running:
        plan = product.school(running.ws_url, students, 0.0)
        with Crowd(running.ws_url, plan.tickets, synthetic_bank(1, lambda done, total: None)) as crowd:
            outcomes = suffer_all(Stage(running, crowd, Path(disk) if disk else None), faults, calm, say)
        time.sleep(LAST_ANSWERS_SECONDS)
        connections.close_all()  # of the Postgres before this one
        audited = audit(crowd, plan.tickets)
        product.end_sessions()
    kind = "a small disk" if disk else "a limit on the size of files"
    return {"students": students, "full_disk_by": kind, "faults": [asdict(one) for one in outcomes]} | audited


def passed(found: dict[str, Any]) -> bool:
    """Everybody came back after every fault, and what was told is stored once, as told, where it belongs."""
    everybody = all(fault["recovered"] is not None for fault in found["faults"])
    return everybody and found["readings_told"] > 0 and not any(found[name] for name in MUST_BE_NONE)


def show(console: Console, found: dict[str, Any]) -> None:
    table = Table("fault", "back after, s", "students reconnected", "readings due", "missing")
    for one in found["faults"]:
        recovered = "not within a minute" if one["recovered"] is None else f"{one['recovered']:g}"
        table.add_row(one["fault"], recovered, *(str(one[name]) for name in ("reconnected", "due", "missing")))
    console.print(table)
    for name in ("readings_told", "events_stored", *MUST_BE_NONE, "frames_refused"):
        console.print(f"{name.replace('_', ' '):>28}  {found[name] or 0}", highlight=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance.chaos")
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--calm", type=float, default=8.0, help="seconds before the first fault, and after each")
    parser.add_argument("--hold", type=float, default=8.0, help="seconds of a full disk, and of a stopped worker")
    parser.add_argument("--up-data", type=Path, help=UP_DATA)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    console = Console(stderr=True)
    with console.status("Starting") as status:
        found = chaos(options.students, faults(options.hold), options.calm, status.update, options.up_data)
    show(console, found)
    print(json.dumps(found))
    return 0 if passed(found) else 1


if __name__ == "__main__":
    sys.exit(main())
