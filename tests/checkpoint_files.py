"""Checkpoint files of every layout, written with h5py and zipfile alone: quick, and without Keras."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from reportgen.checkpoints import find_run
from reportgen.checkpoints.run import Run
from reportgen.config.model import RunConfig

CONV = {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid", "activation": "relu"}
MODEL: dict[str, Any] = {
    "class_name": "Sequential",
    "config": {
        "name": "small",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 8, 8, 1]}},
            {"class_name": "Conv2D", "config": {"name": "conv_b", "trainable": True, **CONV}},
            {"class_name": "Conv2D", "config": {"name": "conv2d", "trainable": True, **CONV}},
            {"class_name": "Flatten", "config": {"name": "flat", "trainable": True}},
            {"class_name": "Dense", "config": {"name": "out", "trainable": True, "units": 1, "activation": "sigmoid"}},
        ],
    },
}
"""A Sequential whose second convolution has the name that Keras' groups give to the first."""


def arrays(seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Return the arrays of MODEL by layer and variable."""
    rng = np.random.default_rng(seed)
    shapes = {
        "conv_b": {"kernel": (3, 3, 1, 4), "bias": (4,)}, "conv2d": {"kernel": (3, 3, 4, 4), "bias": (4,)},
        "out": {"kernel": (64, 1), "bias": (1,)},
    }  # fmt: skip
    return {
        layer: {name: rng.normal(size=shape).astype("f4") for name, shape in variables.items()}
        for layer, variables in shapes.items()
    }


def write_v3(target: Any, seed: int = 0, *, named: bool = True, iterations: int | None = None) -> None:
    """Write weights as `.weights.h5` has them; without names as Keras 2.15 wrote it."""
    groups = {"conv2d": "conv_b", "conv2d_1": "conv2d", "dense": "out"}
    with h5py.File(target, "w") as file:
        for group, layer in groups.items():
            place = file.create_group(f"layers/{group}/vars")
            if named:
                place.attrs["name"] = layer
            for i, values in enumerate(arrays(seed)[layer].values()):
                place[str(i)] = values
        file.create_group("layers/flatten/vars")
        file.create_group("vars")
        if iterations is not None:
            state = file.create_group("optimizer/vars")
            state.attrs["name"] = "adam"
            state["0"] = np.int64(iterations)


def write_keras(path: Path, seed: int = 0, config: Any = MODEL, **options: Any) -> Path:
    """Write a `.keras` file."""
    weights = io.BytesIO()
    write_v3(weights, seed, **options)
    write_zip(path, {
        "metadata.json": json.dumps({"keras_version": "3.15.1", "date_saved": "2026-11-22@18:02:45"}).encode(),
        "config.json": json.dumps({**config, "compile_config": {
            "optimizer": {"class_name": "Adam", "config": {}}, "loss": {"class_name": "MeanSquaredError", "config": {}},
        }}).encode(),
        "model.weights.h5": weights.getvalue(),
    })  # fmt: skip
    return path


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    """Write a zip file, stored, always with the same date."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)


def write_hdf5(
    path: Path, seed: int = 0, config: Any = MODEL, *, iterations: int | None = None, userblock: int = 0
) -> Path:
    """Write HDF5 as Keras 2.3 did: a whole model, or with `config` None its weights alone."""
    with h5py.File(path, "w", userblock_size=userblock) as file:
        group = file
        file.attrs["keras_version"] = b"2.3.1"
        if config is not None:
            file.attrs["model_config"] = json.dumps(config).encode()
            file.attrs["training_config"] = json.dumps({
                "loss": "mean_squared_error", "optimizer_config": {"class_name": "Adam", "config": {}}
            }).encode()  # fmt: skip
            group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([b"conv_b", b"conv2d", b"flat", b"out"])
        group.create_group("flat").attrs["weight_names"] = np.array([])
        for layer, variables in arrays(seed).items():
            names = [f"{layer}/{name}:0" for name in variables]
            place = group.create_group(layer)
            place.attrs["weight_names"] = np.array([name.encode() for name in names])
            for name, values in zip(names, variables.values(), strict=True):
                place[name] = values
        if iterations is not None:
            file["optimizer_weights/Adam/iterations:0"] = np.int64(iterations)
    return path


def look(folder: Path, **options: object) -> Run:
    """Find the run in a folder."""
    return find_run(RunConfig.model_validate({"path": folder, **options}), folder)
