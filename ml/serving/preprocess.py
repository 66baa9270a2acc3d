"""From a face in a frame to the network's input: framed as FER2013 frames its faces."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from ml.types import Box, ByteArray, Face, FloatArray

FACE_SIDE = 48
OVERSAMPLING = 3
"""The warp goes to a larger picture first: `cv2.warpAffine` has no area interpolation, and would alias."""

SIDE_PER_BOX = 1.057
"""Side of FER2013's square over the geometric mean of YuNet's box sides: median over 2,800 training faces."""
DOWN_PER_BOX = -0.041
"""How far the square's centre lies below the point between the box's centre and the landmarks' mean."""
LARGEST_ROLL = 45.0
"""Degrees. A steeper eye line is a wrong landmark or somebody lying down: left as it is."""


def align(frame: ByteArray, face: Face) -> ByteArray:
    """The face as a (48, 48) uint8 grey picture, framed as FER2013 frames its faces.

    `frame`: (h, w, 3) blue-green-red or (h, w) grey, uint8. What lies outside of the frame repeats its edge.
    """
    side = FACE_SIDE * OVERSAMPLING
    patch = cv2.warpAffine(
        frame, crop_transform(face, side), (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    grey = patch if patch.ndim == 2 else cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def align_photograph(picture: ByteArray, face: Face) -> ByteArray:
    """`align` for pictures of any size: with a face too large for the warp to average, the picture is shrunk first.

    Camera frames have no such faces, and browsers, which read them too, no such step.
    """
    share = FACE_SIDE * OVERSAMPLING * 2 / (SIDE_PER_BOX * math.sqrt(face.box.area))
    if share >= 1:
        return align(picture, face)
    smaller = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return align(np.asarray(smaller, np.uint8), _scaled(face, share))


def _scaled(face: Face, share: float) -> Face:
    """The same face in a picture of `share` times the sides. Pixels count from their centres."""
    shift, box = (share - 1) / 2, face.box
    smaller = Box(box.x * share + shift, box.y * share + shift, box.width * share, box.height * share)
    return replace(face, box=smaller, landmarks=np.asarray(face.landmarks * share + shift, np.float32))


def crop_transform(face: Face, side: int) -> npt.NDArray[np.float64]:
    """The (2, 3) affine map from the frame's pixels to a square of `side` pixels around the face."""
    size = math.sqrt(face.box.area)
    scale = side / (SIDE_PER_BOX * size)
    angle = math.radians(roll_to_remove(face.landmarks))
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    x, y = _centre(face, size)
    middle = (side - 1) / 2
    return np.array([[cos, sin, middle - cos * x - sin * y], [-sin, cos, middle + sin * x - cos * y]])


def roll_to_remove(landmarks: FloatArray) -> float:
    """Degrees by which the face is to be turned: what its eye line leans.

    Measured on dev: taking all of it away read the emotions better, with and without extra roll, than leaving the 3
    to 20 degrees that FER2013's own faces show.
    """
    dx, dy = landmarks[1] - landmarks[0]
    roll = math.degrees(math.atan2(dy, dx))
    return roll if abs(roll) <= LARGEST_ROLL else 0.0


def _centre(face: Face, size: float) -> tuple[float, float]:
    """Centre of the square: between the box's centre and the mean landmark, which errs less than either."""
    box_x, box_y = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    mark_x, mark_y = face.landmarks.mean(axis=0)
    return (box_x + float(mark_x)) / 2, (box_y + float(mark_y)) / 2 + DOWN_PER_BOX * size
