"""Live models: every layer of what no file describes, equal to what Keras computes step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import live_networks as live
from live_expected import IMAGES, NETWORKS, SHAPE, assert_close, assert_same
from reportgen.errors import NetworkError
from reportgen.network.live import open_live

SUFFIXES = [".keras", ".h5", ".weights.h5"]
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("topology", NETWORKS)
def test_every_activation_equals_keras(topology: str, suffix: str, tmp_path: Path) -> None:
    make, expect = NETWORKS[topology]
    model = live.fill(make())
    stored = live.save(model, tmp_path / f"m{suffix}")
    network = open_live(make(), stored, SHAPE)
    measured = network.measure(stored, IMAGES)
    assert_same(measured, model, expect(model))
    np.testing.assert_array_equal(measured.predictions, network.measure(stored, IMAGES).predictions)
    named = network.named(stored)
    assert sum(v.value.size for layer in named.layers for v in layer.variables) == model.count_params()
    rows = {layer.name: layer for layer in measured.layers}
    for layer in named.layers:
        assert rows[layer.name].weights == layer.name
        assert rows[layer.name].parameters == sum(v.value.size for v in layer.variables)
    assert sum(layer.parameters for layer in measured.layers) == model.count_params()


def test_the_layer_table_tells_how_custom_layers_are_connected(tmp_path: Path) -> None:
    model = live.fill(live.squeezing())
    stored = live.save(model, tmp_path / "m.keras")
    rows = open_live(live.squeezing(), stored, SHAPE).layers
    inner = ["se_first/wide", "se_first/out"]  # attributes of the block: the words the user knows
    assert [row.class_name for row in rows][:7] == [
        "InputLayer", "Conv2D", "GlobalAveragePooling2D", "Dense", "Dense", "SEBlock", "Conv2D",
    ]  # fmt: skip
    table = {row.name: row for row in rows}
    assert table["conv_a"].inputs == ("image",)
    assert table[inner[1]].inputs == (inner[0],) and table[inner[0]].output_shape == (2,)
    assert table["se_first"].inputs == ("conv_a", inner[1])
    assert table["conv2d"].inputs == ("se_first",) and table["conv2d"].config["kernel_size"] == [3, 3]
    assert table["se_first"].parameters == 8 and table["conv_a"].activation == "relu"


def test_weights_of_three_checkpoints_without_another_trace(tmp_path: Path) -> None:
    traces = []

    class Counted(live.Own):
        def call(self, x: Any, training: bool = False) -> Any:
            traces.append(keras.backend.is_int_dtype("int32"))
            return super().call(x, training=training)

    files = [live.fill(live.built(live.Own()), seed) for seed in range(3)]
    stored = [live.save(model, tmp_path / f"{i}.weights.h5") for i, model in enumerate(files)]
    network = open_live(Counted(), stored[0], SHAPE)  # never called before: it is built for the probes
    before = len(traces)
    for model, content in zip(files, stored, strict=True):
        assert_close(network.measure(content, IMAGES).predictions, model.predict(IMAGES, verbose=0), "prediction")
    network.measure(stored[0], IMAGES[:3])
    assert len(traces) == before > 0


def test_the_users_model_is_left_as_it_was(tmp_path: Path) -> None:
    model = live.fill(live.squeezing())
    stored = live.save(model, tmp_path / "before.keras")
    parts = [model, *model._flatten_layers(include_self=False)]
    attributes = [sorted(vars(part)) for part in parts]
    functions = [vars(part).get("activation") for part in parts]
    open_live(model, stored, SHAPE).measure(stored, IMAGES)
    assert [sorted(vars(part)) for part in parts] == attributes
    assert [vars(part).get("activation") for part in parts] == functions
    after = live.save(model, tmp_path / "after.keras")
    assert json.dumps(after.config, sort_keys=True) == json.dumps(stored.config, sort_keys=True)
    for one, other in zip(stored.layers, after.layers, strict=True):
        assert one.name == other.name
        assert all(np.array_equal(a.value, b.value) for a, b in zip(one.variables, other.variables, strict=True))


def test_hooks_are_gone_after_a_failure_too(tmp_path: Path) -> None:
    class Failing(live.Own):
        def call(self, x: Any, training: bool = False) -> Any:
            if x.shape[0] != 1 or failing:
                raise RuntimeError("not like this")
            return super().call(x)

    failing: list[int] = []
    model = live.built(Failing())
    stored = live.save(live.fill(live.built(live.Own())), tmp_path / "m.weights.h5")
    failing.append(1)
    with pytest.raises(NetworkError, match="cannot be run") as error:
        open_live(model, stored, SHAPE)
    assert error.value.where.startswith("test_live.py:") and "not like this" in error.value.received
    assert not any("call" in vars(part) for part in model._flatten_layers())


def test_code_that_needs_one_image_at_a_time(tmp_path: Path) -> None:
    class Single(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(3, name="dense_own")

        def call(self, x: Any) -> Any:
            return self.dense(ops.reshape(x, (x.shape[0] * 1, -1)))

    model = live.fill(live.built(Single()))
    stored = live.save(model, tmp_path / "m.weights.h5")
    measured = open_live(live.built(Single()), stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, model(IMAGES).numpy(), "prediction")


def test_layers_that_cannot_be_listened_to_are_named(tmp_path: Path) -> None:
    class Wrapped(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = layers.Dense(3, name="hidden")
            self.out = layers.Dense(2, name="out")

        @tf.function
        def inside(self, x: Any) -> Any:
            return self.hidden(x)

        def call(self, x: Any) -> Any:
            return self.out(self.inside(ops.mean(x, axis=(1, 2))))

    model = live.fill(live.built(Wrapped()))
    stored = live.save(model, tmp_path / "m.weights.h5")
    measured = open_live(live.built(Wrapped()), stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, model(IMAGES), "prediction")
    assert set(measured.activations) == {"out"}
    assert len(measured.notes) == 1 and measured.notes[0].startswith("hidden ran inside")


def test_a_dictionary_of_outputs_and_scores_before_bare_code(tmp_path: Path) -> None:
    model = live.fill(live.built(live.TwoAnswers()))
    stored = live.save(model, tmp_path / "m.weights.h5")
    measured = open_live(live.built(live.TwoAnswers()), stored, SHAPE).measure(stored, IMAGES)
    result = model(IMAGES)
    assert measured.other_outputs == ("maps",) and measured.output_activation == "softmax"
    assert_close(measured.predictions, result["classes"], "classes")
    assert_close(measured.activations["conv"], result["maps"], "conv")
    np.testing.assert_array_equal(measured.scores, measured.activations["head"])


def test_scores_are_exact_where_the_probability_is_saturated(tmp_path: Path) -> None:
    model = live.fill(live.built(live.Own()))
    model.score.bias.assign([40.0])
    stored = live.save(model, tmp_path / "m.weights.h5")
    measured = open_live(live.built(live.Own()), stored, SHAPE).measure(stored, IMAGES)
    assert (measured.predictions == 1).all() and measured.output_activation == "sigmoid"
    before = model.tail(model.stages[1](model.stages[0](model.first(IMAGES))))
    assert_close(measured.scores, ops.matmul(before, model.score.kernel) + 40.0, "scores")


def test_no_scores_where_the_last_function_is_not_known(tmp_path: Path) -> None:
    class Odd(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return ops.exp(self.dense(ops.mean(x, axis=(1, 2))))

    stored = live.save(live.fill(live.built(Odd())), tmp_path / "m.weights.h5")
    measured = open_live(live.built(Odd()), stored, SHAPE).measure(stored, IMAGES)
    assert measured.scores is None and measured.output_activation == "unknown"


def test_adapted_normalisation_follows_each_checkpoint(tmp_path: Path) -> None:
    def make(seed: int) -> Any:
        rng = np.random.default_rng(seed)
        normal = layers.Normalization(name="normal")
        normal.adapt(rng.normal(seed, 1 + seed, (50, 20, 20, 2)))
        return keras.Sequential([keras.Input(SHAPE), normal, live.SEBlock(name="se"), layers.Flatten(name="flat")])

    models = [make(seed) for seed in (0, 3)]
    stored = [live.save(model, tmp_path / f"{i}.keras") for i, model in enumerate(models)]
    network = open_live(make(0), stored[0], SHAPE)
    for model, content in zip(models, stored, strict=True):
        measured = network.measure(content, IMAGES)
        assert_close(measured.activations["normal"], model.layers[0](IMAGES), "normal")


def test_channels_first_is_handed_over_channels_last(tmp_path: Path) -> None:
    def make() -> Any:
        image = keras.Input((2, 20, 20), name="image")
        x = layers.Conv2D(3, 3, data_format="channels_first", name="conv")(image)
        x = layers.Lambda(lambda x: x * 2.0, name="own", output_shape=(3, 18, 18))(x)
        return keras.Model(image, layers.Dense(1, name="out")(layers.Flatten(name="flat")(x)))

    model = live.fill(make())
    stored = live.save(model, tmp_path / "m.keras")
    measured = open_live(make(), stored, SHAPE).measure(stored, IMAGES)
    kernel, bias = (np.asarray(w) for w in model.get_layer("conv").weights)
    expected = ops.conv(IMAGES, kernel, data_format="channels_last") + bias
    assert_close(measured.activations["conv"], expected, "conv")
    assert_close(measured.activations["own"], expected * 2, "own")
    assert {row.name: row.output_shape for row in measured.layers}["conv"] == (18, 18, 3)
