"""The words of Keras 1 in those of Keras 2: options of layers, merging layers, models of several branches."""

from __future__ import annotations

from typing import Any

from reportgen.checkpoints.json_text import Json
from reportgen.checkpoints.outline import NESTING_LIMIT, is_model, layer_name
from reportgen.errors import CheckpointError

Options = dict[str, Any]

_CLASSES = {
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D", "AtrousConv2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D", "SeparableConv2D": "SeparableConv2D",
}  # fmt: skip
_ANYWHERE = {
    "bias": "use_bias", "border_mode": "padding", "dim_ordering": "data_format", "input_dtype": "dtype",
    "init": "kernel_initializer", "inner_init": "recurrent_initializer", "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer", "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint", "U_constraint": "recurrent_constraint", "b_constraint": "bias_constraint",
    "dropout_W": "dropout", "dropout_U": "recurrent_dropout", "atrous_rate": "dilation_rate",
}  # fmt: skip
"""Options with one meaning in every layer."""
_OF_CLASS = {
    "Dense": {"output_dim": "units"},
    "LSTM": {"output_dim": "units"}, "GRU": {"output_dim": "units"}, "SimpleRNN": {"output_dim": "units"},
    "Conv1D": {"nb_filter": "filters", "filter_length": "kernel_size", "subsample_length": "strides"},
    "Conv2D": {"nb_filter": "filters", "subsample": "strides"},
    "Conv3D": {"nb_filter": "filters", "subsample": "strides"},
    "Conv2DTranspose": {"nb_filter": "filters", "subsample": "strides"},
    "SeparableConv2D": {"nb_filter": "filters", "subsample": "strides"},
    "MaxPooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "AveragePooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "UpSampling1D": {"length": "size"},
    "Dropout": {"p": "rate"}, "SpatialDropout1D": {"p": "rate"}, "SpatialDropout2D": {"p": "rate"},
    "SpatialDropout3D": {"p": "rate"}, "GaussianDropout": {"p": "rate"}, "GaussianNoise": {"sigma": "stddev"},
}  # fmt: skip
_KERNELS = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
_GONE = frozenset({
    "weights", "consume_less", "forget_bias_init", "beta_init", "gamma_init", "input_length", "output_shape_type",
})  # fmt: skip
"""Options that say how training began, or how fast a layer is."""
_MERGES = {"sum": "Add", "mul": "Multiply", "concat": "Concatenate", "ave": "Average", "max": "Maximum",
           "dot": "Dot", "cos": "Dot"}  # fmt: skip
_OLD = frozenset({
    "nb_filter", "border_mode", "dim_ordering", "inner_activation", "W_regularizer", "pool_length", "nb_row", "sigma",
})  # fmt: skip


def is_old(model: Json, depth: int = 0) -> bool:
    """Return whether a description holds words that only Keras 1 used."""
    if depth > 4 * NESTING_LIMIT:
        return False
    if isinstance(model, dict):
        return bool(_OLD & set(model)) or any(is_old(value, depth + 1) for value in model.values())
    return isinstance(model, list) and any(is_old(item, depth + 1) for item in model)


