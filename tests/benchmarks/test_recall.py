"""`python -m benchmarks.recall` on a small data file of faces of nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import recall
from benchmarks.faces import frames
from ml.labels import LABELS
from ml.serving.faces import Search
from ml.synthetic import SyntheticFaces


def written(folder: Path, usage: str, each: int) -> Path:
    """The challenge's CSV, so many faces of each label."""
    faces, rng, path = SyntheticFaces.load(), np.random.default_rng(1), folder / "faces.csv"
    lines = ["emotion,pixels,Usage"]
    for number in range(each * len(LABELS)):
        face = faces.face(LABELS[number % len(LABELS)], rng)
        lines.append(f"{number % len(LABELS)},{' '.join(map(str, face.ravel()))},{usage}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_it_prints_how_often_each_search_finds_a_face_at_each_distance(tmp_path: Path, capsys: Any) -> None:
    recall.main(["--data", str(written(tmp_path, "Training", 12)), "--faces", "5"])
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["part"], found["faces"]) == ("faces.csv", "dev", 5)
    for distance in ("near", "middle", "far"):
        assert found[distance]["quick_finds"] > 0.5
        assert 0 <= found[distance]["quick_of_full"] <= 1
        assert found[distance]["quick_ms"] > 0


def test_it_says_that_data_have_no_such_part(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Training"):
        recall.main(["--data", str(written(tmp_path, "PublicTest", 2))])


def test_a_search_that_misses_faces_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind:
        """Finds every second face quickly, three of four fully."""

        def __init__(self) -> None:
            self.asked = dict.fromkeys(recall.SEARCHES, -1)

        def detect(self, picture: Any, search: Search) -> list[int]:
            self.asked[search] += 1
            return [1] if self.asked[search] % (2 if search == "quick" else 4) else []

    monkeypatch.setattr(recall, "FaceDetector", Blind)
    found = recall.compared(frames()[:8])
    assert (found["full_finds"], found["quick_finds"], found["quick_of_full"]) == (0.75, 0.5, 0.6667)
