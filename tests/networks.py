"""Small Keras networks, what Keras itself makes of them, and their files as Keras 2 wrote them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from reportgen.checkpoints import find_run, read_checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig
from reportgen.extraction.measurement import Measurement
from reportgen.network import open_network

Arrays = dict[str, np.ndarray]


def fill(model: Any, seed: int = 0) -> Any:
    """Give a model weights and moving statistics that leave no term of its arithmetic at zero or one."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(0, 0.3, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # an adapted Normalization works with copies of its arrays
    return model


def sequential() -> Any:
    from keras import Input, Sequential, layers

    return Sequential([
        Input((20, 20, 2)),
        layers.Conv2D(4, 3, activation="relu", name="conv_a"), layers.MaxPooling2D(2, name="pool"),
        layers.Dropout(0.5, name="drop"), layers.Conv2D(3, 3, padding="same", name="conv2d"),
        layers.BatchNormalization(name="norm"), layers.ReLU(name="act"), layers.Flatten(name="flat"),
        layers.Dense(5, activation="tanh", name="hidden"), layers.Dropout(0.3, name="drop_2"),
        layers.Dense(1, activation="sigmoid", name="score"),
    ])  # fmt: skip


def sequential_without_input() -> Any:
    from keras import Sequential, layers

    model = Sequential([
        layers.Conv2D(3, 5, strides=2, activation="elu", name="first"), layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(3, activation="softmax", name="classes"),
    ])  # fmt: skip
    model.build((None, 20, 20, 2))
    return model


def branches() -> Any:
    from keras import Input, Model, layers, ops

    image = Input((20, 20, 2), name="image")
    x = layers.Rescaling(2.0, offset=-0.1, name="rescale")(image)
    a = layers.Conv2D(4, 3, padding="same", dilation_rate=2, activation="relu", name="wide")(x)
    b = layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2, name="separable")(x)
    both = layers.Add(name="sum")([a, b])
    c = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="silu", name="depthwise")(both)
    joined = layers.Concatenate(name="joined")([both, c])
    up = layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="up")(joined)
    up = layers.LayerNormalization(name="layer_norm")(layers.LeakyReLU(0.2, name="leaky")(up))
    up = ops.tanh(up * 0.5 + 1.0)[:, 2:-2]
    up = layers.SpatialDropout2D(0.2, name="drop")(layers.AveragePooling2D(3, name="average")(up))
    out = layers.Dense(2, name="logits")(layers.GlobalMaxPooling2D(name="peak")(up))
    return Model(image, layers.Softmax(name="softmax")(out), name="branches")


def nested() -> Any:
    from keras import Input, Model, Sequential, layers

    inner = Input((20, 20, 2))
    x = layers.Conv2D(4, 3, name="conv1")(inner)
    x = layers.BatchNormalization(name="norm")(x)
    stem = Sequential([layers.ReLU(name="relu"), layers.Conv2D(3, 3, name="conv1")], name="stem")
    backbone = Model(inner, stem(x), name="backbone")
    backbone.trainable = False
    return Sequential(
        [Input((20, 20, 2)), backbone, layers.GlobalAveragePooling2D(name="mean"), layers.Dense(1, name="out")]
    )


def shared() -> Any:
    from keras import Input, Model, Sequential, layers

    image = Input((20, 20, 2), name="image")
    tower = Sequential([Input((20, 20, 2)), layers.Conv2D(3, 3, activation="relu", name="conv")], name="tower")
    conv = layers.Conv2D(2, 3, name="shared")
    a = conv(tower(image))
    b = conv(tower(layers.Cropping2D(0, name="same")(layers.Rescaling(-1.0, name="negative")(image))))
    x = layers.Subtract(name="difference")([a, b])
    return Model(image, layers.Dense(1, activation="sigmoid", name="score")(layers.Flatten(name="flat")(x)))


