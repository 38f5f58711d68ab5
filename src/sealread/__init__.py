"""sealread reads the seals (stamps, 印章) of documents: where they are, what they say, and how sure that is.

Example:
    >>> from sealread import create_pipeline
    >>> pipeline = create_pipeline("seal_recognition")  # doctest: +SKIP
    >>> for result in pipeline.predict("contract.pdf"):  # doctest: +SKIP
    ...     result.print()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sealread.errors import EngineError, InputError, ModelError, SealreadError

if TYPE_CHECKING:
    from sealread.pipeline import SealPipeline, create_pipeline
    from sealread.results import SealRecognitionResult

__version__ = "0.1.0"

__all__ = [
    "EngineError",
    "InputError",
    "ModelError",
    "SealPipeline",
    "SealRecognitionResult",
    "SealreadError",
    "__version__",
    "create_pipeline",
]

#: Names that are imported when they are first used, so that ``import sealread`` stays quick.
_LATER = {"SealPipeline": "pipeline", "create_pipeline": "pipeline", "SealRecognitionResult": "results"}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"sealread.{_LATER[name]}"), name)
    raise AttributeError(f"module 'sealread' has no attribute {name!r}")
