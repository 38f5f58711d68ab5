"""An ONNX graph as a PyTorch module: what runs in deployment is what is trained.

Any network of the supported operators (the convolutional and attention networks of this field) is loaded
with its weights, fine-tuned, and written back into the same file layout. No second definition of the
architecture exists, so training and inference cannot drift apart.

Frame: tensors keep the layout of the ONNX file (batch, channels, height, width).
Raises `ModelError` for an operator that is not supported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import helper, numpy_helper
from torch import Tensor, nn

from sealread.errors import ModelError

#: A tensor of at least this many elements is trained; smaller ones are constants of the graph (shapes, axes, epsilons).
_TRAINABLE_FROM = 2
#: From this input on, an operator's tensors are settings, not weights (for batch normalisation: the running statistics).
_FIXED_FROM = {"Resize": 1, "Clip": 1, "Pow": 1, "ReduceMean": 1, "BatchNormalization": 3}
#: Of these operators the settings are read as numbers, so they stay with the CPU wherever the network is.
_READ = ("Resize", "Clip", "ReduceMean")


class OnnxModule(nn.Module):
    """The graph of an ONNX file, differentiable.

    Args:
        model: the loaded file; it is not changed.
        outputs: values to give instead of the graph's outputs (the scores before a softmax, say).

    Example:
        >>> module = OnnxModule(onnx.load("inference.onnx"))  # doctest: +SKIP
        >>> outputs = module(torch.zeros(1, 3, 320, 320))  # doctest: +SKIP
    """

    def __init__(self, model: onnx.ModelProto, outputs: Sequence[str] | None = None) -> None:
        super().__init__()
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        graph = self.model.graph
        self.input_names = [value.name for value in graph.input if value.name not in {i.name for i in graph.initializer}]
        self.output_names = list(outputs) if outputs is not None else [value.name for value in graph.output]
        self._parameter_of: dict[str, str] = {}
        self._constants: dict[str, Tensor] = {}
        self._buffer_of: dict[str, str] = {}
        settings = [(node.op_type, name) for node in graph.node for name in list(node.input)[_FIXED_FROM.get(node.op_type, 99) :]]
        fixed, read = {name for _, name in settings}, {name for kind, name in settings if kind in _READ}
        for initializer in graph.initializer:
            self._add_tensor(initializer.name, numpy_helper.to_array(initializer), fixed, read)
        self._nodes = []
        for node in _needed(with_gelu(graph), self.output_names):
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                self._add_constant(node.output[0], torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy()), read)
            elif node.op_type in _OPERATORS:
                self._nodes.append((_OPERATORS[node.op_type], list(node.input), list(node.output), attributes))
            else:
                raise ModelError(f"the operator {node.op_type} of this network cannot be trained; export it with standard operators")
        self._last_use = self._find_last_uses()

    def _add_tensor(self, name: str, array: np.ndarray[Any, Any], fixed: set[str], read: set[str]) -> None:
        tensor = torch.from_numpy(np.array(array))
        if tensor.is_floating_point() and tensor.numel() >= _TRAINABLE_FROM and name not in fixed:
            key = f"p{len(self._parameter_of)}"
            self._parameter_of[name] = key
            self.register_parameter(key, nn.Parameter(tensor.float()))
        else:
            self._add_constant(name, tensor, read)

    def _add_constant(self, name: str, tensor: Tensor, read: set[str]) -> None:
        """Shapes, axes and settings stay with the CPU; what is calculated with goes where the weights go."""
        if tensor.is_floating_point() and name not in read:
            key = f"b{len(self._buffer_of)}"
            self._buffer_of[name] = key
            self.register_buffer(key, tensor.float(), persistent=False)
        else:
            self._constants[name] = tensor.float() if tensor.is_floating_point() else tensor

    def _find_last_uses(self) -> list[list[str]]:
        last: dict[str, int] = {}
        for index, (_, inputs, _, _) in enumerate(self._nodes):
            for name in inputs:
                last[name] = index
        uses: list[list[str]] = [[] for _ in self._nodes]
        for name, index in last.items():
            if name not in self.output_names:
                uses[index].append(name)
        return uses

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Run the graph on tensors in the order of its inputs; gives its outputs in order."""
        values: dict[str, Tensor] = dict(zip(self.input_names, inputs, strict=True))
        for name, key in (*self._parameter_of.items(), *self._buffer_of.items()):
            values[name] = getattr(self, key)
        values.update(self._constants)
        for (operator, names, outputs, attributes), finished in zip(self._nodes, self._last_use, strict=True):
            arguments = [values[name] if name else None for name in names]
            results = operator(arguments, attributes)
            values.update(zip(outputs, results, strict=False))
            for name in finished:
                values.pop(name, None)
        return tuple(values[name] for name in self.output_names)

    def weights(self) -> Mapping[str, Tensor]:
        """The trained tensors by their names in the file."""
        return {name: getattr(self, key).detach() for name, key in self._parameter_of.items()}

    def weight(self, name: str) -> nn.Parameter:
        """What is trained of this name of the graph."""
        parameter: nn.Parameter = getattr(self, self._parameter_of[name])
        return parameter

    def to_onnx(self) -> onnx.ModelProto:
        """The same file with the present weights."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        weights = self.weights()
        for initializer in model.graph.initializer:
            if initializer.name in weights:
                array = weights[initializer.name].float().cpu().numpy()
                initializer.CopyFrom(numpy_helper.from_array(array, initializer.name))
        return model


def with_gelu(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes, with each ``x / sqrt(2) -> erf -> + 1 -> * x -> * 0.5`` joined to one: five passes over memory become one."""
    users: dict[str, list[onnx.NodeProto]] = {}
    makers = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
        for name in node.output:
            makers[name] = node
    replaced: dict[str, onnx.NodeProto] = {}
    dropped: set[str] = set()
    for erf in graph.node:
        if erf.op_type != "Erf":
            continue
        chain = [makers[erf.input[0]], erf]
        for kind in ("Add", "Mul", "Mul"):
            following = users.get(chain[-1].output[0], [])
            if len(following) != 1 or following[0].op_type != kind:
                break
            chain.append(following[0])
        x = chain[0].input[0]
        if len(chain) == 5 and chain[0].op_type == "Div" and x in chain[3].input:
            dropped.update(node.output[0] for node in chain[:-1])
            replaced[chain[-1].output[0]] = onnx.helper.make_node("Gelu", [x], list(chain[-1].output))
    kept = [node for node in graph.node if node.output[0] not in dropped]
    return [replaced.get(node.output[0], node) for node in kept]


