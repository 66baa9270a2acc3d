"""Trainings that differ by one part of the recipe, side by side."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

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
    assert found["no learning"]["difference"] == pytest.approx(
        found["no learning"]["accuracy"] - found["the whole recipe"]["accuracy"], abs=1e-4
    )
    known = tmp_path / "runs" / "no-learning" / "answers.npz"
    with np.load(known) as kept:
        np.savez(known, averaged=np.roll(kept["averaged"], 1, axis=1), last=kept["last"])
    ablate.main(command)
    assert json.loads(capsys.readouterr().out)["no learning"]["confusion"] != found["no learning"]["confusion"]


def test_the_error_of_a_difference_is_that_of_the_faces_it_rests_on() -> None:
    labels = np.zeros(400, np.int64)
    first = np.tile(np.eye(7, dtype=np.float32)[0], (400, 1))
    other = first.copy()
    other[:40] = np.eye(7)[1]  # a tenth is read wrong
    results = {"first": ablate.Answers(first, first), "other": ablate.Answers(averaged=other, last=first)}
    rows = ablate.compared(results, labels)
    assert (rows["other"]["accuracy"], rows["other"]["accuracy_last"]) == (0.9, 1.0)
    assert rows["other"]["difference"] == -0.1
    assert rows["other"]["difference_error"] == pytest.approx((0.1 * 0.9 / 400) ** 0.5, abs=1e-4)
    written = io.StringIO()
    Console(width=120, file=written).print(ablate.table(rows))
    assert "-10.0 ± 1.5" in next(line for line in written.getvalue().splitlines() if "other" in line)


def test_bad_data_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.ablate: .*found nothing there"):
        ablate.main(["--data", str(tmp_path / "none.csv"), "--runs", str(tmp_path)])
