"""The analysis alone: `python -m benchmarks.analysis` is one bare loop, a process of its own on one core.

The bare loop is what no product can beat: decode, find, align and classify in batches, and nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from benchmarks.faces import frames
from ml.serving.analyser import FrameAnalyser, brightness, decode
from ml.serving.preprocess import align
from ml.types import ByteArray

BATCH = 64
ROUNDS = 7


def bare_loops(processes: int, seconds: float) -> dict[str, Any]:
    """So many bare loops side by side. `per_core`: frames per second of processor time, all loops together."""
    command = [sys.executable, "-m", "benchmarks.analysis", str(seconds)]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(processes)]
    counted = [_counted(process) for process in running]
    total, cpu = sum(one["frames"] for one in counted), sum(one["cpu_seconds"] for one in counted)
    wall = max(one["seconds"] for one in counted)
    return {"processes": processes, "frames_per_second": round(total / wall, 1), "per_core": round(total / cpu, 1)}


def _counted(process: subprocess.Popen[str]) -> dict[str, float]:
    """What a bare loop prints; what it says on the error stream (LiteRT greets) only where it fails."""
    out, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a bare loop ended:\n{said}")
    counted: dict[str, float] = json.loads(out)
    return counted


def stages() -> dict[str, float]:
    """Median CPU milliseconds a frame of each stage, from ROUNDS rounds over the same frames."""
    analyser, jpegs = FrameAnalyser.load(), frames()
    pictures = [np.asarray(decode(jpeg)) for jpeg in jpegs]
    found = [analyser._find(picture, every_face=False) for picture in pictures]
    crops = np.stack([align(one.bgr, one.read[0]) for one in found if one.read])

    def find(picture: ByteArray) -> object:
        return analyser._find(picture, every_face=False)

    work: dict[str, Callable[[], object]] = {
        "decode": lambda: _each(decode, jpegs),
        "find": lambda: _each(find, pictures),
        "align": lambda: [align(one.bgr, one.read[0]) for one in found if one.read],
        "classify": lambda: analyser._classifier.probabilities(crops),
        "brightness": lambda: [brightness(picture) for picture in pictures],
        "all": lambda: analyser.analyse(jpegs),
    }
    return {name: round(1000 * median_cpu_seconds(one) / len(jpegs), 4) for name, one in work.items()}


def _each(work: Callable[[Any], object], things: Iterable[Any]) -> None:
    """One after the other, and nothing is kept: fresh memory for hundreds of pictures would cost as much again."""
    for thing in things:
        work(thing)


def median_cpu_seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median CPU seconds of one call, after one that warms up."""
    work()
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return statistics.median(spent)


def main() -> None:
    seconds = float(sys.argv[1])
    cv2.setNumThreads(1)
    analyser, jpegs = FrameAnalyser.load(), frames()
    batches = [jpegs[start : start + BATCH] for start in range(0, len(jpegs), BATCH)]
    analyser.analyse(batches[0])
    done, began, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        for batch in batches:
            analyser.analyse(batch)
            done += len(batch)
    spent = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({"frames": done, **spent}))


if __name__ == "__main__":
    main()
