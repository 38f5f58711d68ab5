"""Narrower networks: what is left out, and that answers stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from onnx import helper, numpy_helper  # noqa: E402

from sealread.errors import ModelError  # noqa: E402
from sealread.training.coarsening import coarsened  # noqa: E402
from sealread.training.detector import SHAPE_LAYERS  # noqa: E402
from sealread.training.export import Session, save_network  # noqa: E402
from sealread.training.heads import HeadBuilder  # noqa: E402
from sealread.training.modules import starting_network  # noqa: E402
from sealread.training.narrowing import hidden_layers, narrowed, thinned  # noqa: E402

RNG = np.random.default_rng(5)
GELU = [("Div", "root", "d"), ("Erf", None, "e"), ("Add", "one", "a"), ("Mul", "before", "m"), ("Mul", "half", "after")]


def two_convolutions(unit: str, *, bias_node: bool) -> Any:
    """64 features, of which the last 32 repeat the first ones, between a 1 x 1 and a 3 x 3 convolution."""
    first = RNG.normal(size=(32, 3, 1, 1)).astype(np.float32)
    weights = {
        "first": np.concatenate([first, first]),
        "second": RNG.normal(size=(5, 64, 3, 3)).astype(np.float32),
        "root": np.float32(np.sqrt(2)),
        "one": np.float32(1),
        "half": np.float32(0.5),
    }
    level = np.tile(RNG.normal(size=32), 2).astype(np.float32)
    weights["level"] = level.reshape(1, 64, 1, 1) if bias_node else level
    inputs = ["x", "first"] if bias_node else ["x", "first", "level"]
    nodes = [helper.make_node("Conv", inputs, ["raw" if bias_node else "before"])]
    if bias_node:
        nodes.append(helper.make_node("Add", ["raw", "level"], ["before"]))
    if unit == "Relu":
        nodes.append(helper.make_node("Relu", ["before"], ["after"]))
    else:
        last = "before"
        for kind, other, out in GELU:
            nodes.append(helper.make_node(kind, [last, other] if other else [last], [out]))
            last = out
    nodes.append(helper.make_node("Conv", ["after", "second"], ["y"], pads=[1, 1, 1, 1]))
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [tensor("x", 1, ["n", 3, "h", "w"])],
        [tensor("y", 1, ["n", 5, "h", "w"])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("unit", ["Relu", "Gelu"])
@pytest.mark.parametrize("bias_node", [True, False])
def test_features_that_repeat_others_are_left_out_and_the_answer_stays(unit: str, bias_node: bool) -> None:
    model = two_convolutions(unit, bias_node=bias_node)
    images = [RNG.normal(size=(2, 3, 9, 11)).astype(np.float32) for _ in range(6)]
    narrow = narrowed(model, images, 1e-3)
    shapes = {weight.name: tuple(weight.dims) for weight in narrow.graph.initializer}
    kept = shapes["first"][0]
    assert kept <= 32 and kept % 8 == 0
    assert shapes["second"] == (5, kept, 3, 3)
    assert shapes["level"] == ((1, kept, 1, 1) if bias_node else (kept,))
    fresh = RNG.normal(size=(1, 3, 7, 5)).astype(np.float32)
    wide, thin = (Session(each).run([fresh])[0] for each in (model, narrow))
    assert np.mean((wide - thin) ** 2) < 0.01 * np.mean(wide**2)


def test_dead_features_are_left_out_and_nothing_else_changes(tmp_path: Path) -> None:
    model = two_convolutions("Gelu", bias_node=True)
    second = next(weight for weight in model.graph.initializer if weight.name == "second")
    array = numpy_helper.to_array(second).copy()
    array[:, ::3] *= 1e-39  # 22 of 64: two blocks of eight, and six that stay
    second.CopyFrom(numpy_helper.from_array(array, "second"))
    narrow = narrowed(model, [], 0)
    shapes = {weight.name: tuple(weight.dims) for weight in narrow.graph.initializer}
    assert (shapes["first"], shapes["level"], shapes["second"]) == ((48, 3, 1, 1), (1, 48, 1, 1), (5, 48, 3, 3))
    image = RNG.normal(size=(1, 3, 7, 5)).astype(np.float32)
    np.testing.assert_allclose(Session(narrow).run([image])[0], Session(model).run([image])[0], rtol=1e-5, atol=1e-4)
    save_network(narrow, tmp_path / "narrow.onnx")
    saved = onnx.load(str(tmp_path / "narrow.onnx"))
    values = numpy_helper.to_array(next(weight for weight in saved.graph.initializer if weight.name == "second"))
    assert np.abs(values[values != 0]).min() >= np.finfo(np.float32).tiny
    assert np.count_nonzero(values == 0) == 6 * 5 * 9


def blocks(*weights: tuple[Any, Any]) -> Any:
    """Blocks of two convolutions with a way around each, one after the other."""
    nodes, tensors, given = [], [], "x"
    for i, pair in enumerate(weights):
        first, second = f"first.{i}", f"second.{i}"
        tensors += [numpy_helper.from_array(array, name) for array, name in zip(pair, (first, second), strict=True)]
        nodes += [
            helper.make_node("Conv", [given, first], [f"{first}.raw"]),
            helper.make_node("Relu", [f"{first}.raw"], [f"{first}.unit"]),
            helper.make_node("Conv", [f"{first}.unit", second], [f"{second}.raw"]),
            helper.make_node("Add", [given, f"{second}.raw"], [f"sum.{i}"]),
        ]
        given = f"sum.{i}"
    ends = (helper.make_tensor_value_info(name, 1, ["n", 24, "h", "w"]) for name in ("x", given))
    graph = helper.make_graph(nodes, "g", [next(ends)], [next(ends)], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_a_layer_makes_good_what_those_before_it_changed() -> None:
    rng = np.random.default_rng(7)
    pairs = [tuple((rng.normal(size=(*shape, 1, 1)) / 8).astype(np.float32) for shape in ((64, 24), (24, 64))) for _ in range(2)]
    model = blocks(*pairs)
    assert [layer.answer for layer in hidden_layers(model)] == ["sum.0", "sum.1"]
    mixing = rng.normal(size=(24, 24))
    images = [np.einsum("ij,njhw->nihw", mixing, rng.normal(size=(2, 24, 8, 8))).astype(np.float32) for _ in range(9)]
    learned, fresh = images[:-1], images[-1:]

    def answers(model: Any, images: list[Any]) -> list[Any]:
        session = Session(model)
        return [session.run([image])[0] for image in images]

    def weights(model: Any) -> list[Any]:
        return [numpy_helper.to_array(weight) for weight in model.graph.initializer]

    one_by_one = [narrowed(blocks(pairs[0]), learned, 0.05), narrowed(blocks(pairs[1]), answers(blocks(pairs[0]), learned), 0.05)]
    in_turn = narrowed(model, learned, 0.05)
    assert max(len(weight) for weight in weights(in_turn)) < 64
    (wide,), (alone,), (following,) = (answers(each, fresh) for each in (model, blocks(*map(weights, one_by_one)), in_turn))
    assert np.mean((following - wide) ** 2) < 0.95 * np.mean((alone - wide) ** 2)


def test_no_more_is_lost_than_allowed() -> None:
    seen = RNG.normal(size=(48, 4000)) * np.linspace(0.05, 1, 48)[:, None]
    weight = RNG.normal(size=(6, 48, 1, 1))
    products = seen @ seen.T / seen.shape[1]
    answer = weight[:, :, 0, 0] @ seen
    sizes = []
    for loss in (0.0, 0.02, 0.3):
        kept, changed = thinned(products, weight, loss)
        other = changed[:, kept, 0, 0] @ seen[kept]
        assert np.sum((answer - other) ** 2) <= (loss + 0.01) * np.sum(answer**2)
        sizes.append(len(kept))
    assert sizes[0] == 48 and sizes == sorted(sizes, reverse=True) and sizes[2] < sizes[1] < 48


def test_features_with_several_users_are_left_alone() -> None:
    model = two_convolutions("Relu", bias_node=True)
    assert [layer.features for layer in hidden_layers(model)] == ["after"]
    model.graph.node.append(helper.make_node("Identity", ["after"], ["shown"]))
    assert hidden_layers(model) == []
    del model.graph.node[-1]
    model.graph.output.append(helper.make_tensor_value_info("after", 1, ["n", 64, "h", "w"]))
    assert hidden_layers(model) == []
    images = [RNG.normal(size=(1, 3, 5, 5)).astype(np.float32)]
    assert narrowed(model, images, 0.5).SerializeToString() == model.SerializeToString()


def test_the_layers_of_the_recogniser_are_known() -> None:
    pytest.importorskip("rapidocr", reason="training starts from networks that rapidocr carries")
    model = starting_network("text_recognition", None, further=False)
    widths = {weight.name: weight.dims[0] for weight in model.graph.initializer if weight.dims}
    found = [widths[layer.first.input[1]] for layer in hidden_layers(model)]
    assert found.count(384) == 7 and found.count(768) == 2


def test_the_head_of_heights_and_directions_gives_nearly_the_same_at_half_the_places() -> None:
    """Features that change slowly, as those of lines do; the rest of the network stays as it is."""
    builder = HeadBuilder(helper.make_model(helper.make_graph([], "g", [helper.make_tensor_value_info("x", 1, ["n", 3, "h", "w"])], [])), 3)
    del builder.model.opset_import[:]
    builder.model.opset_import.append(helper.make_opsetid("", 13))
    builder.model.ir_version = 8
    first, second, third = SHAPE_LAYERS
    hidden = builder.convolution(builder.convolution("x", first, 3, 8, 3), second, 8, 8, 3)
    model = builder.finish([builder.doubled(builder.convolution(hidden, third, 8, 2, 1, relu=False))], "maps", 2)
    rng = np.random.default_rng(2)

    def images(count: int) -> list[Any]:
        coarse = rng.normal(size=(count, 2, 3, 4, 4))
        return [
            np.stack([[cv2.resize(c, (32, 32), interpolation=cv2.INTER_CUBIC) for c in image] for image in batch]).astype(np.float32)
            for batch in coarse
        ]

    coarse = coarsened(model, images(20))
    (fresh,) = images(1)
    old, new = (Session(each).run([fresh])[0] for each in (model, coarse))
    assert new.shape == old.shape == (2, 2, 64, 64)
    assert np.mean((new - old) ** 2) < 0.1 * np.mean(old**2)
    with pytest.raises(ModelError, match="at a quarter of its input"):
        coarsened(coarse, images(1))
