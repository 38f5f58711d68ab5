"""New heads on the trunks of networks that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sealread.training.graph import drop_unneeded

#: Scales and settings of a layer that enlarges smoothly.
FOURFOLD = (1.0, 1.0, 4.0, 4.0)
SMOOTH = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}


class HeadBuilder:
    """Puts new heads on the trunk of a network, as nodes of its ONNX graph."""

    def __init__(self, base: onnx.ModelProto, seed: int) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(base)
        self.graph = self.model.graph
        self._rng = np.random.default_rng(seed)

    def last(self, kind: str) -> onnx.NodeProto:
        """The last node of that kind."""
        return next(node for node in reversed(self.graph.node) if node.op_type == kind)

    def before_halving(self, count: int) -> str:
        """Name of the features before the `count`-th convolution that halves them, from the last one backwards."""
        return str([node for node in self.graph.node if node.op_type == "Conv" and 2 in strides_of(node)][-count].input[0])

    def convolution(
        self,
        source: str,
        name: str,
        inputs: int,
        outputs: int,
        size: int,
        *,
        dilation: int = 1,
        stride: int = 1,
        relu: bool = True,
        bias: float = 0.0,
    ) -> str:
        """A new convolution with random weights; gives the name of its output."""
        spread = np.sqrt(2.0 / (inputs * size * size)) * (1.0 if relu else 0.3)
        weight = self._rng.normal(0, spread, (outputs, inputs, size, size)).astype(np.float32)
        self.graph.initializer.append(numpy_helper.from_array(weight, f"{name}.weight"))
        self.graph.initializer.append(numpy_helper.from_array(np.full(outputs, bias, np.float32), f"{name}.bias"))
        self.graph.node.append(
            helper.make_node(
                "Conv",
                [source, f"{name}.weight", f"{name}.bias"],
                [f"{name}.out"],
                kernel_shape=[size, size],
                pads=[size // 2 * dilation] * 4,
                dilations=[dilation, dilation],
                **({} if stride == 1 else {"strides": [stride, stride]}),
            )
        )
        if not relu:
            return f"{name}.out"
        self.graph.node.append(helper.make_node("Relu", [f"{name}.out"], [f"{name}.relu"]))
        return f"{name}.relu"

    def sum(self, source: str, other: str) -> str:
        """Both added."""
        name = f"{other}.sum"
        self.graph.node.append(helper.make_node("Add", [source, other], [name]))
        return name

    def weights(self, name: str, values: NDArray[np.float32]) -> str:
        """Weights of their own, which are trained too."""
        self.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def sigmoid(self, source: str) -> str:
        """The probability of a score."""
        self.graph.node.append(helper.make_node("Sigmoid", [source], [f"{source}.probability"]))
        return f"{source}.probability"

    def doubled(self, source: str) -> str:
        """Each value repeated over two by two places."""
        return self._enlarged(
            source, [1, 1, 2, 2], {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        )

    def fourfold(self, source: str) -> str:
        """Four times as high and wide, the places between interpolated."""
        return self._enlarged(source, FOURFOLD, SMOOTH)

    def _enlarged(self, source: str, scales: Sequence[float], modes: Mapping[str, str]) -> str:
        self.graph.initializer.append(numpy_helper.from_array(np.array(scales, np.float32), f"{source}.scales"))
        self.graph.initializer.append(numpy_helper.from_array(np.array([], np.float32), f"{source}.roi"))
        self.graph.node.append(helper.make_node("Resize", [source, f"{source}.roi", f"{source}.scales"], [f"{source}.doubled"], **modes))
        return f"{source}.doubled"

    def finish(self, sources: Sequence[str], name: str, channels: int) -> onnx.ModelProto:
        """The network whose only output stacks the sources; nodes and weights that nothing needs any more are dropped."""
        graph = self.graph
        graph.node.append(helper.make_node("Concat", list(sources), [name], axis=1))
        del graph.output[:]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"]))
        drop_unneeded(graph)
        onnx.checker.check_model(self.model)
        return self.model


def strides_of(node: onnx.NodeProto) -> list[int]:
    """Of a convolution, down and across."""
    return next((list(a.ints) for a in node.attribute if a.name == "strides"), [1, 1])
