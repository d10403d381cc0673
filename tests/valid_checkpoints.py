"""A small valid checkpoint of each format, which is then damaged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import checkpoint_files as files


def write_valid(folder: Path) -> dict[str, Path]:
    """Write a checkpoint of each format into a folder of its own; each must be read, or its damage shows nothing."""
    places = {kind: folder / kind for kind in VALID}
    for kind, place in places.items():
        place.mkdir(parents=True)
        VALID[kind](place)
    return places


def unzipped(place: Path, name: str = "m") -> Path:
    """Write a `.keras` folder."""
    files.write_keras(place / "zipped", iterations=3)
    with zipfile.ZipFile(place / "zipped") as archive:
        archive.extractall(place / name)
    (place / "zipped").unlink()
    return place / name


def npz_of(groups: dict[str, dict[str, np.ndarray]]) -> bytes:
    """Return an npz of weights as Keras writes it: a pickled dictionary for each group."""
    data = io.BytesIO()
    np.savez(data, **{group: np.array(held, dtype=object) for group, held in groups.items()})
    return data.getvalue()


def npz_members() -> dict[str, bytes]:
    """Return the members of a `.keras` file whose weights are an npz."""
    layers = {"conv2d": "conv_b", "conv2d_1": "conv2d", "dense": "out"}
    arrays = files.arrays()
    groups = {
        f"layers/{group}": {str(i): value for i, value in enumerate(arrays[layer].values())}
        for group, layer in layers.items()
    }
    return {
        "metadata.json": json.dumps({"keras_version": "3.0.0", "date_saved": "2023-11-22@18:02:45"}).encode(),
        "config.json": json.dumps(files.MODEL).encode(),
        "model.weights.npz": npz_of(groups),
    }


def sharded(place: Path, name: str = "m") -> Path:
    """Write weights in two parts, and the list of them."""
    whole = io.BytesIO()
    files.write_v3(whole)
    listed: dict[str, list[str]] = {}
    with h5py.File(whole) as source:
        for number, layer in enumerate(source["layers"]):
            part = f"{name}_{number % 2:05d}.weights.h5"
            with h5py.File(place / part, "a") as target:
                source.copy(f"layers/{layer}", target.require_group("layers"))
            listed[f"/layers/{layer}/vars"] = [part]
    path = place / f"{name}.weights.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}))
    return path


def bundle(place: Path) -> None:
    """Write a TensorFlow checkpoint of plain variables."""
    import tensorflow as tf

    values = {name: tf.Variable(np.ones((3, 4), "f4"), name=f"conv_{name}/kernel") for name in "abc"}
    tf.train.Checkpoint(**values).write(str(place / "m"))


def exported(place: Path) -> None:
    """Write a SavedModel of plain variables."""
    import tensorflow as tf

    module = tf.Module()
    module.values = [tf.Variable(np.ones((3, 4), "f4"), name=f"conv_{name}/kernel") for name in "abc"]
    tf.saved_model.save(module, str(place / "m"))


VALID: dict[str, Callable[[Path], object]] = {
    "keras": lambda place: files.write_keras(place / "m.keras", iterations=3),
    "hdf5": lambda place: files.write_hdf5(place / "m.h5", iterations=3),
    "hdf5-weights": lambda place: files.write_hdf5(place / "m.h5", config=None),
    "weights": lambda place: files.write_v3(place / "m.weights.h5", iterations=3),
    "folder": unzipped,
    "npz": lambda place: files.write_zip(place / "m.keras", npz_members()),
    "shards": sharded,
    "bundle": bundle,
    "saved": exported,
}
"""Format → what writes one."""
