"""Makes the components of synthetic faces: for each emotion a mean face and its first principal components.

Only faces that look ahead, whose label other people agree with (FER+ votes, if given), and that resemble their
kind; aligned by landmarks, then to their common mean (ECC, Evangelidis and Psarakis 2008), and mirrored. Hundreds of
faces go into every component, and only the first few are kept: no single face can be made from them again.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.data.dataset import FaceSet
from ml.labels import LABELS
from ml.serving.faces import FaceDetector
from ml.serving.preprocess import FACE_SIDE
from ml.types import ByteArray, FloatArray

COMPONENTS = 16
MOST_FACES = 600
"""Per emotion, those that most people agree on first."""
KEPT_SHARE = 0.6
"""Of those, the ones that resemble the mean most: the rest are turned, hidden or not well aligned."""
FEWEST_FACES = 100
ROUNDS = 3
LOOKS_AHEAD = 0.15
"""Largest distance of the nose from the face's middle line, in distances between the eyes."""
LARGEST_ROLL = 15.0
ENLARGED = 120
MARGIN = 36
"""Pixels around an enlarged face, so that the detector sees it whole."""
CANONICAL = np.array([[15, 18.2], [33, 18.2], [24, 28], [16.5, 36.4], [31.5, 36.4]], np.float32)
"""Where FER2013's faces have eyes, nose and mouth corners: medians of 2,800 faces, made symmetric."""


def build(faces: FaceSet) -> dict[str, Any]:
    """What `SyntheticFaces.load` reads: means (7, 48, 48) float16, components (7, k, 48, 48) int8, steps (7, k), and
    `faces`, how many faces went into each emotion.

    Raises ValueError when an emotion has too few faces for nobody to be recognised in the result.
    """
    detector = FaceDetector()
    stacks = [_aligned(faces.pixels[_candidates(faces, label)], detector) for label in range(len(LABELS))]
    for label, stack in zip(LABELS, stacks, strict=True):
        if len(stack) < FEWEST_FACES:
            raise ValueError(f"{label}: expected {FEWEST_FACES} usable faces or more, received {len(stack)}.")
    parts = [_principal(stack) for stack in stacks]
    return {
        "means": np.array([mean for mean, _, _ in parts], np.float16),
        "components": np.array([components for _, components, _ in parts], np.int8),
        "steps": np.array([steps for _, _, steps in parts], np.float32),
        "faces": np.array([len(stack) for stack in stacks], np.int32),
    }


def _candidates(faces: FaceSet, label: int) -> npt.NDArray[np.int64]:
    """Faces of a label, the most agreed on first; a face that most people call something else comes last."""
    own = np.flatnonzero(faces.labels == label)
    return own[np.argsort(-faces.votes[own, label], kind="stable")]


def _aligned(pixels: ByteArray, detector: FaceDetector) -> FloatArray:
    """Up to MOST_FACES of these (n, 48, 48) faces, aligned to each other; (m, 48, 48) in standard deviations."""
    chosen, transforms = [], []
    for face in pixels:
        landmarks = _frontal_landmarks(face, detector)
        if landmarks is not None:
            chosen.append(face)
            transforms.append(_to_canonical(landmarks))
        if len(chosen) == MOST_FACES:
            break
    return _congealed(chosen, transforms)


