"""The layout of `.weights.h5` and of the weights in a `.keras` file: Keras 2.12 and later."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportgen.checkpoints.limits import Node, address, find_hdf5, is_group, is_hdf5, open_hdf5, read_arrays
from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.outline import NESTING_LIMIT, is_model, is_operation, layer_name, layers_of
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.checkpoints.variables import VARIABLES, snake, variable_names
from reportgen.errors import CheckpointError

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Group of a model's layers; the second by Keras 2.12 and 2.13."""
NO_WEIGHTS = re.compile(r"_?(optimizer|metrics|compile_metrics|loss_tracker)|(seed_generator|state_var)(_\d+)?")
"""Groups that hold other state than weights."""
REPEATED = frozenset({("spectral_normalization", "kernel")})
"""(class, array) that is stored once more with the layer inside."""
GROUP_LIMIT = 100_000

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
    name = state.attrs.get("name", "")
    # Keras numbers optimisers through a session: adam_27 is Adam.
    return re.sub(r"_\d+$", "", name) if isinstance(name, str) and name else "unknown"


def read_layers(file: Node, config: dict[str, Any] | None) -> tuple[StoredLayer, ...]:
    """Return the layers' arrays under the user's names.

    Groups are called by class (`conv2d_1`), not by layer: the name is in an attribute (Keras 3), or follows from
    counting the classes in the order of the architecture (Keras 2).
    """
    described = config is not None and is_model(config)
    named = list(_described(file, "", config, "") if config and described else _undescribed(file))
    arrays = iter(read_arrays(file, [path for _, places in named for _, path in places]))
    return tuple(StoredLayer(name, tuple(Variable(word, next(arrays)) for word, _ in places)) for name, places in named)


def _described(
    file: Node, path: str, model: dict[str, Any], prefix: str, depth: int = 0
) -> Iterator[tuple[str, Places]]:
    """Yield each layer of the architecture that has arrays in the group `path`."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
    container = next((p for p in (f"{path}/{name}" for name in CONTAINERS) if find_hdf5(file, p)), None)
    if container is None:
        return
    by_name = _names(file, container)
    counts: dict[str, int] = {}
    for layer in layers_of(model):
        kind = snake(str(layer.get("class_name")))
        if is_operation(layer) or (kind == "input_layer" and model["class_name"] == "Sequential"):
            continue
        # Every model made of layers but a Sequential is written as `functional`, whatever its description says.
        kind = "functional" if kind == "model" else kind
        number = counts[kind] = counts.get(kind, -1) + 1
        group = by_name.get(layer_name(layer), f"{kind}_{number}" if number else kind)
        if is_model(layer):
            yield from _described(file, f"{container}/{group}", layer, f"{prefix}{layer_name(layer)}/", depth + 1)
        elif places := list(_places(file, f"{container}/{group}", kind, layer["config"])):
            yield prefix + layer_name(layer), places


def _names(file: Node, container: str) -> dict[str, str]:
    """Return user's name → group of the layers in a container, where the file has the names."""
    names = {}
    for group in _children(file, container):
        found = find_hdf5(file, f"{container}/{group}/vars")
        name = found.attrs.get("name") if is_group(found) else None
        if isinstance(name, str) and name:
            names[name] = group
    return names


def _places(file: Node, path: str, kind: str, config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (variable name, path) of a layer's arrays, those of the layers inside it included."""
    for inner, prefix, name in _walk(file, path):
        numbers = _numbers(file, inner)
        names = variable_names(kind if inner == path else name, config if inner == path else {}, len(numbers))
        for word, number in zip(names, numbers, strict=True):
            if inner == path and (kind, word) in REPEATED:
                continue
            yield prefix + word, f"{inner}/vars/{number}"


def _undescribed(file: Node) -> Iterator[tuple[str, Places]]:
    """Yield each group that has arrays, under the names in the file: no architecture says more."""
    for path, prefix, _ in _walk(file, ""):
        if numbers := _numbers(file, path):
            kind = path.rsplit("/", 1)[-1].rstrip("0123456789").rstrip("_")
            names = variable_names(kind, {}, len(numbers))
            places = [(name, f"{path}/vars/{n}") for name, n in zip(names, numbers, strict=True)
                      if (kind, name) not in REPEATED]  # fmt: skip
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
        if len(seen) > GROUP_LIMIT:
            raise CheckpointError("far too many groups", expected=f"at most {GROUP_LIMIT}")
        yield path, prefix, name
        inner = []
        for child in sorted(group, key=lambda n: (len(n), n) if n.isdecimal() else (0, n)):
            if child == "vars" or NO_WEIGHTS.fullmatch(child):
                continue
            variables = find_hdf5(file, f"{path}/{child}/vars")
            label = variables.attrs.get("name") if is_group(variables) else None
            word = label if isinstance(label, str) and label else child.strip("_").removesuffix("_dense")
            kind = unnumbered(child)
            inner.append((f"{path}/{child}", prefix if child in CONTAINERS else f"{prefix}{word}/",
                          kind if kind in VARIABLES else word))  # fmt: skip
        pending.extend(reversed(inner))


def _numbers(file: Node, path: str) -> list[str]:
    """Return the names of a group's own arrays: 0, 1, …, 10."""
    return sorted(_children(file, f"{path}/vars"), key=lambda n: (len(n), n))


def _children(file: Node, path: str) -> list[str]:
    """Return the names in a group, in the order of the file; nothing where there is no group."""
    found = find_hdf5(file, path)
    return list(found) if is_group(found) else []
