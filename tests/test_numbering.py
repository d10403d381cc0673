"""Networks built again and again in one session: the same network, whatever numbers Keras gives its layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import networks
from networks import stored
from reportgen.checkpoints import architecture_signature, find_run
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.reading import Reading, read_whole
from reportgen.config.model import RunConfig
from reportgen.network import open_network


def plain() -> Any:
    return keras.Sequential([
        layers.Input((20, 20, 2)), layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(3, 3), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.3), layers.Flatten(),
        layers.Dense(4), layers.Dropout(0.2), layers.Dense(4), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip


def intricate() -> Any:
    """Nested models, a shared layer, layers inside layers; none of them named."""
    tower = keras.Sequential([layers.Input((20, 20, 2)), layers.Conv2D(2, 3), layers.Conv2D(2, 3)])
    image = keras.Input((20, 20, 2))
    shared = layers.Conv2D(2, 3)
    x = layers.Add()([shared(tower(image)), shared(layers.Cropping2D(2)(image))])
    steps = layers.Reshape((14, 28))(x)
    both = layers.Bidirectional(layers.GRU(3))(steps)
    return keras.Model(image, layers.Dense(2)(layers.Concatenate()([both, layers.Flatten()(x)])))


@pytest.mark.parametrize("make", [plain, intricate])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_network_built_four_times_is_one_network_with_four_sets_of_weights(
    make: Any, suffix: str, tmp_path: Path
) -> None:
    images = networks.inputs()
    answers = []
    for seed in range(4):
        model = networks.fill(make(), seed)
        model.save(tmp_path / f"{seed}{suffix}")
        answers.append(model.predict(images, verbose=0))
    firsts: dict[str, Graph] = {}
    readings: list[Reading] = []
    for checkpoint in find_run(RunConfig(path=tmp_path), tmp_path).checkpoints:
        readings.append(read_whole(checkpoint, firsts))
        assert readings[-1].graph is not None
        firsts.setdefault(readings[-1].signature, readings[-1].graph)
    read = [reading.stored for reading in readings]
    assert len({layer.name for one in read for layer in one.layers}) > len(read[0].layers)  # the names do differ
    assert {reading.signature for reading in readings} == {architecture_signature(read[0])}
    network = open_network(read[0], images.shape[1:])
    tables = []
    for reading, answer in zip(readings, answers, strict=True):
        one, written = reading.stored, reading.shown
        measured = network.measure(one, images)
        np.testing.assert_allclose(measured.predictions, answer, rtol=0, atol=1e-6)
        assert {layer.name for layer in written.layers} == {row.weights for row in measured.layers} - {""}
        assert {layer.name for layer in written.layers} == {layer.name for layer in read[0].layers}
        for before, after in zip(one.layers, written.layers, strict=True):
            assert all(a.value is b.value for a, b in zip(before.variables, after.variables, strict=True))
        tables.append([[layer.name, sorted(v.name for v in layer.variables)] for layer in written.layers])
    assert json.dumps(sorted(tables[0])) == json.dumps(sorted(tables[3]))
    assert readings[0].shown is readings[0].stored


def named(*names: str) -> Any:
    return keras.Sequential([layers.Input((20, 20, 2)), *(layers.Conv2D(2, 3, padding="same", name=n) for n in names)])


def test_names_of_your_own_count_and_so_does_their_order(tmp_path: Path) -> None:
    signatures = set()
    for i, names in enumerate([("edges", "blobs"), ("blobs", "edges"), ("edges", "conv2d_7"), ("edges_1", "blobs")]):
        named(*names).save(tmp_path / f"{i}.keras")
        signatures.add(architecture_signature(stored(tmp_path / f"{i}.keras")))
    assert len(signatures) == 4


def test_sharing_a_layer_is_another_network_than_two_layers(tmp_path: Path) -> None:
    def make(shared: bool) -> Any:
        image = keras.Input((20, 20, 2))
        first = layers.Conv2D(2, 3, padding="same")
        second = first if shared else layers.Conv2D(2, 3, padding="same")
        return keras.Model(image, second(first(image)))

    for shared in (False, True):
        make(shared).save(tmp_path / f"{shared}.keras")
    one, two = (architecture_signature(stored(tmp_path / f"{shared}.keras")) for shared in (False, True))
    assert one != two
