"""`manage.py up` as a person meets it: started for real, with parts of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from benchmarks.processes import tree
from classroom.local import readiness
from classroom.local.folder import CHECKOUT, default_folder
from classroom.local.network import free_port, lan_addresses
from classroom.local.running import RunningProduct
from tests.processes import Collected, alive, core_dumps_allowed, leave_no_core_dump

pytestmark = pytest.mark.pipeline

Start = Callable[..., RunningProduct]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def environment() -> dict[str, str]:
    """A newcomer's: nothing of ours is set."""
    ours = ("ROOMTONE_", "DATABASE_URL", "REDIS_URL", "DJANGO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture
def place(collected: Collected) -> Iterator[Path]:
    """A data folder where `nobody` gets to, when root runs the tests."""
    default_folder().mkdir(parents=True, exist_ok=True)
    default_folder().chmod(0o711 if os.geteuid() == 0 else 0o700)
    made = Path(tempfile.mkdtemp(prefix="test-", dir=default_folder()))
    collected.lend(made)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def start(place: Path, environment: dict[str, str], collected: Collected) -> Iterator[Start]:
    """Start `up` in `place`, wait until it is ready; whatever still runs at the end of the test is stopped."""
    started: list[RunningProduct] = []

    def starter(*arguments: str, **variables: str) -> RunningProduct:
        started.append(RunningProduct(place, environment | variables, arguments))
        started[-1].wait_until_ready()
        collected.keep(place)
        return started[-1]

    yield starter
    for product in started:
        product.stop()


class Terminal:
    """`manage.py up` in a terminal of its own."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._ours, theirs = os.openpty()
        self._read: list[bytes] = []
        command = [sys.executable, "manage.py", "up", "--port", str(free_port()), *arguments]
        self._popen = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment | {"TERM": "dumb"}, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def until(self, words: str) -> str:
        """Everything that was printed when the words are there."""
        wait_for(lambda: words in self._text() or self._popen.poll() is not None, 120)
        assert words in self._text(), self._text()
        return self._text()

    def stop(self) -> int:
        """As Ctrl-C does; does nothing the second time."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)
        code = self._popen.wait(60)
        self._reader.join()
        return code

    def _text(self) -> str:
        return b"".join(self._read).decode(errors="replace")

    def _listen(self) -> None:
        with contextlib.suppress(OSError):  # so a terminal ends on Linux
            while part := os.read(self._ours, 65_536):
                self._read.append(part)
        os.close(self._ours)


Terminals = Callable[..., Terminal]


@pytest.fixture
def terminals(place: Path) -> Iterator[Terminals]:
    opened: list[Terminal] = []

    def opener(environment: dict[str, str], *arguments: str) -> Terminal:
        opened.append(Terminal(environment, *arguments))
        return opened[-1]

    yield opener
    for terminal in opened:
        terminal.stop()


def filled_in(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """The page after the form at `path`."""
    page = client.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    return client.post(page.url, data=fields | {"csrfmiddlewaretoken": token[1]}, headers={"Referer": str(page.url)})


def value_of(product: RunningProduct, name: str) -> str:
    """A variable in the environment of the web process."""
    words = Path(f"/proc/{product.pids()['web']}/environ").read_bytes().decode().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)[name]


def count(product: RunningProduct, table: str) -> int:
    with psycopg.connect(value_of(product, "DATABASE_URL")) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def sign_in(product: RunningProduct, name: str, password: str) -> httpx.Client:
    client = httpx.Client(base_url=product.base_url, follow_redirects=True)
    page = client.get("/accounts/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "username": name, "password": password}
    client.post("/accounts/login/", data=fields, headers={"Referer": str(page.url)})
    return client


def test_a_newcomer_gets_a_class_that_moves(place: Path, start: Start) -> None:
    with core_dumps_allowed():
        product = start()
    printed = product.log()
    addresses = re.findall(r"http://localhost:\d+/\S*", printed)
    assert len(addresses) == 3
    accounts = dict(re.findall(r"(instructor|admin) · (\S+)", printed))
    join, dashboard, admin = addresses
    assert "calculus 1" in httpx.get(join, follow_redirects=True).text.lower()
    assert httpx.get(dashboard, follow_redirects=False).status_code != 200, "a stranger sees no dashboard"
    with contextlib.closing(sign_in(product, "instructor", accounts["instructor"])) as instructor:
        assert instructor.get(dashboard).url == dashboard
    with contextlib.closing(sign_in(product, "admin", accounts["admin"])) as administrator:
        assert administrator.get(admin).url == admin
    product.wait_until(lambda: count(product, "emotions_emotionevent") > 24, 60, "reading")
    product.wait_until(lambda: count(product, "emotions_moodpoint WHERE shares IS NOT NULL") > 2, 30, "class mood")
    pids = product.pids()
    assert set(pids) == {"up", "postgres", "valkey", "ticker", "beat", "worker", "web", "simulate"}
    leave_no_core_dump([pid for parent in pids.values() for pid in tree(parent)])
    begun = time.monotonic()
    assert product.stop() == 0
    assert time.monotonic() - begun < 20
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert not (place / "state.json").exists()


def test_after_a_kill_nothing_is_left_and_the_next_start_has_kept_the_data(
    place: Path, environment: dict[str, str], start: Start
) -> None:
    killed = start("--no-demo")
    pids = killed.pids()
    with psycopg.connect(value_of(killed, "DATABASE_URL")) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    theirs = {*pids.values(), *tree(pids["worker"])}
    os.kill(pids["up"], signal.SIGKILL)
    wait_for(lambda: not [pid for pid in theirs if alive(pid)])

    again = start("--no-demo", "--host", "127.0.0.2")
    assert count(again, "kept") == 0
    is_listened_on(again, "127.0.0.2")

    second = up(environment, "--data", str(place))
    assert second.returncode == 1
    assert f"already running with the data in {place} (process {again.pids()['up']})" in second.stderr
    assert again.stop() == 0


def is_listened_on(product: RunningProduct, host: str) -> None:
    """And no file that others may read says how to become the first admin."""
    assert product.base_url.startswith(f"http://{host}:")
    assert httpx.get(f"{product.base_url}/join/").status_code == 200
    assert "First admin" not in product.log(), "others may read a file"
    assert "Start this once in a terminal" in product.log()


def test_the_local_network_gets_https_and_the_first_admin_a_link_in_the_terminal_until_it_was_used(
    place: Path, environment: dict[str, str], terminals: Terminals
) -> None:
    environment |= {"ROOMTONE_PROFILE": "check-ins"}
    first = terminals(environment, "--data", str(place), "--lan")
    shown = first.until("Ctrl-C stops everything")
    trusting = ssl.create_default_context(cafile=str(place / "certificate" / "certificate.pem"))
    is_on_the_local_network(shown, trusting)
    links = dict(re.findall(r"(https://\S+?)(/accounts/reset/\S+)", shown))
    assert {urlsplit(base).hostname for base in links} == {"localhost", *lan_addresses()[:1]}
    assert len(set(links.values())) == 1
    base, path = list(links.items())[-1]
    with httpx.Client(base_url=base, verify=trusting, follow_redirects=True) as browser:
        password = "a fresh and long one"
        done = filled_in(browser, path, new_password1=password, new_password2=password)
        assert done.url.path == "/accounts/reset/done/"
        assert (
            filled_in(browser, "/admin/login/?next=/admin/", username="admin", password=password).url.path
            == "/admin/"
        )
    assert first.stop() == 0

    second = terminals(environment, "--data", str(place))
    shown = second.until("Ctrl-C stops everything")
    assert "/accounts/reset/" not in shown
    assert "Start this once in a terminal" not in shown
    assert second.stop() == 0


def is_on_the_local_network(shown: str, trusting: ssl.SSLContext) -> None:
    """By HTTPS, at every address of this machine; `shown`: what the terminal says."""
    (port,) = {urlsplit(base).port for base in re.findall(r"https://[\w.]+:\d+", shown)}
    assert f"https://localhost:{port}/" in shown
    for host in ["localhost", *lan_addresses()]:
        answer = httpx.get(f"https://{host}:{port}/join/", verify=trusting)
        assert answer.status_code == 200
        assert "strict-transport-security" not in answer.headers, "localhost must stay usable over HTTP"
        assert "secure" in answer.headers["set-cookie"].lower()
    for address in lan_addresses():
        assert f"https://{address}:" in shown
    assert "warns once about the certificate" in " ".join(shown.split())


def test_a_port_that_was_asked_for_and_is_busy_ends_the_start_in_words(
    place: Path, environment: dict[str, str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = up(environment, "--data", str(place), "--port", str(port))
    assert refused.returncode == 1
    words = f"CommandError: Port {port} is busy: another program listens there. Try PORT={port + 1}.\n"
    assert refused.stderr == words
    assert not (place / "postgres").exists(), "nothing was started for it"


def test_a_setting_that_is_wrong_ends_the_start_in_words(place: Path, environment: dict[str, str]) -> None:
    wrong = up(environment | {"ROOMTONE_FRAME_SHARDS": "many"}, "--data", str(place), "--port", str(free_port()))
    assert wrong.returncode != 0
    assert "ROOMTONE_FRAME_SHARDS='many': expected a whole number" in wrong.stderr


def test_a_database_of_ones_own_is_no_demo(start: Start, product: RunningProduct) -> None:
    named = {name: product.environment[name] for name in ("DATABASE_URL", "REDIS_URL")}
    other = start(**named, ROOMTONE_REDIS_PREFIX="test-other")
    assert set(other.pids()) == {"up", "ticker", "beat", "worker", "web"}
    assert "instructor ·" not in other.log()
    assert other.stop() == 0


@pytest.mark.parametrize("name", ["web", "worker", "ticker", "beat"])
def test_what_dies_is_started_again(product: RunningProduct, name: str) -> None:
    old = product.kill(name)
    assert product.wait_for_restart(name, old) != old
    wait_for(readiness.probe(product.base_url, None), 30)


def up(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "up", "--quiet", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
