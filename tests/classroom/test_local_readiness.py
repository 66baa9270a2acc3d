"""Whether the web process answers and the worker reads, and what a container's check does about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import redis

from classroom.local import health, readiness
from classroom.local.folder import DataFolder
from classroom.local.network import free_port
from classroom.local.parts import start_valkey
from classroom.local.readiness import DrainWatch, probe
from classroom.local.supervisor import Supervisor


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    folder, supervisor = DataFolder.throw_away(), Supervisor(lambda name, line: None)
    yield start_valkey(supervisor, folder)
    supervisor.stop()
    folder.remove()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as made:
        made.flushdb()
        yield made


@pytest.fixture
def watch(client: redis.Redis, redis_url: str) -> Iterator[DrainWatch]:
    made = DrainWatch({"REDIS_URL": redis_url, "ROOMTONE_REDIS_PREFIX": "t"})
    yield made
    made.close()


def ms_ago(seconds: float) -> float:
    return (time.time() - seconds) * 1000


def test_an_idle_class_is_no_stall(watch: DrainWatch, client: redis.Redis) -> None:
    client.set("t:drained", int(ms_ago(3000)))
    assert not watch.stalled()


def test_frames_that_wait_while_nobody_reads_are_a_stall(watch: DrainWatch, client: redis.Redis) -> None:
    client.zadd("t:ready:3", {"7": ms_ago(25), "8": ms_ago(1)})
    assert watch.stalled(), "no worker ever drained"
    client.set("t:drained", int(ms_ago(24)))
    assert watch.stalled()


def test_a_worker_that_drains_under_load_is_no_stall(watch: DrainWatch, client: redis.Redis) -> None:
    client.zadd("t:ready:0", {"7": ms_ago(25)})
    client.set("t:drained", int(ms_ago(2)))
    assert not watch.stalled()


def test_frames_that_wait_a_moment_are_no_stall(watch: DrainWatch, client: redis.Redis) -> None:
    client.zadd("t:ready:0", {"7": ms_ago(5)})
    assert not watch.stalled()


def test_a_silent_redis_is_not_the_workers_fault() -> None:
    watch = DrainWatch({"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"})
    assert not watch.stalled()


def test_the_watch_asks_now_and_then_and_gives_a_restart_its_time(watch: DrainWatch, client: redis.Redis) -> None:
    assert not watch.due_and_stalled(100.0)
    client.zadd("t:ready:0", {"7": ms_ago(25)})
    assert not watch.due_and_stalled(100.0 + readiness.CHECK_EVERY_SECONDS - 1)
    assert watch.due_and_stalled(100.0 + readiness.CHECK_EVERY_SECONDS)
    assert not watch.due_and_stalled(100.0 + readiness.CHECK_EVERY_SECONDS + readiness.GRACE_SECONDS - 1)
    assert watch.due_and_stalled(100.0 + readiness.CHECK_EVERY_SECONDS + readiness.GRACE_SECONDS)


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_the_probe_wants_a_good_answer(status: int, expected: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/healthz"
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert probe(f"http://127.0.0.1:{server.server_port}", None)() is expected
        thread.join()


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    test_the_probe_wants_a_good_answer(200, expected=True)


def test_nobody_there_is_not_ready() -> None:
    assert not probe(f"http://127.0.0.1:{free_port()}", None)()


def test_the_check_of_a_hanging_worker_kills_it(
    monkeypatch: pytest.MonkeyPatch, client: redis.Redis, redis_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ROOMTONE_REDIS_PREFIX", "t")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as hanging:
        monkeypatch.setattr(health, "children_of", lambda parent: [hanging.pid] if parent == 1 else [])
        assert health.main(["worker"]) == 0
        assert hanging.poll() is None
        client.zadd("t:ready:1", {"7": ms_ago(25)})
        assert health.main(["worker"]) == 1
        assert hanging.wait(timeout=5) == -signal.SIGKILL


def test_children_are_found_in_the_process_table() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        assert child.pid in health.children_of(os.getpid())
        child.kill()


def test_the_ticker_is_well_while_somebody_holds_the_lease(
    monkeypatch: pytest.MonkeyPatch, client: redis.Redis, redis_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("ROOMTONE_REDIS_PREFIX", "t")
    assert health.main(["ticker"]) == 1
    client.set("t:ticker", "somebody")
    assert health.main(["ticker"]) == 0


def test_an_unknown_check_is_an_error_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert health.main(["wrkr"]) == 2
    assert "expected one of web, worker, ticker" in capsys.readouterr().err
