"""HDF5 as Keras 1 and 2 wrote it and Keras 3 still does: a whole model, or the weights of one, under any name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.checkpoints.arrays import read_arrays
from reportgen.checkpoints.cleaning import in_bfloat16
from reportgen.checkpoints.groups import Hdf5Groups
from reportgen.checkpoints.hdf5 import Node, find_hdf5, is_group, is_hdf5, open_hdf5
from reportgen.checkpoints.json_text import Json, parse_json
from reportgen.checkpoints.keras_1 import is_old, modern
from reportgen.checkpoints.keras_1_weights import converted, spelled, unflipped
from reportgen.checkpoints.limits import CONFIG_LIMIT, METADATA_LIMIT
from reportgen.checkpoints.other_state import SEEDS, count
from reportgen.checkpoints.outline import count_layers, is_model, layer_name, layers_of, leaves, with_names
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.checkpoints.text import storable
from reportgen.checkpoints.training import class_of, loss_of
from reportgen.errors import CheckpointError, printable

NAME_LIMIT = 100_000

Inside = dict[str, list[str]]
"""Last word of a name → display names of the layers of a nested model it may mean."""


def recognise_model(path: Path, head: bytes) -> bool:
    """Return whether a file is HDF5 with an architecture inside."""
    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        return "model_config" in file.attrs


def recognise_weights(path: Path, head: bytes) -> bool:
    """Return whether a file is HDF5 with a list of layers and no architecture."""
    if not is_hdf5(head):
        return False
    with open_hdf5(path) as file:
        return "model_config" not in file.attrs and ("layer_names" in file.attrs or "layer_names0" in file.attrs)


def read_model(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return architecture and weights of a whole-model file."""
    with open_hdf5(path) as file:
        described = parse_json(_text(file.attrs["model_config"]), "model_config", CONFIG_LIMIT)
        if not isinstance(described, dict) or not isinstance(described.get("config"), dict | list):
            raise CheckpointError("model_config describes no model", expected="an object of class_name and config")
        if is_model(described):
            count_layers(described)
        training: Any = {}
        if "training_config" in file.attrs:
            training = parse_json(_text(file.attrs["training_config"]), "training_config", METADATA_LIMIT)
        training = training if isinstance(training, dict) else {}
        weights = find_hdf5(file, "model_weights")
        state = find_hdf5(file, "optimizer_weights")
        stored = _stored(file, file if weights is None else weights, described)
        other = dict(stored.other)
        if states := count(Hdf5Groups(file), "optimizer_weights"):
            other = {"optimizer": states, **other}
        return replace(
            stored,
            other=other,
            optimizer=class_of(training.get("optimizer_config")) if state is not None and len(state) else "",
            loss=loss_of(training.get("loss")),
        )


def read_weights(path: Path, config: dict[str, Any] | None = None) -> StoredModel:
    """Return the weights; layers of a nested model are named after `config`, a borrowed architecture."""
    with open_hdf5(path) as file:
        return _stored(file, file, config)


def _stored(file: Node, group: Node, config: dict[str, Any] | None) -> StoredModel:
    """Return the model whose weights are in a group, what Keras 1 wrote in the words and axes of Keras 2."""
    version, backend = printable(_attribute(file, group, "keras_version"), 100), _attribute(file, group, "backend")
    old = version.startswith(("0.", "1.")) or (not version and _are_old(group, config))
    if old and config is not None and is_model(config):
        config = modern(config)
    other: Counter[str] = Counter()
    if config is not None and is_model(config):
        config = with_names(config, _names(group, "layer_names"))
    layers = list(_layers(group, config, other, old=old))
    entries = dict(leaves(config)) if config is not None and is_model(config) else {}
    for number, layer in enumerate(layers):
        entry = entries.get(layer.name, {})
        layer = converted(layer, entry) if old else layer
        layers[number] = unflipped(layer, entry) if backend == "theano" else layer
    return StoredModel(tuple(layers), config, keras_version=version or ("1" if old else ""), other=dict(other))


def _are_old(group: Node, config: dict[str, Any] | None) -> bool:
    """Return whether the words of a file without a version are those of Keras 1, which had no scopes in names."""
    if config is not None and is_old(config):
        return True
    found = [find_hdf5(group, name) for name in _names(group, "layer_names")[:1000]]
    weights = [weight for layer in found if is_group(layer) for weight in _names(layer, "weight_names")]
    return bool(weights) and all(spelled(weight) != weight for weight in weights)


