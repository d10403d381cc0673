"""Formats beyond the common ones, each file written by Keras itself: arrays equal, outputs equal, nothing run."""

from __future__ import annotations

import io
import json
import os
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import checkpoint_files as files
import networks
from reportgen.checkpoints.counter import iterations
from reportgen.checkpoints.formats import FORMATS, architecture_in, read_checkpoint, recognise
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.shards import shards_of
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError, NetworkError
from reportgen.network import open_network
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


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_folder_with_a_link_in_the_place_of_a_member_is_refused(member: str, tmp_path: Path) -> None:
    files.write_keras(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extractall(tmp_path / "m")
    assert len(read(tmp_path / "m").layers) == 3
    (tmp_path / "m" / member).rename(tmp_path / "elsewhere")
    (tmp_path / "m" / member).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="link that leads elsewhere"):
        read(tmp_path / "m")
    (tmp_path / "m" / member).unlink()
    os.mkfifo(tmp_path / "m" / member)
    with pytest.raises(CheckpointError, match="no regular file"):
        read(tmp_path / "m")
    (tmp_path / "linked").symlink_to(tmp_path / "m")
    assert recognise(tmp_path / "linked", b"") is None


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


def npz_of(members: dict[str, Any], path: Path) -> Path:
    """Write a `.keras` file whose npz holds these dictionaries, pickled by NumPy."""
    data = io.BytesIO()
    np.savez(data, **members, allow_pickle=True)  # type: ignore[arg-type]
    return _with_npz(data.getvalue(), path)


def _with_npz(data: bytes, path: Path) -> Path:
    files.write_zip(path, {
        "metadata.json": b"{}", "config.json": json.dumps(files.MODEL).encode(), "model.weights.npz": data,
    })  # fmt: skip
    return path


