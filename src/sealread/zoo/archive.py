"""Unpack the official archives: plain files of one folder, nothing else, nowhere else."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from sealread.errors import ModelError

#: Members, and bytes of all files together, beyond which an archive is not believed to be a model.
MOST_MEMBERS, MOST_BYTES = 200, 4_000_000_000


def unpack(archive: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack a tar archive's files into a folder; a single folder around all of them is left out.

    Args:
        archive: may be compressed.
        folder: exists.
        most_bytes: of all files together.

    Raises:
        ModelError: it is damaged, too large, or holds something else than files and folders inside; nothing of such an archive is used.
    """
    try:
        with tarfile.open(archive) as tar:
            _unpack(tar, archive.name, folder, most_bytes)
    except (tarfile.TarError, EOFError, OSError, ValueError) as cause:
        raise ModelError(f"{archive.name} cannot be unpacked: {cause}", source=str(archive)) from cause


def _unpack(tar: tarfile.TarFile, name: str, folder: Path, most_bytes: int) -> None:
    left, files = most_bytes, []
    for count, member in enumerate(tar, 1):
        path = PurePosixPath(member.name)
        if not (member.isreg() or member.isdir()):
            raise _refused(name, f"{member.name} is a link or a device")
        if path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name:
            raise _refused(name, f"{member.name} leads out of it")
        left -= member.size
        if left < 0 or count > MOST_MEMBERS:
            raise _refused(name, "it is too large for a model")
        if member.isreg():
            files.append((member, path))
    tops = {path.parts[0] for _, path in files if len(path.parts) > 1}
    around = 1 if len(tops) == 1 and all(len(path.parts) > 1 for _, path in files) else 0
    for member, path in files:
        target = folder.joinpath(*path.parts[around:])
        target.parent.mkdir(parents=True, exist_ok=True)
        source = tar.extractfile(member)
        assert source is not None  # it is a file
        with source, target.open("xb") as file:  # "x": a name that comes twice is refused
            shutil.copyfileobj(source, file)


def _refused(name: str, reason: str) -> ModelError:
    return ModelError(f"{name} is not unpacked: {reason}; fetch it from another source", source=name)
