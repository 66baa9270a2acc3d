"""The analysis alone: `python -m benchmarks.analysis` is one bare loop, a process of its own on one core.

The bare loop is what no product can beat: decode, find, align and classify in batches, and nothing else.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from benchmarks.faces import frames, frames_at
from ml.serving.analyser import FrameAnalyser, brightness, decode
from ml.serving.faces import Search
from ml.serving.preprocess import align
from ml.types import ByteArray

BATCH = 64
ROUNDS = 7


def bare_loops(processes: int, seconds: float) -> dict[str, Any]:
    """So many bare loops side by side. `per_core`: frames per second of processor time, all loops together."""
    command = [sys.executable, "-m", "benchmarks.analysis", str(seconds)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    counted = [json.loads(process.communicate()[0]) for process in running]
    total, cpu = sum(one["frames"] for one in counted), sum(one["cpu_seconds"] for one in counted)
    wall = max(one["seconds"] for one in counted)
    return {"processes": processes, "frames_per_second": round(total / wall, 1), "per_core": round(total / cpu, 1)}


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
    return {name: round(1000 * _cpu(one) / len(jpegs), 4) for name, one in work.items()}


def _each(work: Callable[[Any], object], things: Iterable[Any]) -> None:
    """One after the other, and nothing is kept: fresh memory for hundreds of pictures would cost as much again."""
    for thing in things:
        work(thing)


def recall(count: int = 400) -> dict[str, Any]:
    """Of the faces that a full search of 320x240 finds, the share that the served (quick) search finds."""
    return {distance: _recall(frames_at(distance, count)) for distance in ("near", "far")} | {
        "simulated class": _recall(frames())
    }


def _recall(jpegs: Sequence[bytes]) -> dict[str, float]:
    detector = FrameAnalyser.load()._detector
    pictures = [np.asarray(decode(jpeg)) for jpeg in jpegs]
    found = {search: [bool(detector.detect(one, search)) for one in pictures] for search in _SEARCHES}
    cost = {
        search: _cpu(lambda search=search: [detector.detect(one, search) for one in pictures], 1) for search in found
    }
    full, quick = (np.array(found[search]) for search in ("full", "quick"))
    return {
        "full_finds": round(float(full.mean()), 4),
        "quick_of_full": round(float(quick[full].mean()), 4),
        **{f"{search}_ms": round(1000 * cost[search] / len(jpegs), 3) for search in _SEARCHES},
    }


_SEARCHES: tuple[Search, ...] = ("full", "quick")


def _cpu(work: Callable[[], object], rounds: int = ROUNDS) -> float:
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
