"""The arrays of a file into the variables of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportgen.checkpoints.stored import StoredLayer, Variable
from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer


def assign(layer: KerasLayer, stored: StoredLayer | None, shown: str) -> None:
    """Put a stored layer's arrays into a Keras layer's weights; raises NetworkError naming layer and shapes."""
    weights = layer.weights
    arrays = stored.variables if stored is not None else ()
    if len(weights) != len(arrays):
        raise NetworkError(
            f"layer {shown} has {len(arrays)} arrays in the file and needs {len(weights)}",
            where=shown,
            expected=", ".join(f"{w.name} {tuple(w.shape)}" for w in weights) or "none",
            received=", ".join(f"{a.name} {a.value.shape}" for a in arrays) or "none",
            advice="The file's weights are not those of its architecture; was it saved whole?",
        )
    for weight, array in zip(weights, pair(_own_names(layer, weights), arrays), strict=True):
        if tuple(weight.shape) != array.value.shape:
            raise NetworkError(
                f"layer {shown}: {array.name} has shape {array.value.shape} in the file, the network needs "
                f"{tuple(weight.shape)}",
                where=shown,
                expected=str(tuple(weight.shape)),
                received=str(array.value.shape),
                advice="The file's weights are not those of its architecture, or the input has another size.",
            )
        weight.assign(array.value)


def pair(names: Sequence[str], arrays: Sequence[Variable]) -> list[Variable]:
    """Return the array for each name: by name where all of them are found, else in the order of the file."""
    found = [[array for array in arrays if _same(name, array.name)] for name in names]
    if all(len(matches) == 1 for matches in found) and len({id(m[0]) for m in found}) == len(arrays):
        return [matches[0] for matches in found]
    return list(arrays)


def _own_names(layer: KerasLayer, weights: Sequence[Any]) -> list[str]:
    """Return the names of a layer's weights below the layer itself: kernel, lstm_cell/bias."""
    return [weight.path.removeprefix(f"{layer.name}/") for weight in weights]


def _same(name: str, stored: str) -> bool:
    """Return whether two names of a variable mean the same, as the Keras versions differ in them."""
    ours, theirs = name.split("/"), stored.split("/")
    if not _alike(ours[-1], theirs[-1]):
        return False
    return len(theirs) == 1 or (len(ours) == len(theirs) and all(map(_alike_scope, ours[:-1], theirs[:-1])))


def _alike(ours: str, theirs: str) -> bool:
    """Return whether two variables' names are one; Keras 2 says depthwise_kernel where Keras 3 says kernel."""
    return ours == theirs or (ours, theirs) == ("kernel", "depthwise_kernel")


def _alike_scope(ours: str, theirs: str) -> bool:
    """Return whether two names of an inner layer are one: lstm_cell and cell, forward_lstm and forward_layer."""
    theirs = theirs.rstrip("0123456789").rstrip("_")
    sides = [{"forward", "backward"} & set(word.split("_")[:1]) for word in (ours, theirs)]
    return ours == theirs or ours.endswith(f"_{theirs}") or theirs.endswith(f"_{ours}") or sides[0] == sides[1] != set()
