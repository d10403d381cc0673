"""A warm start: the best weights of a run into a model, as far as they fit."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from reportgen.checkpoints.stored import StoredLayer, Variable
from reportgen.errors import CheckpointError, NetworkError

BEST = "highest_weight"
"""Stem of the copy of the best epoch's checkpoint."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restored:
    """Which layers of a model got the best weights of a run, and which kept their own."""

    file: Path
    taken: tuple[str, ...]
    """Names of layers whose arrays were all replaced."""
    kept: dict[str, str]
    """Layer → why it kept its own: it is not in the file, or its arrays there have other shapes or names."""
    unused: tuple[str, ...]
    """Layers of the file that the model does not have."""


def restore_best(model: keras.Model, folder: str | Path) -> Restored:
    """Load the best weights of a run into a built model, layer by layer by name, and say what was taken.

    Layers of a nested model are named `backbone/conv1`. The same model built twice, whose layers Keras named conv2d
    and conv2d_1, is taken in order. Raises CheckpointError where there is no best checkpoint or it cannot be read,
    NetworkError where the model has no weights yet.
    """
    from reportgen.checkpoints.discovery import find_run
    from reportgen.checkpoints.formats import read_checkpoint
    from reportgen.config import RunConfig
    from reportgen.network.assign import pair

    found = [
        path for path in (Path(folder) / f"{BEST}{suffix}" for suffix in (".keras", ".weights.h5")) if path.exists()
    ]
    if not found:
        raise CheckpointError(
            "there is no best checkpoint to restore", where=str(folder), expected=f"{BEST}.keras or {BEST}.weights.h5",
            advice="Train with GetWeights into this folder first.",
        )  # fmt: skip
    checkpoint = find_run(RunConfig(path=found[0].resolve()), Path()).checkpoints[0]
    layers = _weighted(model)
    if not layers:
        raise NetworkError(
            "the model has no weights yet", where=model.name, expected="a built model",
            advice="Give it an Input layer, or call model.build(input_shape) first.",
        )  # fmt: skip
    read = read_checkpoint(checkpoint)
    stored = read.layers if read.config is None else _renamed(read.layers, layers)
    taken, kept = [], {}
    used: set[str] = set()
    for name, layer in layers:
        arrays = _arrays_of(name, stored)
        used |= arrays.keys()
        if not arrays:
            kept[name] = "it is not in the file"
            continue
        try:
            pairs = pair(layer, [array for listed in arrays.values() for array in listed], name)
        except NetworkError as error:
            kept[name] = error.problem
            continue
        for weight, value in pairs:
            weight.assign(value)
        if isinstance(layer, keras.layers.Normalization):
            # It computes with copies of its arrays, and a model that has run before with copies of those.
            layer.finalize_state()
            model.train_function = model.test_function = model.predict_function = None
        taken.append(name)
    unused = sorted({layer.name for layer in stored} - used)
    result = Restored(found[0], tuple(taken), kept, tuple(unused))
    log.info("%s: took %s", found[0].name, ", ".join(taken) or "no layer")
    for name, why in kept.items():
        log.warning("%s keeps its own weights: %s", name, why)
    return result


def _arrays_of(name: str, stored: tuple[StoredLayer, ...]) -> dict[str, list[Variable]]:
    """Return a layer's arrays by name in the file; weights alone list layers inside layers each on its own."""
    found = {layer.name: list(layer.variables) for layer in stored if layer.name == name}
    if found:
        return found
    return {
        layer.name: [Variable(f"{layer.name[len(name) + 1 :]}/{v.name}", v.value) for v in layer.variables]
        for layer in stored
        if layer.name.startswith(f"{name}/")
    }


def _renamed(stored: tuple[StoredLayer, ...], layers: list[tuple[str, Any]]) -> tuple[StoredLayer, ...]:
    """Give stored layers the names of the model's where every shape agrees in order and the names do not."""
    shapes = [[tuple(weight.shape) for weight in layer.weights if "seed" not in weight.path] for _, layer in layers]
    known = {name for name, _ in layers}
    if all(layer.name in known for layer in stored) or shapes != [
        [variable.value.shape for variable in layer.variables] for layer in stored
    ]:
        return stored
    log.warning("layers have other names in the file, and the same shapes: taken in order")
    return tuple(replace(layer, name=name) for layer, (name, _) in zip(stored, layers, strict=True))


def _weighted(model: keras.Model, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the layers of a model that have weights of their own, nested models taken apart."""
    found: list[tuple[str, Any]] = []
    for layer in model.layers:
        name = f"{prefix}{layer.name}"
        if isinstance(layer, keras.Model):
            found += _weighted(layer, f"{name}/")
        elif layer.weights:
            found.append((name, layer))
    return found
