"""An architecture for files of weights alone: a whole model's, or JSON's, from the same run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reportgen.checkpoints.examine import Call, here
from reportgen.checkpoints.formats import FORMATS, read_checkpoint
from reportgen.checkpoints.json_architecture import read_json_architecture
from reportgen.checkpoints.outline import is_model, leaves
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredLayer, StoredModel
from reportgen.errors import CheckpointError, ReportgenError

_SUFFIXES = (".weights.h5", ".h5", ".hdf5", ".keras", ".json")


def borrow(checkpoints: Sequence[Checkpoint], root: Path, call: Call = here) -> tuple[Checkpoint, ...]:
    """Return the checkpoints, those of weights alone with the file whose architecture they borrow.

    Where several fit it is the one whose name they share most of. `call` opens the files.
    """
    if all(FORMATS[checkpoint.format].whole for checkpoint in checkpoints):
        return tuple(checkpoints)
    folders = dict.fromkeys([root, *(checkpoint.path.parent for checkpoint in checkpoints)])
    lenders: dict[Path, dict[str, Any]] = {}
    for path in sorted(path for folder in folders for path in folder.glob("*.json")):
        if (
            path.is_file()
            and not path.is_symlink()
            and (described := _asked(call, read_json_architecture, path, size=path.stat().st_size))
        ):
            lenders[path] = described
    seen: set[str] = set()
    for checkpoint in checkpoints:
        if FORMATS[checkpoint.format].whole and len(lenders) < 50:
            described = _asked(call, _described, checkpoint, size=checkpoint.size)
            if described is not None and (words := repr(described.get("config"))) not in seen:
                seen.add(words)
                lenders[checkpoint.path] = described
    return tuple(c if FORMATS[c.format].whole else _lend(c, lenders, call) for c in checkpoints)


def lend(
    checkpoints: Sequence[Checkpoint], path: Path, described: dict[str, Any], call: Call = here
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints, those of weights alone and without an architecture with that in `path` where it fits."""
    return tuple(
        c if FORMATS[c.format].whole or c.architecture else _lend(c, {path: described}, call) for c in checkpoints
    )


def _asked(call: Call, function: Callable[..., Any], *args: object, size: int) -> Any:
    """Return what a function finds in a file, or None where it cannot be read: its turn to say so comes later."""
    try:
        return call(function, *args, size=size)
    except (ReportgenError, OSError):
        return None


def _lend(checkpoint: Checkpoint, lenders: dict[Path, dict[str, Any]], call: Call) -> Checkpoint:
    """Return a checkpoint of weights with the nearest of the lenders that fits, if any does."""
    shapes = _asked(call, _shapes_in, checkpoint, size=checkpoint.size)
    if shapes is None:
        return checkpoint
    own = _stem(checkpoint.path)
    nearest = sorted(lenders, key=lambda p: (p.parent != checkpoint.path.parent, -_common(own, _stem(p)), p))
    for path in nearest:
        lent = replace(checkpoint, architecture=path)
        size = checkpoint.size + path.stat().st_size if path.is_file() else checkpoint.size
        if is_model(lenders[path]) and _asked(call, _fits, lent, lenders[path], shapes, size=size):
            return lent
    return checkpoint


def _fits(lent: Checkpoint, described: dict[str, Any], shapes: Counter[tuple[int, ...]]) -> bool:
    """Return whether every array of a file finds its layer in an architecture."""
    try:
        stored = read_checkpoint(lent)
        known = dict(leaves(stored.config or described))
    except CheckpointError:
        return False
    return _shapes(stored) == shapes and all(_has_sizes(layer, known.get(layer.name)) for layer in stored.layers)


def _has_sizes(layer: StoredLayer, entry: dict[str, Any] | None) -> bool:
    """Return whether a layer's kernel has the sizes that an entry of an architecture gives it."""
    if entry is None:
        return False
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    kernel = next((v.value.shape for v in layer.variables if v.name == "kernel"), None)
    if kernel is None or entry.get("class_name") not in ("Dense", "Conv1D", "Conv2D", "Conv3D"):
        return True
    size = config.get("kernel_size", [])
    given = (*(size if isinstance(size, list) else [size]), config.get("filters", config.get("units")))
    return (*kernel[:-2], kernel[-1]) == given


def _shapes_in(checkpoint: Checkpoint) -> Counter[tuple[int, ...]]:
    """Return how many arrays of each shape a checkpoint holds."""
    return _shapes(read_checkpoint(checkpoint))


def _shapes(stored: StoredModel) -> Counter[tuple[int, ...]]:
    """Return how many arrays there are of each shape."""
    return Counter(variable.value.shape for layer in stored.layers for variable in layer.variables)


def _described(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the architecture in a checkpoint."""
    return read_checkpoint(checkpoint).config


def _stem(path: Path) -> str:
    """Return a file's name without its suffix."""
    return next((path.name.removesuffix(s) for s in _SUFFIXES if path.name.endswith(s)), path.name)


def _common(one: str, other: str) -> int:
    """Return how many characters two names begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
