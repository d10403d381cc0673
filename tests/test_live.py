"""Live models: every layer of what no file describes, equal to what Keras computes step by step."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import live_networks as live
from reportgen.checkpoints.architecture import read_graph
from reportgen.checkpoints.stored import StoredModel, Variable
from reportgen.errors import CheckpointError, NetworkError, NotBuiltIn
from reportgen.extraction.measurement import Measurement
from reportgen.network import network as ordinary
from reportgen.network.choose import network_for
from reportgen.network.engine import start_tensorflow
from reportgen.network.live import open_live
from reportgen.network.network import Network
from reportgen.network.user_model import described

start_tensorflow()
IMAGES = np.random.default_rng(1).normal(size=(5, 20, 20, 2)).astype(np.float32)
SHAPE = IMAGES.shape[1:]
SUFFIXES = [".keras", ".h5", ".weights.h5"]
Expected = dict[str, Any]
pytestmark = pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")


def squeezed(block: Any, x: Any, name: str) -> Expected:
    """Return what happens inside an SEBlock, by its own layers one after the other."""
    mean = block.mean(x)
    wide = block.wide(mean)
    out = block.out(wide)
    return {f"{name}/mean": mean, f"{name}/wide": wide, f"{name}/out": out,
            name: x * out[:, None, None, :] * block.scale + block.shift}  # fmt: skip


def squeezing(model: Any) -> Expected:
    found = {"conv_a": model.get_layer("conv_a")(IMAGES)}
    found |= squeezed(model.get_layer("se_first"), found["conv_a"], "se_first")
    found["conv2d"] = model.get_layer("conv2d")(found["se_first"])
    found |= squeezed(model.get_layer("se_second"), found["conv2d"], "se_second")
    found["mean"] = model.get_layer("mean")(found["se_second"])
    return found | {"score": model.get_layer("score")(found["mean"])}


def sharing(model: Any) -> Expected:
    conv, block = model.get_layer("conv"), model.get_layer("twice")
    first = {"conv": conv(IMAGES)}
    first |= squeezed(block, first["conv"], "twice")
    second = {"conv": conv(first["twice"])}
    second |= squeezed(block, second["conv"], "twice")
    difference = first["twice"] - second["twice"]
    found = {"difference": difference, "classes": model.get_layer("classes")(ops.reshape(difference, (5, -1)))}
    return found | first | {f"{name} (call 2)": value for name, value in second.items()}


def blocks(block: Any, x: Any, name: str) -> tuple[Any, Expected]:
    conv = block.conv(x)
    norm = block.norm(conv, training=False)
    x, inside = ops.relu(norm), {}
    if block.next is not None:
        x, inside = blocks(block.next, x, f"{name}/next")
    return x, {f"{name}/conv": conv, f"{name}/norm": norm, **inside, name: x}


def own(model: Any) -> Expected:
    found = {"edges": model.first(IMAGES)}
    x, inside = blocks(model.stages[0], found["edges"], "stages/block")
    x, more = blocks(model.stages[1], x, "stages/block_1")
    found |= inside | more
    found["tail/mean"] = model.tail.layers[0](x)
    found["tail/dense"] = model.tail.layers[1](found["tail/mean"])
    return found | {"score": model.score(found["tail/dense"])}


NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[Any], Expected]]] = {
    "squeezing": (live.squeezing, squeezing),
    "sharing": (live.sharing, sharing),
    "own": (lambda: live.built(live.Own()), own),
}


def assert_close(got: np.ndarray, wanted: Any, name: str) -> None:
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape and got.dtype == np.float32, name
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * max(1, np.abs(wanted).max()), err_msg=name)


def assert_same(measured: Measurement, model: Any, expected: Expected) -> None:
    """Hold every activation against what Keras computed; inner names Keras numbers are told apart by their order."""
    assert len(measured.activations) == len(expected)
    left = dict(measured.activations)
    for name, wanted in expected.items():
        if name in left:
            assert_close(left.pop(name), wanted, name)
    for name, got in left.items():  # the same places under other words: each value once and for all
        same = [n for n, w in expected.items() if n not in measured.activations and np.shape(w) == got.shape
                and np.allclose(got, w, rtol=0, atol=1e-6 * max(1, np.abs(w).max()))]  # fmt: skip
        assert same, name
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    table = {layer.name for layer in measured.layers}
    assert len(table) == len(measured.layers)
    assert set(measured.activations) <= table
    assert all(set(layer.inputs) <= table for layer in measured.layers)


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
    block = model.get_layer("se_first")
    inner = [f"se_first/{layer.name}" for layer in (block.wide, block.out)]
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


def unlabelled(path: Path) -> Path:
    """Take the layers' names out of a v3 file, as Keras before 3.15 wrote it."""
    with h5py.File(path, "r+") as file:
        groups: list[Any] = []
        file.visititems(lambda _, item: groups.append(item) if "name" in item.attrs else None)
        for group in groups:
            del group.attrs["name"]
    return path


@pytest.mark.parametrize("topology", NETWORKS)
def test_files_that_know_attributes_and_classes_alone(topology: str, tmp_path: Path) -> None:
    make, expect = NETWORKS[topology]
    model = live.fill(make())
    live.save(model, tmp_path / "m.weights.h5")
    stored = live.stored(unlabelled(tmp_path / "m.weights.h5"))
    measured = open_live(make(), stored, SHAPE).measure(stored, IMAGES)
    assert_same(measured, model, expect(model))


