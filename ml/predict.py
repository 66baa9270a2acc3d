"""Names the emotion of every face in a photograph: `python -m ml.predict PHOTO... [--out FILE|FOLDER] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2

from ml.labels import LABELS
from ml.serving.analyser import FrameAnalyser
from ml.serving.manifest import ModelFileError
from ml.serving.picture_size import MOST_PIXELS, decoded, too_large
from ml.serving.yunet_model import DetectorModelError
from ml.types import ByteArray, FrameAnalysis, Reading

COLOURS = {
    "angry": (60, 60, 214),
    "disgust": (88, 140, 76),
    "fear": (176, 86, 126),
    "happy": (44, 168, 232),
    "sad": (190, 118, 62),
    "surprise": (156, 150, 28),
    "neutral": (136, 126, 118),
}
"""Blue, green, red."""


class PictureError(ValueError):
    """A picture that can't be read or written; its text is for the person who named the file."""


def read_picture(path: Path) -> ByteArray:
    """A (h, w, 3) blue-green-red picture in any format that OpenCV knows; grey becomes colour, EXIF is obeyed.

    Raises PictureError when there is no such file or it is not a picture.
    """
    if not path.is_file():
        raise PictureError(f"{path}: expected a picture, found no such file.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror or error}.") from error
    if too_large(content):
        raise PictureError(f"{path}: expected at most {MOST_PIXELS:,} pixels, received a picture that declares more.")
    bgr = decoded(content, cv2.IMREAD_COLOR)
    if bgr is None:
        raise PictureError(f"{path}: expected a picture (JPEG, PNG, WebP, ...), received something else.")
    return bgr


def as_json(path: Path, analysis: FrameAnalysis, model_version: str) -> dict[str, Any]:
    """What `--json` prints for a picture: boxes in pixels, confidences and probabilities 0..1."""
    return {
        "photo": str(path),
        "width": analysis.width,
        "height": analysis.height,
        "model_version": model_version,
        "faces": [_face_as_json(reading) for reading in analysis.readings],
    }


def _face_as_json(reading: Reading) -> dict[str, Any]:
    box = reading.face.box
    return {
        "box": {"x": round(box.x), "y": round(box.y), "width": round(box.width), "height": round(box.height)},
        "emotion": reading.label,
        "confidence": round(reading.confidence, 4),
        "uncertain": reading.uncertain,
        "probabilities": {
            label: round(float(value), 4) for label, value in zip(LABELS, reading.probabilities, strict=True)
        },
    }


def as_text(path: Path, analysis: FrameAnalysis) -> str:
    """The same for a person to read."""
    if not analysis.readings:
        return f"{path}: no face found"
    count = "1 face" if len(analysis.readings) == 1 else f"{len(analysis.readings)} faces"
    return "\n".join([f"{path}: {count}", *(f"  {_face_as_text(reading)}" for reading in analysis.readings)])


def _face_as_text(reading: Reading) -> str:
    box = reading.face.box
    doubt = ", uncertain" if reading.uncertain else ""
    place = f"{box.width:.0f}x{box.height:.0f} at {box.x:.0f},{box.y:.0f}"
    return f"{reading.label:<9}{reading.confidence:>4.0%}  ({place}{doubt})"


def annotated(bgr: ByteArray, analysis: FrameAnalysis) -> ByteArray:
    """A copy of the picture with every face boxed and named."""
    drawn = bgr.copy()
    for reading in analysis.readings:
        _draw(drawn, reading, scale=max(bgr.shape[:2]) / 900)
    return drawn


def _draw(picture: ByteArray, reading: Reading, scale: float) -> None:
    box, colour = reading.face.box, COLOURS[reading.label]
    left, top = round(box.x), round(box.y)
    thick, letter = max(1, round(2 * scale)), max(0.4, 0.7 * scale)
    cv2.rectangle(picture, (left, top), (round(box.x + box.width), round(box.y + box.height)), colour, thick)
    text = f"{reading.label}{'?' if reading.uncertain else ''} {reading.confidence:.0%}"
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, letter, thick)
    base = max(top, height + 2 * below)
    cv2.rectangle(picture, (left, base - height - 2 * below), (left + width + 2 * below, base), colour, -1)
    cv2.putText(
        picture,
        text,
        (left + below, base - below),
        cv2.FONT_HERSHEY_SIMPLEX,
        letter,
        (255, 255, 255),
        thick,
        cv2.LINE_AA,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every picture could be read; 1 with a line on stderr for each that could not."""
    options = _options(arguments)
    try:
        analyser = FrameAnalyser.load(options.weights)
    except (ModelFileError, DetectorModelError) as error:
        print(f"ml.predict: {error}", file=sys.stderr)
        return 1
    if options.out is not None and (twice := _repeated(path.name for path in options.photos)):
        print(f"ml.predict: --out: expected photos of different names, received several {twice}.", file=sys.stderr)
        return 1
    failed, described = False, []
    for path in options.photos:
        try:
            analysis = _predict(path, options, analyser)
        except PictureError as error:
            print(f"ml.predict: {error}", file=sys.stderr)
            failed = True
            continue
        if options.json:
            described.append(as_json(path, analysis, analyser.model_version))
        else:
            print(as_text(path, analysis))
    if options.json:
        print(json.dumps(described))
    return int(failed)


def _repeated(names: Iterable[str]) -> str | None:
    """A name that occurs twice: in one folder the second picture would take the first one's place."""
    return next((name for name, count in Counter(names).items() if count > 1), None)


def _predict(path: Path, options: argparse.Namespace, analyser: FrameAnalyser) -> FrameAnalysis:
    bgr = read_picture(path)
    analysis = analyser.analyse_picture(bgr)
    if options.out is not None:
        _write(options.out if len(options.photos) == 1 else options.out / path.name, annotated(bgr, analysis))
    return analysis


def _write(path: Path, bgr: ByteArray) -> None:
    """Raises PictureError when the name's ending is no format or the file can't be written."""
    try:
        encoded = cv2.imencode(path.suffix, bgr)[1]
    except cv2.error as error:
        raise PictureError(
            f"{path}: expected a name that ends in a picture's format, such as .png or .jpg."
        ) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise PictureError(f"{path}: {error.strerror or error}") from error


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m ml.predict", description="Name the emotion of every face in a picture."
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--out", type=Path, help="write the picture with boxes here; a folder for several photos")
    parser.add_argument("--json", action="store_true", help="print one list of objects, one per photo")
    parser.add_argument("--weights", type=Path, help="folder of weights (default: the ones in this package)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