def _frontal_landmarks(face: ByteArray, detector: FaceDetector) -> FloatArray | None:
    """(5, 2) landmarks in the face's own pixels; None when it is not found or does not look ahead."""
    enlarged = cv2.resize(face, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    framed = cv2.copyMakeBorder(enlarged, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    found = detector.detect(np.asarray(cv2.cvtColor(framed, cv2.COLOR_GRAY2BGR), np.uint8))
    if not found:
        return None
    marks = np.asarray((found[0].landmarks - MARGIN) * (FACE_SIDE / ENLARGED), np.float32)
    across = marks[1] - marks[0]
    nose_off = (marks[2, 0] - marks[[0, 1, 3, 4], 0].mean()) / np.linalg.norm(across)
    roll = math.degrees(math.atan2(across[1], across[0]))
    return marks if abs(nose_off) < LOOKS_AHEAD and abs(roll) < LARGEST_ROLL else None


def _to_canonical(landmarks: FloatArray) -> FloatArray:
    """The (2, 3) affine map that brings landmarks to CANONICAL, by least squares."""
    solution = np.linalg.lstsq(np.column_stack([landmarks, np.ones(5)]), CANONICAL, rcond=None)[0]
    return np.asarray(solution.T, np.float32)


def _congealed(faces: list[ByteArray], transforms: list[FloatArray]) -> FloatArray:
    """Bring each face closer to the common mean, several times; then keep the ones most like it, and mirror them."""
    stack = _warped(faces, transforms)
    for _ in range(ROUNDS if faces else 0):
        mean = _mean(stack)
        transforms = [_refined(mean, one, transform) for one, transform in zip(stack, transforms, strict=True)]
        stack = _warped(faces, transforms)
    likeness = np.array([np.corrcoef(one[FEATURES], _mean(stack)[FEATURES])[0, 1] for one in stack])
    kept = stack[np.argsort(-likeness)[: math.ceil(KEPT_SHARE * len(stack))]]
    return np.concatenate([kept, kept[:, :, ::-1]])


def _mean(stack: FloatArray) -> FloatArray:
    mean = stack.mean(axis=0)
    return np.asarray((mean + mean[:, ::-1]) / 2, np.float32)


def _refined(mean: FloatArray, warped: FloatArray, transform: FloatArray) -> FloatArray:
    """The transform, bettered by an affine ECC fit of its result to the mean; as it was where the fit runs away."""
    step: FloatArray = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 25, 1e-4)
    try:
        fitted = cv2.findTransformECC(mean, warped, step, cv2.MOTION_AFFINE, criteria, FEATURES.astype(np.uint8), 3)[
            1
        ]
    except cv2.error:  # it does not converge: this face stays where its landmarks put it
        return transform
    step = np.asarray(fitted, np.float32)
    growth = math.sqrt(abs(np.linalg.det(step[:, :2])))
    if not 0.8 < growth < 1.25 or np.abs(step[:, 2]).max() > FACE_SIDE / 6:
        return transform
    bottom = np.array([[0, 0, 1]], np.float32)
    return np.asarray((np.linalg.inv(np.vstack([step, bottom])) @ np.vstack([transform, bottom]))[:2], np.float32)


def _warped(faces: list[ByteArray], transforms: list[FloatArray]) -> FloatArray:
    """(n, 48, 48) float32: each face under its transform, its features with mean 0 and deviation 1."""
    side = (FACE_SIDE, FACE_SIDE)
    stack = np.zeros((len(faces), *side), np.float32)
    for place, face, transform in zip(stack, faces, transforms, strict=True):
        warped = cv2.warpAffine(face, transform, side, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        features = warped[FEATURES].astype(np.float32)
        place[:] = (warped - features.mean()) / max(float(features.std()), 10.0)
    return stack


def _principal(stack: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int8], FloatArray]:
    """Mean, the first components in whole steps, and the size of each component's step."""
    mean = stack.mean(axis=0)
    _, deviations, directions = np.linalg.svd((stack - mean).reshape(len(stack), -1), full_matrices=False)
    scaled = directions[:COMPONENTS] * (deviations[:COMPONENTS, None] / math.sqrt(len(stack)))
    steps = np.abs(scaled).max(axis=1) / 127
    whole = np.rint(scaled / steps[:, None]).astype(np.int8)
    return mean, whole.reshape(-1, FACE_SIDE, FACE_SIDE), steps


def _features() -> npt.NDArray[np.bool_]:
    """(48, 48): where a face's features are; what surrounds them is hair and background."""
    mask = np.zeros((FACE_SIDE, FACE_SIDE), np.uint8)
    cv2.ellipse(mask, (24, 26), (17, 19), 0, 0, 360, 1, -1)
    return mask.astype(np.bool_)


FEATURES = _features()
