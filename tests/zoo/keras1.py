"""A description as Keras 1.2 wrote it."""

from __future__ import annotations

from typing import Any

from zoo.older import NotThere

Described = dict[str, Any]

_OPTIONS = {
    "filters": "nb_filter", "units": "output_dim", "use_bias": "bias", "rate": "p", "padding": "border_mode",
    "strides": "subsample", "kernel_initializer": "init",
}  # fmt: skip
_DROPPED = frozenset({
    "dtype", "groups", "keepdims", "dilation_rate", "bias_initializer", "kernel_regularizer", "bias_regularizer",
    "kernel_constraint", "bias_constraint", "noise_shape", "seed", "data_format", "kernel_size", "center", "scale",
    "beta_initializer", "gamma_initializer", "moving_mean_initializer", "moving_variance_initializer",
    "beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint", "max_value", "negative_slope",
    "threshold",
})  # fmt: skip
_CLASSES = {"Conv2D": "Convolution2D", "Conv1D": "Convolution1D"}
_MERGES = {"Add": "sum", "Multiply": "mul", "Average": "ave", "Concatenate": "concat", "Maximum": "max"}
_KNOWN = frozenset({
    "Conv2D", "MaxPooling2D", "AveragePooling2D", "Dropout", "BatchNormalization", "Flatten", "Dense", "Activation",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "InputLayer", "ReLU", "Softmax", *_MERGES,
})  # fmt: skip


def model_1(described: Described) -> Described:
    """Return a model's description as Keras 1.2 wrote it."""
    config = described["config"]
    layers = [_layer(layer) for layer in config["layers"]]
    if described["class_name"] == "Sequential":
        head, *layers = layers if layers[0]["class_name"] == "InputLayer" else [None, *layers]
        if head:
            layers[0]["config"]["batch_input_shape"] = head["config"]["batch_input_shape"]
        layers[0]["config"]["input_dtype"] = "float32"
        return {"class_name": "Sequential", "config": layers}
    ends = {key: config[key] for key in ("input_layers", "output_layers")}
    return {"class_name": "Model", "config": {"name": config["name"], "layers": layers, **ends}}


def weight_1(layer: str, name: str) -> str:
    """Return the name Keras 1.2 gave an array: `conv/kernel:0` is `conv_W:0`."""
    words = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    word = name.split("/")[-1].partition(":")[0]
    return f"{layer}_{words.get(word, word)}:0"


def _layer(layer: Described) -> Described:
    """Return one entry of a description."""
    name, config = layer["class_name"], layer["config"]
    if name not in _KNOWN:
        raise NotThere(f"{name}: not in Keras 1, or not written here")
    if config.get("dtype", "float32") != "float32":
        raise NotThere("policies of dtype came after Keras 2.3")
    if config.get("data_format") == "channels_first":
        raise NotThere("kernels over (channel, y, x) lay the other way round in Keras 1")
    older = {_OPTIONS.get(key, key): value for key, value in config.items() if key not in _DROPPED}
    if name == "InputLayer":
        older = {"name": config["name"], "batch_input_shape": config["batch_input_shape"], "input_dtype": "float32",
                 "sparse": False}  # fmt: skip
    elif name == "Conv2D":
        older |= {"nb_row": config["kernel_size"][0], "nb_col": config["kernel_size"][1], "dim_ordering": "tf"}
    elif "Pooling" in name:
        older = {key: config[key] for key in ("name", "trainable", "pool_size", "strides") if key in config}
        older |= {"dim_ordering": "tf"} | ({"border_mode": config["padding"]} if "padding" in config else {})
    elif name == "BatchNormalization":
        axis = config["axis"][0] if isinstance(config["axis"], list) else config["axis"]
        older |= {"axis": axis, "mode": 0, "gamma_regularizer": None, "beta_regularizer": None}
    elif name in {"ReLU", "Softmax"}:
        name, older = "Activation", {"name": config["name"], "trainable": True, "activation": name.lower()}
    elif name in _MERGES:
        older = {"name": config["name"], "mode": _MERGES[name], "mode_type": "raw", "concat_axis": -1, "dot_axes": -1,
                 "output_shape": None, "output_shape_type": "raw", "output_mask": None, "output_mask_type": "raw",
                 "arguments": {}}  # fmt: skip
        name = "Merge"
    entry = {"class_name": _CLASSES.get(name, name), "config": older}
    for key in ("name", "inbound_nodes"):
        if key in layer:
            nodes = layer[key]
            entry[key] = [[link[:3] for link in node] for node in nodes] if key == "inbound_nodes" else nodes
    return entry
