"""What a report says of each call: the words of its layer table."""

from __future__ import annotations

from typing import Any

from reportgen.checkpoints.graph import Call
from reportgen.checkpoints.variables import snake

IDENTITY_PREFIXES = ("Random", "Gaussian", "SpatialDropout")
_HANDING_ON = frozenset({
    "InputLayer", "Identity", "Dropout", "AlphaDropout", "ActivityRegularization", "Masking", "Flatten", "Reshape",
    "Cast", "Squeeze", "ExpandDims", "cast", "reshape", "squeeze", "expand_dims", "identity", "MixUp", "CutMix",
    "AugMix", "RandAugment", "Solarization",
})  # fmt: skip
_SHOWN = (
    "units", "filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "depth_multiplier",
    "pool_size", "size", "interpolation", "output_padding", "cropping", "target_shape", "dims", "n", "data_format",
    "use_bias", "axis", "axes", "epsilon", "center", "scale", "offset", "rate", "stddev", "max_value",
    "negative_slope", "alpha", "theta", "threshold", "height", "width", "num_heads", "key_dim", "return_sequences",
    "merge_mode", "input_dim", "output_dim", "keepdims", "equation",
)  # fmt: skip
"""Options that bear on a layer's arithmetic and are worth a word in a report."""


def hands_on(call: Call) -> bool:
    """Return whether a call leaves the numbers as they are in inference mode, but for their arrangement."""
    name = call.class_name
    if name == "RandomCrop":
        return False
    if name == "Activation":
        return bool(call.config.get("activation") == "linear")
    return name in _HANDING_ON or name.startswith(IDENTITY_PREFIXES)


def activation_of(call: Call) -> str:
    """Return the function a call applies to its result, by name; linear for none."""
    config, name = call.config, call.class_name
    if name in {"ReLU", "LeakyReLU"}:
        slope = config.get("negative_slope", config.get("alpha", 0.0 if name == "ReLU" else 0.3))
        return "leaky_relu" if slope else "relu6" if config.get("max_value") == 6 else "relu"
    if name in {"PReLU", "ELU", "Softmax"}:
        return name.lower()
    if call.kind == "function":
        word = snake(name.rsplit(".", 1)[-1])
        return word if word in {"relu", "relu6", "sigmoid", "tanh", "softmax", "silu", "gelu", "elu"} else "linear"
    value = config.get("activation", "linear")
    return snake(str(value["class_name"])) if isinstance(value, dict) else str(value)


def shown_options(call: Call) -> dict[str, Any]:
    """Return the options of a call worth showing, in a fixed order."""
    return {key: call.config[key] for key in _SHOWN if call.config.get(key) is not None}
