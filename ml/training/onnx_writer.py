"""From the served LiteRT network to an ONNX file for browsers: the same steps, the same whole numbers.

Every tensor keeps LiteRT's own quantisation, so that a reading does not depend on where it is made. The manifest's
calibration is the last step of the file: whoever runs it reads the probabilities that `ml.serving.classifier` gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.serving.classifier import SMALLEST_PROBABILITY
from ml.serving.preprocess import FACE_SIDE

OPSET, IR_VERSION = 17, 8
"""Old enough for every runtime that browsers are given."""
INPUT, OUTPUT = "pixels", "probabilities"
_FLOAT, _INT8 = 0, 9
"""Types of a tensor, as LiteRT numbers them."""
_RELU = 1
_SAME, _VALID = 0, 1


class UnknownStepError(ValueError):
    """The network has a step, or a choice of one, that this writer does not know."""


def to_onnx(network: bytes, temperature: float, biases: npt.NDArray[np.float64]) -> bytes:
    """`network`: a LiteRT file. The ONNX one: `pixels` (n, 1, 48, 48) float32, 0..255 -> `probabilities` (n, 7)
    float32, calibrated. Raises UnknownStepError for a step that is not among `_STEPS`.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(network, 0)
    kinds = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    writer = _Writer(model)
    for step in model.subgraphs[0].operators:
        code = model.operatorCodes[step.opcodeIndex]
        writer.write(kinds[max(code.builtinCode, code.deprecatedBuiltinCode)], step)
    return writer.finished(temperature, biases)


