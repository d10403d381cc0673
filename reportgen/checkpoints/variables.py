"""What the arrays of a layer are called, where a file only numbers them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reportgen.checkpoints.cleaning import quantization

_KERNEL_BIAS = ("kernel", "bias")
_RECURRENT = ("kernel", "recurrent_kernel", "bias")
_SEPARABLE = ("depthwise_kernel", "pointwise_kernel", "bias")

VARIABLES: dict[str, tuple[str, ...]] = {
    "dense": _KERNEL_BIAS,
    "einsum_dense": _KERNEL_BIAS,
    "conv1d": _KERNEL_BIAS,
    "conv2d": _KERNEL_BIAS,
    "conv3d": _KERNEL_BIAS,
    "conv1d_transpose": _KERNEL_BIAS,
    "conv2d_transpose": _KERNEL_BIAS,
    "conv3d_transpose": _KERNEL_BIAS,
    "depthwise_conv1d": _KERNEL_BIAS,
    "depthwise_conv2d": _KERNEL_BIAS,
    "separable_conv1d": _SEPARABLE,
    "separable_conv2d": _SEPARABLE,
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "group_normalization": ("gamma", "beta"),
    "rms_normalization": ("scale",),
    "normalization": ("mean", "variance", "count"),
    "embedding": ("embeddings",),
    "layer_scale": ("gamma",),
    "p_re_lu": ("alpha",),
    "lstm_cell": _RECURRENT,
    "gru_cell": _RECURRENT,
    "simple_rnn_cell": _RECURRENT,
    "conv_lstm_cell": _RECURRENT,
    "cell": _RECURRENT,
    "spectral_normalization": ("kernel", "vector_u"),
}
"""Snake-case class to the names of its arrays, in the order Keras makes them."""

_FLOAT8 = tuple(f"{what}_{of}" for what in ("inputs", "kernel", "outputs_grad") for of in ("scale", "amax_history"))
_QUANTIZED: dict[str, tuple[str, ...]] = {
    "int8": ("kernel", "bias", "kernel_scale"),
    "int4": ("kernel", "bias", "kernel_scale", "kernel_zero", "g_idx"),
    "float8": ("kernel", "bias", *_FLOAT8),
    "gptq": ("bias", "quantized_kernel", "kernel_scale", "kernel_zero", "g_idx"),
    "awq": ("bias", "quantized_kernel", "kernel_scale", "kernel_zero", "awq_scales", "g_idx"),
}
"""Arrays of a quantised Dense or EinsumDense, in the order of its `variable_serialization_spec` (Keras 3.15)."""
_EMBEDDED = ("embeddings", "embeddings_scale", "embeddings_zero", "g_idx")

_SWITCHES = {"bias": "use_bias", "beta": "center", "gamma": "scale"}
"""The option that makes an array, where there is one."""


def snake(class_name: str) -> str:
    """Return a class name as Keras writes it into group names: Conv2DTranspose → conv2d_transpose."""
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def variable_names(kind: str, config: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return names for the `count` arrays of a layer whose class is `kind` in snake case; numbers where unknown."""
    if mode := quantization(config.get("dtype") if isinstance(config, Mapping) else None):
        return _quantized(kind, mode, count)
    known = VARIABLES.get(kind, _KERNEL_BIAS if count <= 2 else ())
    switched = tuple(name for name in known if config.get(_SWITCHES.get(name, ""), True) is not False)
    if len(switched) == count:
        return switched
    if len(known) >= count and kind != "batch_normalization":
        return known[:count]
    return tuple(str(number) for number in range(count))


def _quantized(kind: str, mode: str, count: int) -> tuple[str, ...]:
    """Return the names of a quantised layer's arrays: it may lack a bias, or the arrays of blocks."""
    known = _EMBEDDED if kind == "embedding" else _QUANTIZED.get(mode, ())
    blocks = tuple(name for name in known if name not in {"kernel_zero", "embeddings_zero", "g_idx"})
    for names in (known, blocks):
        for found in (names, tuple(name for name in names if name != "bias")):
            if len(found) == count:
                return found
    return tuple(str(number) for number in range(count))
