"""Files of Keras 1, written here in its words, names and order of axes: outputs equal those of the network behind them.

The words are those of Keras 1.2.2 (`get_config`, `save_model`); the order of axes is held against Keras 2.15 itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import networks
from reportgen.checkpoints import read_checkpoint, read_graph
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.network.engine import start_tensorflow

OPTIONS = {
    "filters": "nb_filter", "strides": "subsample", "padding": "border_mode", "use_bias": "bias",
    "units": "output_dim", "rate": "p", "data_format": "dim_ordering", "kernel_initializer": "init",
    "recurrent_activation": "inner_activation",
    "dilation_rate": "atrous_rate",
}  # fmt: skip
CLASSES = {"Conv2D": "Convolution2D", "Conv1D": "Convolution1D", "Conv2DTranspose": "Deconvolution2D"}
WORDS = {
    "kernel": "W", "recurrent_kernel": "U", "bias": "b", "moving_mean": "running_mean",
    "moving_variance": "running_std",
}  # fmt: skip
NOT_WRITTEN = {
    "dtype", "groups", "recurrent_initializer", "seed", "reset_after", "noise_shape", "bias_initializer",
    "quantization_config", "kernel_constraint", "bias_constraint", "kernel_regularizer", "bias_regularizer",
}  # fmt: skip


def older(layer: Any) -> dict[str, Any]:
    """Return a layer as Keras 1 described it."""
    name, config = type(layer).__name__, {k: v for k, v in layer.get_config().items() if k not in NOT_WRITTEN}
    if name == "Merge":
        return {"class_name": name, "config": config}
    if name != "Conv2D" or config["dilation_rate"] in {1, (1, 1)}:
        config.pop("dilation_rate", None)
    older_name = "AtrousConvolution2D" if "dilation_rate" in config else CLASSES.get(name, name)
    size = config.pop("kernel_size", None)
    if name == "Conv1D":
        config |= {"filter_length": size[0], "subsample_length": config.pop("strides")[0]}
    elif size is not None:
        config |= {"nb_row": size[0], "nb_col": size[1]}
    if name == "Conv2DTranspose":
        config.pop("output_padding")
        config["output_shape"] = [None, *layer.output.shape[1:]]
    if name == "BatchNormalization":
        config |= {"mode": 0, "beta_init": "zero", "gamma_init": "one"}
    if name.startswith("MaxPooling1D"):
        config |= {"pool_length": config.pop("pool_size")[0], "stride": config.pop("strides")[0]}
        config.pop("data_format")
    words = {k: v for k, v in OPTIONS.items() if not ("Pooling" in name and k == "strides")}
    config = {words.get(key, key): value for key, value in config.items()}
    if "dim_ordering" in config:
        config["dim_ordering"] = {"channels_first": "th", "channels_last": "tf"}[config["dim_ordering"]]
    return {"class_name": older_name, "config": config}


def older_arrays(layer: Any, theano: bool = False) -> dict[str, np.ndarray]:
    """Return a layer's arrays under the names and in the axes of Keras 1."""
    found: dict[str, np.ndarray] = {}
    name, first = type(layer).__name__, getattr(layer, "data_format", "") == "channels_first"
    for weight in layer.weights:
        value, word = np.asarray(weight), WORDS.get(weight.name, weight.name)
        if name.startswith("Conv") and word == "W":
            if theano:
                value = value[::-1, ::-1] if value.ndim == 4 else value[::-1]
            if name == "Conv1D":
                value = value[:, None]
            elif name == "Conv2DTranspose":
                value = value.transpose((2, 3, 0, 1) if first else (0, 1, 3, 2))
            elif first:
                value = value.transpose(3, 2, 0, 1)
        gates = {"LSTM": "ifco", "GRU": "zrh"}.get(name)
        if gates:
            for gate, part in zip(gates, np.split(value, len(gates), axis=-1), strict=True):
                found[f"{layer.name}_{word}_{gate}"] = part
        else:
            found[f"{layer.name}_{word}"] = value
    order = {"LSTM": "icfo", "GRU": "zrh"}.get(name, "")
    return {k: found[k] for g in order for k in sorted(found) if k.endswith(f"_{g}")} or found


