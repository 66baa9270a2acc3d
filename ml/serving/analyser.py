"""From camera frames to readings: decode, find, align, classify. The whole serving path, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml.labels import LABELS
from ml.serving.classifier import EmotionClassifier
from ml.serving.faces import FaceDetector
from ml.serving.jpeg import BadJpegError, declared_size
from ml.serving.preprocess import FACE_SIDE, align, align_photograph
from ml.types import ByteArray, Face, FloatArray, FrameAnalysis, Reading, UndecodableFrame

Crop = Callable[[ByteArray, Face], ByteArray]

LARGEST_SIDE = 4096
"""Pixels. A frame that declares more is refused before a byte of it is decoded."""
TOO_FAR_BELOW = 0.12
"""Share of the frame's width. Below it, at 320 pixels, a face has fewer pixels than the network's input."""
TOO_DARK_BELOW = 0.16
"""Mean luminance of the frame. The frame's and not the face's: a dark skin is not a dark room."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A decoded frame and the faces in it that are to be read."""

    bgr: ByteArray
    faces: list[Face]
    read: list[Face]


class FrameAnalyser:
    """Reads faces out of JPEG frames. One per process; not to be shared between threads."""

    def __init__(self, detector: FaceDetector, classifier: EmotionClassifier) -> None:
        cv2.setNumThreads(1)
        self._detector = detector
        self._classifier = classifier

    @classmethod
    def load(cls, directory: Path | str | None = None) -> FrameAnalyser:
        """Detector and network, ready to serve. Raises ModelFileError or DetectorModelError."""
        return cls(FaceDetector(), EmotionClassifier.load(directory))

    @property
    def model_version(self) -> str:
        """Names the network that made the readings."""
        return self._classifier.model_version

    def analyse(self, jpegs: Sequence[bytes], *, every_face: bool = False) -> list[FrameAnalysis | UndecodableFrame]:
        """One answer per frame, in order. A bad frame gives an UndecodableFrame in its place and disturbs no other.

        Only the largest face of a frame is read, after a quick search; with `every_face` all, after a thorough one.
        """
        frames = [decode(jpeg) for jpeg in jpegs]
        found = [self._find(frame, every_face) for frame in frames if not isinstance(frame, UndecodableFrame)]
        analyses = iter(self._read(found))
        return [frame if isinstance(frame, UndecodableFrame) else next(analyses) for frame in frames]

    def analyse_picture(self, bgr: ByteArray) -> FrameAnalysis:
        """Every face in a decoded (h, w, 3) uint8 picture."""
        return self._read([self._find(bgr, every_face=True)], align_photograph)[0]

    def _find(self, bgr: ByteArray, every_face: bool) -> _Found:
        faces = self._detector.detect(bgr, "thorough" if every_face else "quick")
        return _Found(bgr, faces, faces if every_face else faces[:1])

    def _read(self, found: Sequence[_Found], crop: Crop = align) -> list[FrameAnalysis]:
        """Classify the faces of all frames at once and hand each frame its own."""
        crops = [crop(one.bgr, face) for one in found for face in one.read]
        stack = np.stack(crops) if crops else np.zeros((0, FACE_SIDE, FACE_SIDE), np.uint8)
        rows = iter(self._classifier.probabilities(stack))
        return [_analysis(one, tuple(self._reading(face, next(rows)) for face in one.read)) for one in found]

    def _reading(self, face: Face, probabilities: FloatArray) -> Reading:
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        uncertain = self._classifier.lesson.is_uncertain(probabilities.tolist(), best)
        return Reading(face, probabilities, LABELS[best], confidence, uncertain)


def decode(jpeg: bytes) -> ByteArray | UndecodableFrame:
    """A JPEG's pixels, (h, w, 3) blue-green-red; or why there are none. The declared size is checked first."""
    try:
        width, height = declared_size(jpeg)
    except BadJpegError as error:
        return UndecodableFrame(error.reason)
    if max(width, height) > LARGEST_SIDE:
        return UndecodableFrame("too_large")
    try:
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return UndecodableFrame("undecodable")
    return UndecodableFrame("undecodable") if bgr is None else np.asarray(bgr, np.uint8)


def brightness(bgr: ByteArray) -> float:
    """Mean luminance of a (h, w, 3) blue-green-red picture, 0..1 (Rec. 601 weights). Every fourth row says it."""
    blue, green, red, _ = cv2.mean(np.ascontiguousarray(bgr[::4]))
    return (0.114 * blue + 0.587 * green + 0.299 * red) / 255


def _analysis(found: _Found, readings: tuple[Reading, ...]) -> FrameAnalysis:
    height, width = found.bgr.shape[:2]
    light = brightness(found.bgr)
    return FrameAnalysis(
        width=width,
        height=height,
        readings=readings,
        face_count=len(found.faces),
        brightness=light,
        too_dark=light < TOO_DARK_BELOW,
        too_far=bool(found.faces) and found.faces[0].box.width < TOO_FAR_BELOW * width,
    )
