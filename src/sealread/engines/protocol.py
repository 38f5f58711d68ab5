"""What a network runner is to the rest of the house."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sealread.errors import EngineError
from sealread.types import Tensor


class Engine(Protocol):
    """A loaded network.

    Attributes:
        name: what runs it, for people: ``openvino f32``.
        inputs: names of the network's inputs, in order.
        plans: whether the first run of each shape of the inputs takes seconds, so that few shapes should occur.
    """

    name: str
    inputs: tuple[str, ...]
    plans: bool

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the network once; threads may call at the same time.

        Args:
            inputs: one array per input, in the order of `inputs`.

        Returns:
            One array per output; they belong to the caller.

        Raises:
            EngineError: the runtime refused; the message names the shapes.
        """
        ...


def require_all(names: Sequence[str], inputs: Sequence[Tensor]) -> None:
    """See that there is one array for each input: a runtime may silently use what it was given the last time.

    Raises:
        EngineError: there are more or fewer.
    """
    if len(inputs) != len(names):
        raise EngineError(f"the network has the inputs {', '.join(names)}, but was given {len(inputs)}: {shapes_of(inputs)}")


def shapes_of(inputs: Sequence[Tensor]) -> str:
    """``1x3x320x320, 1x2`` for error messages."""
    return ", ".join("x".join(str(n) for n in array.shape) for array in inputs) if inputs else "none"