def modern(model: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a model's description in the words of Keras 2; what has none keeps its own, and is refused later."""
    if depth > NESTING_LIMIT:
        raise CheckpointError(f"models are nested {depth} deep", expected=f"at most {NESTING_LIMIT}")
    config = model["config"]
    layers = config if isinstance(config, list) else config.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        return model
    branches = _options(layers[0]).get("layers") if layers and layers[0].get("class_name") == "Merge" else None
    if isinstance(branches, list) and (joined := _branches(model, layers, branches)):
        return modern(joined, depth)
    renewed = [modern(layer, depth + 1) if is_model(layer) else _layer(layer) for layer in layers]
    return {**model, "config": renewed if isinstance(config, list) else {**config, "layers": renewed}}


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    """Return the description of one layer."""
    config = layer.get("config")
    if not isinstance(config, dict):
        return layer
    name = str(layer.get("class_name"))
    if name == "Merge":
        return _merge(layer, config)
    name = _CLASSES.get(name, name)
    options: Options = {}
    words = _ANYWHERE | _OF_CLASS.get(name, {})
    for key, value in config.items():
        if key in _GONE or (key == "output_shape" and name == "Conv2DTranspose"):
            continue  # Keras 2 computes the shape of a transposed convolution itself, and drops it too
        options[words.get(str(key), str(key))] = _value(key, value)
    for sizes in _KERNELS:
        if all(key in options for key in sizes):
            options["kernel_size"] = [options.pop(key) for key in sizes]
    for key in ("layer", "cell"):
        if isinstance(options.get(key), dict):
            options[key] = _layer(options[key])
    if name == "BatchNormalization" and options.pop("mode", 0) != 0:
        name = "BatchNormalization of Keras 1 in another mode than 0"
    if name == "ZeroPadding2D":
        options["padding"] = _padding(options.get("padding"))
    return {**layer, "class_name": name, "config": options}


def _value(key: str, value: Json) -> Json:
    """Return an option's value; axes were called after the libraries that order them so."""
    if key == "dim_ordering":
        return {"th": "channels_first", "tf": "channels_last"}.get(value, value)
    return value


def _padding(value: Json) -> Json:
    """Return the padding of two axes: two numbers are those of rows and columns, four those of the sides."""
    if isinstance(value, dict):
        value = [value.get(side, 0) for side in ("top_pad", "bottom_pad", "left_pad", "right_pad")]
    return [value[:2], value[2:]] if isinstance(value, list) and len(value) == 4 else value


def _merge(layer: dict[str, Any], config: Options) -> dict[str, Any]:
    """Return the layer that merges as a Merge of this mode does; one with code of the user's stays what it is."""
    mode = config.get("mode")
    found = _MERGES.get(mode) if isinstance(mode, str) and config.get("mode_type", "raw") == "raw" else None
    if found is None:
        return layer
    options: Options = {"name": config.get("name"), "trainable": config.get("trainable", True)}
    if found == "Concatenate":
        options["axis"] = config.get("concat_axis", -1)
    if found == "Dot":
        axes = config.get("dot_axes", -1)
        options |= {"axes": axes, "normalize": mode == "cos"}
    return {**layer, "class_name": found, "config": options}


def _options(layer: Json) -> Options:
    """Return the options of a layer, none where it has no such thing."""
    config = layer.get("config") if isinstance(layer, dict) else None
    return config if isinstance(config, dict) else {}


def _branches(model: dict[str, Any], layers: list[dict[str, Any]], branches: list[Json]) -> dict[str, Any] | None:
    """Return a Sequential that begins with a Merge of others as a functional model; weights lie layer by layer.

    None where a branch is no plain Sequential.
    """
    listed: list[dict[str, Any]] = []
    inputs, joined = [], []
    for number, branch in enumerate(branches):
        steps = branch.get("config") if isinstance(branch, dict) and branch.get("class_name") == "Sequential" else None
        if not isinstance(steps, list) or not steps:
            return None
        shape = _options(steps[0]).get("batch_input_shape")
        if shape is None or not all(_options(step) and not is_model(step) for step in steps):
            return None
        last = f"input_{number + 1}"
        inputs.append([last, 0, 0])
        entry = {"name": last, "batch_input_shape": shape, "dtype": "float32"}
        listed.append({"class_name": "InputLayer", "name": last, "config": entry, "inbound_nodes": []})
        for step in steps:
            listed.append(_linked(step, [last]))
            last = layer_name(step)
        joined.append(last)
    own = {key: value for key, value in layers[0]["config"].items() if key != "layers"}
    listed.append(_linked({"class_name": "Merge", "config": own}, joined))
    for step in layers[1:]:
        listed.append(_linked(step, [layer_name(listed[-1])]))
    ends = {"input_layers": inputs, "output_layers": [[layer_name(listed[-1]), 0, 0]]}
    return {"class_name": "Model", "config": {"name": layer_name(model), "layers": listed, **ends}}


def _linked(layer: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    """Return a layer's entry with its one use."""
    return {**layer, "name": layer_name(layer), "inbound_nodes": [[[source, 0, 0] for source in sources]]}
