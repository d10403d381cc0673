"""Formats beyond the common ones, each file written by Keras itself: arrays equal, outputs equal, nothing run."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import networks
from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.formats import FORMATS, architecture_in, read_checkpoint, recognise
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.shards import shards_of
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError
from reportgen.network.engine import start_tensorflow

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5"),
]


def trained() -> Any:
    """Return a small model with an optimiser that has counted to three."""
    start_tensorflow()
    model = networks.fill(networks.sequential())
    model.compile("adam", "mse", metrics=["mae"])
    images = networks.inputs(6)
    model.fit(images, np.zeros((6, 1)), batch_size=2, verbose=0)
    return model


@pytest.fixture(scope="module")
def model() -> Any:
    return trained()


def read(path: Path, architecture: Path | None = None) -> StoredModel:
    """Recognise a file by its content, and read it."""
    head = b"" if path.is_dir() else path.read_bytes()[:4096]
    key = recognise(path, head)
    assert key is not None
    return read_checkpoint(Checkpoint(path.name, path.name, path, key, None, 1, "", architecture))


def assert_equal(stored: StoredModel, model: Any) -> None:
    """Compare every array of every layer with Keras' own, exactly."""
    arrays = {
        layer.name: {weight.name: np.asarray(weight) for weight in layer.weights if "seed" not in weight.name}
        for layer in model.layers
    }
    found = {layer.name: {v.name: v.value for v in layer.variables} for layer in stored.layers}
    assert set(found) == {name for name, weights in arrays.items() if weights}
    for name, variables in found.items():
        assert set(variables) == set(arrays[name])
        for variable, value in variables.items():
            np.testing.assert_array_equal(value, arrays[name][variable])


def assert_same_outputs(stored: StoredModel, model: Any, images: np.ndarray, rtol: float = 1e-6) -> None:
    expected = model.predict(images, verbose=0)
    found = networks.measure(stored, images).predictions
    np.testing.assert_allclose(found, np.float32(expected), rtol=0, atol=rtol * np.abs(np.float32(expected)).max())


# The unzipped folder


def test_an_unzipped_folder_holds_what_the_zip_holds(model: Any, tmp_path: Path) -> None:
    model.save(tmp_path / "m", zipped=False)
    model.save(tmp_path / "m.keras")
    stored, zipped = read(tmp_path / "m"), read(tmp_path / "m.keras")
    assert recognise(tmp_path / "m", b"") == "keras-folder"
    assert_equal(stored, model)
    assert_same_outputs(stored, model, networks.inputs())
    assert stored.config == zipped.config and stored.loss == zipped.loss == "mse"
    assert stored.optimizer == "Adam" and stored.keras_version.startswith("3.") and stored.saved
    assert stored.other == zipped.other == {"optimizer": len(model.optimizer.variables)}
    assert architecture_in(tmp_path / "m") == {**stored.config, "keras_version": stored.keras_version}
    assert iterations(tmp_path / "m", "keras-folder") == iterations(tmp_path / "m.keras", "keras") == 3


# npz


def save_npz(model: Any, path: Path) -> Path:
    """Write a `.keras` file with its weights in an npz, as Keras can and does not offer."""
    from keras.src.saving import saving_lib

    with path.open("wb") as file:
        saving_lib._save_model_to_fileobj(model, file, "npz")
    return path


def test_npz_weights_are_read_without_unpickling(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_npz(model, tmp_path / "m.keras")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "m")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    for place in (path, tmp_path / "m"):
        stored = read(place)
        assert_equal(stored, model)
        assert stored.other == {"optimizer": len(model.optimizer.variables)} and stored.optimizer == "Adam"
        assert iterations(place, "keras" if place == path else "keras-folder") == 3
    assert_same_outputs(stored, model, networks.inputs())


# Weights in parts


@pytest.fixture
def parts(model: Any, tmp_path: Path) -> Path:
    path = tmp_path / "m.weights.json"
    model.save_weights(path, max_shard_size=5e-6)
    return path


