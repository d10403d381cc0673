"""Files as Keras 1 and the first Keras 2 wrote them: those of Keras 2.15 with their description in the old words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Described = dict[str, Any]


class NotThere(Exception):
    """A layer or a kind of model that the older Keras did not have."""


def save_as_keras_2_3(model: Any, folder: Path) -> None:
    """Write HDF5 in the words of Keras 2.0 to 2.3: no InputLayer in a Sequential, and no word on its dtype policy."""
    _rewrite(model, folder / "model.h5", "2.3.1", _model_2_3)


def save_as_keras_2_1(model: Any, folder: Path) -> None:
    """Write HDF5 in the words of Keras 2.0 and 2.1, where the description of a Sequential was a bare list."""
    if model.__class__.__name__ != "Sequential":
        raise NotThere("a model that is no Sequential was written as by Keras 2.3")

    def bare(described: Described) -> Described:
        older = _model_2_3(described)
        return _listed(older)

    _rewrite(model, folder / "model.h5", "2.1.6", bare)


def save_as_keras_1(model: Any, folder: Path) -> None:
    """Write HDF5 in the words of Keras 1.2: other class names, option names and names of arrays."""
    from zoo.keras1 import model_1, weight_1

    _rewrite(model, folder / "model.h5", "1.2.2", model_1, weight_1)


def _listed(described: Described) -> Described:
    """Return a Sequential, and those inside of it, as a list of layers."""
    layers = [
        _listed(entry) if entry["class_name"] == "Sequential" else entry for entry in described["config"]["layers"]
    ]
    return {"class_name": "Sequential", "config": layers}


def _rewrite(model: Any, path: Path, version: str, describe: Any, rename: Any = None) -> None:
    """Save with Keras 2.15 and rewrite the description; `rename` gives arrays other names."""
    modern = path.with_suffix(".modern")
    model.save(modern, save_format="h5")
    with h5py.File(modern) as source:
        older = describe(json.loads(source.attrs["model_config"]))
        with h5py.File(path, "w") as target:
            target.attrs["model_config"] = json.dumps(older).encode()
            target.attrs["keras_version"], target.attrs["backend"] = version.encode(), b"tensorflow"
            weights = target.create_group("model_weights")
            names = _texts(source["model_weights"].attrs["layer_names"])
            weights.attrs["layer_names"] = np.array([name.encode() for name in names])
            weights.attrs["keras_version"], weights.attrs["backend"] = version.encode(), b"tensorflow"
            for name in names:
                group = weights.create_group(name)
                old, new = _texts(source["model_weights"][name].attrs["weight_names"]), []
                for word in old:
                    new.append(rename(name, word) if rename else word)
                    group[new[-1]] = source["model_weights"][name][word][()]
                group.attrs["weight_names"] = np.array([word.encode() for word in new])
    modern.unlink()


def _texts(values: Any) -> list[str]:
    """Return a list of names as text."""
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


_LATER = frozenset({
    "GroupNormalization", "UnitNormalization", "SpectralNormalization", "MultiHeadAttention", "TFOpLambda",
    "SlicingOpLambda", "Discretization", "CategoryEncoding", "Resizing", "CenterCrop", "Rescaling", "Normalization",
    "EinsumDense", "DepthwiseConv1D", "Conv1DTranspose", "Conv3DTranspose", "LayerNormalization", "Attention",
    "AdditiveAttention", "ConvLSTM1D",
})  # fmt: skip
"""Layers that came after Keras 2.3, or were in TensorFlow's Keras alone."""


def _model_2_3(described: Described) -> Described:
    """Return a model's description as Keras 2.3 wrote it."""
    config = described["config"]
    layers = [_layer_2_3(layer) for layer in config["layers"]]
    if described["class_name"] == "Sequential":
        if layers[0]["class_name"] == "InputLayer":
            head, *layers = layers
            layers[0]["config"].setdefault("batch_input_shape", head["config"]["batch_input_shape"])
        return {"class_name": "Sequential", "config": {"name": config["name"], "layers": layers}}
    ends = {key: config[key] for key in ("input_layers", "output_layers")}
    return {"class_name": "Model", "config": {"name": config["name"], "layers": layers, **ends}}


def _layer_2_3(layer: Described) -> Described:
    """Return one entry of a description as Keras 2.3 wrote it."""
    if layer["class_name"] in _LATER:
        raise NotThere(f"{layer['class_name']} came after Keras 2.3")
    if layer["class_name"] in {"Sequential", "Functional"}:
        older = _model_2_3(layer)
    else:
        config = {key: value for key, value in layer["config"].items() if key not in {"dtype", "groups", "keepdims"}}
        if layer["config"].get("groups", 1) != 1:
            raise NotThere("grouped convolutions came after Keras 2.3")
        if layer["config"].get("keepdims"):
            raise NotThere("keepdims came after Keras 2.3")
        policy = layer["config"].get("dtype", "float32")
        if policy != "float32":
            raise NotThere("policies of dtype came after Keras 2.3")
        older = {"class_name": layer["class_name"], "config": {**config, "dtype": "float32"}}
    for key in ("name", "inbound_nodes"):
        if key in layer:
            older[key] = layer[key]
    return older
