"""The machine, and the parts that serve this benchmark."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from django.conf import settings

PACKAGES = ("uvicorn", "uvloop", "channels", "celery", "onnxruntime", "ai-edge-litert", "opencv-python-headless")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def facts() -> dict[str, object]:
    """What a reader needs to compare figures: processor, cores, versions."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def parts() -> dict[str, int]:
    """The process ids of Postgres (its parent process) and Valkey; empty for parts on another machine."""
    return {
        name: pid for name, pid in (("postgres", _postgres()), ("valkey", _valkey())) if Path(f"/proc/{pid}").exists()
    }


def _postgres() -> int:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        # Asked while the backend lives.
        return _parent(int(row[0])) if row and _local(os.environ["DATABASE_URL"]) else 0


def _valkey() -> int:
    info = redis.Redis.from_url(settings.REDIS_URL).info("server")
    return int(info["process_id"]) if _local(settings.REDIS_URL) else 0


def _local(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


def _parent(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("PPid:"):
            return int(line.split()[1])
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
