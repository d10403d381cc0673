"""TensorFlow checkpoints: every array as TensorFlow reads it, under the user's names; and what must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundles import arrays, opened
from reportgen.checkpoints.bundle import parts_of
from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.tensors import STRING, read_index, read_tensors
from reportgen.errors import CheckpointError

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def assert_as_tensorflow_reads(index: Path) -> int:
    """Hold every array of numbers against TensorFlow's own reader, and return how many there are."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(index).removesuffix(".index"))
    said = read_index(index)
    assert set(said.entries) == set(reader.get_variable_to_shape_map())
    keys = [key for key, entry in said.entries.items() if entry.dtype != STRING]
    for key, value in zip(keys, read_tensors(said, keys), strict=True):
        expected = reader.get_tensor(key)
        if expected.dtype.name == "bfloat16":
            expected = expected.astype("f4")
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)
    return len(keys)


def weights_of(model: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Return layer|variable → array of a Keras 3 model made of layers, layers of nested models as backbone/conv."""
    held = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            held |= weights_of(layer, f"{prefix}{layer.name}/")
            continue
        for variable in layer.weights:
            own = variable.path.split("/")
            if own[-1] != "seed_generator_state":
                name = "/".join(own[own.index(layer.name) + 1 :])
                held[f"{prefix}{layer.name}|{name}"] = np.asarray(variable)
    return held


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Checkpoints by tf.train.Checkpoint of Keras 3 models, each beside its architecture: name → (index, model)."""
    import keras
    import tensorflow as tf
    from keras import layers as L

    folder = tmp_path_factory.mktemp("modern")
    keras.utils.set_random_seed(5)
    plain = keras.Sequential(
        [keras.Input((8, 8, 3)), L.RandomFlip(), L.Conv2D(4, 3, name="conv_a"), L.BatchNormalization(name="bn"),
         L.Dropout(0.5), L.GlobalAveragePooling2D(), L.Dense(3, name="out")], name="net",
    )  # fmt: skip
    inner = keras.Input((8, 8, 3))
    tower = keras.Model(inner, L.SeparableConv2D(3, 3, name="c1")(L.Conv2D(3, 1, name="c0")(inner)), name="tower")
    head = keras.Sequential([keras.Input((6, 6, 3)), L.Conv2D(4, 3, name="c1"), L.Flatten()], name="head")
    image, numbers = keras.Input((8, 8, 3), name="image"), keras.Input((5,), name="numbers")
    both = L.Bidirectional(L.LSTM(3), name="both")(L.Reshape((5, 1))(numbers * 2 + 1))
    x = L.Concatenate()([head(tower(image)), both])
    nested = keras.Model([image, numbers], [L.Dense(2, name="kind")(x), L.Dense(1, name="size")(x)])
    made = {}
    for name, model in (("plain", plain), ("nested", nested)):
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        model.optimizer.iterations.assign(17)
        model.set_weights([weight + np.random.default_rng(6).random(weight.shape) for weight in model.get_weights()])
        (folder / f"{name}.json").write_text(model.to_json())
        ways = {"model": {"model": model}, "both": {"opt": model.optimizer, "net": model}, "optimizer_first": {
            "an_optimizer": model.optimizer, "zoo": model}}  # fmt: skip
        for way, saved in ways.items():
            written = tf.train.Checkpoint(**saved).save(folder / name / way)
            made[f"{name} {way}"] = (Path(f"{written}.index"), model, folder / f"{name}.json")
    return made


@pytest.mark.parametrize("way", ["model", "both", "optimizer_first"])
@pytest.mark.parametrize("name", ["plain", "nested"])
def test_keras_3_under_the_names_of_a_borrowed_architecture(name: str, way: str, modern: dict[str, Any]) -> None:
    index, model, architecture = modern[f"{name} {way}"]
    stored = opened(index, architecture)
    held, expected = arrays(stored), weights_of(model)
    assert set(held) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(held[key], value)
    slots = sum(1 for _ in model.optimizer.variables)
    assert stored.other == {"optimizer": slots, "save counter": 1}
    assert stored.optimizer == "adam"
    assert iterations(index, "tf-checkpoint") == 17
    assert assert_as_tensorflow_reads(index) == len(held) + slots + 1


def test_a_network_of_keras_3_predicts_the_same_with_them(modern: dict[str, Any]) -> None:
    from reportgen.network import open_network

    index, model, architecture = modern["plain model"]
    x = np.random.default_rng(1).normal(size=(3, 8, 8, 3)).astype("f4")
    stored = opened(index, architecture)
    given = open_network(stored, (8, 8, 3)).measure(stored, x).predictions
    np.testing.assert_allclose(given, model.predict(x, verbose=0), rtol=1e-6, atol=1e-7)


def test_without_an_architecture_names_come_from_the_file(modern: dict[str, Any], tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    assert [layer.name for layer in opened(modern["plain model"][0]).layers] == ["conv_a", "bn", "out"]
    names = [layer.name for layer in opened(modern["nested model"][0]).layers]
    assert names == ["c0", "c1", "head/c1", "both", "kind", "size"]
    # Keras puts the name of a Sequential before its own layers' alone: that of the whole model is no layer's.
    inside = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="deep")], name="tower")
    outside = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a"), inside], name="net")
    index = Path(tf.train.Checkpoint(model=outside).save(tmp_path / "c") + ".index")
    assert [layer.name for layer in opened(index).layers] == ["a", "tower/deep"]


