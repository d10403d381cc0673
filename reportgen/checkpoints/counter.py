"""How many training steps a checkpoint is from the start, as its optimiser counted them."""

from __future__ import annotations

import io
from pathlib import Path

from reportgen.checkpoints.keras_zip import WEIGHTS
from reportgen.checkpoints.limits import FILE_LIMIT, Node, find_hdf5, is_group, open_hdf5, open_zip, read_member
from reportgen.errors import CheckpointError


def iterations(path: Path, key: str) -> int | None:
    """Return the optimiser's counter in a file of the format `key`, None where there is none."""
    try:
        if key == "keras":
            with open_zip(path) as archive:
                source: Path | io.BytesIO = io.BytesIO(read_member(archive, WEIGHTS, FILE_LIMIT))
        else:
            source = path
        with open_hdf5(source) as file:
            return _counter(file)
    except (CheckpointError, OSError, ValueError, TypeError, KeyError, RuntimeError, ArithmeticError):
        return None  # reading it will say why


def _counter(file: Node) -> int | None:
    """Return the counter in an open file."""
    modern = find_hdf5(file, "optimizer/vars/0")
    if modern is not None and modern.shape == () and modern.dtype.kind in "iu":
        return int(modern[()])
    state = find_hdf5(file, "optimizer_weights")
    for group in list(state)[:10] if is_group(state) else []:
        inner = find_hdf5(state, group)
        for name in list(inner)[:2000] if is_group(inner) else []:
            value = find_hdf5(inner, name)
            if name.startswith("iter") and getattr(value, "shape", None) == ():
                return int(value[()])
    return None
