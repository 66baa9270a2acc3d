"""The processes of the product, in one table: `manage.py up` starts them, docker-compose.yml is held against them."""

from __future__ import annotations

from dataclasses import dataclass

from classroom.local.certificate import Certificate

# Larger than the largest frame that settings allow, so that the consumer refuses (4413), not the server (1009).
SOCKET_MESSAGE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Service:
    """What follows the interpreter on the command line. Stages start in rising order, stop in falling order."""

    name: str
    arguments: tuple[str, ...]
    stage: int
    stop_seconds: float = 5.0


def web(host: str, port: int, certificate: Certificate | None = None, processes: int = 1) -> Service:
    """Pages and sockets, in several processes under one port where asked. Frames are JPEG: compressing them again on
    the socket would cost time for nothing."""
    arguments = ["-m", "uvicorn", "classroom.config.asgi:application", "--host", host, "--port", str(port)]
    arguments += ["--http", "classroom.config.patience:Patient"]
    arguments += ["--ws", "websockets-sansio", "--ws-max-size", str(SOCKET_MESSAGE_BYTES)]
    arguments += ["--ws-per-message-deflate", "false", "--loop", "uvloop", "--lifespan", "off"]
    arguments += ["--no-access-log", "--no-server-header"]
    arguments += ["--timeout-graceful-shutdown", "3", "--log-level", "warning"]
    if processes > 1:
        arguments += ["--workers", str(processes)]
    if certificate is not None:
        arguments += ["--ssl-certfile", str(certificate.certificate), "--ssl-keyfile", str(certificate.key)]
    return Service("web", tuple(arguments), stage=4)


def worker(processes: int) -> Service:
    """Reads frames and keeps house. A warm stop lets the batch in hand be stored."""
    return _celery_worker("worker", "frames,housekeeping", processes)


def housekeeper() -> Service:
    """Keeps house alone, where frames are read elsewhere or nowhere: minutes are counted, old sessions deleted."""
    return _celery_worker("housekeeper", "housekeeping", 1)


def _celery_worker(name: str, queues: str, processes: int) -> Service:
    arguments = ["-m", "celery", "-A", "classroom.config", "--quiet", "worker", "--queues", queues]
    arguments += ["--concurrency", str(processes), "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    return Service(name, tuple(arguments), stage=3, stop_seconds=8.0)


def ticker() -> Service:
    """One mood point a second for each live session; a second ticker stands by."""
    return Service("ticker", ("manage.py", "tick"), stage=2)


def beat() -> Service:
    """Starts the housekeeping tasks. Its timetable is in the settings: nothing to keep on disk."""
    scheduler = ("--scheduler", "classroom.config.beat:Timetable", "--pidfile=", "--loglevel", "WARNING")
    return Service("beat", ("-m", "celery", "-A", "classroom.config", "--quiet", "beat", *scheduler), stage=2)


def migrate() -> Service:
    """Once, before everything else."""
    return Service("migrate", ("manage.py", "migrate", "--no-input"), stage=1)


def simulate(code: str, base_url: str, students: int, certificate: Certificate | None = None) -> Service:
    """The demo class: synthetic students that stay until they are stopped. `base_url`: http(s)://host:port."""
    url = base_url.replace("http", "ws", 1)
    arguments = ["manage.py", "simulate", "--students", str(students), "--seconds", "0", "--fps", "1"]
    arguments += ["--session", code, "--url", url, "--again", "--json"]
    arguments += ["--ca", str(certificate.certificate)] if certificate else []
    return Service("simulate", tuple(arguments), stage=5)
