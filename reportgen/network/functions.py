"""The bare functions a network may use between its layers, under their names in Keras 3 and in TensorFlow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras import ops

from reportgen.errors import NetworkError, NotBuiltIn
from reportgen.network.engine import WAYS_OUT, Option, Tensor


def _get_item(x: Tensor, key: Option) -> Tensor:
    """Return part of a tensor."""
    return x[tuple(key)] if isinstance(key, list) else x[key]


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reduction that takes TensorFlow's names of the arguments."""
    return lambda input_tensor, axis=None, keepdims=False: function(input_tensor, axis=axis, keepdims=keepdims)


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of two tensors that takes TensorFlow's names of them."""
    return lambda x, y: function(x, y)


_BINARY = {
    "Add": ops.add, "Subtract": ops.subtract, "Multiply": ops.multiply, "Divide": ops.divide,
    "TrueDivide": ops.true_divide, "Maximum": ops.maximum, "Minimum": ops.minimum, "Power": ops.power,
}  # fmt: skip
_UNARY = {
    "Negative": ops.negative, "Square": ops.square, "Sqrt": ops.sqrt, "Rsqrt": ops.rsqrt, "Absolute": ops.abs,
    "Abs": ops.abs, "Exp": ops.exp, "Log": ops.log, "Log1p": ops.log1p, "Tanh": ops.tanh, "Arcsinh": ops.arcsinh,
    "Relu": ops.relu, "Relu6": ops.relu6, "Sigmoid": ops.sigmoid, "Silu": ops.silu, "Softplus": ops.softplus,
    "Identity": lambda x: x,
}  # fmt: skip
_SHAPING = {
    "Softmax": ops.softmax, "LogSoftmax": ops.log_softmax, "Concatenate": ops.concatenate, "Stack": ops.stack,
    "Cast": ops.cast, "Mean": ops.mean, "Max": ops.max, "Min": ops.min, "Sum": ops.sum, "Clip": ops.clip,
    "Reshape": ops.reshape, "Transpose": ops.transpose, "Squeeze": ops.squeeze, "ExpandDims": ops.expand_dims,
    "Flip": ops.flip, "GetItem": _get_item, "LeakyRelu": ops.leaky_relu, "Gelu": ops.gelu, "Elu": ops.elu,
}  # fmt: skip
_TENSORFLOW = {
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
    "transpose": lambda a, perm=None: ops.transpose(a, axes=perm),
    "squeeze": lambda input, axis=None: ops.squeeze(input, axis=axis),
    "expand_dims": lambda input, axis: ops.expand_dims(input, axis=axis),
    "reverse": lambda tensor, axis: ops.flip(tensor, axis=axis),
    "__operators__.getitem": lambda tensor, slice_spec: _get_item(tensor, slice_spec),
}  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {**_BINARY, **_UNARY, **_SHAPING, **_TENSORFLOW}
"""Class in Keras 3, or path in TensorFlow as Keras 2 wrote it → the function."""


def call_function(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], config: dict[str, Any], shown: str
) -> Tensor:
    """Return the result of a function from the list above; `config` holds Keras 3's options of it.

    Raises NetworkError for a function or an argument that is not in the list.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise NotBuiltIn(
            f"{shown} is the function {name}, which is not built in",
            where=shown,
            expected=", ".join(sorted({*_BINARY, *_UNARY, *_SHAPING})),
            received=name,
            advice=WAYS_OUT,
        )
    given = {**config, **kwargs}
    if name != "Cast":
        given.pop("dtype", None)
    if unknown := set(given) - set(inspect.signature(function).parameters):
        raise NetworkError(f"{shown} ({name}) has unknown arguments", where=shown, received=", ".join(sorted(unknown)))
    return function(*args, **given)