def test_names_that_keras_numbered_on_follow_the_place_in_the_architecture(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    def make() -> Any:
        shape = keras.Input((4, 4, 2))
        x = keras.layers.Conv2D(2, 1)(keras.layers.Conv2D(2, 1)(shape))
        return keras.Model(shape, keras.layers.Conv2D(2, 1)(x))

    first, later = make(), make()  # the same network as conv2d_n, n+1, n+2 and again as n+3, …
    later.set_weights([np.full(w.shape, i, "f4") for i, w in enumerate(later.get_weights())])
    (tmp_path / "a.json").write_text(first.to_json())
    index = Path(tf.train.Checkpoint(model=later).save(tmp_path / "c") + ".index")
    layers = opened(index, tmp_path / "a.json").layers
    assert [layer.name for layer in layers] == [layer.name for layer in first.layers[1:]]
    assert [v.value.flat[0] for layer in layers for v in layer.variables] == [0, 1, 2, 3, 4, 5]


def test_a_subclassed_model_by_the_attributes_that_hold_its_layers(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.layers.Conv2D(2, 3)
            self.second = keras.layers.Conv2D(2, 1)
            self.stem = keras.Sequential([keras.layers.Conv2D(2, 1), keras.layers.BatchNormalization()])
            self.attend = keras.layers.MultiHeadAttention(1, 2)
            self.warmth = self.add_weight(shape=(), name="temperature")

        def call(self, x: Any) -> Any:
            x = keras.ops.reshape(self.stem(self.second(self.first(x))), (-1, 36, 2))
            return self.attend(x, x) * self.warmth

    model = Own()
    model(np.ones((1, 8, 8, 3), "f4"))
    index = Path(tf.train.Checkpoint(model=model).save(tmp_path / "c") + ".index")
    held = arrays(opened(index))
    expected = {
        "first": model.first, "second": model.second, "stem/1": model.stem.layers[0], "stem/2": model.stem.layers[1],
        "attend/query": model.attend._query_dense, "attend/output": model.attend._output_dense,
    }  # fmt: skip
    for name, layer in expected.items():
        for variable in layer.weights:
            np.testing.assert_array_equal(held[f"{name}|{variable.name}"], np.asarray(variable))
    assert held["model|temperature"] == np.asarray(model.warmth)
    assert len(held) == len(model.weights)


def test_every_dtype_and_several_data_files_as_tensorflow_reads_them(tmp_path: Path) -> None:
    import tensorflow as tf

    rng = np.random.default_rng(2)
    dtypes = ["float32", "float64", "float16", "bfloat16", "int8", "uint8", "int16", "uint16", "int32", "uint32",
              "int64", "uint64", "bool"]  # fmt: skip
    parts = []
    for number, some in enumerate((dtypes[:6], dtypes[6:])):
        prefix = str(tmp_path / f"part{number}")
        tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=[f"conv_{dtype}/kernel" for dtype in some],
            shape_and_slices=[""] * len(some),
            tensors=[tf.cast(rng.integers(0, 2 if d == "bool" else 100, (3, 4)), d) for d in some],
        )
        parts.append(prefix)
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=str(tmp_path / "all"))
    index = tmp_path / "all.index"
    assert [p.name for p in parts_of(index)] == ["all.index", *(f"all.data-0000{i}-of-00002" for i in range(2))]
    assert assert_as_tensorflow_reads(index) == len(dtypes)
    held = arrays(opened(index))
    assert {f"conv_{dtype}|kernel" for dtype in dtypes} == set(held)
    assert held["conv_bfloat16|kernel"].dtype == np.float32
    (tmp_path / "all.data-00001-of-00002").unlink()
    with pytest.raises(CheckpointError, match=r"all\.data-00001-of-00002 is missing"):
        opened(index)