class _Writer:
    """Nodes in the order of the steps. `names`: where the values of each LiteRT tensor are, as floats."""

    def __init__(self, model: Any) -> None:
        import onnx.helper

        self._helper = onnx.helper
        self._buffers, graph = model.buffers, model.subgraphs[0]
        self.tensors, self._output = graph.tensors, graph.outputs[0]
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._names: dict[int, str] = {int(graph.inputs[0]): INPUT}

    def write(self, kind: str, step: Any) -> None:
        if kind not in _STEPS:
            raise UnknownStepError(f"expected one of {sorted(_STEPS)}, received {kind}.")
        given = _STEPS[kind](self, step)
        if getattr(step.builtinOptions, "fusedActivationFunction", 0) == _RELU:
            given = self.node("Relu", given)
        self._names[int(step.outputs[0])] = self._rounded(given, self.tensors[step.outputs[0]])

    def node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """The name of its output."""
        output = f"{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def constant(self, values: npt.ArrayLike, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(values, dtype, order="C"), name))
        return name

    def value(self, tensor: int) -> str:
        """A tensor that a step takes: what was computed, or a constant number."""
        name = self._names.get(int(tensor))
        return name if name is not None else self.weights(tensor, self.whole(tensor))

    def whole(self, tensor: int) -> npt.NDArray[Any]:
        """A constant tensor's content, as it is stored."""
        about = self.tensors[tensor]
        dtype = np.int8 if about.type == _INT8 else np.int32
        shape = () if about.shape is None else tuple(about.shape)
        return np.frombuffer(bytes(self._buffers[about.buffer].data), dtype).reshape(shape)

    def weights(self, tensor: int, values: npt.NDArray[Any]) -> str:
        """`values` of a constant tensor (perhaps in another shape) with its quantisation; filters on axis 0."""
        scales, zeros = self._quantisation(self.tensors[tensor], values.dtype)
        each = {"axis": 0} if scales.ndim else {}
        inputs = [self.constant(values, values.dtype), self.constant(scales), self.constant(zeros, values.dtype)]
        return self.node("DequantizeLinear", *inputs, **each)

    def finished(self, temperature: float, biases: npt.NDArray[np.float64]) -> bytes:
        helper, side = self._helper, FACE_SIDE
        self._calibrate(self._names[int(self._output)], temperature, biases)
        graph = helper.make_graph(
            self._nodes,
            "emotion",
            [helper.make_tensor_value_info(INPUT, 1, ["n", 1, side, side])],
            [helper.make_tensor_value_info(OUTPUT, 1, ["n", len(LABELS)])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="roomtone")
        return bytes(model.SerializeToString())

    def _calibrate(self, given: str, temperature: float, biases: npt.NDArray[np.float64]) -> None:
        """As `ml.serving.classifier.calibrated`."""
        seen = self.node("Max", given, self.constant(SMALLEST_PROBABILITY))
        logits = self.node("Div", self.node("Log", seen), self.constant(temperature))
        inputs = [self.node("Add", logits, self.constant(biases))]
        self._nodes.append(self._helper.make_node("Softmax", inputs, [OUTPUT], axis=-1))

    def _rounded(self, given: str, about: Any) -> str:
        """To the whole numbers that the tensor holds in LiteRT, and back."""
        if about.type == _FLOAT:
            return given
        scale, zero = self._quantisation(about, np.int8)
        inputs = [self.constant(scale), self.constant(zero, np.int8)]
        return self.node("DequantizeLinear", self.node("QuantizeLinear", given, *inputs), *inputs)

    def _quantisation(self, about: Any, dtype: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        """Scales and zero points: single numbers, or one for each filter."""
        scales = np.asarray(about.quantization.scale, np.float32)
        zeros = np.asarray(about.quantization.zeroPoint, np.int64).astype(dtype)
        return (scales[0], zeros[0]) if scales.size == 1 else (scales, zeros)


# -- Steps. LiteRT keeps channels last, ONNX second.


def _as_it_is(writer: _Writer, step: Any) -> str:
    return writer.value(step.inputs[0])


def _pad(writer: _Writer, step: Any) -> str:
    (top, bottom), (left, right) = writer.whole(step.inputs[1])[1:3]
    return writer.node(
        "Pad", writer.value(step.inputs[0]), writer.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
    )


def _convolution(writer: _Writer, step: Any) -> str:
    pixels, filters, bias = step.inputs
    options = step.builtinOptions
    kernel = writer.whole(filters).transpose(0, 3, 1, 2)
    # At a stride above 1 "same" pads as the picture's side wants it; the networks pad by themselves there.
    if (options.padding == _SAME and options.strideH > 1) or options.dilationHFactor != 1:
        raise UnknownStepError("a convolution with strides is expected to be padded by a step of its own.")
    edge = [side // 2 for side in kernel.shape[2:]] * 2 if options.padding == _SAME else [0] * 4
    inputs = [writer.value(pixels), writer.weights(filters, kernel), *_bias(writer, bias)]
    strides = [options.strideH, options.strideW]
    return writer.node("Conv", *inputs, pads=edge, strides=strides, kernel_shape=list(kernel.shape[2:]))


def _bias(writer: _Writer, tensor: int) -> list[str]:
    """LiteRT leaves out a bias of zeros: its tensor is number -1."""
    return [writer.weights(tensor, writer.whole(tensor))] if tensor >= 0 else []


def _dense(writer: _Writer, step: Any) -> str:
    """Of a picture of one pixel it is a convolution."""
    given, matrix, bias = step.inputs
    picture = len(writer.tensors[given].shape) == 4
    kernel = writer.whole(matrix)
    kernel = kernel[:, :, None, None] if picture else kernel
    inputs = [writer.value(given), writer.weights(matrix, kernel), *_bias(writer, bias)]
    return writer.node("Conv", *inputs) if picture else writer.node("Gemm", *inputs, transB=1)


def _mean(writer: _Writer, step: Any) -> str:
    if list(writer.whole(step.inputs[1])) != [1, 2]:
        raise UnknownStepError("a mean is expected to be over height and width.")
    mean = writer.node("GlobalAveragePool", writer.value(step.inputs[0]))
    return mean if step.builtinOptions.keepDims else writer.node("Flatten", mean)


def _pooling(writer: _Writer, step: Any) -> str:
    options = step.builtinOptions
    if options.padding != _VALID:
        raise UnknownStepError("a pooling is expected to keep within the picture.")
    sides, strides = [options.filterHeight, options.filterWidth], [options.strideH, options.strideW]
    return writer.node("MaxPool", writer.value(step.inputs[0]), kernel_shape=sides, strides=strides)


def _of_two(operation: str) -> Callable[[_Writer, Any], str]:
    return lambda writer, step: writer.node(operation, *(writer.value(tensor) for tensor in step.inputs))


def _logistic(writer: _Writer, step: Any) -> str:
    return writer.node("Sigmoid", writer.value(step.inputs[0]))


def _softmax(writer: _Writer, step: Any) -> str:
    return writer.node("Softmax", writer.value(step.inputs[0]), axis=-1)


_STEPS: dict[str, Callable[[_Writer, Any], str]] = {
    "QUANTIZE": _as_it_is,
    "DEQUANTIZE": _as_it_is,
    "PAD": _pad,
    "CONV_2D": _convolution,
    "FULLY_CONNECTED": _dense,
    "MEAN": _mean,
    "MAX_POOL_2D": _pooling,
    "ADD": _of_two("Add"),
    "MUL": _of_two("Mul"),
    "LOGISTIC": _logistic,
    "SOFTMAX": _softmax,
}
