"""The zoo: which networks there are, where their files lie, and what their inputs and outputs mean.

The table (`models.toml`) and model directories in the official layout give the same record, `Network`.
"""

from sealread.zoo.directory import network_from_directory
from sealread.zoo.networks import Network, find_network, known_names

__all__ = ["Network", "find_network", "known_names", "network_from_directory"]
