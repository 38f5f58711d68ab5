"""Just enough of an ONNX file's form (protobuf) to give a network one more output, without the package `onnx`.

A flattening network ends in a sampling of the page; the grid by which it samples is what carries points back.
"""

from __future__ import annotations

from collections.abc import Iterator

#: Fields of ONNX's messages: the graph of a model; nodes and outputs of a graph; inputs and operator of a node.
_GRAPH, _NODE, _OUTPUT, _NODE_INPUT, _NODE_OPERATOR = 7, 1, 12, 1, 4
#: Wire types of protobuf.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def sampling_grid(model: bytes) -> str | None:
    """The name of the grid by which the network samples its picture; None where there is no such step.

    Raises:
        ValueError: the bytes are no protobuf message.
    """
    found = None
    for graph in _messages(memoryview(model), _GRAPH):
        for node in _messages(graph, _NODE):
            operator = [bytes(text) for text in _messages(node, _NODE_OPERATOR)]
            inputs = [bytes(name) for name in _messages(node, _NODE_INPUT)]
            if operator == [b"GridSample"] and len(inputs) == 2:
                found = inputs[1].decode()  # the last one is the page's
    return found


def with_output(model: bytes, name: str) -> bytes:
    """The model with one more output, an inner value of that name.

    Parts of a message that stand twice in a file are merged by every reader of protobuf, so the new part is put behind.
    """
    value = _part(1, name.encode())
    return model + _part(_GRAPH, _part(_OUTPUT, value))


def _part(field: int, content: bytes) -> bytes:
    return _number(field << 3 | _LENGTH) + _number(len(content)) + content


def _number(value: int) -> bytes:
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """The parts of a message that stand in one of its fields."""
    at = 0
    while at < len(data):
        tag, at = _read_number(data, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _read_number(data, at)
        elif kind == _LENGTH:
            length, at = _read_number(data, at)
            if tag >> 3 == wanted:
                yield data[at : at + length]
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("it is no ONNX file")


def _read_number(data: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("it is no ONNX file, or was cut off")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at
