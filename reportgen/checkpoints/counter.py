"""How many training steps a checkpoint is from the start, as its optimiser counted them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reportgen.checkpoints.bundle import iterations_in
from reportgen.checkpoints.groups import Groups, Hdf5Groups
from reportgen.checkpoints.hdf5 import Node, find_hdf5, is_group, open_hdf5
from reportgen.checkpoints.keras_members import open_weights
from reportgen.checkpoints.members import FolderMembers, ZipMembers
from reportgen.checkpoints.saved_model import INDEX
from reportgen.checkpoints.shards import open_shards
from reportgen.checkpoints.zip_files import open_zip
from reportgen.errors import CheckpointError


def iterations(path: Path, key: str) -> int | None:
    """Return the optimiser's counter in a file of the format `key`, None where there is none."""
    try:
        return COUNTERS.get(key, _of_hdf5)(path)
    except (CheckpointError, OSError, ValueError, TypeError, KeyError, RuntimeError, ArithmeticError):
        return None  # reading it will say why


def _of_zip(path: Path) -> int | None:
    """Return the counter in a `.keras` file."""
    with open_zip(path) as archive, open_weights(ZipMembers(archive)) as groups:
        return _counted(groups)


def _of_folder(path: Path) -> int | None:
    """Return the counter in an unzipped `.keras` folder."""
    with open_weights(FolderMembers(path)) as groups:
        return _counted(groups)


def _of_shards(path: Path) -> int | None:
    """Return the counter in weights in several parts."""
    with open_shards(path) as groups:
        return _counted(groups)


COUNTERS: dict[str, Callable[[Path], int | None]] = {
    "keras": _of_zip, "keras-folder": _of_folder, "weights-shards": _of_shards, "tf-checkpoint": iterations_in,
    "saved-model": lambda path: iterations_in(path / INDEX), "exported": lambda path: iterations_in(path / INDEX),
}  # fmt: skip
"""Format → what reads its counter; the others are HDF5."""


def _counted(groups: Groups) -> int | None:
    """Return the counter among groups: the first array of the optimiser."""
    if "0" not in (groups.children("optimizer/vars") or ()):
        return None
    (value,) = groups.arrays(["optimizer/vars/0"])
    return int(value) if value.shape == () and value.dtype.kind in "iu" else None


def _of_hdf5(path: Path) -> int | None:
    """Return the counter in an HDF5 file of any layout."""
    with open_hdf5(path) as file:
        modern = _counted(Hdf5Groups(file))
        return _of_state(find_hdf5(file, "optimizer_weights")) if modern is None else modern


def _of_state(state: Node) -> int | None:
    """Return the counter in the optimiser's group of a whole-model file."""
    for group in list(state)[:10] if is_group(state) else []:
        inner = find_hdf5(state, group)
        for name in list(inner)[:2000] if is_group(inner) else []:
            value = find_hdf5(inner, name)
            if name.startswith("iter") and getattr(value, "shape", None) == ():
                return int(value[()])
    return None
