"""A recogniser that does not ask which character stands where surely none does: most steps lie between characters.

Its last layer, which has a column for each of thousands of characters, sees only the steps whose features leave a doubt. A linear function
of the features tells which: it is fitted to the log odds of the blank on drawn samples (least squares).

Run: ``python -m sealread.training.blanks OUTPUT.onnx --base RECOGNISER.onnx``. Training takes that apart again (`asking_all`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sealread.odds import log_odds
from sealread.text import BLANK
from sealread.training.export import Session
from sealread.training.fitting import products, rewrite
from sealread.training.graph import showing
from sealread.training.recogniser import ASKED, features_of, last_product, last_softmax

_MODULE = "text_recognition"
#: Steps with a blank less likely than this have to be asked; this share of those in the samples are.
_SURE, _ASKED = 0.99, 0.999
#: Probabilities nearer to 0 or 1 are not told apart.
_LEAST = 1e-6


def skipping_blanks(model: onnx.ModelProto, images: Sequence[NDArray[np.float32]]) -> onnx.ModelProto:
    """The network that gives the probabilities ``(rows, classes)`` of the steps that it asks, and which these are, ``(n, steps)``.

    Args:
        model: gives the probabilities of all steps, ``(n, steps, classes)``.
        images: inputs of the network, ``(n, 3, h, w)`` each.
    """
    features = features_of(model)
    session = Session(showing(model, [features, model.graph.output[0].name]))
    seen, odds = [], []
    for image in images:
        shown, probabilities = session.run([image])
        flat = shown.reshape(-1, shown.shape[-1])
        seen.append(np.concatenate([flat, np.ones_like(flat[:, :1])], axis=1))
        odds.append(np.array([[log_odds(float(p), _LEAST)] for p in probabilities[..., BLANK].flat], np.float32))
    fitted = np.linalg.solve(*products((steps.T, wanted) for steps, wanted in zip(seen, odds, strict=True)))
    estimates = np.concatenate(seen) @ fitted
    limit = np.quantile(estimates[np.concatenate(odds) < log_odds(_SURE)], _ASKED)

    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    product = last_product(result)
    product.input[0] = "asked.features"
    nodes = list(graph.node)
    place = nodes.index(product)
    asking = [
        helper.make_node("MatMul", [features, "asked.weight"], ["asked.estimates"]),
        helper.make_node("Less", ["asked.estimates", "asked.limit"], ["asked.column"]),
        helper.make_node("Reshape", ["asked.column", "asked.shape"], [ASKED]),
        helper.make_node("NonZero", [ASKED], ["asked.places"]),
        helper.make_node("Transpose", ["asked.places"], ["asked.rows"], perm=[1, 0]),
        helper.make_node("GatherND", [features, "asked.rows"], ["asked.features"]),
    ]
    softmax = last_softmax(result)
    del softmax.attribute[:]
    softmax.attribute.append(helper.make_attribute("axis", -1))
    del graph.node[:]
    graph.node.extend([*nodes[:place], *asking, *nodes[place:]])
    for name, values in (("asked.weight", fitted[:-1]), ("asked.limit", limit - fitted[-1])):
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
    graph.initializer.append(numpy_helper.from_array(np.array([0, -1]), "asked.shape"))
    classes = graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    graph.output[0].CopyFrom(helper.make_tensor_value_info(graph.output[0].name, TensorProto.FLOAT, ["rows", classes]))
    graph.output.append(helper.make_tensor_value_info(ASKED, TensorProto.BOOL, [batch, "steps"]))
    del graph.value_info[:]
    onnx.checker.check_model(result)
    return result


def main() -> None:
    """Make a recogniser skip blanks and write it."""
    rewrite(_MODULE, skipping_blanks, main.__doc__, 400)


if __name__ == "__main__":
    main()
