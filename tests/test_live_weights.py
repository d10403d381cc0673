"""Arrays into live models: by the names of layers, of attributes, of classes, and by order only with a word on it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import live_networks as live
from live_expected import IMAGES, NETWORKS, SHAPE, assert_close, assert_same
from reportgen.checkpoints.stored import StoredModel, Variable
from reportgen.errors import NetworkError
from reportgen.network.live import open_live
from reportgen.network.user_model import described

pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


@pytest.mark.parametrize("topology", NETWORKS)
def test_files_that_know_attributes_and_classes_alone(topology: str, tmp_path: Path) -> None:
    make, expect = NETWORKS[topology]
    model = live.fill(make())
    live.save(model, tmp_path / "m.weights.h5")
    stored = live.stored(live.unlabelled(tmp_path / "m.weights.h5"))
    measured = open_live(make(), stored, SHAPE).measure(stored, IMAGES)
    assert_same(measured, model, expect(model))


def test_the_layer_that_has_the_name_of_another_ones_group(tmp_path: Path) -> None:
    model = live.fill(live.squeezing())  # its second convolution is called conv2d, as is the group of the first
    with_names = live.save(model, tmp_path / "named.weights.h5")
    live.save(model, tmp_path / "m.weights.h5")
    stored = live.stored(live.unlabelled(tmp_path / "m.weights.h5"))
    assert {layer.name for layer in stored.layers} != {layer.name for layer in with_names.layers}
    network = open_live(live.squeezing(), stored, SHAPE)
    kernels = {layer.name: layer.variables[0].value for layer in network.named(stored).layers}
    np.testing.assert_array_equal(kernels["conv2d"], model.get_layer("conv2d").kernel.numpy())


def test_names_that_may_be_numbers_of_groups_are_said_to_be(tmp_path: Path) -> None:
    def make() -> Any:
        keras.utils.clear_session()
        image = keras.Input(SHAPE, name="image")
        late, early = layers.Conv2D(2, 3), layers.Conv2D(2, 3)  # conv2d is used after conv2d_1
        x = live.SEBlock(name="se")(late(early(image)))
        return keras.Model(image, layers.Dense(1, name="out")(layers.Flatten(name="flat")(x)))

    model = live.fill(make())
    stored = live.save(model, tmp_path / "m.weights.h5")
    measured = open_live(make(), stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    assert any("count of their class" in note for note in measured.notes)
    architecture = tmp_path / "architecture.json"
    architecture.write_text(json.dumps(described(make())))
    sure = live.stored(live.unlabelled(tmp_path / "m.weights.h5"), architecture)
    again = open_live(make(), sure, SHAPE).measure(sure, IMAGES)
    assert_close(again.predictions, measured.predictions, "prediction")
    assert not any("count of their class" in note for note in again.notes)


def test_arrays_go_by_order_only_where_all_shapes_agree_and_the_report_says_so(tmp_path: Path) -> None:
    model = live.fill(live.built(live.Own()))
    stored = live.save(model, tmp_path / "m.h5")
    strange = StoredModel(
        tuple(
            type(layer)(f"x{i}", tuple(Variable(f"y{j}", v.value) for j, v in enumerate(layer.variables)))
            for i, layer in enumerate(stored.layers)
        ),
        None,
    )
    network = open_live(live.built(live.Own()), strange, SHAPE)
    measured = network.measure(strange, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    assert any("in their order" in note for note in measured.notes)
    assert network.measure(stored, IMAGES).notes == ()
    fewer = StoredModel(strange.layers[:-1], None)
    with pytest.raises(NetworkError, match="finds no arrays"):
        network.measure(fewer, IMAGES)


def test_a_shape_that_differs_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    stored = live.save(live.fill(live.built(live.Own())), tmp_path / "m.weights.h5")
    network = open_live(live.built(live.Own()), stored, SHAPE)
    before = network.tree.layer.get_weights()
    other = live.save(live.fill(live.built(live.Own(side=5)), 1), tmp_path / "w.weights.h5")
    with pytest.raises(NetworkError, match="edges") as error:
        network.measure(other, IMAGES)
    assert "(5, 5, 2, 4)" in str(error.value) and "(3, 3, 2, 4)" in str(error.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.tree.layer.get_weights(), strict=True))


KERAS_2 = """
import sys, numpy as np, tensorflow as tf
from tensorflow import keras
layers = keras.layers
class Block(layers.Layer):
    def __init__(self, filters, depth=1, **options):
        super().__init__(**options)
        self.conv = layers.Conv2D(filters, 3, padding="same")
        self.norm = layers.BatchNormalization()
        self.next = Block(filters, depth - 1) if depth else None
    def call(self, x, training=False):
        x = tf.nn.relu(self.norm(self.conv(x), training=training))
        return self.next(x, training=training) if self.next is not None else x
class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Conv2D(4, 3, activation="relu", name="edges")
        self.stages = [Block(4), Block(3)]
        self.tail = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(6, activation="relu")])
        self.drop = layers.Dropout(0.5)
        self.score = layers.Dense(1, activation="sigmoid")
    def call(self, x, training=False):
        x = self.first(x)
        for stage in self.stages:
            x = stage(x, training=training)
        return self.score(self.drop(self.tail(x), training=training))
model = Own()
images = np.load(sys.argv[1] + "/images.npy")
model(images)
rng = np.random.default_rng(0)
for weight in model.weights:
    values = rng.normal(0, 0.3, weight.shape)
    weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
model.save_weights(sys.argv[1] + "/v3.weights.h5")
model.save_weights(sys.argv[1] + "/legacy.h5")
np.save(sys.argv[1] + "/predictions.npy", model(images, training=False).numpy())
"""


@pytest.fixture(scope="module")
def of_keras_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a subclassed model as Keras 2.15 itself writes them, and its predictions."""
    python = Path(os.environ.get("KERAS2_PYTHON", Path(__file__).resolve().parents[1] / ".keras2" / "bin" / "python"))
    if not python.exists():
        pytest.skip(f"no environment with Keras 2.15 at {python}; KERAS2_PYTHON may name another")
    folder = tmp_path_factory.mktemp("keras2")
    np.save(folder / "images.npy", IMAGES)
    quiet = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "KERAS_BACKEND"}}
    subprocess.run([python, "-c", KERAS_2, folder], check=True, env=quiet, capture_output=True, timeout=300)
    return folder


@pytest.mark.parametrize("file", ["v3.weights.h5", "legacy.h5"])
def test_weights_of_keras_2_in_a_model_of_the_users_class(file: str, of_keras_2: Path) -> None:
    stored = live.stored(of_keras_2 / file)
    measured = open_live(live.built(live.Own()), stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, np.load(of_keras_2 / "predictions.npy"), "prediction")
    assert measured.notes == ()
