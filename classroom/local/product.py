"""The whole product on this machine: what `manage.py up` does, from the first process to the last."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from classroom.local import readiness, services, welcome
from classroom.local.certificate import Certificate, ensure_certificate, host_names
from classroom.local.folder import CHECKOUT, DataFolder
from classroom.local.network import EVERYWHERE, lan_addresses, reached_at, web_port
from classroom.local.parts import start_postgres, start_valkey
from classroom.local.process import Program
from classroom.local.screen import Screen
from classroom.local.services import Service
from classroom.local.statics import static_files_changed, static_stamp
from classroom.local.supervisor import Stopped, Supervisor

DEMO_STUDENTS = 24


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person chose on the command line."""

    port: int | None = None
    host: str = "127.0.0.1"
    lan: bool = False
    demo: bool = True
    workers: int = 1
    web: int = 1
    folder: Path | None = None
    quiet: bool = False


class Product:
    """Starts everything, looks after it until it is told to stop, stops everything."""

    def __init__(self, choices: Choices, screen: Screen) -> None:
        self._choices = choices
        self._screen = screen
        self._folder = DataFolder.open(choices.folder)
        self._supervisor = Supervisor(screen.line, self._write_state)
        self._ready = False
        self._host = EVERYWHERE if choices.lan else choices.host
        self._port = 0
        self._certificate: Certificate | None = None
        self._addresses: list[str] = []
        self._environment: dict[str, str] = dict(os.environ)

    def serve(self) -> None:
        """Run until a signal asks to stop; raises FailedError when the start does not succeed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)
        try:
            self._start()
            self._look_after()
        except Stopped:
            self._screen.say("Stopping …")
        finally:
            self._supervisor.stop()
            self._folder.close()
        self._screen.say("Stopped. The data is kept: `make run` goes on where this ended.")

    @property
    def base_url(self) -> str:
        """As this machine itself reaches the pages."""
        return self._url(reached_at(self._host))

    def _url(self, host: str) -> str:
        return f"{'https' if self._certificate else 'http'}://{host}:{self._port}"

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self._supervisor.stop_asked:
            self._supervisor.hurry()
        self._supervisor.stop_asked = True

    def _start(self) -> None:
        self._port = web_port(self._host, self._choices.port)
        self._prepare_network()
        self._start_parts()
        self._environment |= self._settings()
        with self._screen.step("Bringing the database up to date"):
            self._run(services.migrate())
        self._prepare_devices()
        self._collect_static()
        demo = self._seed() if self._demo else None
        self._keep_services()
        if demo is not None:
            self._keep(services.simulate(demo["join_code"], self.base_url, DEMO_STUDENTS, self._certificate))
        self._welcome(demo, self._first_admin() if demo is None else None)
        self._ready = True
        self._write_state()

    @property
    def _demo(self) -> bool:
        return self._choices.demo and self._environment.get("ROOMTONE_PROFILE") == "demo"

    def _prepare_network(self) -> None:
        if self._host == EVERYWHERE:
            self._addresses = lan_addresses()
        if not self._choices.lan:
            return
        with self._screen.step("Preparing the certificate"):
            self._certificate = ensure_certificate(self._folder.path / "certificate", self._addresses)

    def _start_parts(self) -> None:
        """Parts of our own where the environment names none. Such a place is a demo, unless it says what it is."""
        if not self._environment.get("DATABASE_URL"):
            self._environment["ROOMTONE_PROFILE"] = self._environment.get("ROOMTONE_PROFILE") or "demo"
            with self._screen.step("Starting Postgres"):
                self._environment["DATABASE_URL"] = start_postgres(self._supervisor, self._folder)
        if not self._environment.get("REDIS_URL"):
            with self._screen.step("Starting Valkey"):
                self._environment["REDIS_URL"] = start_valkey(self._supervisor, self._folder)

    def _settings(self) -> dict[str, str]:
        """The environment of every process; what the person set themselves stays."""
        hosts = ["localhost", "127.0.0.1", "[::1]", *host_names(), reached_at(self._host), *self._addresses]
        named = self._environment.get("ROOMTONE_ALLOWED_HOSTS", "")
        chosen = {
            "ROOMTONE_SECRET_KEY": self._folder.secret("secret_key", 50),
            "ROOMTONE_DEMO_PASSWORD": self._folder.secret("demo_password", 9),
            "ROOMTONE_HTTPS": "1" if self._certificate else "0",
            "ROOMTONE_STATIC_ROOT": str(self._folder.path / "static"),
            "PYTHONUNBUFFERED": "1",
        }
        if not self._environment.get("ROOMTONE_HTTPS"):
            # A browser must not remember for a year that localhost is HTTPS only.
            chosen["ROOMTONE_HSTS_SECONDS"] = "0"
        if self._choices.lan and self._addresses:
            # The square code on the screen is for phones: localhost would lead them nowhere.
            chosen["ROOMTONE_PUBLIC_URL"] = self._url(self._addresses[0])
        if os.geteuid() == 0:
            # Celery warns whoever runs it as root, at every start; on a machine of one's own that is no news.
            chosen["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
        kept = {name: self._environment.get(name) or value for name, value in chosen.items()}
        return kept | {"ROOMTONE_ALLOWED_HOSTS": _joined(named, hosts)} | self._past_proxies(hosts)

    def _past_proxies(self, hosts: list[str]) -> dict[str, str]:
        """The demo's students reach this machine by its own addresses, of which a school's proxy knows nothing."""
        known = self._environment.get("no_proxy") or self._environment.get("NO_PROXY", "")
        past = _joined(known, [host.strip("[]") for host in hosts])
        return {"no_proxy": past, "NO_PROXY": past}

    def _prepare_devices(self) -> None:
        """What browsers need to read faces by themselves. Fetched once; where that fails, it says so and goes on."""
        with self._screen.step("Preparing on-device mode"):
            lines = self._run(Service("device_files", ("manage.py", "device_files"), stage=1))
        if lines and "is off" in lines[-1]:
            self._screen.say(lines[-1])

    def _collect_static(self) -> None:
        stamp = static_stamp()
        if static_files_changed(self._folder.path, stamp):
            with self._screen.step("Collecting the pages' files"):
                self._run(Service("static", ("manage.py", "collectstatic", "--no-input", "--clear"), stage=1))
            (self._folder.path / "static.stamp").write_text(stamp)

    def _seed(self) -> dict[str, Any]:
        with self._screen.step("Setting up the demo class"):
            lines = self._run(Service("seed_demo", ("manage.py", "seed_demo", "--json"), stage=1))
        demo: dict[str, Any] = json.loads(lines[-1])
        return demo

    def _first_admin(self) -> dict[str, str] | None:
        """Who may become the first admin, and by which path: for the person at the terminal, never for a log."""
        if not self._screen.private:
            return None
        with self._screen.step("Looking whether an admin can sign in"):
            lines = self._run(Service("first_admin", ("-m", "classroom.config.first_admin"), stage=1))
        found: dict[str, str] | None = json.loads(lines[-1])
        return found

    def _keep_services(self) -> None:
        for service in (services.ticker(), services.beat()):
            self._keep(service)
        workers = self._choices.workers
        self._keep(services.worker(workers) if workers else services.housekeeper())
        self._keep(services.web(self._host, self._port, self._certificate, self._choices.web))
        answers = readiness.probe(self.base_url, self._certificate)
        with self._screen.step("Starting web, worker, ticker and beat"):
            self._supervisor.wait("The web process does not answer", answers, 90.0, "web")

    def _look_after(self) -> None:
        watch = readiness.DrainWatch(self._environment)
        while True:
            self._supervisor.pause()
            if self._choices.workers and watch.due_and_stalled(time.monotonic()):
                self._supervisor.restart("worker", "it stopped reading frames")

    def _run(self, service: Service) -> list[str]:
        return self._supervisor.run(self._program(service))

    def _keep(self, service: Service) -> None:
        self._supervisor.keep(self._program(service))

    def _program(self, service: Service) -> Program:
        # The HTTP client of the synthetic students notes every request that it makes.
        extra = {"ROOMTONE_LOG_LEVEL": "WARNING"} if service.name == "simulate" else {}
        return Program(
            service.name,
            (sys.executable, *service.arguments),
            environment=self._environment | extra,
            folder=CHECKOUT,
            stage=service.stage,
            stop_seconds=service.stop_seconds,
        )

    def _write_state(self) -> None:
        pids = self._supervisor.pids() | {"up": os.getpid()}
        try:
            self._folder.write_state({"base_url": self.base_url, "ready": self._ready, "pids": pids})
        except OSError as error:
            # The disk is full, say. What runs needs no state.json: it is for others who ask, and the next change
            # writes it anew.
            self._screen.say(f"state.json is not written, all else goes on: {error}")

    def _welcome(self, demo: Mapping[str, Any] | None, first_admin: Mapping[str, str] | None) -> None:
        """Addresses for this machine; with a network, the one for the phones first."""
        outside = [self._url(address) for address in self._addresses]
        rows = welcome.addresses(self.base_url, (outside or [self.base_url])[0], demo)
        if first_admin is not None:
            rows += welcome.links(self.base_url, self._environment.get("ROOMTONE_PUBLIC_URL", ""), first_admin)
        unsaid = demo is None and not self._screen.private
        self._screen.welcome(rows, welcome.notes(certificate=self._certificate is not None, unsaid=unsaid))


def _joined(named: str, more: list[str]) -> str:
    """A list of names as the environment has it, each once; `named` first."""
    return ",".join(dict.fromkeys([*named.split(","), *more])).strip(",")
