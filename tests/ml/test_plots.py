from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from ml import plots
from ml.lesson import Lesson, lesson_odds
from tests.ml.drawn import drawn_faces, faces_csv

PROBABILITIES = np.random.default_rng(1).dirichlet(np.full(7, 0.3), 200).astype(np.float32)
LABELS = PROBABILITIES.argmax(axis=1)


def test_the_confusion_shows_shares_of_each_row() -> None:
    axes = plots.confusion_figure(PROBABILITIES, LABELS).axes[0]
    shown = [text.get_text() for text in axes.texts]
    assert shown == [("100" if row == column else "0") for row in range(7) for column in range(7)]


def test_the_coverage_curve_marks_the_threshold() -> None:
    odds = np.array([1.0] * 6 + [4.0])
    axes = plots.coverage_figure(PROBABILITIES, LABELS, Lesson(tuple(odds), 0.6)).axes[0]
    confidence = (PROBABILITIES * odds / (PROBABILITIES @ odds)[:, None])[np.arange(200), LABELS]
    as_in_a_lesson = np.array(lesson_odds((np.bincount(LABELS, minlength=7) / 200).tolist()))[LABELS]
    for dot, weights in zip(axes.collections, (as_in_a_lesson, np.ones(200)), strict=True):
        coverage, accuracy = np.asarray(dot.get_offsets())[0]
        assert coverage == pytest.approx(np.average(confidence >= 0.6, weights=weights))
        assert accuracy == 1


def test_the_reliability_diagram_names_the_calibration_error() -> None:
    expected = 1 - PROBABILITIES.max(axis=1).mean()
    assert f"{expected:.3f}" in plots.reliability_figure(PROBABILITIES, LABELS).axes[0].get_title()


def test_a_log_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("epoch 1")
    for path in (tmp_path / "log.jsonl", tmp_path / "none.jsonl"):
        with pytest.raises(SystemExit, match=r"ml\.plots: --log .*expected the lines that ml\.train writes"):
            plots.main(["--log", str(path), "--out", str(tmp_path)])


def test_the_command_draws_network_and_training(tmp_path: Path) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=3))
    lines = [{"epoch": 1, "loss": 1.8, "dev_accuracy": None}, {"epoch": 2, "loss": 1.4, "dev_accuracy": 0.4}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    options = ["--usage", "Training", "--log", str(tmp_path / "log.jsonl"), "--out", str(tmp_path / "out")]
    plots.main(["--data", str(data), *options])
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["confusion.png", "coverage.png", "reliability.png", "training.png"]
    assert all(np.asarray(cv2.imread(str(tmp_path / "out" / name))).std() > 5 for name in written)