def _layers(group: Node, config: dict[str, Any] | None, other: Counter[str], *, old: bool) -> Iterator[StoredLayer]:
    """Yield the layers that have weights, those of nested models each on its own; count in `other` what is none."""
    nested = None if config is None else _nested(config)
    short = in_bfloat16(config)
    places: dict[str, list[tuple[str, str]]] = {}
    for name in _names(group, "layer_names"):
        found = find_hdf5(group, name)
        if found is None:
            raise CheckpointError(f"no group for layer {name}", expected="one for each name in layer_names")
        for weight in _names(found, "weight_names"):
            layer, variable = _split(spelled(weight) if old else weight, name, nested)
            if variable.rsplit("/", 1)[-1] in SEEDS:
                other["seed generators"] += 1
            else:
                places.setdefault(layer, []).append((variable, f"{name}/{weight}"))
    paths = [(path, short is None or layer in short) for layer, listed in places.items() for _, path in listed]
    arrays = iter(
        read_arrays(group, [path for path, _ in paths], bfloat16={path for path, is_short in paths if is_short})
    )
    for layer, listed in places.items():
        yield StoredLayer(layer, tuple(Variable(variable, next(arrays)) for variable, _ in listed))


def _nested(config: dict[str, Any]) -> dict[str, Inside]:
    """Return, for each nested model, its layers by the last word of their names."""
    if not is_model(config):
        return {}
    nested: dict[str, Inside] = {}
    for model in filter(is_model, layers_of(config)):
        inside = nested[layer_name(model)] = {}
        for name, _ in leaves(model, layer_name(model) + "/"):
            inside.setdefault(name.rsplit("/", 1)[-1], []).append(name)
    return nested


def _split(weight: str, layer: str, nested: dict[str, Inside] | None) -> tuple[str, str]:
    """Return (layer, variable) of a weight name: `backbone/c1/kernel:0` in layer `backbone` → backbone/c1, kernel.

    What stands before the layer's own name is a scope Keras put there, and is dropped.
    """
    parts = weight.partition(":")[0].split("/")
    inside = None if nested is None else nested.get(layer)
    if inside is None:
        if own := _after(parts, layer.split("/")):
            return layer, own
        # Without an architecture, a name that is not the layer's own is that of a layer inside it.
        return ("/".join([layer, *parts[:-1]]), parts[-1]) if nested is None else (layer, "/".join(parts))
    best, score = (layer, "/".join(parts[-2:])), (-1, 0)
    for candidate in (name for part in parts for name in inside.get(part, ())):
        words = candidate.split("/")
        shared = (sum(word in parts for word in words[1:]), -len(words))
        if (own := _own_name(parts, words)) and shared > score:
            best, score = (candidate, own), shared
    return best


def _own_name(parts: list[str], words: list[str]) -> str:
    """Return the variable's name if a weight name belongs to the layer whose display name is `words`."""
    for length in range(1, len(words)):  # the layer's own name may itself hold slashes
        if rest := _after(parts, words[length:]):
            return rest
    return ""


def _after(parts: list[str], words: list[str]) -> str:
    """Return what follows the last run of `words` in `parts`, or nothing where there is no such run."""
    for start in range(len(parts) - len(words) - 1, -1, -1):
        if parts[start : start + len(words)] == words:
            return "/".join(parts[start + len(words) :])
    return ""


def _names(group: Node, attribute: str) -> list[str]:
    """Return a list of names; Keras cuts long ones into NAME0, NAME1, …"""
    attrs = group.attrs
    if attribute in attrs:
        chunks = [attrs[attribute]]
    else:
        chunks = []
        while f"{attribute}{len(chunks)}" in attrs:
            chunks.append(attrs[f"{attribute}{len(chunks)}"])
        if not chunks:
            raise CheckpointError(f"no list {attribute}", expected="the lists layer_names and weight_names")
    if not all(isinstance(chunk, np.ndarray) for chunk in chunks):
        raise CheckpointError(f"{attribute} is no list", expected="the lists layer_names and weight_names")
    if (count := sum(chunk.size for chunk in chunks)) > NAME_LIMIT:
        raise CheckpointError(f"{attribute} lists {count:,} names", expected=f"at most {NAME_LIMIT:,}")
    return [_text(name) for chunk in chunks for name in chunk.reshape(-1).tolist()]


def _attribute(file: Node, group: Node, name: str) -> str:
    """Return a text written on the file or on the group of weights; empty where neither has it."""
    return _text(file.attrs.get(name, group.attrs.get(name, "")))


def _text(value: Json) -> str:
    """Return an attribute as text, however the Keras of its day stored it."""
    if isinstance(value, bytes):
        return storable(value.decode("utf-8", "replace"))
    if isinstance(value, str):
        return storable(value)
    raise CheckpointError("an attribute that should be text is not", received=type(value).__name__)