def write(
    model: Any, path: Path, *, version: bytes | None = b"1.2.2", theano: bool = False, config: Any = None
) -> Path:
    """Write a whole model as Keras 1 did: a Sequential is a bare list, names have no scopes."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    if config is None:
        entries = [older(layer) for layer in layers]
        entries[0]["config"]["batch_input_shape"] = [None, *model.input_shape[1:]]
        config = {"class_name": "Sequential", "config": entries}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        if version is not None:
            file.attrs["keras_version"] = version
        if theano:
            file.attrs["backend"] = b"theano"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            arrays = older_arrays(layer, theano)
            place = group.create_group(layer.name)
            place.attrs["weight_names"] = [name.encode() for name in arrays]
            for name, value in arrays.items():
                place[name] = value
    return path


def read(path: Path, key: str = "hdf5") -> StoredModel:
    return read_checkpoint(Checkpoint(path.name, path.name, path, key, None, 1, ""))


def plain() -> Any:
    from keras import Input, Sequential, layers

    return Sequential([
        Input((20, 20, 2)),
        layers.Conv2D(4, (3, 5), strides=(2, 1), activation="relu", name="convolution2d_1"),
        layers.BatchNormalization(name="batchnormalization_1"), layers.Dropout(0.5, name="dropout_1"),
        layers.Conv2D(3, 3, dilation_rate=2, padding="same", use_bias=False, name="atrous"),
        layers.MaxPooling2D((2, 2), name="maxpooling2d_1"), layers.Conv2DTranspose(3, 3, strides=2, name="up_W"),
        layers.Flatten(name="flatten_1"), layers.Dense(5, activation="tanh", name="dense_1"),
        layers.Dense(1, activation="sigmoid", name="dense_2"),
    ])  # fmt: skip


def recurrent() -> Any:
    from keras import Input, Sequential, layers

    return Sequential([
        Input((20, 20, 2)), layers.Reshape((20, 40), name="reshape_1"),
        layers.Conv1D(6, 5, name="convolution1d_1"), layers.MaxPooling1D(2, name="maxpooling1d_1"),
        layers.LSTM(4, return_sequences=True, recurrent_activation="sigmoid", name="lstm_1"),
        layers.GRU(3, reset_after=False, recurrent_activation="sigmoid", name="gru_1"), layers.Dense(2, name="dense_1"),
    ])  # fmt: skip


def turned() -> Any:
    from keras import Input, Sequential, layers

    return Sequential([
        Input((2, 20, 20)),
        layers.Conv2D(4, (3, 5), activation="relu", data_format="channels_first", name="convolution2d_1"),
        layers.Conv2DTranspose(3, 3, strides=2, data_format="channels_first", name="deconvolution2d_1"),
        layers.GlobalAveragePooling2D(data_format="channels_first", name="globalaveragepooling2d_1"),
        layers.Dense(2, name="dense_1"),
    ])  # fmt: skip


MODELS: dict[str, Callable[[], Any]] = {"plain": plain, "recurrent": recurrent, "turned": turned}


@pytest.mark.parametrize("version", [b"1.2.2", b"1.0.4", None])
@pytest.mark.parametrize("theano", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_models_of_keras_1_compute_what_they_computed(
    name: str, theano: bool, version: bytes | None, tmp_path: Path
) -> None:
    start_tensorflow()
    import tensorflow as tf

    model = networks.fill(MODELS[name]())
    stored = read(write(model, tmp_path / "m.h5", version=version, theano=theano))
    assert stored.keras_version.startswith("1") and read_graph(stored).era == 1
    found = {layer.name: {v.name: v.value for v in layer.variables} for layer in stored.layers}
    for layer in model.layers:
        for weight in layer.weights:
            np.testing.assert_array_equal(found[layer.name][weight.name], np.asarray(weight))
    images = networks.inputs()
    own = np.moveaxis(images, -1, 1) if name == "turned" else images
    expected = tf.function(model, jit_compile=name == "turned")(tf.constant(own)).numpy()
    result = networks.measure(stored, images).predictions
    np.testing.assert_allclose(result, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


def test_a_sequential_that_begins_with_a_merge_becomes_a_model_of_two_inputs(tmp_path: Path) -> None:
    left = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Dense",
                "config": {"name": "dense_1", "output_dim": 3, "batch_input_shape": [None, 4], "bias": True},
            }
        ],
    }
    right = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Dense",
                "config": {"name": "dense_2", "output_dim": 2, "batch_input_shape": [None, 5], "bias": True},
            }
        ],
    }
    merge = {
        "class_name": "Merge",
        "config": {"name": "merge_1", "mode": "concat", "mode_type": "raw", "concat_axis": 1, "layers": [left, right]},
    }
    last = {"class_name": "Dense", "config": {"name": "dense_3", "output_dim": 1, "init": "uniform", "bias": True}}
    config = {"class_name": "Sequential", "config": [merge, last]}
    rng = np.random.default_rng(0)
    shapes = {"dense_1": (4, 3), "dense_2": (5, 2), "dense_3": (5, 1)}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "1.1.0"
        file.attrs["layer_names"] = ["dense_1", "dense_2", "merge_1", "dense_3"]
        file.create_group("merge_1").attrs["weight_names"] = np.array([], "S1")
        for name, shape in shapes.items():
            file[f"{name}/{name}_W:0"], file[f"{name}/{name}_b:0"] = rng.normal(size=shape), np.zeros(shape[1])
            file[name].attrs["weight_names"] = [f"{name}_W:0", f"{name}_b:0"]
    stored = read(tmp_path / "m.h5")
    graph = read_graph(stored)
    assert [call.config["shape"] for call in graph.inputs] == [[4], [5]]
    by_name = {call.name: call for call in graph.calls}
    assert by_name["merge_1"].class_name == "Concatenate" and by_name["merge_1"].config["axis"] == 1
    assert [graph.calls[ref.call].name for ref in by_name["merge_1"].inputs] == ["dense_1", "dense_2"]
    assert [graph.calls[ref.call].name for ref in graph.outputs] == ["dense_3"]
    assert {layer.name: layer.variables[0].value.shape for layer in stored.layers} == shapes


def test_a_merge_with_code_of_the_users_and_other_modes_are_refused_by_name(tmp_path: Path) -> None:
    start_tensorflow()
    from keras import Input, Sequential, layers

    model = networks.fill(
        Sequential([Input((20, 20, 2)), layers.BatchNormalization(name="bn"), layers.Flatten(name="f")])
    )
    entries = [older(layer) for layer in model.layers]
    entries[0]["config"] |= {"batch_input_shape": [None, 20, 20, 2], "mode": 2}
    path = write(model, tmp_path / "m.h5", config={"class_name": "Sequential", "config": entries})
    assert "another mode" in read_graph(read(path)).calls[1].class_name


def test_weights_alone_of_keras_1_have_the_names_of_today(tmp_path: Path) -> None:
    start_tensorflow()
    write(networks.fill(plain()), tmp_path / "whole.h5", version=None)
    with h5py.File(tmp_path / "whole.h5") as source, h5py.File(tmp_path / "m.h5", "w") as target:
        target.attrs["layer_names"] = source["model_weights"].attrs["layer_names"]
        for name in source["model_weights"]:
            source.copy(f"model_weights/{name}", target)
    stored = read(tmp_path / "m.h5", "hdf5-weights")
    names = {layer.name: [v.name for v in layer.variables] for layer in stored.layers}
    assert names["convolution2d_1"] == ["kernel", "bias"] and names["up_W"] == ["kernel", "bias"]
    assert names["batchnormalization_1"] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert stored.keras_version == "1"
