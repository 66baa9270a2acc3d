"""benchmarks.long_sessions runs, on a school that is small enough for a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg
from django.conf import settings

SMALL = ("--sessions", "9", "--students", "12", "--hours", "0.1", "--events", "1200", "--elsewhere", "400")


def databases() -> set[str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as server:
        return {name for (name,) in server.execute("SELECT datname FROM pg_database")}


def test_it_measures_what_it_seeded_and_leaves_nothing_behind() -> None:
    before = databases()
    words = [sys.executable, "-m", "benchmarks.long_sessions", "--json", *SMALL]
    done = subprocess.run(words, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert databases() == before
    assert found["size"]["ClassSession"] == 9
    assert found["size"]["events_in_the_long_session"] == 1200
    assert 1200 < found["size"]["events"] <= 1600
    assert all(call["ms"] > 0 for call in found["calls"].values())
    assert 0 < found["readings_csv"]["rows"] <= 1200
    assert found["storage"]["bytes_per_event"]["total"] > 200
