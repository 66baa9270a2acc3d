"""The networks: pixels of one face in, seven probabilities out.

Every network takes (n, 48, 48, 1) grey pixels 0..255 and normalises them itself, so that nobody who serves it can
forget to. The output is (n, 7) probabilities in the order of `ml.labels.LABELS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import layers

from ml.labels import LABELS

SIDE = 48
"""Height and width of a face in pixels, as FER2013 gives it."""

SIDE_STEP = 16
"""All but the baseline halve a face four times: they take any side that is a multiple of this."""

PIXEL_MEAN, PIXEL_SPREAD = 129.4, 65.0
"""Mean and standard deviation of FER2013's pixels."""

Tensor: TypeAlias = Any
"""A Keras tensor; Keras has no types that a checker could follow."""


def build(name: str, side: int | None = SIDE) -> keras.Model:
    """The network called `name`, with fresh weights. `side`: pixels a side, None for any (not the baseline).

    Raises ValueError for a name that is not in `ARCHITECTURES`.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture: expected one of {sorted(ARCHITECTURES)}, received {name!r}.")
    pixels = keras.Input((side, side, 1), name="pixels")
    features = layers.Rescaling(1 / PIXEL_SPREAD, -PIXEL_MEAN / PIXEL_SPREAD, name="normalise")(pixels)
    scores = ARCHITECTURES[name](features)
    return keras.Model(pixels, layers.Softmax(dtype="float32", name="probabilities")(scores), name=name)


def _normalise(x: Tensor, name: str) -> Tensor:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _convolve(x: Tensor, filters: int, side: int, strides: int, name: str) -> Tensor:
    """Convolution and batch norm, padded alike on all four sides (TensorFlow's "same" is lopsided at stride 2)."""
    if strides > 1:
        x = layers.ZeroPadding2D(side // 2, name=f"{name}_pad")(x)
    padding = "valid" if strides > 1 else "same"
    conv = layers.Conv2D(
        filters, side, strides, padding, use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )
    return _normalise(conv(x), f"{name}_norm")


def _excite(x: Tensor, name: str, reduction: int = 8) -> Tensor:
    """Squeeze-and-excitation (Hu et al. 2018): each channel weighed by what the whole face shows."""
    filters = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    gate = layers.Dense(filters // reduction, "relu", name=f"{name}_reduce")(gate)
    gate = layers.Dense(filters, "sigmoid", name=f"{name}_gate")(gate)
    return layers.Multiply(name=f"{name}_excite")([x, gate])


def _shortcut(x: Tensor, filters: int, strides: int, name: str) -> Tensor:
    if strides > 1:
        x = layers.MaxPooling2D(strides, name=f"{name}_pool")(x)
    if x.shape[-1] == filters:
        return x
    return _convolve(x, filters, 1, 1, f"{name}_shortcut")


def _residual(x: Tensor, filters: int, strides: int, name: str, excite: bool = True) -> Tensor:
    y = _convolve(x, filters, 3, strides, f"{name}_a")
    y = layers.ReLU(name=f"{name}_a_relu")(y)
    y = _convolve(y, filters, 3, 1, f"{name}_b")
    if excite:
        y = _excite(y, name)
    y = layers.Add(name=f"{name}_add")([y, _shortcut(x, filters, strides, name)])
    return layers.ReLU(name=f"{name}_relu")(y)


def _roomtone(x: Tensor) -> Tensor:
    """A residual net that halves the picture at once and is deepest at 6 pixels a side.

    Batch norm and ReLU at 48 pixels would cost a third of a training step on a processor, and the convolutions, which
    learn, nearly nothing: so the filters are spent where the picture is small.
    """
    x = layers.ReLU(name="stem_relu")(_convolve(x, 32, 5, 2, "stem"))
    return _tower(_residual(x, 32, 1, "r24a", excite=False))


def _wide(x: Tensor) -> Tensor:
    """The same net three times as wide, with a look at all 48 pixels: to teach, not to serve. For a GPU."""
    x = layers.ReLU(name="stem_relu")(_convolve(x, 48, 3, 1, "stem"))
    return _tower(_residual(x, 96, 2, "r24a", excite=False))


def _tower(x: Tensor) -> Tensor:
    """From 24 pixels a side to 3, with twice the filters at each halving, and to seven scores."""
    width = x.shape[-1]
    x = _residual(x, width, 1, "r24b", excite=False)
    x = _residual(x, 2 * width, 2, "r12a")
    x = _residual(x, 2 * width, 1, "r12b")
    x = _residual(x, 4 * width, 2, "r6a")
    x = _residual(x, 4 * width, 1, "r6b")
    x = _residual(x, 4 * width, 1, "r6c")
    x = _residual(x, 8 * width, 2, "r3a")
    x = layers.GlobalAveragePooling2D(name="face")(x)
    x = layers.Dropout(0.3, seed=0, name="dropout")(x)
    return layers.Dense(len(LABELS), name="scores")(x)


def _baseline(x: Tensor) -> Tensor:
    """The network that the project started from: 2,726,151 parameters. How well it reads: docs/training.md."""
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1")(x)
    for number, (filters, side) in enumerate(((64, 3), (128, 5), (512, 3), (256, 3)), start=2):
        x = layers.Conv2D(filters, side, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"conv{number}_norm")(x)
        x = layers.MaxPooling2D(2, name=f"conv{number}_pool")(x)
        x = layers.Dropout(0.25, seed=number, name=f"conv{number}_dropout")(x)
    x = layers.Flatten(name="face")(x)
    for units in (256, 512):
        x = layers.Dense(units, activation="relu", name=f"dense{units}")(x)
        x = layers.BatchNormalization(name=f"dense{units}_norm")(x)
        x = layers.Dropout(0.25, seed=units, name=f"dense{units}_dropout")(x)
    return layers.Dense(len(LABELS), name="scores")(x)


ARCHITECTURES: dict[str, Callable[[Tensor], Tensor]] = {
    "roomtone": _roomtone,
    "wide": _wide,
    "baseline": _baseline,
}