def test_the_layer_that_has_the_name_of_another_ones_group(tmp_path: Path) -> None:
    model = live.fill(live.squeezing())  # its second convolution is called conv2d, as is the group of the first
    with_names = live.save(model, tmp_path / "named.weights.h5")
    live.save(model, tmp_path / "m.weights.h5")
    stored = live.stored(unlabelled(tmp_path / "m.weights.h5"))
    assert {layer.name for layer in stored.layers} != {layer.name for layer in with_names.layers}
    network = open_live(live.squeezing(), stored, SHAPE)
    kernels = {layer.name: layer.variables[0].value for layer in network.named(stored).layers}
    np.testing.assert_array_equal(kernels["conv2d"], model.get_layer("conv2d").kernel.numpy())


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


def graph_of(stored: StoredModel) -> Any:
    try:
        return read_graph(stored)
    except CheckpointError:
        return None


def choose(stored: StoredModel, path: Path, spec: str | None = None, trust: bool = False, format: str = "keras") -> Any:
    return network_for(graph_of(stored), stored, SHAPE, spec, path.parent, trust, path, format)


def with_lambda() -> Any:
    return keras.Sequential([
        keras.Input(SHAPE), layers.Conv2D(3, 3, name="conv"), layers.Lambda(lambda x: x * 2.0 + 1.0, name="own"),
        layers.GlobalAveragePooling2D(name="mean"), layers.Dense(1, activation="sigmoid", name="score"),
    ])  # fmt: skip


@pytest.mark.parametrize(("suffix", "format"), [(".keras", "keras"), (".h5", "hdf5"), ("", "hdf5")])
def test_a_lambda_runs_on_trust_alone(suffix: str, format: str, tmp_path: Path) -> None:
    model = live.fill(with_lambda())
    path = tmp_path / f"m{suffix or '.h5'}"
    model.save(path)
    path = path.rename(tmp_path / "highest_weight") if not suffix else path
    stored = live.stored(path)
    with pytest.raises(NotBuiltIn, match="class Lambda") as error:
        choose(stored, path, format=format)
    assert "run.model: your_file.py:build_model" in error.value.advice and "run.trust: true" in error.value.advice
    measured = choose(stored, path, trust=True, format=format).measure(stored, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    conv = model.get_layer("conv")(IMAGES)
    assert_close(measured.activations["own"], conv * 2.0 + 1.0, "own")


def test_trust_is_not_asked_for_what_can_be_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = live.fill(keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(1, name="d")]))
    stored = live.save(model, tmp_path / "m.keras")
    monkeypatch.setattr(keras.saving, "load_model", lambda *a, **k: pytest.fail("Keras was asked"))
    network = choose(stored, tmp_path / "m.keras", spec="nowhere.py:build", trust=True)
    assert isinstance(network, Network)
    assert_close(network.measure(stored, IMAGES).predictions, model.predict(IMAGES, verbose=0), "prediction")


def test_what_stops_a_network_is_said_with_both_ways_out(tmp_path: Path) -> None:
    whole = live.save(live.squeezing(), tmp_path / "m.keras")
    with pytest.raises(NotBuiltIn, match="SEBlock") as error:
        choose(whole, tmp_path / "m.keras")
    assert "run.model" in error.value.advice and "run.trust" in error.value.advice
    subclass = live.save(live.built(live.Own()), tmp_path / "o.keras")
    with pytest.raises(NotBuiltIn, match="Own") as error:
        choose(subclass, tmp_path / "o.keras")
    assert "run.model" in error.value.advice and "run.trust" in error.value.advice
    weights = live.save(live.built(live.Own()), tmp_path / "o.weights.h5")
    for trust in (False, True):  # trust cannot make a network of weights
        with pytest.raises(NotBuiltIn, match="weights alone") as error:
            choose(weights, tmp_path / "o.weights.h5", trust=trust, format="weights")
        assert "run.model" in error.value.advice and "run.trust" not in error.value.advice
    with pytest.raises(NetworkError, match="cannot load") as failed:
        choose(subclass.__class__(subclass.layers, subclass.config), tmp_path / "nothing.keras", trust=True)
    assert "run.model" in failed.value.advice


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_with_custom_layers_opens_with_their_code(suffix: str, tmp_path: Path) -> None:
    model = live.fill(live.squeezing())
    stored = live.save(model, tmp_path / f"m{suffix}")
    network = network_for(
        graph_of(stored), stored, SHAPE, "live_networks.py:squeezing", Path(__file__).parent, False, tmp_path, "keras"
    )
    measured = network.measure(stored, IMAGES)
    assert_same(measured, model, squeezing(model))


def test_a_described_model_lends_its_description(tmp_path: Path) -> None:
    """A functional model of the user's goes the ordinary way: its names count, whatever the file calls its groups."""

    def make() -> Any:
        image = keras.Input(SHAPE)
        late = layers.Conv2D(3, 3, name="late")
        first = layers.Conv2D(2, 3, name="conv2d")(image)
        return keras.Model(image, layers.Dense(1, name="out")(layers.Flatten(name="flat")(late(first))))

    model = live.fill(make())
    live.save(model, tmp_path / "m.weights.h5")
    architecture = tmp_path / "architecture.json"
    architecture.write_text(json.dumps(described(make())))
    stored = live.stored(unlabelled(tmp_path / "m.weights.h5"), architecture)
    measured = ordinary.open_network(stored, SHAPE).measure(stored, IMAGES)
    assert_close(measured.predictions, model.predict(IMAGES, verbose=0), "prediction")
    assert described(live.built(live.Own())) is None
