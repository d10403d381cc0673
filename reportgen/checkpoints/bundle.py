"""TensorFlow checkpoints, X.index with X.data-0000i-of-0000n: what `save_weights("X")` of Keras 2 writes."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.object_graph import GRAPH_KEY, Node, parse_graph
from reportgen.checkpoints.object_names import LISTS, places_in
from reportgen.checkpoints.scopes import Place, by_full_name, is_seed
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.checkpoints.table import MAGIC
from reportgen.checkpoints.tensors import STRING, Index, read_index, read_tensors, read_text
from reportgen.errors import CheckpointError

_METRICS = frozenset({
    "keras_api", "metrics", "_metrics", "compile_metrics", "_compile_metrics", "compiled_metrics", "loss_tracker",
    "_loss_tracker",
})  # fmt: skip
_OPTIMIZER = frozenset({
    "optimizer", "training", ".OPTIMIZER_SLOT", "_iterations", "_learning_rate", "_momentums", "_velocities",
})  # fmt: skip
"""Words of keys under which what is no weight is stored; `training` by the first Keras of TensorFlow."""
_COUNTERS = re.compile(r"global_step|iter|beta_?\d_power(_\d+)?")
"""Last words of the names TensorFlow 1 gave to what belongs to no variable."""
_VALUE = "/.ATTRIBUTES/"


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a file is the index of a TensorFlow checkpoint, perhaps cut."""
    if path.suffix != ".index":
        return False
    with path.open("rb") as file:
        file.seek(-min(len(MAGIC), file.seek(0, os.SEEK_END)), os.SEEK_END)
        # It ends in a constant, and begins with the empty key, whose value begins with the number of data files.
        return file.read() == MAGIC or (head[:2] == b"\0\0" and head[3:4] == b"\x08")


def parts_of(index_path: Path) -> list[Path]:
    """Return the files a checkpoint is made of: its index, and the data files that lie beside it."""
    name = re.compile(re.escape(index_path.name.removesuffix(".index")) + r"\.data-\d{5}-of-\d{5}")
    return [index_path, *sorted(path for path in index_path.parent.iterdir() if name.fullmatch(path.name))]


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return the weights of a checkpoint; names are those of `config`, a borrowed architecture, where there is one."""
    return read_bundle(path, config, {})


def read_bundle(path: Path, config: dict[str, Any] | None, known: Mapping[int, str]) -> StoredModel:
    """Return the weights of a checkpoint; `known` are names of the objects of its graph from a file beside it."""
    index = read_index(path)
    if GRAPH_KEY in index.entries:
        nodes = parse_graph(read_text(index, GRAPH_KEY))
        places = [place for place in places_in(nodes, config, known) if not is_seed(place.variable)]
    else:  # TensorFlow 1 stored arrays by their names alone
        nodes = []
        named = [(key, key) for key in index.entries if not _is_optimizer(key, index)]
        places = [place for place in by_full_name(named, config, root=False) if not is_seed(place.variable)]
    if lost := [place for place in places if place.key not in index.entries]:
        raise CheckpointError(f"no array at {lost[0].key}", expected="one there, as the object graph says")
    numeric = [place for place in places if index.entries[place.key].dtype != STRING]
    other, optimizer = _other(index, nodes, numeric)
    return StoredModel(_layers(index, numeric), config, optimizer=optimizer, other=other)


def iterations_in(path: Path) -> int | None:
    """Return how many training steps the optimiser in a checkpoint had counted, None where there is no counter."""
    index = read_index(path)
    for key in index.entries:
        if key.split(_VALUE)[0].rsplit("/", 1)[-1] in {"_iterations", "iter", "global_step"}:
            return int(read_tensors(index, [key])[0])
    return None


def _layers(index: Index, places: Sequence[Place]) -> tuple[StoredLayer, ...]:
    """Return the arrays, read, by layer in the order in which the layers first appear."""
    values = read_tensors(index, [place.key for place in places])
    layers: dict[str, dict[str, Variable]] = {}
    for place, value in zip(places, values, strict=True):
        held = layers.setdefault(place.layer, {})
        name, number = place.variable, 1
        while name in held:
            name, number = f"{place.variable}_{number}", number + 1
        held[name] = Variable(name, value)
    return tuple(StoredLayer(layer, tuple(held.values())) for layer, held in layers.items())


def _other(index: Index, nodes: Sequence[Node], places: Sequence[Place]) -> tuple[dict[str, int], str]:
    """Return how many arrays there are beside weights, by kind, and the class of the optimiser among them."""
    full_names = {node.key: node.full_name for node in nodes if node.key}
    weights = {place.key for place in places}
    named = {full_names[key] for key in weights if full_names.get(key)}
    counts: Counter[str] = Counter()
    optimizers: Counter[str] = Counter()
    for key, entry in index.entries.items():
        name = full_names.get(key, "")
        if key in weights or key == GRAPH_KEY or (_VALUE in key and key not in full_names and entry.dtype == STRING):
            continue
        if name in named and key.split("/")[0] in LISTS:
            continue  # a second copy of a weight, as export writes them
        if is_seed(name or key):
            counts["seed generators"] += name not in named
            named.add(name)
        elif not _METRICS.isdisjoint(key.split("/")):
            counts["metrics"] += 1
        elif key.startswith("save_counter"):
            counts["save counter"] += 1
        elif entry.dtype == STRING:
            counts["texts"] += 1
        elif _is_optimizer(key, index):
            counts["optimizer"] += 1
            optimizers[unnumbered((name or key.rsplit("/", 1)[-1]).partition("/")[0])] += "/" in name or not name
        else:
            counts["other"] += 1
    found = optimizers.most_common(1)[0][0] if counts["optimizer"] else ""
    return {kind: number for kind, number in counts.items() if number}, found


def _is_optimizer(key: str, index: Index) -> bool:
    """Return whether an array belongs to an optimiser, whatever name it is held under.

    What an optimiser of TensorFlow 1 keeps for an array is stored below that array's own name: conv/kernel/Adam.
    """
    *scope, last = key.split(_VALUE)[0].split("/")
    return (
        not _OPTIMIZER.isdisjoint(scope)
        or last in _OPTIMIZER
        or _COUNTERS.fullmatch(last) is not None
        or (scope[-1:] == ["_variables"] and last.isdecimal())
        or ("/".join(scope) in index.entries and bool(scope))
    )
