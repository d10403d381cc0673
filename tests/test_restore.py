"""The best weights of a run into a model: the same, one that differs in part, and one that cannot take them."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from fits import fit, network
from reportgen.callbacks import GetWeights, restore_best
from reportgen.errors import CheckpointError, NetworkError


@pytest.fixture(autouse=True)
def _same_beginnings():
    keras.utils.set_random_seed(11)


@pytest.mark.parametrize("weights_only", [False, True])
def test_the_best_weights_come_back(tmp_path, weights_only):
    callback = GetWeights(tmp_path, weights_only=weights_only)
    fit(network(), callback)
    if weights_only:
        network().save(tmp_path / "architecture.keras")
    model = network()
    restored = callback.restore_best(model)
    assert restored.taken == ("conv", "norm", "out") and not restored.kept and not restored.unused
    suffix = ".weights.h5" if weights_only else ".keras"
    epoch = json.loads((tmp_path / "run.json").read_text())["best"]["epoch"]
    reference = network(compiled=False)
    reference.load_weights(tmp_path / f"epoch-{epoch:03d}{suffix}")
    assert all((a == b).all() for a, b in zip(model.get_weights(), reference.get_weights(), strict=True))


def test_a_network_that_differs_in_part_takes_what_fits_and_says_what_does_not(tmp_path, caplog):
    fit(network(), GetWeights(tmp_path), epochs=1)
    model = network(units=2, extra=True)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    restored = restore_best(model, tmp_path)
    assert restored.taken == ("conv", "norm")
    assert restored.kept["hidden"] == "it is not in the file" and "kernel has shape" in restored.kept["out"]
    assert all((a == b).all() for a, b in zip(before["out"], model.get_layer("out").get_weights(), strict=True))
    assert not (before["conv"][0] == model.get_layer("conv").get_weights()[0]).all()
    assert "hidden keeps its own weights" in caplog.text


def of_many_kinds() -> keras.Model:
    layers = keras.layers
    image = layers.Input((8, 8, 1))
    x = layers.Normalization(name="scaled", mean=None)(image)
    x = layers.Reshape((8, 16))(layers.Conv2D(2, 3, padding="same", name="seed_conv")(x))
    x = layers.MultiHeadAttention(2, 3, dropout=0.1, name="attention")(x, x)
    x = layers.TimeDistributed(layers.Dense(3), name="each")(
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    )
    inner = keras.Sequential([layers.Input((8, 3)), layers.Bidirectional(layers.GRU(2), name="ways")], name="inner")
    model = keras.Model(image, layers.Dense(1, activation="sigmoid", name="out")(inner(x)))
    rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002 - Keras seeds that one
    for weight in model.weights:
        weight.assign(rng.uniform(0.2, 1, weight.shape))
    model.get_layer("scaled").finalize_state()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("weights_only", [False, True])
def test_layers_of_every_kind_are_restored_each_with_its_own(tmp_path, weights_only):
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 1))
    callback = GetWeights(tmp_path, weights_only=weights_only)
    trained = of_many_kinds()
    fit(trained, callback, epochs=1)
    model = of_many_kinds()
    assert np.abs(model.predict(images, verbose=0) - trained.predict(images, verbose=0)).max() > 1e-4
    restored = callback.restore_best(model)
    assert restored.taken == ("scaled", "seed_conv", "attention", "both", "each", "inner/ways", "out")
    assert not restored.kept and not restored.unused
    expected = trained.predict(images, verbose=0)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=0, atol=1e-6)


def test_a_model_that_has_run_before_runs_with_the_statistics_it_is_given(tmp_path):
    def scaled(mean: float) -> keras.Model:
        layers = keras.layers
        model = keras.Sequential([
            layers.Input((8, 8, 1)), layers.Normalization(name="scaled"), layers.Flatten(name="flat"),
            layers.Dense(1, name="out", kernel_initializer="ones"),
        ])  # fmt: skip
        model.get_layer("scaled").adapt(np.random.default_rng(1).normal(mean, 1, (20, 8, 8, 1)))
        model.compile("sgd", "mse")
        return model

    images = np.random.default_rng(2).normal(size=(4, 8, 8, 1))
    trained, model = scaled(0.0), scaled(5.0)
    fit(trained, GetWeights(tmp_path), epochs=1)
    before = model.predict(images, verbose=0)
    assert restore_best(model, tmp_path).taken == ("scaled", "out")
    after = model.predict(images, verbose=0)
    np.testing.assert_allclose(after, trained.predict(images, verbose=0), rtol=0, atol=1e-5)
    assert np.abs(after - before).min() > 1


def test_nothing_to_restore_is_a_clear_error(tmp_path):
    with pytest.raises(CheckpointError, match="no best checkpoint"):
        restore_best(network(), tmp_path)


def unnamed(filters: int = 3) -> keras.Model:
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(filters, 3),
        keras.layers.Conv2D(filters, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy")
    return model


def test_the_same_network_built_twice_is_taken_in_order_though_keras_named_its_layers_anew(tmp_path, caplog):
    first, second = unnamed(), unnamed()
    assert first.layers[0].name != second.layers[0].name
    fit(first, GetWeights(tmp_path), epochs=1)
    restored = restore_best(second, tmp_path)
    assert restored.taken == tuple(layer.name for layer in second.layers if layer.weights) and not restored.unused
    assert all((a == b).all() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))
    assert "taken in order" in caplog.text


def test_another_network_with_other_names_takes_nothing_and_says_so(tmp_path):
    fit(unnamed(3), GetWeights(tmp_path), epochs=1)
    other = unnamed(4)
    before = other.get_weights()
    restored = restore_best(other, tmp_path)
    assert restored.taken == () and set(restored.kept.values()) == {"it is not in the file"}
    assert len(restored.unused) == 3
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))


def test_a_model_that_is_not_built_yet_is_a_clear_error(tmp_path):
    fit(network(), GetWeights(tmp_path), epochs=1)
    with pytest.raises(NetworkError, match="no weights yet"):
        restore_best(keras.Sequential([keras.layers.Dense(1)]), tmp_path)
