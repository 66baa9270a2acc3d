from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.labels import LABELS
from ml.predict import main, read_picture
from ml.serving.manifest import Manifest
from ml.synthetic import SyntheticFaces, compose_frame


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Two people side by side, as a PNG."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(21)
    pair = np.hstack([compose_frame(faces.face(label, rng), rng) for label in ("happy", "surprise")])
    path = tmp_path / "two people.png"
    cv2.imwrite(str(path), pair)
    return path


def test_every_face_is_named_in_json(photo: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "--json", "--weights", str(weights)]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert (found["width"], found["height"], found["model_version"]) == (640, 240, "tiny-1")
    assert sorted(face["box"]["x"] >= 320 for face in found["faces"]) == [False, True]
    for face in found["faces"]:
        assert list(face["probabilities"]) == list(LABELS)
        assert face["confidence"] == max(face["probabilities"].values())
        assert face["probabilities"][face["emotion"]] == face["confidence"]
        shares = list(face["probabilities"].values())
        assert face["uncertain"] is Manifest.load(weights).lesson.is_uncertain(shares, LABELS.index(face["emotion"]))


def test_and_in_words(photo: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "--weights", str(weights)]) == 0
    first, *faces = capsys.readouterr().out.splitlines()
    assert first.endswith("two people.png: 2 faces")
    assert all(line.split()[0] in LABELS and "%" in line for line in faces)


def test_the_annotated_picture_differs_only_around_faces(photo: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "boxes.png"
    assert main([str(photo), "--weights", str(weights), "--out", str(out)]) == 0
    before, after = read_picture(photo), read_picture(out)
    assert before.shape == after.shape
    changed = (before != after).any(axis=2)
    assert 0.01 < changed.mean() < 0.25
    assert not changed[-20:].any()


def test_several_photos_go_to_a_folder(photo: Path, weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jpg"
    cv2.imwrite(str(other), read_picture(photo)[:, :320])
    assert main([str(photo), str(other), "--weights", str(weights), "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.jpg", "two people.png"]


def test_a_grey_photo_is_read_too(photo: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey = photo.with_name("grey.png")
    cv2.imwrite(str(grey), cv2.cvtColor(read_picture(photo), cv2.COLOR_BGR2GRAY))
    assert main([str(grey), "--weights", str(weights)]) == 0
    assert "2 faces" in capsys.readouterr().out


def test_a_picture_without_a_face_says_so(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wall = tmp_path / "wall.png"
    cv2.imwrite(str(wall), np.full((90, 120, 3), 128, np.uint8))
    assert main([str(wall), "--weights", str(weights)]) == 0
    assert capsys.readouterr().out == f"{wall}: no face found\n"


def test_a_bad_file_is_named_and_the_others_are_still_read(
    photo: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, empty, missing = tmp_path / "notes.jpg", tmp_path / "empty.png", tmp_path / "missing.jpg"
    text.write_text("not a picture")
    empty.touch()
    assert main([*map(str, (text, empty, missing, photo)), "--weights", str(weights), "--json"]) == 1
    printed = capsys.readouterr()
    assert [len(found["faces"]) for found in json.loads(printed.out)] == [2]
    assert f"{text}: expected a picture" in printed.err
    assert f"{empty}: expected a picture" in printed.err
    assert f"{missing}: expected a picture, found no such file." in printed.err


def test_a_name_that_is_no_picture_format_is_refused(
    photo: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photo), "--weights", str(weights), "--out", str(tmp_path / "boxes.text")]) == 1
    assert "such as .png or .jpg" in capsys.readouterr().err


def test_missing_weights_are_named(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "--weights", str(tmp_path)]) == 1
    assert "No manifest.json in the weights folder" in capsys.readouterr().err
