"""The package `fer` (MIT) on the same frames: its own detector and network, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.faces import frames

VERSION = "25.10.3"
# Of what it asks for, only what reading a picture takes: its MTCNN detector would bring a CUDA build of torch.
NEEDS = ("tensorflow-cpu==2.21.0", "opencv-python-headless==4.14.0.94", "requests", "pillow", "setuptools<81")
ENVIRONMENT = Path("~/.cache/roomtone/bench-fer").expanduser()
FRAMES = 24

_PROGRAM = """
import json, sys, time
from pathlib import Path
import cv2
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
cv2.setNumThreads(1)
from fer.fer import FER
reader = FER()
paths = sorted(Path(sys.argv[1]).iterdir())
def read():
    return [reader.detect_emotions(cv2.imread(str(path))) for path in paths]
read()
before = time.process_time()
found = read()
spent = time.process_time() - before
print(json.dumps({"per_core": round(len(paths) / spent, 2), "finds": round(sum(map(bool, found)) / len(paths), 3)}))
"""


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    """Frames per second and core, and how often it finds a face; {"skipped": why} where it can't be installed."""
    try:
        python = _environment(say)
        say("Measuring: fer")
        return {"version": VERSION} | _read(python)
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines()
        return {"version": VERSION, "skipped": lines[-1] if lines else f"exit {error.returncode}"}


def _environment(say: Callable[[str], None]) -> Path:
    """The environment's interpreter; made once."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / f"fer-{VERSION}"
    if not stamp.exists():
        say("Installing fer and TensorFlow into an environment of their own (once)")
        _quietly(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT))
        install = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _quietly(*install, *NEEDS)
        _quietly(*install, "--no-deps", f"fer=={VERSION}")
        stamp.touch()
    return python


def _read(python: Path) -> dict[str, Any]:
    """The frames go through a folder: they show nobody."""
    with tempfile.TemporaryDirectory() as folder:
        for number, jpeg in enumerate(frames()[:FRAMES]):
            Path(folder, f"{number:03}.jpg").write_bytes(jpeg)
        answer = _quietly(str(python), "-c", _PROGRAM, folder)
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return found


def _quietly(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