def many() -> Any:
    """One use of each of many layers, side by side."""
    from keras import Input, Model, layers

    image = Input((20, 20, 2), name="image")
    x = layers.Conv2D(4, 3, name="stem")(image)
    normalise = layers.Normalization(name="normalise")
    normalise.adapt(inputs(50, 9))
    sides = [
        normalise(image),
        layers.Conv2D(4, (3, 5), strides=(2, 1), groups=2, use_bias=False, activation="gelu", name="groups")(x),
        layers.Conv2DTranspose(3, 4, strides=2, output_padding=1, name="transposed")(x),
        layers.SeparableConv2D(5, 3, strides=2, activation="hard_sigmoid", name="separable")(x),
        layers.ZeroPadding2D(((1, 2), (3, 4)), name="pad")(layers.UpSampling2D(2, interpolation="bilinear")(x)),
        layers.Cropping2D(((1, 0), (2, 3)), name="crop")(layers.AveragePooling2D(3, 2, padding="same", name="avg")(x)),
        layers.GroupNormalization(2, name="group_norm")(x), layers.UnitNormalization(name="unit_norm")(x),
        layers.RMSNormalization(name="rms_norm")(x), layers.LayerNormalization(axis=[1, 2], name="layer_norm")(x),
        layers.BatchNormalization(scale=False, epsilon=0.01, name="batch_norm")(x),
        layers.PReLU(shared_axes=[1, 2], name="prelu")(x), layers.ELU(0.5, name="elu")(x),
        layers.ReLU(1.5, 0.1, 0.2, name="relu")(x), layers.Softmax(name="soft")(x),
        layers.Activation("mish", name="mish")(x), layers.Resizing(7, 9, name="resize")(x),
        layers.CenterCrop(6, 6, name="centre")(x), layers.GaussianNoise(0.5, name="noise")(x),
        layers.RandomFlip(name="flip")(x), layers.Multiply(name="times")([x, x]), layers.Maximum(name="max")([x, x]),
        layers.Average(name="mean")([x, x]), layers.Permute((2, 1, 3), name="permute")(x),
    ]  # fmt: skip
    means = [layers.GlobalAveragePooling2D(name=f"pooled_{i}")(side) for i, side in enumerate(sides)]
    steps = layers.Reshape((18, 72), name="steps")(x)
    attended = layers.MultiHeadAttention(2, 3, name="attention")(steps, steps)
    means.append(layers.LSTM(3, name="lstm")(attended))
    means.append(layers.Bidirectional(layers.GRU(2), name="both_ways")(steps))
    means.append(layers.GlobalMaxPooling1D(name="top")(layers.TimeDistributed(layers.Dense(2), name="each")(steps)))
    means.append(layers.GlobalMaxPooling1D(name="top_2")(layers.Conv1D(3, 5, padding="causal", name="causal")(steps)))
    joined = layers.Concatenate(name="joined")(means)
    return Model(image, layers.Dense(3, activation="softmax", name="classes")(joined), name="many")


NETWORKS: dict[str, Callable[[], Any]] = {
    "sequential": sequential,
    "sequential_without_input": sequential_without_input,
    "branches": branches,
    "nested": nested,
    "shared": shared,
    "many": many,
}


def inputs(count: int = 5, seed: int = 1) -> np.ndarray:
    """Return images for the networks above."""
    return np.random.default_rng(seed).normal(size=(count, 20, 20, 2)).astype(np.float32)


def expected(model: Any, images: np.ndarray) -> Arrays:
    """Return the result of every use of every layer, as Keras computes it: one multi-output model a level."""
    import keras

    found: Arrays = {}

    def look(level: Any, prefix: str, values: np.ndarray) -> None:
        uses = [
            (layer, i, node)
            for layer in level.layers
            if not isinstance(layer, keras.layers.InputLayer)
            # Inside a nested or reloaded model the first use is the model's own, later ones are of the outer graph.
            for i, node in enumerate(layer._inbound_nodes[: None if not prefix and layer in top else 1])
        ]
        tensors = [node.output_tensors[0] for _, _, node in uses]
        sources = [tensor for _, _, node in uses for tensor in node.input_tensors]
        results = keras.Model(level.inputs, [*tensors, *sources]).predict(values, verbose=0)
        taken = iter(results[len(uses) :])
        for (layer, i, node), result in zip(uses, results, strict=False):
            source = [next(taken) for _ in node.input_tensors]
            if hasattr(layer, "layers"):
                if i == 0:
                    look(layer, f"{prefix}{layer.name}/", source if len(source) > 1 else source[0])
            else:
                found[f"{prefix}{layer.name}" + (f" (call {i + 1})" if i else "")] = result

    top = model.layers if type(model).__name__ == "Functional" else []
    look(model, "", images)
    return found


