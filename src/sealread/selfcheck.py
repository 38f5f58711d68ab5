"""What is installed and used on this machine, and whether it reads."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from sealread.engines.choice import ENGINES
from sealread.errors import EngineError
from sealread.fonts import SHIPPED
from sealread.types import Image

if TYPE_CHECKING:
    from sealread.cli import Pipeline

#: What the drawn seal says.
DRAWN_TEXT = "合同专用章"
#: Instructions that make networks faster, as Linux names them.
_X86 = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
_ARM = ("asimd", "asimddp", "i8mm", "bf16", "sve")


def check(pipeline: Pipeline, device: str) -> None:
    """Print the machine, the engines and each network, then read a drawn seal.

    Args:
        pipeline: the pipeline to describe and to try.
        device: what is printed as the device.

    Raises:
        EngineError: the drawn seal is read wrong.
    """
    print(f"python     {platform.python_version()} on {platform.system()} {platform.machine()}")
    for engine in ENGINES:
        print(f"{engine:<10} {_installed('paddlepaddle' if engine == 'paddle' else engine)}")
    print(f"cpu        {', '.join(cpu_instructions()) or 'no instructions known that matter'}")
    print(f"device     {device}")
    for network in pipeline.describe():
        print()
        for key, value in network.items():
            print(f"{key:<10} {str(value)[:12] if key == 'sha256' else value}")
    print()
    switches = {"use_doc_orientation_classify": False, "use_doc_unwarping": False, "use_layout_detection": False}
    for result in pipeline.predict(drawn_seal(), errors="raise", **switches):
        lines = [line for seal in result.reading.seals for line in seal.lines]
        print(f"drawn seal {DRAWN_TEXT}, read as {', '.join(f'{line.text} ({line.score:.2f})' for line in lines) or 'nothing'}")
        if DRAWN_TEXT not in [line.text for line in lines]:
            raise EngineError(f"the drawn seal says {DRAWN_TEXT}, but was not read so: try another --engine, or --precision fp32")


def _installed(engine: str) -> str:
    # Engines are named as they are imported; some packages have other names, and more than one.
    for package in metadata.packages_distributions().get(engine, ()):
        return metadata.version(package)
    return "not installed"


def cpu_instructions() -> tuple[str, ...]:
    """Those instructions of this CPU that make networks faster; empty where the system does not tell (Linux does)."""
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return ()
    words = set(listing.read_text(encoding="utf-8", errors="replace").split())
    return tuple(name for name in (*_X86, *_ARM) if name in words)


def drawn_seal() -> Image:
    """A red round seal, 320 x 320 BGR, that says `DRAWN_TEXT` across its middle."""
    picture = PillowImage.new("RGB", (320, 320), "white")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((10, 10, 310, 310), outline=(205, 30, 35), width=8)
    pen.text((160, 160), DRAWN_TEXT, fill=(205, 30, 35), font=ImageFont.truetype(str(SHIPPED[0]), 48), anchor="mm")
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
