"""The layout of `.weights.h5` and of the weights in a `.keras` file: Keras 2.12 and later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.checkpoints.limits import Node, address, find_hdf5, is_group, is_hdf5, open_hdf5, read_arrays
from reportgen.checkpoints.outline import NESTING_LIMIT, is_model, is_operation, layer_name, layers_of
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.checkpoints.text import storable
from reportgen.checkpoints.variables import snake, variable_names
from reportgen.errors import CheckpointError, printable

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Group of a model's layers; the second by Keras 2.12 and 2.13."""
NO_WEIGHTS = re.compile(r"_?(optimizer|metrics|compile_metrics|loss_tracker)|(seed_generator|state_var)(_\d+)?")
"""Groups that hold other state than weights."""
GROUP_LIMIT = 10_000
"""Twice as many as a network may have layers."""
NAME_LIMIT = 10_000
"""Characters of a name in an attribute; a longer one is none."""

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
        return StoredModel(read_layers(file, config), config, optimizer=optimizer_class(file))


def optimizer_class(file: Node) -> str:
    """Return the class of the optimiser whose state is in the file, as far as the file says it."""
    state = find_hdf5(file, "optimizer/vars")
    if not is_group(state) or not len(state):
        return ""
    # Keras numbers optimisers through a session: adam_27 is Adam.
    return re.sub(r"_\d+$", "", printable(_name(state), 100)) or "unknown"


def read_layers(file: Node, config: dict[str, Any] | None) -> tuple[StoredLayer, ...]:
    """Return the layers' arrays under the user's names.

    Groups are called by class (`conv2d_1`), not by layer: the name is in an attribute (Keras 3), or follows from
    counting the classes in the order of the architecture (Keras 2).
    """
    described = config is not None and is_model(config)
    named = list(_described(file, "", config, "") if config and described else _undescribed(file))
    arrays = iter(read_arrays(file, [path for _, places in named for _, path in places]))
    return tuple(
        StoredLayer(storable(name), tuple(Variable(storable(word), next(arrays)) for word, _ in places))
        for name, places in named
    )


def _described(
    file: Node, path: str, model: dict[str, Any], prefix: str, depth: int = 0
) -> Iterator[tuple[str, Places]]:
    """Yield each layer of the architecture that has arrays in the group `path`."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
    container = next((p for p in (f"{path}/{name}" for name in CONTAINERS) if find_hdf5(file, p)), None)
    if container is None:
        return
    counted = list(_counted(model))
    by_name = _names(file, container, [group for _, _, group in counted])
    for layer, kind, group in counted:
        group = by_name.get(layer_name(layer), group)
        if is_model(layer):
            yield from _described(file, f"{container}/{group}", layer, f"{prefix}{layer_name(layer)}/", depth + 1)
        elif places := list(_places(file, f"{container}/{group}", kind, layer["config"])):
            yield prefix + layer_name(layer), places


def _counted(model: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield (entry, class in snake case, group by counting the classes) of each layer that has a group."""
    counts: dict[str, int] = {}
    for layer in layers_of(model):
        kind = snake(str(layer.get("class_name")))
        if is_operation(layer) or (kind == "input_layer" and model["class_name"] == "Sequential"):
            continue
        # Every model made of layers but a Sequential is written as `functional`, whatever its description says.
        kind = "functional" if kind == "model" else kind
        number = counts[kind] = counts.get(kind, -1) + 1
        yield layer, kind, f"{kind}_{number}" if number else kind


def _names(file: Node, container: str, counted: list[str]) -> dict[str, str]:
    """Return user's name → group of the layers in a container, where the file has the names.

    Of more groups than such a model can have, only those are looked at that counting gives.
    """
    groups = _children(file, container)
    names = {}
    for group in groups if len(groups) <= 2 * len(counted) + 100 else counted:
        if name := _name(find_hdf5(file, f"{container}/{group}/vars")):
            names[name] = group
    return names


def _name(found: Node) -> str:
    """Return the user's name a group has in an attribute, or nothing."""
    name = found.attrs.get("name") if is_group(found) else None
    return storable(name) if isinstance(name, str) and len(name) <= NAME_LIMIT else ""


def _places(file: Node, path: str, kind: str, config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (variable name, path) of a layer's arrays, those of the layers inside it included."""
    for inner, prefix, name in _walk(file, path):
        numbers = _numbers(file, inner)
        names = variable_names(kind if inner == path else name, config if inner == path else {}, len(numbers))
        for word, number in zip(names, numbers, strict=True):
            yield prefix + word, f"{inner}/vars/{number}"


def _undescribed(file: Node) -> Iterator[tuple[str, Places]]:
    """Yield each group that has arrays, under the names in the file: no architecture says more."""
    for path, prefix, _ in _walk(file, ""):
        if numbers := _numbers(file, path):
            kind = path.rsplit("/", 1)[-1].rstrip("0123456789").rstrip("_")
            names = variable_names(kind, {}, len(numbers))
            places = [(name, f"{path}/vars/{n}") for name, n in zip(names, numbers, strict=True)]
            yield prefix.rstrip("/") or "model", places


def _walk(file: Node, start: str) -> Iterator[tuple[str, str, str]]:
    """Yield (path, user's names down to it, last name) of a group and of all in it, each group once."""
    pending = [(start, "", start.rsplit("/", 1)[-1])]
    seen = set()
    while pending:
        path, prefix, name = pending.pop()
        group = find_hdf5(file, path)
        if not is_group(group) or address(group) in seen:
            continue
        seen.add(address(group))
        if len(seen) + len(group) > GROUP_LIMIT:
            raise CheckpointError("far too many groups", expected=f"at most {GROUP_LIMIT}")
        yield path, prefix, name
        inner = []
        for child in sorted(group, key=lambda n: (len(n), n) if n.isdecimal() else (0, n)):
            if child == "vars" or NO_WEIGHTS.fullmatch(child):
                continue
            label = _name(find_hdf5(file, f"{path}/{child}/vars"))
            word = label or child.strip("_").removesuffix("_dense")
            inner.append((f"{path}/{child}", prefix if child in CONTAINERS else f"{prefix}{word}/", word))
        pending.extend(reversed(inner))


def _numbers(file: Node, path: str) -> list[str]:
    """Return the names of a group's own arrays: 0, 1, …, 10."""
    return sorted(_children(file, f"{path}/vars"), key=lambda n: (len(n), n))


def _children(file: Node, path: str) -> list[str]:
    """Return the names in a group, in the order of the file; nothing where there is no group."""
    found = find_hdf5(file, path)
    return list(found) if is_group(found) else []
