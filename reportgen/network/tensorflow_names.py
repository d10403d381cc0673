"""TensorFlow's own functions, as networks of Keras 2 call them between their layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from keras import ops

from reportgen.network.engine import Option, Tensor


def get_item(x: Tensor, key: Option) -> Tensor:
    """Return part of a tensor."""
    return x[tuple(key)] if isinstance(key, list) else x[key]


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reduction that takes TensorFlow's names of the arguments."""
    return lambda input_tensor, axis=None, keepdims=False: function(input_tensor, axis=axis, keepdims=keepdims)


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of two tensors that takes TensorFlow's names of them."""
    return lambda x, y: function(x, y)


def _matmul(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Return a product of matrices."""
    return ops.matmul(ops.swapaxes(a, -1, -2) if transpose_a else a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def _pad(tensor: Tensor, paddings: Option, mode: str = "CONSTANT", constant_values: float = 0) -> Tensor:
    """Return a tensor with a margin."""
    constant = {"constant_values": constant_values} if mode.upper() == "CONSTANT" else {}
    return ops.pad(tensor, paddings, mode=mode.lower(), **constant)


def _split(value: Tensor, num_or_size_splits: Option, axis: int = 0) -> list[Tensor]:
    """Return the parts of a tensor; TensorFlow gives their sizes where Keras gives the places of the cuts."""
    if isinstance(num_or_size_splits, list):
        ends = list(accumulate(num_or_size_splits))
        return list(ops.split(value, ends[:-1], axis=axis))
    return list(ops.split(value, num_or_size_splits, axis=axis))


def _l2_normalised(x: Tensor, axis: Option = None, epsilon: float = 1e-12) -> Tensor:
    """Return x / √max(Σ x², ε)."""
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


TENSORFLOW: dict[str, Callable[..., Any]] = {
    "__operators__.add": _binary(ops.add), "math.add": _binary(ops.add), "math.subtract": _binary(ops.subtract),
    "math.multiply": _binary(ops.multiply), "math.truediv": _binary(ops.true_divide),
    "math.divide": _binary(ops.true_divide), "math.maximum": _binary(ops.maximum),
    "math.minimum": _binary(ops.minimum), "math.pow": _binary(ops.power), "math.negative": ops.negative,
    "math.square": ops.square,
    "math.sqrt": ops.sqrt, "math.abs": ops.abs, "math.exp": ops.exp, "math.log": ops.log, "math.asinh": ops.arcsinh,
    "math.tanh": ops.tanh, "math.sigmoid": ops.sigmoid, "identity": lambda input: input,
    "nn.relu": lambda features: ops.relu(features), "nn.relu6": lambda features: ops.relu6(features),
    "nn.silu": lambda features, beta=1.0: ops.multiply(features, ops.sigmoid(ops.multiply(beta, features))),
    "nn.softmax": lambda logits, axis=-1: ops.softmax(logits, axis=-1 if axis is None else axis),
    "nn.gelu": lambda features, approximate=False: ops.gelu(features, approximate=approximate),
    "concat": lambda values, axis: ops.concatenate(values, axis=axis),
    "stack": lambda values, axis=0: ops.stack(values, axis=axis),
    "cast": ops.cast,
    "clip_by_value": lambda t, clip_value_min, clip_value_max: ops.clip(t, clip_value_min, clip_value_max),
    "math.reduce_mean": _reduced(ops.mean), "math.reduce_max": _reduced(ops.max), "math.reduce_min": _reduced(ops.min),
    "math.reduce_sum": _reduced(ops.sum),
    "reshape": lambda tensor, shape: ops.reshape(tensor, shape),
    "compat.v1.transpose": lambda a, perm=None, conjugate=False: ops.transpose(a, axes=perm),
    "transpose": lambda a, perm=None, conjugate=False: ops.transpose(a, axes=perm),
    "squeeze": lambda input, axis=None: ops.squeeze(input, axis=axis),
    "compat.v1.squeeze": lambda input, axis=None: ops.squeeze(input, axis=axis),
    "expand_dims": lambda input, axis: ops.expand_dims(input, axis=axis),
    "reverse": lambda tensor, axis: ops.flip(tensor, axis=axis),
    "__operators__.getitem": lambda tensor, slice_spec: get_item(tensor, slice_spec),
    "math.greater": _binary(ops.greater), "math.greater_equal": _binary(ops.greater_equal),
    "math.less": _binary(ops.less), "math.less_equal": _binary(ops.less_equal), "math.equal": _binary(ops.equal),
    "math.not_equal": _binary(ops.not_equal), "math.logical_and": _binary(ops.logical_and),
    "math.logical_or": _binary(ops.logical_or), "math.floordiv": _binary(ops.floor_divide),
    "math.floormod": _binary(ops.mod), "math.squared_difference": _binary(lambda x, y: ops.square(x - y)),
    "where": lambda condition, x, y: ops.where(condition, x, y),
    "compat.v1.where": lambda condition, x, y: ops.where(condition, x, y),
    "math.sin": ops.sin, "math.cos": ops.cos, "math.tan": ops.tan, "math.sinh": ops.sinh, "math.cosh": ops.cosh,
    "math.log1p": ops.log1p, "math.expm1": ops.expm1, "math.rsqrt": ops.rsqrt, "math.sign": ops.sign,
    "math.floor": ops.floor, "math.ceil": ops.ceil, "round": ops.round, "math.reciprocal": ops.reciprocal,
    "math.softplus": lambda features: ops.softplus(features), "math.atan": ops.arctan,
    "math.reduce_variance": _reduced(ops.var), "math.reduce_std": _reduced(ops.std),
    "math.reduce_prod": _reduced(ops.prod), "math.reduce_logsumexp": _reduced(ops.logsumexp),
    "nn.elu": lambda features: ops.elu(features), "nn.selu": lambda features: ops.selu(features),
    "nn.leaky_relu": lambda features, alpha=0.2: ops.leaky_relu(features, negative_slope=alpha),
    "nn.log_softmax": lambda logits, axis=-1: ops.log_softmax(logits, axis=-1 if axis is None else axis),
    "math.l2_normalize": _l2_normalised,
    "linalg.matmul": _matmul, "pad": _pad, "compat.v1.pad": _pad, "split": _split,
    "tile": lambda input, multiples: ops.tile(input, multiples),
    "unstack": lambda value, num=None, axis=0: ops.unstack(value, num, axis),
}  # fmt: skip
"""Path in TensorFlow, as Keras 2 wrote it → the function, under TensorFlow's names of the arguments."""
