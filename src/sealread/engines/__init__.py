"""Engines: one method, `run`. They know tensors and shapes; no images, names of models, addresses or alphabets."""

from sealread.engines.choice import EngineSettings, open_engine
from sealread.engines.contest import open_fastest
from sealread.engines.protocol import Engine

__all__ = ["Engine", "EngineSettings", "open_engine", "open_fastest"]
