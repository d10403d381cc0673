"""Unzipped `.keras` checkpoints: a folder of the members, as Keras 3 writes it with `zipped=False`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reportgen.checkpoints.keras_members import CONFIG, METADATA, NPZ, WEIGHTS, read_model
from reportgen.checkpoints.members import FolderMembers
from reportgen.checkpoints.stored import StoredModel


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a folder holds an architecture and weights as Keras writes them; links count, and are refused."""
    if path.is_symlink() or not path.is_dir():
        return False
    names = FolderMembers(path).names()
    return CONFIG in names and (WEIGHTS in names or NPZ in names)


def parts(path: Path) -> list[Path]:
    """Return the files of a folder that count."""
    return [path / name for name in FolderMembers(path).names() if name in (CONFIG, METADATA, WEIGHTS, NPZ)]


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return architecture and weights."""
    return read_model(FolderMembers(path))
