"""What several tests share: the tiny networks, one pipeline of each kind, and the labelled set of real seals."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_networks import detection_folder, layout_folder, orientation_folder, recognition_folder, tiny_config

from sealread import SealPipeline, create_pipeline

REAL_SEALS = Path(__file__).resolve().parents[2] / "shared" / "realseals"


@pytest.fixture(scope="session")
def realseals() -> Path:
    """The folder with `labels.jsonl` and the images it names; tests that ask for it are skipped where it is absent."""
    if not (REAL_SEALS / "labels.jsonl").is_file():
        pytest.skip("the development set of real seals does not lie beside the repository, in ../shared/realseals")
    return REAL_SEALS


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled networks of the tests lie beside the tests' files, and no test downloads one; for this process and those it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEALREAD_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("SEALREAD_OFFLINE", "1")
        yield


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the tiny networks."""
    root = tmp_path_factory.mktemp("tiny")
    for make, name in ((detection_folder, "det"), (recognition_folder, "rec"), (layout_folder, "layout"), (orientation_folder, "ori")):
        make(root / name)
    return root


@pytest.fixture
def tiny(tiny_root: Path) -> dict[str, Any]:
    """The configuration of the tiny networks, free to be changed."""
    return copy.deepcopy(tiny_config(tiny_root))


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_root: Path) -> SealPipeline:
    """The tiny networks at work."""
    return create_pipeline(config=tiny_config(tiny_root))


@pytest.fixture(scope="session")
def pipeline() -> SealPipeline:
    """The packaged networks at work."""
    return create_pipeline()


@pytest.fixture
def tiny_page() -> Callable[[int, int], NDArray[np.uint8]]:
    """Draws a page for the tiny networks: its top left is dark, and where they see the seal lies a bar that reads 甲乙."""

    def draw(width: int, height: int) -> NDArray[np.uint8]:
        page = np.full((height, width, 3), 255, np.uint8)
        page[: height // 5, : width // 5] = (90, 200, 90)  # dark for the classifier, no text for the detector
        left, top, middle, right, bottom = (round(v) for v in (0.3 * width, 0.45 * height, 0.5 * width, 0.7 * width, 0.55 * height))
        page[top:bottom, left:right] = (160, 0, 160)  # text for the detector, nothing for the recogniser
        page[top:bottom, left : middle - width // 40] = 0
        page[top:bottom, middle + width // 40 : right] = (0, 0, 255)
        return page

    return draw
