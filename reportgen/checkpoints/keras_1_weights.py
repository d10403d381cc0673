"""The arrays of Keras 1 under the names and in the order of axes of Keras 2, and kernels that Theano turned round.

The conversions are those of Keras 2 itself (`preprocess_weights_for_loading` and `convert_kernel`, 2.0 to 2.15).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from reportgen.checkpoints.stored import StoredLayer, Variable

log = logging.getLogger(__name__)

_WORDS = {
    "W": "kernel", "U": "recurrent_kernel", "b": "bias", "gamma": "gamma", "beta": "beta", "alphas": "alpha",
    "running_mean": "moving_mean", "running_std": "moving_variance", "depthwise_kernel": "depthwise_kernel",
    "pointwise_kernel": "pointwise_kernel",
}  # fmt: skip
"""Keras 1 called the moving variance running_std."""
_NAME = re.compile(rf"(?:(?P<layer>.*)_)?(?P<word>{'|'.join(_WORDS)})(?P<gate>_[icfozrh])?(?P<rest>:\d+)?")
_GATES = ({"i", "f", "c", "o"}, {"z", "r", "h"})
"""Gates of LSTM and GRU, each in the order in which Keras 2 lays them side by side."""
_ORDER = ("ifco", "zrh")
CONVOLUTIONS = frozenset({"Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose"})


def spelled(weight: str) -> str:
    """Return a name of Keras 1 as Keras 2 would have it: dense_1_W:0 → dense_1/kernel:0; any other as it is."""
    found = _NAME.fullmatch(weight)
    if found is None:
        return weight
    word = _WORDS[found["word"]] + (found["gate"] or "")
    return f"{found['layer']}/{word}{found['rest'] or ''}" if found["layer"] else word + (found["rest"] or "")


def converted(layer: StoredLayer, entry: Mapping[str, Any]) -> StoredLayer:
    """Return a layer of Keras 1 with its arrays as Keras 2 has them; `entry` is its description in today's words."""
    class_name, config = _plain(entry)
    joined = _without_gates(layer.variables)
    found = []
    for variable in joined:
        value, name = variable.value, variable.name
        if name.rsplit("/", 1)[-1] == "kernel":
            value = _kernel(class_name, config, value)
            if class_name == "Embedding":
                name = f"{name.removesuffix('kernel')}embeddings"
        found.append(Variable(name, value))
    return replace(layer, variables=tuple(found))


def unflipped(layer: StoredLayer, entry: Mapping[str, Any]) -> StoredLayer:
    """Return a layer with the kernels of its convolution turned round: Theano convolves, TensorFlow correlates."""
    if _plain(entry)[0] not in CONVOLUTIONS:
        return layer
    log.info("%s: the file was written on Theano, its kernels are turned round", layer.name)
    return replace(layer, variables=tuple(
        Variable(v.name, v.value[tuple([slice(None, None, -1)] * (v.value.ndim - 2))].copy())
        if v.name.rsplit("/", 1)[-1] == "kernel" else v for v in layer.variables
    ))  # fmt: skip


def _plain(entry: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return class and options of a layer, or of the one that a TimeDistributed applies to each step."""
    config = entry.get("config")
    config = config if isinstance(config, dict) else {}
    inner = config.get("layer")
    if entry.get("class_name") == "TimeDistributed" and isinstance(inner, dict):
        return _plain(inner)
    return str(entry.get("class_name")), config


def _kernel(class_name: str, config: Mapping[str, Any], value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the kernel with its axes as in Keras 2: space, input, output (transposed: space, output, input)."""
    first = config.get("data_format") == "channels_first"
    if class_name == "Conv1D" and value.ndim == 4:
        length, filters = _one(config.get("kernel_size")), config.get("filters")
        if value.shape[:2] != (length, 1) or value.shape[3] != filters:
            value = value.transpose(2, 3, 1, 0)  # until Keras 1.1: (filters, input, length, 1)
        return value[:, 0]
    if class_name == "Conv2D" and value.ndim == 4:
        value = value.transpose(2, 3, 1, 0) if first else value
        wanted = [*_two(config.get("kernel_size")), config.get("filters")]
        turned = value.transpose(3, 2, 0, 1)
        fits = [[*shape[:2], shape[3]] == wanted for shape in (value.shape, turned.shape)]
        return turned if fits == [False, True] else value
    if class_name == "Conv2DTranspose" and value.ndim == 4:
        return value.transpose((2, 3, 0, 1) if first else (0, 1, 3, 2))
    if class_name == "Conv3D" and value.ndim == 5 and first:
        return value.transpose(2, 3, 4, 1, 0)
    return value


def _one(value: Any) -> Any:
    """Return the number in a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _two(value: Any) -> list[Any]:
    """Return a size of rows and columns, however it is written."""
    return list(value) if isinstance(value, list | tuple) else [value, value]


def _without_gates(variables: tuple[Variable, ...]) -> list[Variable]:
    """Return the variables with those of single gates joined: kernel_i, kernel_f, … → kernel."""
    gates: dict[str, dict[str, Variable]] = {}
    for variable in variables:
        stem, _, gate = variable.name.rpartition("_")
        if gate in {"i", "c", "f", "o", "z", "r", "h"}:
            gates.setdefault(stem, {})[gate] = variable
    orders = {
        stem: next((order for order, known in zip(_ORDER, _GATES, strict=True) if set(found) == known), "")
        for stem, found in gates.items()
    }
    joined, done = [], set()
    for variable in variables:
        stem = variable.name.rpartition("_")[0]
        order = orders.get(stem, "")
        if not order:
            joined.append(variable)
        elif stem not in done:
            done.add(stem)
            joined.append(Variable(stem, np.concatenate([gates[stem][gate].value for gate in order], axis=-1)))
    return joined
