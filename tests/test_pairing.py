"""Arrays of a file into layers that hold layers: by name, never by luck."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import networks
from networks import measure, stored
from reportgen.checkpoints import find_run, read_checkpoint
from reportgen.checkpoints.stored import Variable
from reportgen.config.model import RunConfig
from reportgen.errors import NetworkError
from reportgen.network import open_network
from reportgen.network.assign import pair


def model_of(make: Callable[[Any], Any]) -> Any:
    """Return a network around one layer, every weight another."""
    image = keras.Input((20, 20, 2))
    steps = layers.Reshape((20, 40))(image)
    return networks.fill(keras.Model(image, layers.Dense(2)(layers.Flatten()(make((image, steps))))))


HOLDERS: dict[str, Callable[[Any], Any]] = {
    "lstm both ways": lambda x: layers.Bidirectional(layers.LSTM(3))(x[1]),
    "gru both ways": lambda x: layers.Bidirectional(layers.GRU(3, reset_after=False), merge_mode="sum")(x[1]),
    "two of my own": lambda x: layers.Bidirectional(
        layers.GRU(3, name="b"), backward_layer=layers.GRU(3, name="a", go_backwards=True)
    )(x[1]),
    "named backward": lambda x: layers.Bidirectional(layers.LSTM(3, name="backward_3"), name="bi")(x[1]),
    "attention": lambda x: layers.MultiHeadAttention(5, 8, name="attention")(x[1], x[1]),
    "grouped attention": lambda x: layers.GroupQueryAttention(4, 2, 2)(x[1], x[1]),
    "convolution of each": lambda x: layers.TimeDistributed(layers.Conv1D(3, 3))(x[0]),
    "separable of each": lambda x: layers.TimeDistributed(layers.SeparableConv1D(2, 3, name="mine"))(x[0]),
    "dense of each": lambda x: layers.TimeDistributed(layers.Dense(3))(x[1]),
    "each both ways": lambda x: layers.TimeDistributed(layers.Bidirectional(layers.GRU(2)))(x[0]),
    "recurrent": lambda x: layers.LSTM(3)(x[1]),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_layers_inside_layers_get_their_own_arrays(holder: str, suffix: str, tmp_path: Path) -> None:
    model_of(HOLDERS[holder]).save(tmp_path / f"m{suffix}")
    images = networks.inputs()
    expected = keras.saving.load_model(tmp_path / f"m{suffix}", compile=False).predict(images, verbose=0)
    got = measure(stored(tmp_path / f"m{suffix}"), images).predictions
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("holder", ["lstm both ways", "attention", "each both ways"])
def test_weights_alone_find_their_places_in_a_borrowed_architecture(holder: str, tmp_path: Path) -> None:
    model = model_of(HOLDERS[holder])
    model.save_weights(tmp_path / "epoch-002.weights.h5")
    expected = model.predict(networks.inputs(), verbose=0)
    model_of(HOLDERS[holder]).save(tmp_path / "epoch-001.keras")  # its inner layers have other numbers
    run = find_run(RunConfig(path=tmp_path), tmp_path)
    got = measure(read_checkpoint(next(c for c in run.checkpoints if c.epoch == 2)), networks.inputs()).predictions
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


def put(layer: Any, meant: dict[str, str]) -> dict[str, str]:
    """Return file name → path of the variable it is put into; `meant` gives each name's array its shape."""
    layer.build(*[(None, 4, 6)] * (2 if isinstance(layer, layers.MultiHeadAttention) else 1))
    own = {weight.path.partition("/")[2]: weight for weight in layer.weights}
    arrays = [Variable(word, np.full(own[path].shape, i, "f4")) for i, (word, path) in enumerate(meant.items())]
    paths = {id(weight): path for path, weight in own.items()}
    return {arrays[int(value.flat[0])].name: paths[id(weight)] for weight, value in pair(layer, arrays, "it")}


def both_ways() -> Any:
    return layers.Bidirectional(layers.GRU(3, name="gru_7"), name="it")


