"""The zoo: which networks there are, where their files lie, and what their inputs and outputs mean.

The table (`models.toml`) and model directories in the official layout give the same record, `Network`.
"""

from sealread.zoo.conversion import runnable
from sealread.zoo.directory import network_from_directory
from sealread.zoo.networks import Network, find_network, where
from sealread.zoo.table import TASKS, Entry, entries, known_names, nearest

__all__ = ["TASKS", "Entry", "Network", "entries", "find_network", "known_names", "nearest", "network_from_directory", "runnable", "where"]
