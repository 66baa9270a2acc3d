"""Trainings that differ by one part of the recipe, side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ml import ablate, architectures
from tests.ml.drawn import drawn_faces, faces_csv
from tests.ml.test_train import QUICK, _small

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(architectures.ARCHITECTURES, "small", _small)
    monkeypatch.setattr(ablate, "ARCHITECTURE", "small")
    monkeypatch.setattr(ablate, "SHORT", replace(QUICK, epochs=6, augment=0))
    monkeypatch.setattr(ablate, "PARTS", {"the whole recipe": {}, "no learning": {"peak": 0.0}})


def test_a_part_that_matters_shows_and_nothing_is_trained_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=20))
    command = ["--data", str(data), "--runs", str(tmp_path / "runs"), "--json"]
    ablate.main(command)
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["the whole recipe", "no learning"]
    assert found["the whole recipe"]["accuracy"] > found["no learning"]["accuracy"] + 0.3
    assert found["the whole recipe"]["cross_entropy"] < found["no learning"]["cross_entropy"]
    (tmp_path / "runs" / "no-learning" / "result.json").write_text(
        json.dumps(found["no learning"] | {"accuracy": 0.5})
    )
    ablate.main(command[:-1])
    line = next(line for line in capsys.readouterr().out.splitlines() if "no learning" in line)
    assert "50.0" in line
    assert f"{50 - 100 * found['the whole recipe']['accuracy']:+.1f}" in line


def test_bad_data_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.ablate: .*found nothing there"):
        ablate.main(["--data", str(tmp_path / "none.csv"), "--runs", str(tmp_path)])
