from __future__ import annotations

import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ml.data import csv_file, dataset, folder, problems
from ml.data.dataset import DataError, FaceSet
from ml.data.repeats import repeat_groups, repeats_any
from ml.data.votes import VotesError, read_votes
from ml.describe import describe
from ml.describe import main as describe_command
from ml.labels import INDEX, LABELS
from tests.ml.drawn import drawn_faces, faces_csv, row, write_csv

BLACK = np.zeros((48, 48), np.uint8)


@pytest.fixture
def faces() -> FaceSet:
    return drawn_faces(per_label=2)


def _packed(kind: str, plain: Path) -> Path:
    packed = plain.with_suffix(f".csv{kind}")
    content = plain.read_bytes()
    if kind == ".zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("fer2013/fer2013.csv", content)
    else:
        pack: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress, "": bytes}
        packed.write_bytes(pack[kind](content))
    return packed


@pytest.mark.parametrize("kind", ["", ".gz", ".xz", ".zip"])
def test_the_challenges_file_reads_alike_plain_and_packed(kind: str, faces: FaceSet, tmp_path: Path) -> None:
    path = _packed(kind, faces_csv(tmp_path / "faces.csv", faces))
    found = dataset.read(path)
    np.testing.assert_array_equal(found.pixels, faces.pixels)
    np.testing.assert_array_equal(found.labels, faces.labels)
    assert set(found.usage.tolist()) == {"Training"}
    assert not found.votes.any()


def test_columns_may_come_in_any_order_and_case(tmp_path: Path) -> None:
    emotion, pixels, usage = row(3, BLACK + 7, "PublicTest")
    path = write_csv(tmp_path / "f.csv", [[usage, emotion, pixels]], (" Usage", "Emotion", "Pixels"))
    found = dataset.read(path)
    assert found.labels.tolist() == [3]
    assert found.usage.tolist() == ["PublicTest"]
    assert (found.pixels == 7).all()


def test_progress_counts_the_faces(faces: FaceSet, tmp_path: Path) -> None:
    counts: list[int] = []
    dataset.read(faces_csv(tmp_path / "f.csv", faces), progress=counts.append)
    assert counts == list(range(1, len(faces) + 1))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(3, BLACK[:47]), r"row 3: expected 2,304 pixels, received 2,256"),
        (row(3, [*[0] * 2303, 256]), r"row 3: expected pixels 0 to 255, received '256'"),
        (row(3, [*[0] * 2303, -1]), r"row 3: expected pixels 0 to 255, received '-1'"),
        (["3", " ".join(["x"] * 2304), "Training"], r"row 3: expected pixels 0 to 255, received 'x'"),
        (row(7, BLACK), r"row 3: expected a label 0 to 6, received '7'"),
        (
            row("happy" * 99, BLACK),
            r"row 3: expected a label 0 to 6, received 'happyhappyhappyhappyhappyhappyhappyhappy\.\.\.'",
        ),
        (["3"], r"row 3: expected 3 values, received 1"),
        (["3", "9" * 20_000, "Training"], r"row 3: expected at most 16,384 characters, received more"),
    ],
    ids=["few", "large", "negative", "word", "label", "long label", "short row", "long row"],
)
def test_a_bad_row_is_named_with_what_was_expected_and_received(bad: list[str], message: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "f.csv", [row(0, BLACK), bad])
    with pytest.raises(DataError, match=message) as caught:
        dataset.read(path)
    assert str(path) in str(caught.value)


def test_a_file_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "f.csv", [], ("label", "pixels"))
    with pytest.raises(DataError, match="row 1: expected the columns emotion,pixels,Usage, received label,pixels"):
        dataset.read(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").touch()
    with pytest.raises(DataError, match="received an empty file"):
        dataset.read(tmp_path / "f.csv")
    with pytest.raises(DataError, match="received an empty file"):
        dataset.read(write_csv(tmp_path / "g.csv", []))


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".csv.xz", ".zip"])
def test_what_is_no_such_file_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="expected a CSV file"):
        dataset.read(path)


def test_a_packed_file_that_breaks_off_is_refused(faces: FaceSet, tmp_path: Path) -> None:
    whole = _packed(".gz", faces_csv(tmp_path / "f.csv", faces))
    whole.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(DataError, match="could not read it"):
        dataset.read(whole)


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(DataError, match=r"expected one \.csv inside the archive, received 2"):
        dataset.read(tmp_path / "f.zip")


@pytest.mark.parametrize("kind", [".gz", ".xz", ".zip"])
def test_a_line_that_unpacks_without_end_is_refused_before_it_is_whole(tmp_path: Path, kind: str) -> None:
    path = _bomb(tmp_path, kind, b"emotion,pixels\n" + b"0" * 50_000_000)
    with pytest.raises(DataError, match="expected at most 16,384 characters"):
        dataset.read(path)


