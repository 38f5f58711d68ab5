"""Data sets of users: read, checked and never changed. No torch here."""

from __future__ import annotations

from pathlib import Path

from sealread.errors import InputError
from sealread.labels import LABELS_FILE
from sealread.training.datasets.coco import read_coco
from sealread.training.datasets.lists import read_orientation, read_textdet, read_textrec
from sealread.training.datasets.realseals import read_realseals
from sealread.training.datasets.records import DataSet, Listed, Problem, Record, read_image

__all__ = ["DataSet", "Listed", "Problem", "Record", "read_dataset", "read_image"]


def read_dataset(folder: Path, task: str, alphabet: frozenset[str] | None = None) -> DataSet:
    """A data set for a network, in whichever of its formats the folder is laid out.

    Args:
        folder: the data set.
        task: the network's module.
        alphabet: the characters that the recogniser can give; needed for recognition.

    Raises:
        InputError: the folder does not exist.
    """
    if not folder.is_dir():
        raise InputError(f"the data set {folder} does not exist; name its folder", source=str(folder), parameter="dataset_dir")
    if (folder / LABELS_FILE).is_file():
        return read_realseals(folder, task, alphabet)
    if task == "layout_detection":
        return read_coco(folder)
    if task == "doc_text_orientation":
        return read_orientation(folder)
    if task == "seal_text_detection":
        return read_textdet(folder)
    known = frozenset() if alphabet is None else alphabet
    return read_textdet(folder, known) if _has_outlines(folder) else read_textrec(folder, known)


def _has_outlines(folder: Path) -> bool:
    """Whether the first label of a list is a JSON list of lines: then strips are cut from the outlines."""
    try:
        with (folder / "train.txt").open("rb") as file:
            return file.readline().partition(b"\t")[2].lstrip().startswith(b"[{")
    except OSError:
        return False