def test_plain_arrays_of_every_kind_come_out_of_an_npz_as_they_went_in(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = {
        str(number): value for number, value in enumerate([
            rng.normal(size=(3, 3, 1, 4)).astype("f4"), np.asfortranarray(rng.normal(size=(3, 5))),
            np.arange(6, dtype="i8")[::2], np.array(2.5, "f2"), np.array([True, False]), np.arange(4, dtype=">i2"),
            np.zeros((0, 3), "f4"), np.float32(7.0), rng.integers(-9, 9, (2, 2), "i1"),
        ])
    }  # fmt: skip
    stored = read(npz_of({"layers/conv2d": kinds, "__root__": {}}, tmp_path / "m.keras"))
    (layer,) = stored.layers
    assert layer.name == "conv_b"
    for variable in layer.variables:
        np.testing.assert_array_equal(variable.value, kinds[variable.name])
        assert variable.value.dtype == kinds[variable.name].dtype.newbyteorder("=")


class Evil:
    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.made = (function, args)

    def __reduce__(self) -> Any:
        return self.made


def npy(payload: bytes, header: str = "{'descr': '|O', 'fortran_order': False, 'shape': (), }") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


HOSTILE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a call of os.system": (lambda p: npy(pickle.dumps(Evil(os.system, f"touch {p}"))), "name posix.system"),
    "a call of eval": (
        lambda p: npy(pickle.dumps({"0": Evil(eval, f"open({str(p)!r}, 'w')")}, 2)), "name __builtin__.eval"
    ),
    "the same in protocol 0": (lambda p: npy(pickle.dumps(Evil(os.system, f"touch {p}"), 0)), "name posix.system"),
    "an opcode for extensions": (lambda p: npy(b"\x80\x02\x82\x01."), "use EXT1"),
    "an instance": (lambda p: npy(b"(ios\nsystem\n."), "use INST"),
    "no dictionary": (lambda p: npy(pickle.dumps(np.arange(3), 4)), "not as Keras writes"),
    "a pickle that breaks off": (lambda p: npy(pickle.dumps({"0": np.arange(3)}, 4)[:-9]), "not as Keras writes"),
    "arrays that are none": (lambda p: npy(pickle.dumps(["a"] * 9, 4)), "not as Keras writes"),
    "a huge shape": (lambda p: npy(b"", "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999)}"),
                     "one dictionary"),
    "a header of code": (lambda p: npy(b"", "__import__('os').getcwd()"), "header"),
    "no npy": (lambda p: b"hello" * 9, "no npy"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_npz_is_refused_and_nothing_in_it_is_run(case: str, tmp_path: Path) -> None:
    make, word = HOSTILE[case]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("layers/conv2d.npy", make(tmp_path / "ran"))
    path = _with_npz(data.getvalue(), tmp_path / "m.keras")
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert word in str(caught.value), str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


def test_an_array_that_claims_more_than_its_bytes_is_refused(tmp_path: Path) -> None:
    path = npz_of({"layers/conv2d": {"0": np.zeros((7, 11), "f4")}}, tmp_path / "m.keras")
    damaged = path.read_bytes().replace(b"K\x07K\x0b\x86", b"K\x7fK\x7f\x86")
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        inner = archive.read("model.weights.npz")
    assert damaged != path.read_bytes() and b"K\x07K\x0b\x86" in inner
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        member = archive.read("layers/conv2d.npy").replace(b"K\x07K\x0b\x86", b"K\x7fK\x7f\x86")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("layers/conv2d.npy", member)
    with pytest.raises(CheckpointError, match="not as Keras writes"):
        read(_with_npz(data.getvalue(), path))


def test_members_of_an_npz_are_limited_like_those_of_any_zip(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * 50_000_000)
    with pytest.raises(CheckpointError, match="unpacks"):
        read(_with_npz(data.getvalue(), tmp_path / "m.keras"))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.npy", npy(b""))
        archive.writestr("a.npy", npy(b""))
    with pytest.raises(CheckpointError, match="2 times"):
        read(_with_npz(data.getvalue(), tmp_path / "m.keras"))


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


@pytest.mark.parametrize("text", [b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 5_000_000])
def test_json_is_refused_by_its_depth_before_it_is_parsed(text: bytes, tmp_path: Path) -> None:
    config = json.dumps({**files.MODEL, "build_config": 7}).encode().replace(b"7}", text + b"}")
    files.write_zip(tmp_path / "m.keras", {"metadata.json": b"{}", "config.json": config, "model.weights.h5": b""})
    start = time.process_time()
    with pytest.raises(CheckpointError, match="nested too deeply"):
        read(tmp_path / "m.keras")
    assert time.process_time() - start < 2


def test_brackets_inside_strings_are_no_depth_and_no_string_hangs_the_search(tmp_path: Path) -> None:
    config = json.loads(json.dumps(files.MODEL))
    config["config"]["layers"][4]["config"]["name"] = 'a"\\' + "[{" * 300
    files.write_keras(tmp_path / "m.keras", config=config, named=False)
    assert read(tmp_path / "m.keras").layers[-1].name == 'a"\\' + "[{" * 300
    members = {"metadata.json": b"{}", "config.json": b'{"' + b'\\"' * 5_000_000, "model.weights.h5": b""}
    files.write_zip(tmp_path / "m.keras", members)
    start = time.process_time()
    with pytest.raises(CheckpointError, match="no JSON"):
        read(tmp_path / "m.keras")
    assert time.process_time() - start < 5


@pytest.mark.parametrize("nested", [False, True])
def test_20000_layers_are_counted_and_refused_at_once(nested: bool, tmp_path: Path) -> None:
    layers = [{"class_name": "ReLU", "config": {"name": f"r{i}", "trainable": True}} for i in range(20_000)]
    if nested:  # no single model has too many
        layers = [{"class_name": "Sequential", "config": {"name": f"m{i}", "layers": layers[i::5]}} for i in range(5)]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    for path in (
        files.write_keras(tmp_path / "m.keras", config=config),
        files.write_hdf5(tmp_path / "m.h5", 0, config),
    ):
        start = time.process_time()
        with pytest.raises(CheckpointError, match="layers"):
            read(path)
        assert time.process_time() - start < 1


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


def test_state_beside_weights_is_counted_and_is_no_layer(model: Any, tmp_path: Path) -> None:
    """Keras 3.15 keeps no state of its random layers; earlier ones did, in these groups and names."""
    for name in ("m.weights.h5", "m.keras", "m.h5"):
        (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    weights = tmp_path / "m.weights.h5"
    with h5py.File(weights, "a") as file:
        for group in (
            "layers/dropout/seed_generator",
            "layers/dropout_1/seed_generator",
            "_metrics/mean",
            "loss_tracker",
        ):
            file[f"{group}/vars/0"] = np.zeros(2, "u4")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        place = file["model_weights/drop"]
        place["seed_generator/seed_generator_state"] = np.zeros(2, "u4")
        place.attrs["weight_names"] = ["seed_generator/seed_generator_state"]
    names = ["conv2d", "conv_a", "hidden", "norm", "score"]
    states = len(model.optimizer.variables)
    expected = {
        "m.weights.h5": {"optimizer": states, "seed generators": 2, "metrics": 2}, "m.keras": {"optimizer": states},
        "m.h5": {"optimizer": states, "seed generators": 1},
    }  # fmt: skip
    for name, other in expected.items():
        stored = read(tmp_path / name)
        assert sorted(layer.name for layer in stored.layers) == names
        assert stored.other == other, name
    assert read(weights, tmp_path / "m.keras").other == expected["m.weights.h5"]


# Half precision and quantised weights


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_half_precision_is_read_where_the_architecture_says_so(policy: str, suffix: str, tmp_path: Path) -> None:
    start_tensorflow()
    import keras
    from keras import Input, Sequential, layers

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = networks.fill(Sequential([
            Input((20, 20, 2)), layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.GlobalAveragePooling2D(name="mean"), layers.Dense(3, name="out"),
        ]))  # fmt: skip
    finally:
        keras.config.set_dtype_policy(before)
    path = tmp_path / f"m{suffix}"
    model.save(path)
    stored = read(path)
    for layer in stored.layers:
        for variable in layer.variables:
            (own,) = [w for w in model.get_layer(layer.name).weights if w.name == variable.name]
            np.testing.assert_array_equal(np.float32(variable.value), np.float32(np.asarray(own)))
    assert_same_outputs(stored, model, networks.inputs(), 5e-3)


def test_two_opaque_bytes_are_no_number_where_nothing_says_so(tmp_path: Path) -> None:
    path = files.write_hdf5(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file["model_weights/out/out/bias:0"]
        file["model_weights/out/out/bias:0"] = np.zeros(1, "V2")
    with pytest.raises(CheckpointError, match="nothing says of what kind"):
        read(path)


def quantized(config: Any) -> Any:
    start_tensorflow()
    from keras import Input, Sequential, layers

    model = networks.fill(Sequential([
        Input((20, 20, 2)), layers.Conv2D(4, 5, strides=3, name="conv"), layers.Flatten(name="flat"),
        layers.Dense(7, activation="relu", name="hidden"),
        layers.EinsumDense("ab,bc->ac", output_shape=5, bias_axes="c", name="einsum"),
        layers.Dense(5, use_bias=False, name="plain"), layers.Dense(3, activation="softmax", name="out"),
    ]))  # fmt: skip
    model.quantize(config=config())
    return model


def _configs() -> dict[str, Callable[[], Any]]:
    def of(name: str, **options: Any) -> Callable[[], Any]:
        def make() -> Any:
            import keras

            return getattr(keras.quantizers, name)(**options)

        return make

    return {
        "int8": of("Int8QuantizationConfig"),
        "int8 of weights alone": of("Int8QuantizationConfig", activation_quantizer=None),
        "int4 in blocks": of("Int4QuantizationConfig"), "int4": of("Int4QuantizationConfig", block_size=None),
        "float8": of("Float8QuantizationConfig"),
    }  # fmt: skip


@pytest.mark.parametrize("mode", _configs())
def test_quantised_layers_hold_what_is_stored_and_compute_what_keras_computes(mode: str, tmp_path: Path) -> None:
    model = quantized(_configs()[mode])
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"m{suffix}")
        stored = read(tmp_path / f"m{suffix}")
        assert_equal(stored, model)
        kernel = next(
            v.value for layer in stored.layers if layer.name == "hidden" for v in layer.variables if v.name == "kernel"
        )
        assert kernel.dtype == (np.float32 if mode == "float8" else np.int8)
        assert_same_outputs(stored, model, networks.inputs())


def test_a_quantised_layer_of_another_size_than_its_arrays_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    quantized(_configs()["int8"]).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for old, new, word in (
        (b'"units": 7', b'"units": 2000000000', "2000000000"),
        (b'"QuantizedDTypePolicy", "config": {"mode": "int8"', b'"X", "config": {"mode": "gptq/4/128"', "gptq"),
        (b'"class_name": "AbsMaxQuantizer"', b'"class_name": "MyQuantizer"', "not built in"),
    ):
        changed = {**members, "config.json": members["config.json"].replace(old, new, 1)}
        assert changed != members
        files.write_zip(tmp_path / "n.keras", changed)
        stored = read(tmp_path / "n.keras")
        assert len(stored.layers) == 5
        with pytest.raises(NetworkError) as caught:
            open_network(stored, (20, 20, 2))
        assert word in str(caught.value)
