"""The repository's own examples with default settings: no seal is missed, and each name is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealread import create_pipeline

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("file", "pages"),
    [
        ("contract.png", [{"云岭市青禾农业科技有限公司", "海棠市星河贸易有限公司", "林晚舟印"}]),
        (
            "invoice.pdf",
            [
                {"江苏省国家税务局", "海棠市星河贸易有限公司"},
                {"云岭银行东篱支行", "云岭市青禾农业科技有限公司", "海棠市星河贸易有限公司"},
            ],
        ),
    ],
)
def test_every_seal_is_found_and_named(file: str, pages: list[set[str]]) -> None:
    read = [result.reading.seals for result in create_pipeline().predict(EXAMPLES / file)]
    assert [len(seals) for seals in read] == [len(names) for names in pages]
    for seals, names in zip(read, pages, strict=True):
        assert names <= {line.text for seal in seals for line in seal.lines}