@pytest.mark.parametrize("kind", [".gz", ".xz", ".zip"])
def test_empty_lines_without_end_are_refused(tmp_path: Path, kind: str) -> None:
    path = _bomb(tmp_path, kind, b"emotion,pixels\n" + b"\n" * 5_000_000)
    with pytest.raises(DataError, match="expected 2 values"):
        dataset.read(path)


def _bomb(folder: Path, kind: str, text: bytes) -> Path:
    """A few kilobytes that unpack to `text`."""
    path = folder / f"bomb.csv{kind}"
    if kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.csv", text)
    else:
        path.write_bytes(gzip.compress(text) if kind == ".gz" else lzma.compress(text))
    assert path.stat().st_size < 100_000
    return path


def test_more_rows_than_the_limit_are_refused(
    faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "MOST_FACES", 10)
    with pytest.raises(DataError, match="expected at most 10 rows, received more"):
        dataset.read(faces_csv(tmp_path / "f.csv", faces))


def test_nothing_at_the_path_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found nothing there"):
        dataset.read(tmp_path / "none.csv")


def _picture(path: Path, grey: int, side: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side), grey, np.uint8))


def test_folders_are_mapped_by_name(tmp_path: Path) -> None:
    for index, name in enumerate(("anger", "Disgusted", "fearful", "happiness", "sadness", "surprised", "neutral")):
        _picture(tmp_path / "train" / name / "1.png", 10 * index)
    _picture(tmp_path / "test" / "angry" / "1.png", 99)
    found = dataset.read(tmp_path)
    by_grey = {int(pixels[0, 0]): int(label) for pixels, label in zip(found.pixels, found.labels, strict=True)}
    assert by_grey == {0: 0, 10: 1, 20: 2, 30: 3, 40: 4, 50: 5, 60: 6, 99: 0}
    assert found.usage[found.pixels[:, 0, 0] == 99].tolist() == ["PrivateTest"]
    assert (found.usage == "Training").sum() == 7


def test_bare_label_folders_are_training_and_pictures_are_resized(tmp_path: Path) -> None:
    _picture(tmp_path / "happy" / "large.jpg", 80, side=350)
    found = dataset.read(tmp_path)
    assert found.pixels.shape == (1, 48, 48)
    assert found.labels.tolist() == [INDEX["happy"]]
    assert found.usage.tolist() == ["Training"]
    assert abs(int(found.pixels[0, 20, 20]) - 80) <= 2


def test_a_folder_of_another_name_is_refused(tmp_path: Path) -> None:
    _picture(tmp_path / "bored" / "1.png", 1)
    with pytest.raises(DataError, match=r"expected a folder named angry, .*, received 'bored'"):
        dataset.read(tmp_path)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "1.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"1\.jpg: expected a picture"):
        dataset.read(tmp_path)


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LARGEST_FILE", 100)
    _picture(tmp_path / "sad" / "1.bmp", 1)
    with pytest.raises(DataError, match="received a larger file"):
        dataset.read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected pictures in folders named"):
        dataset.read(tmp_path)


VOTE_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def test_votes_become_shares_of_the_seven(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(VOTE_HEADER + "Training,a.png,4,0,0,1,3,2,0,0,0,0\nTraining,,0,0,0,0,0,0,0,3,0,7\n")
    found = read_votes(path, rows=2)
    np.testing.assert_allclose(found[0], [0.3, 0.2, 0, 0, 0.1, 0, 0.4], atol=1e-6)
    assert not found[1].any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "missing anger, disgust"),
        (VOTE_HEADER, "expected 1 rows of votes"),
        (VOTE_HEADER + "Training,a.png,many,0,0,0,0,0,0,0,0,0\n", "row 2: expected whole numbers"),
        (VOTE_HEADER + "Training,a.png,1\n", "row 2: expected whole numbers"),
    ],
    ids=["columns", "rows", "word", "short"],
)
def test_votes_that_do_not_fit_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text)
    with pytest.raises(VotesError, match=message):
        read_votes(path, rows=1)


def _brighter(face: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.minimum(face, 249) + np.uint8(6)


def test_votes_that_can_not_be_read_are_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "votes.csv"):
        with pytest.raises(VotesError, match="expected a CSV file of votes"):
            read_votes(path, 1)


def test_repeats_are_found_exact_and_brightened() -> None:
    pixels = drawn_faces(1).pixels
    both = np.concatenate([pixels, pixels[2:4], _brighter(pixels[5:6])])
    assert repeat_groups(both).tolist() == [0, 1, 2, 3, 4, 5, 6, 2, 3, 5]