PATHS = [f"{side}_gru_7/gru_cell/{word}" for side in ("backward", "forward")
         for word in ("kernel", "recurrent_kernel", "bias")]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "meant"),
    [
        # Keras 2.3 wrote no cell, TensorFlow's Keras 2 numbered it, `.keras` files until 3.1 know only the roles.
        (both_ways, {p.replace("_gru_7/gru_cell", "_gru_1"): p for p in PATHS}),
        (both_ways, {p.replace("gru_cell", "gru_cell_4").replace("gru_7", "gru_2"): p for p in PATHS}),
        (both_ways, {p.replace("_gru_7/gru_cell", "_layer/cell"): p for p in PATHS}),
        (both_ways, {"bidirectional_1/" + p: p for p in PATHS}),
        (
            lambda: layers.MultiHeadAttention(2, 3, use_bias=False),
            {"output/kernel": "attention_output/kernel", "value/kernel": "value/kernel",
             "key/kernel": "key/kernel", "query/kernel": "query/kernel"},
        ),
        (lambda: layers.TimeDistributed(layers.Dense(2, name="d")), {"bias": "d/bias", "kernel": "d/kernel"}),
        (lambda: layers.Dense(6), {"dense_3_1/bias": "bias", "dense_3_1/kernel": "kernel"}),
        (lambda: layers.DepthwiseConv1D(3), {"bias": "bias", "depthwise_kernel": "kernel"}),
        (lambda: layers.Dense(6), {"0": "kernel", "1": "bias"}),
    ],
)  # fmt: skip
def test_names_of_every_keras_lead_to_the_right_variable(make: Callable[[], Any], meant: dict[str, str]) -> None:
    assert put(make(), meant) == meant


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (both_ways, [str(number) for number in range(6)]),
        (both_ways, [p.replace("backward_gru_7", "b").replace("forward_gru_7", "f") for p in PATHS]),
        (lambda: layers.Dense(3), ["weights", "offsets"]),
    ],
)
def test_names_that_leave_it_open_are_an_error_and_no_guess(make: Callable[[], Any], words: list[str]) -> None:
    layer = make()
    layer.build((None, 4, 6))
    arrays = [Variable(word, np.zeros(w.shape, "f4")) for word, w in zip(words, layer.weights, strict=True)]
    with pytest.raises(NetworkError, match="which array of the file is which cannot be told") as error:
        pair(layer, arrays, "it")
    assert words[0] in error.value.received and "kernel" in error.value.expected


def test_files_that_list_their_arrays_otherwise_are_paired_anew(tmp_path: Path) -> None:
    """What the last file showed of places holds for files alike in names, shapes and order alone."""
    model = networks.sequential()
    images, network = networks.inputs(), None
    for seed, change in ((1, "none"), (2, "none"), (3, "reversed"), (4, "shared"), (5, "shared"), (6, "none")):
        networks.fill(model, seed)
        if change == "shared":
            model.get_layer("norm").set_weights([np.full(3, 0.5 + seed, np.float32)] * 4)
        model.save(tmp_path / "m.keras")
        file = stored(tmp_path / "m.keras")
        if change == "reversed":
            file = replace(
                file, layers=tuple(replace(x, variables=x.variables[::-1]) for x in reversed(file.layers))
            )  # fmt: skip
        if change == "shared":  # one array in several places says nothing of which place is whose
            norm = next(x for x in file.layers if x.name == "norm")
            one = norm.variables[0].value
            alike = replace(norm, variables=tuple(Variable(v.name, one) for v in norm.variables))
            file = replace(file, layers=tuple(alike if x is norm else x for x in file.layers))
        network = network or open_network(file, images.shape[1:])
        expected = model.predict(images, verbose=0)
        np.testing.assert_allclose(network.measure(file, images).predictions, expected, rtol=0, atol=1e-6)
    broken = replace(file, layers=file.layers[:-1])
    with pytest.raises(NetworkError):
        network.measure(broken, images)
    np.testing.assert_allclose(network.measure(file, images).predictions, expected, rtol=0, atol=1e-6)
