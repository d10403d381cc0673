"""Networks with several outputs, and results without an axis of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import networks
from networks import measure, stored
from reportgen.checkpoints import read_graph
from reportgen.errors import NetworkError
from reportgen.extraction import About, write_extraction
from reportgen.extraction.read import Extraction

ABOUT = About(
    name="001", file="m.keras", format="Keras", epoch=1, size=1, sha256="", keras_version="", saved="", optimizer="",
    loss="", architecture="", probes="",
)  # fmt: skip


def several() -> Any:
    """Return a network whose first output is an image, and whose third comes from a layer used twice."""
    image = keras.Input((20, 20, 2))
    x = layers.Conv2D(3, 3, name="conv")(image)
    answer = layers.Dense(2, activation="sigmoid", name="answer")
    outputs = [
        layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x),
        layers.Dense(3, activation="softmax", name="classes")(layers.Flatten()(x)),
        answer(layers.GlobalMaxPooling2D()(x)),
        answer(layers.GlobalAveragePooling2D()(x))[:, :2],
    ]
    return networks.fill(keras.Model(image, outputs))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_the_first_vector_is_the_prediction_and_the_other_outputs_are_named(suffix: str, tmp_path: Path) -> None:
    model, images = several(), networks.inputs()
    model.save(tmp_path / f"m{suffix}")
    measured = measure(stored(tmp_path / f"m{suffix}"), images)
    mask, classes, *_ = model.predict(images, verbose=0)
    np.testing.assert_allclose(measured.predictions, classes, rtol=0, atol=1e-6)
    assert measured.output_activation == "softmax" and measured.scores is not None
    odds = np.exp(measured.scores - measured.scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), classes, rtol=0, atol=1e-6)
    assert measured.other_outputs[:2] == ("mask", "answer") and len(set(measured.other_outputs)) == 3
    np.testing.assert_allclose(measured.activations["mask"], mask, rtol=0, atol=1e-6)


def test_outputs_of_one_layer_have_names_of_their_own(tmp_path: Path) -> None:
    image = keras.Input((20, 20, 2))
    dense = layers.Dense(2, name="dense")
    one, two = dense(layers.GlobalMaxPooling2D()(image)), dense(layers.GlobalAveragePooling2D()(image))
    keras.Model(image, [one, two, one]).save(tmp_path / "m.keras")
    names = read_graph(stored(tmp_path / "m.keras")).output_names
    assert names == ("dense", "dense (call 2)", "dense (output 2)")


def test_images_are_the_prediction_where_there_is_no_vector(tmp_path: Path) -> None:
    image = keras.Input((20, 20, 2))
    model = networks.fill(keras.Model(image, [layers.Conv2D(1, 3, name=name)(image) for name in ("a", "b")]))
    model.save(tmp_path / "m.keras")
    measured = measure(stored(tmp_path / "m.keras"), networks.inputs())
    expected = model.predict(networks.inputs(), verbose=0)[0].reshape(5, -1)
    np.testing.assert_allclose(measured.predictions, expected, rtol=0, atol=1e-6)
    assert measured.other_outputs == ("b",)


def test_one_number_a_probe_is_a_vector_of_length_one_and_can_be_written(tmp_path: Path) -> None:
    image = keras.Input((20, 20, 2))
    peak = ops.max(layers.Conv2D(2, 3, name="conv")(image), axis=(1, 2, 3))
    model = networks.fill(keras.Model(image, [peak, layers.Dense(1, name="out")(ops.expand_dims(peak, -1))]))
    model.save(tmp_path / "m.keras")
    checkpoint = stored(tmp_path / "m.keras")
    measured = measure(checkpoint, networks.inputs())
    expected = model.predict(networks.inputs(), verbose=0)[0]
    table = {layer.name: layer for layer in measured.layers}
    (name,) = (layer.name for layer in measured.layers if layer.class_name == "Max")
    assert table[name].output_shape == (1,) and measured.activations[name].shape == (5, 1)
    np.testing.assert_allclose(measured.activations[name][:, 0], expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(measured.predictions[:, 0], expected, rtol=0, atol=1e-6)
    extraction = Extraction(write_extraction(tmp_path, ABOUT, checkpoint, measured))
    assert (extraction.maps(name)[:, 0] == measured.activations[name][:, 0]).all()
    assert extraction.other_outputs == measured.other_outputs == ("out",)


def test_a_result_that_mixes_the_probes_is_an_error_that_names_it(tmp_path: Path) -> None:
    image = keras.Input((20, 20, 2))
    conv = layers.Conv2D(2, 3, name="conv")(image)
    networks.fill(keras.Model(image, layers.Subtract(name="out")([conv, ops.mean(conv, keepdims=True)]))).save(
        tmp_path / "m.keras"
    )
    with pytest.raises(NetworkError, match=r"mean.* has no result for each probe by itself"):
        measure(stored(tmp_path / "m.keras"), networks.inputs())
