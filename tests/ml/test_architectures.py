from __future__ import annotations

import numpy as np
import pytest

from ml import architectures
from tests.ml.drawn import drawn_faces

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FACES = drawn_faces(1).pixels[..., None].astype(np.float32)


def test_the_baseline_is_the_network_that_the_project_started_from() -> None:
    model = architectures.build("baseline")
    assert model.count_params() == 2_726_151
    kernels = [
        layer.kernel.shape for layer in model.layers if layer.name.startswith("conv") and hasattr(layer, "kernel")
    ]
    assert [tuple(shape) for shape in kernels] == [
        (3, 3, 1, 32), (3, 3, 32, 64), (5, 5, 64, 128), (3, 3, 128, 512), (3, 3, 512, 256),
    ]  # fmt: skip


def test_our_network_keeps_within_two_million_parameters() -> None:
    assert architectures.build("roomtone").count_params() <= 2_000_000


@pytest.mark.parametrize("name", sorted(architectures.ARCHITECTURES))
def test_pixels_go_in_and_probabilities_come_out(name: str) -> None:
    found = np.asarray(architectures.build(name)(FACES, training=False))
    assert found.shape == (7, 7)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found > 0).all()


def test_the_network_normalises_pixels_itself() -> None:
    model = architectures.build("roomtone")
    normal = np.asarray(model.get_layer("normalise")(np.array([[[[0.0], [129.4], [194.4]]]])))
    np.testing.assert_allclose(normal.ravel(), [-129.4 / 65, 0, 1], atol=1e-5)


@pytest.mark.parametrize("side", [32, 48])
def test_our_network_takes_faces_of_several_sizes_with_the_same_weights(side: int) -> None:
    free, fixed = architectures.build("roomtone", side=None), architectures.build("roomtone")
    free.set_weights(fixed.get_weights())
    pixels = np.random.default_rng(0).uniform(0, 255, (2, side, side, 1))
    assert np.asarray(free(pixels)).shape == (2, 7)
    if side == architectures.SIDE:
        np.testing.assert_allclose(np.asarray(free(pixels)), np.asarray(fixed(pixels)), atol=1e-5)


def test_another_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"expected one of \['baseline', 'roomtone', 'wide'\], received 'resnet'"):
        architectures.build("resnet")
