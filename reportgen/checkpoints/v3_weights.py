"""The layout of `.weights.h5` and of the weights in a `.keras` file: Keras 2.12 and later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.checkpoints.cleaning import in_bfloat16
from reportgen.checkpoints.groups import Groups, Hdf5Groups
from reportgen.checkpoints.hdf5 import find_hdf5, is_group, is_hdf5, open_hdf5
from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.other_state import at_the_root, count, kind_of
from reportgen.checkpoints.outline import NESTING_LIMIT, count_layers, is_model, is_operation, layer_name, layers_of
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.checkpoints.text import storable
from reportgen.checkpoints.variables import VARIABLES, snake, variable_names
from reportgen.errors import CheckpointError, printable

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Group of a model's layers; the second by Keras 2.12 and 2.13."""
ROLES = frozenset({
    "forward_layer", "backward_layer", "layer", "cell", "query_dense", "key_dense", "value_dense", "output_dense",
})  # fmt: skip
"""Attributes under which Keras' own layers keep the layers inside them."""
REPEATED = frozenset({("spectral_normalization", "kernel")})
"""(class, array) that is stored once more with the layer inside."""
WRITTEN = {"model": "functional", "group_query_attention": "grouped_query_attention"}
"""Class in a description → class the groups are called after, where the two differ."""
GROUP_LIMIT = 10_000
"""Twice as many as a network may have layers."""

Places = list[tuple[str, str]]
"""(variable name, path in the file) of one layer's arrays."""


def recognise(path: Path, head: bytes) -> bool:
    """Return whether a file is HDF5 in this layout: root groups of layers or variables, and no list of layers."""
    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        if "model_config" in file.attrs or "layer_names" in file.attrs or "layer_names0" in file.attrs:
            return False
        return any(is_group(find_hdf5(file, name)) for name in (*CONTAINERS, "vars"))


