"""The network room: rebuilt networks give what Keras itself gives, and refuse what they cannot."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import networks
from networks import measure, stored
from reportgen.checkpoints import architecture_signature, find_run, read_checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig
from reportgen.errors import NetworkError
from reportgen.extraction.measurement import Measurement
from reportgen.network import open_network

UNSHOWN = {"InputLayer", "Dropout", "SpatialDropout2D", "GaussianNoise", "RandomFlip", "Flatten", "Reshape"}


def assert_same(measured: Measurement, expected: dict[str, np.ndarray], predictions: np.ndarray) -> None:
    """Hold a measurement against what Keras computed, every layer of it."""
    shown = {layer.name for layer in measured.layers if layer.class_name not in UNSHOWN}
    assert set(measured.activations) == shown
    for name, values in expected.items():
        if name in measured.activations:
            got = measured.activations[name]
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, values, rtol=0, atol=1e-6 * max(1, np.abs(values).max()), err_msg=name)
    assert len(set(expected) & shown) >= 3
    np.testing.assert_allclose(measured.predictions, predictions, rtol=0, atol=1e-6)


@pytest.mark.parametrize("topology", networks.NETWORKS)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_every_activation_equals_keras(topology: str, suffix: str, tmp_path: Path) -> None:
    import keras

    model = networks.fill(networks.NETWORKS[topology]())
    images = networks.inputs()
    path = tmp_path / f"model{suffix}"
    model.save(path)
    whole = keras.saving.load_model(path, compile=False) if topology.startswith("sequential") else model
    before = path.read_bytes()
    checkpoint = stored(path)
    copies = [variable.value.copy() for layer in checkpoint.layers for variable in layer.variables]
    measured = measure(checkpoint, images)
    assert_same(measured, networks.expected(whole, images), whole.predict(images, verbose=0))
    assert path.read_bytes() == before
    after = [variable.value for layer in checkpoint.layers for variable in layer.variables]
    assert all(np.array_equal(a, b) for a, b in zip(copies, after, strict=True))


@pytest.mark.parametrize("topology", ["sequential", "sequential_without_input", "nested", "shared"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_files_of_keras_2_under_any_name_equal_keras(topology: str, tmp_path: Path) -> None:
    model = networks.fill(networks.NETWORKS[topology]())
    images = networks.inputs()
    path = tmp_path / "highest_weight"
    networks.save_as_keras_2(model, path)
    checkpoint = stored(path)
    assert checkpoint.keras_version == "2.3.1"
    assert_same(measure(checkpoint, images), networks.expected(model, images), model.predict(images, verbose=0))


def test_layer_table_of_a_nested_network(tmp_path: Path) -> None:
    model = networks.fill(networks.nested())
    model.save(tmp_path / "m.keras")
    measured = measure(stored(tmp_path / "m.keras"), networks.inputs())
    table = {layer.name: layer for layer in measured.layers}
    assert list(table) == [
        model.get_config()["layers"][0]["config"]["name"],
        "backbone/conv1", "backbone/norm", "backbone/stem/relu", "backbone/stem/conv1", "mean", "out",
    ]  # fmt: skip
    conv = table["backbone/conv1"]
    assert conv.output_shape == (18, 18, 4)
    assert conv.parameters == 3 * 3 * 2 * 4 + 4
    assert conv.trainable is False and table["out"].trainable is True
    assert conv.config["kernel_size"] == [3, 3] and conv.config["filters"] == 4
    assert table["backbone/stem/relu"].activation == "relu"
    assert table["backbone/stem/relu"].weights == "" and conv.weights == "backbone/conv1"
    assert table["backbone/norm"].inputs == ("backbone/conv1",)


def test_second_call_of_a_shared_layer_has_the_same_weights_and_no_parameters_of_its_own(tmp_path: Path) -> None:
    networks.fill(networks.shared()).save(tmp_path / "m.keras")
    measured = measure(stored(tmp_path / "m.keras"), networks.inputs())
    table = {layer.name: layer for layer in measured.layers}
    assert table["shared (call 2)"].weights == "shared" == table["shared"].weights
    assert table["shared (call 2)"].parameters == 0 < table["shared"].parameters
    assert not np.array_equal(measured.activations["shared"], measured.activations["shared (call 2)"])


def test_scores_are_exact_where_the_probability_is_saturated(tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    model = Sequential([Input((4,)), layers.Dense(1, activation="sigmoid", name="d")])
    model.layers[0].set_weights([np.full((4, 1), 10.0), np.array([0.5])])
    model.save(tmp_path / "m.keras")
    images = np.array([[1, 1, 1, 1], [-1, -1, -1, -1], [0, 0, 0, 0]], np.float32)
    measured = measure(stored(tmp_path / "m.keras"), images)
    assert measured.output_activation == "sigmoid"
    np.testing.assert_array_equal(measured.scores, np.array([[40.5], [-39.5], [0.5]], np.float32))
    assert measured.predictions[0, 0] == 1.0
    np.testing.assert_array_equal(measured.activations["d"], measured.predictions)


def test_scores_of_a_final_softmax_layer_are_its_input(tmp_path: Path) -> None:
    networks.fill(networks.branches()).save(tmp_path / "m.keras")
    measured = measure(stored(tmp_path / "m.keras"), networks.inputs())
    assert measured.output_activation == "softmax"
    np.testing.assert_array_equal(measured.scores, measured.activations["logits"])


def test_one_network_measures_every_checkpoint_of_its_architecture(tmp_path: Path) -> None:
    images = networks.inputs()
    model = networks.sequential()
    network = None
    for seed in (1, 2, 3):
        networks.fill(model, seed).save(tmp_path / "m.keras")
        checkpoint = stored(tmp_path / "m.keras")
        network = network or open_network(checkpoint, images.shape[1:])
        assert network.signature == architecture_signature(checkpoint)
        got = network.measure(checkpoint, images).predictions
        np.testing.assert_allclose(got, model.predict(images, verbose=0), rtol=0, atol=1e-6)
    assert network is not None
    networks.fill(networks.shared()).save(tmp_path / "other.keras")
    with pytest.raises(NetworkError, match="another architecture"):
        network.measure(stored(tmp_path / "other.keras"), images)


def test_statistics_of_an_adapted_normalisation_are_swapped_too(tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    model = Sequential([Input((20, 20, 2)), layers.Normalization(name="normal"), layers.Flatten(), layers.Dense(1)])
    network, images = None, networks.inputs()
    for seed in (1, 2):
        networks.fill(model, seed).save(tmp_path / "m.keras")
        checkpoint = stored(tmp_path / "m.keras")
        network = network or open_network(checkpoint, images.shape[1:])
        got = network.measure(checkpoint, images).activations["normal"]
        mean, variance = model.layers[0].get_weights()[:2]
        np.testing.assert_allclose(got, (images - mean) / np.sqrt(variance), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options", "version", "formula"),
    [
        ("ThresholdedReLU", {"theta": 0.5}, "2.3.1", lambda x: np.where(x > 0.5, x, 0)),
        ("LeakyReLU", {"alpha": 0.25}, "2.3.1", lambda x: np.where(x > 0, x, 0.25 * x)),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.25}}, "2.2.4", lambda x: np.where(x > 0, x, 0.25 * x)),
        ("Activation", {"activation": "hard_sigmoid"}, "2.3.1", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        ("Activation", {"activation": "hard_sigmoid"}, "3.15.1", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ],
)  # fmt: skip
def test_layers_that_changed_since_keras_2_follow_their_formula(
    kind: str, options: dict[str, Any], version: str, formula: Any
) -> None:
    layer = {"class_name": kind, "config": {"name": "a", "trainable": True, "batch_input_shape": [None, 9], **options}}
    model = StoredModel((), {"class_name": "Sequential", "config": [layer]}, keras_version=version)
    x = np.random.default_rng(0).normal(0, 3, (4, 9)).astype(np.float32)
    np.testing.assert_allclose(measure(model, x).activations["a"], formula(x), rtol=0, atol=1e-6)


def test_batches_change_nothing(tmp_path: Path) -> None:
    networks.fill(networks.sequential()).save(tmp_path / "m.keras")
    checkpoint, images = stored(tmp_path / "m.keras"), networks.inputs(7)
    network = open_network(checkpoint, images.shape[1:])
    whole = network.measure(checkpoint, images)
    parts = replace(network, bytes_per_probe=100 * 2**20).measure(checkpoint, images)
    np.testing.assert_allclose(parts.predictions, whole.predictions, rtol=0, atol=1e-6)
    assert all(len(values) == 7 for values in parts.activations.values())


def test_channels_first_networks_run_and_are_shown_channels_last(tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    def make(order: str, shape: tuple[int, ...]) -> Any:
        return Sequential([
            Input(shape), layers.Conv2D(4, 3, data_format=order, name="conv"),
            layers.BatchNormalization(axis=1 if order == "channels_first" else 3, name="norm"),
            layers.ReLU(name="relu"), layers.GlobalAveragePooling2D(data_format=order, name="mean"),
            layers.Dense(2, name="out"),
        ])  # fmt: skip

    first, last = make("channels_first", (2, 20, 20)), networks.fill(make("channels_last", (20, 20, 2)))
    first.set_weights(last.get_weights())
    first.save(tmp_path / "m.keras")
    images = networks.inputs()
    measured = measure(stored(tmp_path / "m.keras"), images)
    assert_same(measured, networks.expected(last, images), last.predict(images, verbose=0))
    assert {layer.name: layer.output_shape for layer in measured.layers}["conv"] == (18, 18, 4)


def test_half_precision_comes_out_as_float32(tmp_path: Path) -> None:
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = networks.fill(networks.sequential())
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "m.keras")
    images = networks.inputs()
    measured = measure(stored(tmp_path / "m.keras"), images)
    assert all(values.dtype == np.float32 for values in measured.activations.values())
    np.testing.assert_allclose(measured.predictions, model.predict(images, verbose=0), rtol=0, atol=5e-3)


def test_the_same_input_gives_the_same_bytes_in_two_processes(tmp_path: Path) -> None:
    networks.fill(networks.branches()).save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", networks.inputs())
    program = (
        "import hashlib, sys, numpy as np\nfrom pathlib import Path\nfrom reportgen.checkpoints import *\n"
        "from reportgen.config.model import RunConfig\nfrom reportgen.network import open_network\n"
        "path = Path(sys.argv[1]); x = np.load(path / 'x.npy')\n"
        "s = read_checkpoint(find_run(RunConfig(path='m.keras'), path).checkpoints[0])\n"
        "m = open_network(s, x.shape[1:]).measure(s, x)\n"
        "h = hashlib.sha256(m.predictions.tobytes() + m.scores.tobytes())\n"
        "[h.update(k.encode() + v.tobytes()) for k, v in sorted(m.activations.items())]\nprint(h.hexdigest())\n"
    )
    made = [
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert made[0].stdout == made[1].stdout != ""
    assert made[0].stderr == ""


def test_weights_alone_borrow_the_architecture_beside_them(tmp_path: Path) -> None:
    model = networks.fill(networks.branches(), 4)
    model.save_weights(tmp_path / "epoch-002.weights.h5")
    expected = model.predict(networks.inputs(), verbose=0)
    networks.fill(model, 5).save(tmp_path / "epoch-001.keras")
    networks.fill(networks.sequential()).save(tmp_path / "another.keras")
    run = find_run(RunConfig(path=tmp_path), tmp_path)
    second = next(c for c in run.checkpoints if c.epoch == 2)
    assert second.architecture == tmp_path / "epoch-001.keras"
    got = measure(read_checkpoint(second), networks.inputs()).predictions
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)


def test_nan_weights_give_nan_and_no_error(tmp_path: Path) -> None:
    model = networks.fill(networks.sequential())
    kernel, bias = model.get_layer("hidden").get_weights()
    model.get_layer("hidden").set_weights([kernel, np.full_like(bias, np.nan)])
    model.save(tmp_path / "m.keras")
    measured = measure(stored(tmp_path / "m.keras"), networks.inputs())
    assert np.isnan(measured.activations["hidden"]).all() and np.isnan(measured.predictions).all()
    assert np.isfinite(measured.activations["act"]).all()
