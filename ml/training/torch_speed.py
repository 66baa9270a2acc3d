"""Layers by torch's own kernels, without copies.

Keras' general layers on torch copy each picture to channels first and back around every convolution and pool, and
upcast it for batch norm: a third of a training step on a processor. A permuted view does as well. Scaling and dropout
fetch numbers from the processor at each call, which a recorded step (`ml.training.torch_step`) must not.
"""

from __future__ import annotations

from typing import Any

import keras
import torch  # type: ignore[import-not-found]
from keras import layers
from torch.nn import functional  # type: ignore[import-not-found]

Tensor = Any


def _channels_first(pictures: Tensor) -> Tensor:
    """(n, h, w, c) -> a view (n, c, h, w), which torch calls channels last: no copy."""
    return pictures.permute(0, 3, 1, 2)


def _channels_last(pictures: Tensor) -> Tensor:
    return pictures.permute(0, 2, 3, 1)


class NativeConv2D(layers.Conv2D):
    """The same layer, the same weights; odd kernels, "same" only at stride 1 (where it pads alike on all sides)."""

    def call(self, inputs: Tensor) -> Tensor:
        """(n, h, w, c) -> (n, h', w', filters)."""
        kernel = self.kernel.value if hasattr(self.kernel, "value") else self.kernel
        weights = kernel.to(inputs.dtype).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        padding = self.kernel_size[0] // 2 if self.padding == "same" else 0
        bias = self.bias.value.to(inputs.dtype) if self.use_bias else None
        scores = functional.conv2d(_channels_first(inputs), weights, bias, self.strides, padding)
        return self.activation(_channels_last(scores))


class NativeMaxPooling2D(layers.MaxPooling2D):
    """The same layer, for padding "valid"."""

    def call(self, inputs: Tensor) -> Tensor:
        """(n, h, w, c) -> (n, h', w', c)."""
        return _channels_last(functional.max_pool2d(_channels_first(inputs), self.pool_size, self.strides))


class NativeBatchNormalization(layers.BatchNormalization):
    """The same layer, the same weights; channels last."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        """(n, h, w, c) -> (n, h, w, c), or (n, c) -> (n, c), in the inputs' own type."""
        pictures = inputs.ndim == 4
        normal = functional.batch_norm(
            _channels_first(inputs) if pictures else inputs,
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=bool(training),
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return _channels_last(normal) if pictures else normal


class NativeRescaling(layers.Rescaling):
    """The same layer."""

    def call(self, inputs: Tensor) -> Tensor:
        """Of any shape."""
        return inputs * self.scale + self.offset


class NativeDropout(layers.Dropout):
    """The same layer; what it leaves out is drawn by torch's generator, not by its own seed."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Of any shape."""
        return functional.dropout(inputs, self.rate, training=bool(training))


NATIVE: dict[type[keras.Layer], type[keras.Layer]] = {
    layers.Conv2D: NativeConv2D,
    layers.MaxPooling2D: NativeMaxPooling2D,
    layers.BatchNormalization: NativeBatchNormalization,
    layers.Rescaling: NativeRescaling,
    layers.Dropout: NativeDropout,
}


def with_native_layers(model: keras.Model) -> keras.Model:
    """A copy of the network with these layers in place of Keras' own, in today's precision, but for the first and the
    last, which keep float32; fresh weights, in the same order."""
    return keras.models.clone_model(model, clone_function=_native)


def _native(layer: keras.Layer) -> keras.Layer:
    config = layer.get_config()
    whole = isinstance(layer, (layers.Rescaling, layers.Softmax))
    config["dtype"] = "float32" if whole else keras.mixed_precision.dtype_policy()
    return NATIVE.get(type(layer), type(layer)).from_config(config)
