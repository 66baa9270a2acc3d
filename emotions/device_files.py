"""What a browser needs to read faces by itself: networks of ours, and a runtime that is fetched, not committed.

`manage.py device_files` writes them where static files are found; FACTS comes last, so it says whether all is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from classroom.local.registry import Package
from ml.lesson import Lesson
from ml.serving.manifest import DETECTOR_NAME, DEVICE_NAME, Manifest
from ml.serving.yunet_model import SERVED_SHA256

FOLDER = Path(__file__).parent / "static" / "emotions" / "device"
FACTS = "facts.json"
GLUE, WASM, RUNTIME_JS = "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm", "ort.wasm.min.mjs"
RUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    tuple(f"dist/{name}" for name in (RUNTIME_JS, GLUE, WASM)),
)
STATIC = {
    "runtime": f"emotions/device/{RUNTIME_JS}",
    "glue": f"emotions/device/{GLUE}",
    "wasm": f"emotions/device/{WASM}",
    "detector": f"emotions/device/{DETECTOR_NAME}",
    "network": f"emotions/device/{DEVICE_NAME}",
}
"""The files by what they are, as static files are named."""
NAMES = tuple(Path(path).name for path in STATIC.values())


@dataclass(frozen=True, slots=True)
class Facts:
    """Of the files that are there. `detector`: its sha256; `version`: of the network; `odds` and `uncertain_below`:
    those of ml.lesson."""

    runtime: str
    detector: str
    version: str
    odds: list[float]
    uncertain_below: float

    @property
    def lesson(self) -> Lesson:
        return Lesson(tuple(self.odds), self.uncertain_below)


def wanted() -> Facts:
    """What this checkout's files would be."""
    manifest = Manifest.load()
    odds = [round(each, 6) for each in manifest.lesson.odds]
    return Facts(RUNTIME.integrity, SERVED_SHA256, manifest.device_version, odds, manifest.lesson.uncertain_below)


def present(folder: Path = FOLDER) -> Facts | None:
    """What is there; None where files are missing, or belong to another network than the one that is served.

    Settings ask at the start of every process: whatever lies in the folder, none of them may fail for it."""
    try:
        facts = Facts(**json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    complete = all((folder / name).is_file() for name in NAMES)
    return facts if complete and facts == wanted() else None


WORKER = re.compile(r"emotions/js/device/worker(\.[0-9a-f]+)?\.js$")
WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


def policy_of(headers: MutableMapping[str, str], path: str, url: str) -> None:
    """For WhiteNoise: a worker obeys the policy of its own response, and of all scripts this one alone may compile
    WebAssembly."""
    if WORKER.search(url):
        headers["Content-Security-Policy"] = WORKER_POLICY
