"""Files as requests bring them, and waiting for what a service does."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def encoded(*pages: NDArray[np.uint8], form: str = "PNG") -> str:
    """A file with these BGR images, in Base64."""
    images = [Image.fromarray(page[:, :, ::-1]) for page in pages]
    content = io.BytesIO()
    images[0].save(content, form, **({"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}))
    return base64.b64encode(content.getvalue()).decode()


def until(condition: Callable[[], bool]) -> None:
    """Come back when something that happens elsewhere has happened."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.02)