def save_as_keras_2(model: Any, path: Path) -> None:
    """Write a whole-model HDF5 file in the words of Keras 2.3: no InputLayer in a Sequential, lists for connections."""
    modern = path.with_suffix(".modern.h5")
    model.save(modern)
    with h5py.File(modern) as source, h5py.File(path, "w") as target:
        config = json.loads(source.attrs["model_config"])
        target.attrs["model_config"] = json.dumps(_older_model(config)).encode()
        target.attrs["keras_version"] = b"2.3.1"
        target.attrs["backend"] = b"tensorflow"
        weights = target.create_group("model_weights")
        layers = [layer for layer in source["model_weights"] if layer != "top_level_model_weights"]
        listed = [name for name in source["model_weights"].attrs["layer_names"] if name in layers]
        weights.attrs["layer_names"] = np.array([name.encode() for name in listed])
        for layer in listed:
            group = weights.create_group(layer)
            names = []
            for name in source["model_weights"][layer].attrs["weight_names"]:
                words = name.split("/")[-2:]  # Keras 2 wrote the innermost layer only
                older = f"{'/'.join(words)}:0"
                if "depthwise" in words[0] and words[1] == "kernel":
                    older = f"{words[0]}/depthwise_kernel:0"
                if older in names:
                    older = f"{'/'.join(name.split('/')[-3:])}:0"
                names.append(older)
                group[older] = source["model_weights"][layer][name][()]
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
    modern.unlink()


def _older_model(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model's description as Keras 2 wrote it."""
    config = dict(model["config"])
    layers = [_older_layer(layer) for layer in config["layers"]]
    if model["class_name"] == "Sequential":
        head, *layers = layers
        layers[0]["config"]["batch_input_shape"] = head["config"]["batch_input_shape"]
        return {"class_name": "Sequential", "config": {"name": config["name"], "layers": layers}}
    ends = {}
    for key in ("input_layers", "output_layers"):
        ends[key] = [config[key]] if isinstance(config[key][0], str) else config[key]
    return {"class_name": "Model", "config": {"name": config["name"], "layers": layers, **ends}}


def _older_layer(layer: dict[str, Any]) -> dict[str, Any]:
    """Return one entry of a description as Keras 2 wrote it."""
    if layer["class_name"] in {"Sequential", "Functional"}:
        older = _older_model(layer)
    else:
        config = {key: value for key, value in layer["config"].items() if key != "dtype"} | {"dtype": "float32"}
        if "batch_shape" in config:
            config["batch_input_shape"] = config.pop("batch_shape")
        if layer["class_name"] == "BatchNormalization":
            config["axis"] = [3]
        older = {"class_name": layer["class_name"], "config": config}
    nested = layer["class_name"] in {"Sequential", "Functional"}
    if "inbound_nodes" in layer:
        older["name"] = layer["config"]["name"]
        older["inbound_nodes"] = [_older_node(node) for node in layer["inbound_nodes"]]
    return older if not nested else {**older, "config": {**older["config"], "name": layer["config"]["name"]}}


def _older_node(node: dict[str, Any]) -> list[Any]:
    """Return one use of a layer as a list of [layer, node, output, {}]."""
    first = node["args"][0]
    tensors = first if isinstance(first, list) else [first]
    return [[*tensor["config"]["keras_history"], {}] for tensor in tensors]


def stored(path: Path) -> StoredModel:
    """Read a single file as the pipeline does."""
    return read_checkpoint(find_run(RunConfig(path=path), path.parent).checkpoints[0])


def measure(model: StoredModel, images: np.ndarray) -> Measurement:
    """Open and measure in one go."""
    return open_network(model, images.shape[1:]).measure(model, images)
