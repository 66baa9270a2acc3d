"""The faces of an epoch, in the size that the recipe asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from keras import ops

from ml.ablate import PARTS, SHORT
from ml.training.batches import epoch_batches, soft_labels
from ml.training.recipe import Recipe
from tests.ml.drawn import drawn_faces

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FACES = drawn_faces(per_label=6)


def batches(recipe: Recipe, epoch: int) -> list[Any]:
    """The faces of each batch of this epoch; the network reads 48 pixels a side in the end."""
    found = epoch_batches(FACES.pixels, soft_labels(FACES, recipe), recipe, epoch, 48)
    return [ops.convert_to_numpy(faces) for faces, _ in found]


@pytest.mark.parametrize("changes", PARTS.values(), ids=PARTS)
def test_trainings_that_are_compared_see_faces_of_the_same_size_in_each_epoch(changes: dict[str, Any]) -> None:
    recipe = replace(SHORT, batch=16, **changes)
    shapes = [{faces.shape for faces in batches(recipe, epoch)} for epoch in range(recipe.epochs)]
    assert shapes == [{(16, 32, 32, 1)}] * 12 + [{(16, 48, 48, 1)}] * 4


def test_a_smaller_face_that_is_not_changed_is_made_of_means_over_areas() -> None:
    recipe = Recipe(epochs=1, batch=16, augment=0, small_side=32, full=0)
    small = [cv2.resize(face.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA) for face in FACES.pixels]
    for faces in batches(recipe, 0):
        assert faces.dtype == np.float32
        for face in faces[..., 0]:
            assert min(np.abs(face - smaller).max() for smaller in small) < 0.01