def test_names_alone_as_tensorflow_1_wrote_them(tmp_path: Path) -> None:
    import tensorflow as tf

    names = {"conv2d/kernel": (3, 3, 1, 2), "conv2d/kernel/Adam": (3, 3, 1, 2), "conv2d/kernel/Adam_1": (3, 3, 1, 2),
             "conv2d/bias": (2,), "block/conv/kernel": (2,), "global_step": (), "beta1_power": ()}  # fmt: skip
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = [tf.compat.v1.get_variable(name, initializer=np.full(shape, 7, "f4")) for name, shape in names.items()]
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(made).save(session, str(tmp_path / "model.ckpt"), global_step=7)
    index = tmp_path / "model.ckpt-7.index"
    stored = opened(index)
    assert iterations(index, "tf-checkpoint") == 7
    assert set(arrays(stored)) == {"conv2d|kernel", "conv2d|bias", "block/conv|kernel"}
    assert stored.other == {"optimizer": 4}
    assert_as_tensorflow_reads(index)


def test_a_partitioned_variable_is_refused_with_the_reason(tmp_path: Path) -> None:
    import tensorflow as tf

    for i in range(2):
        tf.raw_ops.SaveV2(
            prefix=str(tmp_path / f"p{i}"), tensor_names=["part/kernel"], shape_and_slices=[f"6 2 {3 * i},3:0,2"],
            tensors=[tf.ones((3, 2))],
        )  # fmt: skip
    parts = [str(tmp_path / f"p{i}") for i in range(2)]
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=str(tmp_path / "m"))
    with pytest.raises(CheckpointError, match="part/kernel is a partitioned variable"):
        opened(tmp_path / "m.index")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sequential", "nested", "shared", "two_inputs"])
def test_keras_2_under_the_names_of_a_borrowed_architecture(name: str, keras2_files: Path) -> None:
    expected = {k: v for k, v in np.load(keras2_files / f"{name}.npz").items() if "|" in k}
    index = keras2_files / f"{name}.index"
    stored = opened(index, keras2_files / f"{name}_folder")
    held = arrays(stored)
    assert set(held) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(held[key], value)
    assert set(stored.other) == {"optimizer"} and stored.optimizer == "Adam"
    assert assert_as_tensorflow_reads(index) == len(held) + stored.other["optimizer"]


@pytest.mark.slow
def test_keras_2_without_an_architecture(keras2_files: Path) -> None:
    def names(file: str) -> list[str]:
        return [layer.name for layer in opened(keras2_files / file).layers]

    assert names("sequential.index") == ["conv_a", "bn", "dw", "out"]
    assert names("nested.index") == ["3/c1", "sep", "4/c1", "b1", "out"]  # two layers are called c1
    assert names("own.index") == ["first", "blocks/0", "blocks/1", "stem/mix", "model"]
    assert names("highest_weight.index") == ["only"]  # ModelCheckpoint with a bare name
    managed = opened(keras2_files / "managed-1.index")
    assert [layer.name for layer in managed.layers] == ["only"]
    assert set(managed.other) == {"optimizer", "save counter"}