def _chain() -> np.ndarray:
    """(3, 48, 48): the third is like the first and like the second, which are not quite like one another."""
    random = np.random.default_rng(1)
    first, change = random.uniform(60, 200, (3, 3)), random.uniform(-17, 17, (3, 3))
    parts = [first, first + change, first + change / 2]
    return np.stack([np.kron(part, np.ones((16, 16))) for part in parts]).clip(0, 255).round().astype(np.uint8)


def test_a_picture_between_two_repeats_both_though_their_groups_differ() -> None:
    pixels = _chain()
    assert repeat_groups(pixels).tolist() == [0, 1, 0]
    assert repeats_any(pixels[1:2], pixels[2:]).tolist() == [True]
    assert repeats_any(pixels[1:2], pixels[:1]).tolist() == [False]
    assert repeats_any(pixels, pixels[:0]).tolist() == [False] * 3


def test_nothing_is_learned_that_repeats_another_usage_by_a_third_picture() -> None:
    faces = _with_repeats("PublicTest")
    pixels = faces.pixels.copy()
    pixels[[20, 21, 139]] = _chain()
    learn = dataset.divide(replace(faces, pixels=pixels), share=0.0).learn.tolist()
    assert not {20, 21} & set(learn)
    assert {19, 22} <= set(learn)


def _with_repeats(usage: str) -> FaceSet:
    """Random faces of which the first 7 come again, brighter, as `usage`."""
    random = np.random.default_rng(4)
    pixels = random.integers(0, 240, (140, 48, 48)).astype(np.uint8)
    labels = np.tile(np.arange(7), 20)
    pixels[-7:] = _brighter(pixels[:7])
    uses = np.array(["Training"] * 133 + [usage] * 7)
    return FaceSet(pixels, labels, uses, np.zeros((140, len(LABELS)), np.float32))


def test_what_repeats_a_picture_of_another_usage_is_left_out() -> None:
    split = dataset.divide(_with_repeats("PublicTest"), share=0.3)
    used = {*split.learn.tolist(), *split.dev.tolist()}
    assert used == set(range(7, 133))


def test_repeats_stay_on_one_side_whatever_is_drawn() -> None:
    faces = _with_repeats("Training")
    for seed in range(5):
        split = dataset.divide(faces, share=0.5, seed=seed)
        dev = set(split.dev.tolist())
        assert all((first in dev) == (first + 133 in dev) for first in range(7))


def test_dev_is_stratified_disjoint_and_always_the_same() -> None:
    faces = _with_repeats("Training")
    split, again = dataset.divide(faces, share=0.2), dataset.divide(faces, share=0.2)
    assert split.dev.tolist() == again.dev.tolist()
    assert not set(split.learn.tolist()) & set(split.dev.tolist())
    assert all(3 <= count <= 5 for count in np.bincount(faces.labels[split.dev], minlength=7))


def test_blank_pictures_are_neither_learned_nor_chosen_on() -> None:
    faces = _with_repeats("Training")
    pixels = faces.pixels.copy()
    pixels[50] = 0
    split = dataset.divide(replace(faces, pixels=pixels))
    assert 50 not in {*split.learn.tolist(), *split.dev.tolist()}


def test_a_usage_that_the_data_has_not_is_refused(faces: FaceSet) -> None:
    assert len(faces.where("Training")) == 14
    with pytest.raises(DataError, match=r"expected one of \['Training'\], received 'PublicTest'"):
        faces.where("PublicTest")


def test_errors_never_show_a_whole_hostile_value() -> None:
    shown: Callable[[str], str] = problems.shorten
    assert shown("x" * 1000) == "x" * 40 + "..."
    assert shown("short") == "short"


def test_the_description_counts_repeats_and_votes() -> None:
    faces = _with_repeats("PublicTest")
    votes = np.zeros((140, 7), np.float32)
    votes[:4, 0] = 1
    labels = faces.labels.copy()
    labels[139] = (labels[139] + 1) % 7
    found = describe(replace(faces, votes=votes, labels=labels))
    assert found["by_usage"] == {"PublicTest": 7, "Training": 133}
    assert (found["repeats"], found["repeats_across_usages"], found["repeats_under_another_label"]) == (7, 7, 1)
    assert (found["voted"], found["label_is_most_votes"]) == (4, 0.25)
    assert found["learn"] + found["dev"] == 126


def test_the_description_is_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    describe_command(["--data", str(faces_csv(tmp_path / "f.csv", drawn_faces(2))), "--json"])
    assert json.loads(capsys.readouterr().out)["rows"] == 14