def read(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return the weights; names are those of `config`, a borrowed architecture, where there is one."""
    with open_hdf5(path) as file:
        return read_weights(Hdf5Groups(file), config)


def read_weights(groups: Groups, config: dict[str, Any] | None) -> StoredModel:
    """Return the arrays of all layers under the user's names, and what else there is.

    Groups are called by class (`conv2d_1`), not by layer: the name is in an attribute (Keras 3), or follows from
    counting the classes in the order of the architecture (Keras 2).
    """
    other: Counter[str] = Counter()
    if config is not None and is_model(config):
        count_layers(config)
        other.update(at_the_root(groups))
        named = list(_described(groups, "", config, "", other))
    else:
        named = list(_undescribed(groups, other))
    short = in_bfloat16(config)
    paths = [(path, short is None or name in short) for name, _, places in named for _, path in places]
    arrays = iter(groups.arrays([path for path, _ in paths], {path for path, is_short in paths if is_short}))
    layers = tuple(
        StoredLayer(
            storable(name),
            tuple(Variable(storable(word), next(arrays)) for word, _ in places),
            storable(group.strip("/")),
        )
        for name, group, places in named
    )
    return StoredModel(layers, config, optimizer=optimizer_class(groups), other=dict(other))


def optimizer_class(groups: Groups) -> str:
    """Return the class of the optimiser whose state is in the file, as far as the file says it."""
    if not groups.children("optimizer/vars"):
        return ""
    # Keras numbers optimisers through a session: adam_27 is Adam.
    return unnumbered(printable(groups.label("optimizer/vars"), 100)) or "unknown"


def _described(
    groups: Groups, path: str, model: dict[str, Any], prefix: str, other: Counter[str], depth: int = 0
) -> Iterator[tuple[str, str, Places]]:
    """Yield (name, group, places) of each layer of the architecture that has arrays in the group `path`."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
    containers = (f"{path}/{name}" for name in CONTAINERS)
    container = next((p for p in containers if groups.children(p) is not None), None)
    if container is None:
        return
    counted = list(_counted(model))
    by_name = _names(groups, container, [group for _, _, group in counted])
    for layer, kind, group in counted:
        group = by_name.get(layer_name(layer), group)
        place = f"{container}/{group}"
        if is_model(layer):
            yield from _described(groups, place, layer, f"{prefix}{layer_name(layer)}/", other, depth + 1)
        elif places := list(_places(groups, place, kind, layer["config"], other)):
            yield prefix + layer_name(layer), place, places


def _counted(model: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield (entry, class in snake case, group by counting the classes) of each layer that has a group."""
    counts: dict[str, int] = {}
    for layer in layers_of(model):
        kind = snake(str(layer.get("class_name")))
        if is_operation(layer) or (kind == "input_layer" and model["class_name"] == "Sequential"):
            continue
        kind = WRITTEN.get(kind, kind)
        number = counts[kind] = counts.get(kind, -1) + 1
        yield layer, kind, f"{kind}_{number}" if number else kind


def _names(groups: Groups, container: str, counted: list[str]) -> dict[str, str]:
    """Return user's name → group of the layers in a container, where the file has the names.

    Of more groups than such a model can have, only those are looked at that counting gives.
    """
    there = groups.children(container) or []
    looked_at = there if len(there) <= 2 * len(counted) + 100 else counted
    labelled = ((groups.label(f"{container}/{group}/vars"), group) for group in looked_at)
    return {label: group for label, group in labelled if label}


def _places(groups: Groups, path: str, kind: str, config: Any, other: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield (variable name, path) of a layer's arrays, those of the layers inside it included."""
    for inner, prefix, name in _walk(groups, path, other, labelled=ROLES):
        numbers = _numbers(groups, inner)
        names = variable_names(kind if inner == path else name, config if inner == path else {}, len(numbers))
        for word, number in zip(names, numbers, strict=True):
            if inner == path and (kind, word) in REPEATED:
                continue
            yield prefix + word, f"{inner}/vars/{number}"


def _undescribed(groups: Groups, other: Counter[str]) -> Iterator[tuple[str, str, Places]]:
    """Yield (name, group, places) of each group with arrays, under the names in the file: no architecture says more."""
    for path, prefix, _ in _walk(groups, "", other):
        if numbers := _numbers(groups, path):
            words = (path.rsplit("/", 1)[-1], groups.label(f"{path}/vars"))
            kind = next((kind for word in words if (kind := unnumbered(word)) in VARIABLES), unnumbered(words[0]))
            names = variable_names(kind, {}, len(numbers)) if path else tuple(numbers)
            places = [(name, f"{path}/vars/{n}") for name, n in zip(names, numbers, strict=True)
                      if (kind, name) not in REPEATED]  # fmt: skip
            yield prefix.rstrip("/") or "model", path, places


def _walk(
    groups: Groups, start: str, other: Counter[str], labelled: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str, str]]:
    """Yield (path, user's names down to it, last name) of a group and of all in it, each group once.

    In a container of layers, and for attributes that are `labelled`, the name is the label; elsewhere groups are
    attributes of the user's class, and that is the word the user knows. Other state is passed over and counted.
    """
    pending = [(start, "", start.rsplit("/", 1)[-1])]
    seen = set()
    while pending:
        path, prefix, name = pending.pop()
        children = groups.children(path)
        if children is None or groups.identity(path) in seen:
            continue
        seen.add(groups.identity(path))
        if len(seen) + len(children) > GROUP_LIMIT:
            raise CheckpointError("far too many groups", expected=f"at most {GROUP_LIMIT}")
        yield path, prefix, name
        inner = []
        for child in sorted(children, key=lambda n: (len(n), n) if n.isdecimal() else (0, n)):
            inside = f"{path}/{child}"
            if kind := kind_of(child):
                other[kind] += count(groups, inside)
            elif child != "vars":
                bare, label = child.strip("_"), groups.label(f"{inside}/vars")
                word = bare.removesuffix("_dense") if bare in ROLES else child
                if label and (path.rsplit("/", 1)[-1] in CONTAINERS or bare in labelled):
                    word = label
                elif label and "vars" not in children and unnumbered(label) != unnumbered(child):
                    word = label  # in a list of the user's groups are called by class; a label of the user's says more
                known = unnumbered(child)
                longer = prefix if child in CONTAINERS else f"{prefix}{word}/"
                inner.append((inside, longer, known if known in VARIABLES else word))
        pending.extend(reversed(inner))


def _numbers(groups: Groups, path: str) -> list[str]:
    """Return the names of a group's own arrays: 0, 1, …, 10."""
    return sorted(groups.children(f"{path}/vars") or (), key=lambda n: (len(n), n))