Arguments = Sequence[Any]
Attributes = Mapping[str, Any]
Operator = Callable[[Arguments, Attributes], tuple[Tensor, ...]]


def _same_padding(x: Tensor, kernel: Sequence[int], strides: Sequence[int], upper: bool, value: float) -> Tensor:
    pads: list[int] = []
    for axis in (1, 0):
        size = x.shape[2 + axis]
        total = max((math.ceil(size / strides[axis]) - 1) * strides[axis] + kernel[axis] - size, 0)
        small = total // 2
        pads += [small, total - small] if upper else [total - small, small]
    return functional.pad(x, pads, value=value)


def _padded(x: Tensor, attributes: Attributes, kernel: Sequence[int], value: float = 0.0) -> Tensor:
    mode = attributes.get("auto_pad", b"NOTSET")
    strides = attributes.get("strides", [1, 1])
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        return _same_padding(x, kernel, strides, mode == b"SAME_UPPER", value)
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if not any((top, left, bottom, right)):
        return x
    return functional.pad(x, [left, right, top, bottom], value=value)


def _convolution(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    x, weight = a[0], a[1]
    bias = a[2] if len(a) > 2 else None
    pads = attributes.get("pads", [0, 0, 0, 0])
    symmetric = attributes.get("auto_pad", b"NOTSET") == b"NOTSET" and pads[0] == pads[2] and pads[1] == pads[3]
    if not symmetric:
        x = _padded(x, attributes, weight.shape[2:])
    return (
        functional.conv2d(
            x,
            weight,
            bias,
            stride=tuple(attributes.get("strides", [1, 1])),
            padding=(pads[0], pads[1]) if symmetric else 0,
            dilation=tuple(attributes.get("dilations", [1, 1])),
            groups=attributes.get("group", 1),
        ),
    )


def _transposed_convolution(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    top, left, _, _ = attributes.get("pads", [0, 0, 0, 0])
    return (
        functional.conv_transpose2d(
            a[0],
            a[1],
            a[2] if len(a) > 2 else None,
            stride=tuple(attributes.get("strides", [1, 1])),
            padding=(top, left),
            groups=attributes.get("group", 1),
        ),
    )


def _max_pool(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    kernel = attributes["kernel_shape"]
    x = _padded(a[0], attributes, kernel, value=float("-inf"))
    return (functional.max_pool2d(x, tuple(kernel), tuple(attributes.get("strides", [1, 1]))),)


def _average_pool(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    return (functional.avg_pool2d(a[0], tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", [1, 1]))),)


def _resize(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    mode = attributes.get("mode", b"nearest").decode()
    size: tuple[int, int]
    if len(a) > 3 and a[3] is not None:
        size = (int(a[3][2]), int(a[3][3]))
    else:
        scales = (a[2] if len(a) > 2 else a[1]).tolist()
        size = (int(a[0].shape[2] * scales[2]), int(a[0].shape[3] * scales[3]))
    if mode == "nearest":
        return (functional.interpolate(a[0], size=size, mode="nearest"),)
    corners = attributes.get("coordinate_transformation_mode", b"") == b"align_corners"
    return (functional.interpolate(a[0], size=size, mode="bilinear", align_corners=corners),)


def _batch_normalization(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    # Running statistics stay those of the file: batches of fine-tuning are too small for better ones.
    x, scale, bias, mean, variance = a
    return (functional.batch_norm(x, mean.detach(), variance.detach(), scale, bias, False, 0.0, attributes.get("epsilon", 1e-5)),)


def _axes(a: Arguments, attributes: Attributes) -> list[int]:
    if "axes" in attributes:
        return list(attributes["axes"])
    return [int(v) for v in a[1]] if len(a) > 1 and a[1] is not None else []


def _slice(a: Arguments, _: Attributes) -> tuple[Tensor, ...]:
    x, starts, ends = a[0], a[1], a[2]
    axes = a[3] if len(a) > 3 and a[3] is not None else torch.arange(len(starts))
    steps = a[4] if len(a) > 4 and a[4] is not None else torch.ones(len(starts), dtype=torch.int64)
    index: list[slice] = [slice(None)] * x.dim()
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), steps.tolist(), strict=True):
        size = x.shape[axis]
        index[axis] = slice(start, min(end, size) if end >= 0 else end, step)
    return (x[tuple(index)],)


def _squeeze(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    return (a[0].squeeze(tuple(_axes(a, attributes))),)


def _unsqueeze(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    x = a[0]
    for axis in sorted(_axes(a, attributes)):
        x = x.unsqueeze(axis)
    return (x,)


def _reshape(a: Arguments, _: Attributes) -> tuple[Tensor, ...]:
    x, shape = a[0], [int(v) for v in a[1]]
    return (x.reshape([x.shape[i] if v == 0 else v for i, v in enumerate(shape)]),)


def _reduce_mean(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    axes = _axes(a, attributes) or list(range(a[0].dim()))
    return (a[0].mean(axes, keepdim=bool(attributes.get("keepdims", 1))),)


def _softmax(a: Arguments, attributes: Attributes) -> tuple[Tensor, ...]:
    return (a[0].float().softmax(attributes.get("axis", -1)),)


_OPERATORS: dict[str, Operator] = {
    "Add": lambda a, _: (a[0] + a[1],),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Clip": lambda a, _: (torch.clamp(a[0], *(None if v is None else float(v) for v in a[1:])),),
    "Concat": lambda a, at: (torch.cat([*a], dim=at["axis"]),),
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "Div": lambda a, _: (a[0] / a[1],),
    "Erf": lambda a, _: (torch.erf(a[0]),),
    "Flatten": lambda a, at: (a[0].flatten(at.get("axis", 1)),),
    "Gelu": lambda a, _: (functional.gelu(a[0]),),
    "Gemm": lambda a, at: (functional.linear(a[0], a[1] if at.get("transB", 0) else a[1].t(), a[2] if len(a) > 2 else None),),
    "GlobalAveragePool": lambda a, _: (a[0].mean((2, 3), keepdim=True),),
    "HardSigmoid": lambda a, at: ((a[0] * at.get("alpha", 0.2) + at.get("beta", 0.5)).clamp(0, 1),),
    "HardSwish": lambda a, _: (functional.hardswish(a[0]),),
    "Identity": lambda a, _: (a[0],),
    "MatMul": lambda a, _: (a[0] @ a[1],),
    "MaxPool": _max_pool,
    "Mul": lambda a, _: (a[0] * a[1],),
    "Pow": lambda a, _: (a[0] ** a[1],),
    "ReduceMean": _reduce_mean,
    "Relu": lambda a, _: (functional.relu(a[0]),),
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": lambda a, _: (torch.tensor(a[0].shape),),
    "Sigmoid": lambda a, _: (torch.sigmoid(a[0]),),
    "Slice": _slice,
    "Softmax": _softmax,
    "Sqrt": lambda a, _: (torch.sqrt(a[0]),),
    "Squeeze": _squeeze,
    "Sub": lambda a, _: (a[0] - a[1],),
    "Transpose": lambda a, at: (a[0].permute(*at["perm"]),),
    "Unsqueeze": _unsqueeze,
}


def drop_unneeded(graph: onnx.GraphProto) -> None:
    """Leave out the nodes and weights on which no output depends, and the notes on shapes between them."""
    nodes = _needed(graph.node, [answer.name for answer in graph.output])
    used = {name for node in nodes for name in (*node.input, *node.output)}
    weights = [weight for weight in graph.initializer if weight.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _needed(nodes: Sequence[onnx.NodeProto], answers: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes on which the answers depend, in their order."""
    needed, kept = set(answers), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def showing(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The network up to these values, which it gives in place of its outputs."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.output[:]
    result.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    drop_unneeded(result.graph)
    return result


def set_weight(weight: onnx.TensorProto, array: np.ndarray[Any, Any]) -> None:
    """Give a weight of the graph other values, in float32; its shape may change."""
    weight.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), weight.name))