def test_weights_in_parts_are_put_together(model: Any, parts: Path) -> None:
    assert len(shards_of(parts)) > 3
    assert set(shards_of(parts)) == set(parts.parent.glob("*.h5"))
    alone = read(parts)
    assert recognise(parts, parts.read_bytes()[:4096]) == "weights-shards" and not FORMATS["weights-shards"].whole
    assert {layer.name for layer in alone.layers} == {"conv_a", "conv2d", "norm", "hidden", "score"}
    assert alone.optimizer == "adam" and alone.other == {"optimizer": len(model.optimizer.variables)}
    model.save(parts.parent / "m.keras")
    stored = read(parts, parts.parent / "m.keras")
    assert_equal(stored, model)
    assert iterations(parts, "weights-shards") == 3


@pytest.mark.parametrize("name", ["../m_00000.weights.h5", "/etc/x.weights.h5", "a\\b.weights.h5", "", "x.json", 7])
def test_parts_elsewhere_are_refused(name: Any, parts: Path) -> None:
    listed = json.loads(parts.read_text())
    listed["weight_map"]["/layers/conv2d/vars"] = [name]
    parts.write_text(json.dumps(listed))
    with pytest.raises(CheckpointError, match="no file beside it"):
        read(parts)
    with pytest.raises(CheckpointError, match="no file beside it"):
        shards_of(parts)


def test_parts_that_are_missing_or_links_or_twice_are_refused(parts: Path) -> None:
    part = shards_of(parts)[0]
    data = part.read_bytes()
    part.rename(parts.parent / "elsewhere")
    with pytest.raises(CheckpointError, match=part.name):
        read(parts)
    part.symlink_to(parts.parent / "elsewhere")
    with pytest.raises(CheckpointError, match="link"):
        read(parts)
    part.unlink()
    part.write_bytes(data)
    with h5py.File(part) as source:
        held = [path for path in ("layers/conv2d/vars/0", "layers/dense/vars/0") if path in source]
        with h5py.File(shards_of(parts)[-1], "a") as target:
            target[held[0]] = source[held[0]][()]
    with pytest.raises(CheckpointError, match="and in"):
        read(parts)


# Depth and number


# Names in files of subclassed models


def subclassed() -> Any:
    import keras
    from keras import layers

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.bn = layers.Conv2D(4, 3), layers.BatchNormalization()

        def build(self, shape: Any) -> None:
            self.conv.build(shape)
            self.bn.build(self.conv.compute_output_shape(shape))

        def call(self, x: Any) -> Any:
            return self.bn(self.conv(x))

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.c, self.block1, self.blocks = layers.Conv2D(3, 3), Block(), [Block(), layers.Conv2D(2, 1)]
            self.final_dense = layers.Dense(2)
            self.head = keras.Sequential([layers.Dropout(0.2), layers.Dense(4, name="hid"), layers.Dense(1, name="y")])

        def call(self, x: Any) -> Any:
            x = self.block1(self.c(x))
            for block in self.blocks:
                x = block(x)
            return self.head(self.final_dense(x))

    model = Net()
    model.compile("sgd", "mse")
    images = networks.inputs(2)
    model.fit(images, np.zeros(model(images).shape), verbose=0)
    return networks.fill(model)


def test_layers_of_a_subclassed_model_have_the_names_of_the_users_attributes(model: Any, tmp_path: Path) -> None:
    own = subclassed()
    own.save_weights(tmp_path / "m.weights.h5")
    stored = read(tmp_path / "m.weights.h5")
    assert [layer.name for layer in stored.layers] == [
        "block1/bn", "block1/conv", "blocks/block/bn", "blocks/block/conv", "blocks/conv2d", "c", "final_dense",
        "head/hid", "head/y",
    ]  # fmt: skip
    assert stored.other == {"optimizer": len(own.optimizer.variables)}
    by_group = {layer.group: layer for layer in stored.layers}
    places = {
        "c": own.c,
        "block1/bn": own.block1.bn,
        "head/layers/dense": own.head.layers[1],
        "blocks/conv2d": own.blocks[1],
    }
    for group, layer in places.items():
        found = {v.name: v.value for v in by_group[group].variables}
        assert set(found) == {weight.name for weight in layer.weights}
        for weight in layer.weights:
            np.testing.assert_array_equal(found[weight.name], np.asarray(weight))


# What is no weight


# Half precision and quantised weights
