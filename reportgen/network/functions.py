"""The bare functions a network may use between its layers, under their names in Keras 3 and in TensorFlow."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras import ops

from reportgen.checkpoints.variables import snake
from reportgen.errors import NetworkError, NotBuiltIn
from reportgen.network.engine import WAYS_OUT, Tensor
from reportgen.network.tensorflow_names import TENSORFLOW, get_item

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
    "Flip": ops.flip, "GetItem": get_item, "LeakyRelu": ops.leaky_relu, "Gelu": ops.gelu, "Elu": ops.elu,
}  # fmt: skip
_COMPARING = {
    name: getattr(ops, snake(name))
    for name in (
        "Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual", "LogicalAnd", "LogicalOr", "LogicalNot",
        "Where", "Isnan", "Isfinite",
    )
}  # fmt: skip
_MORE = {
    name: getattr(ops, snake(name))
    for name in (
        "Sin", "Cos", "Tan", "Arcsin", "Arccos", "Arctan", "Arctan2", "Sinh", "Cosh", "Arccosh", "Arctanh", "Expm1",
        "Log2", "Log10", "Sign", "Floor", "Ceil", "Round", "Reciprocal", "Mod", "FloorDivide", "Hypot", "Logaddexp",
        "Softsign", "Selu", "Celu", "HardSigmoid", "HardSilu", "LogSigmoid",
        "Var", "Std", "Prod", "Median", "Logsumexp", "Argmax", "Argmin", "Cumsum", "Any", "All",
        "Matmul", "Normalize", "Split", "Swapaxes", "Moveaxis", "Tile", "Repeat", "Roll", "Ravel", "Pad",
    )
}  # fmt: skip


def _einsum(*operands: Tensor, subscripts: str) -> Tensor:
    """Return a sum over products; the file names the subscripts as an option."""
    return ops.einsum(subscripts, *operands)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_BINARY, **_UNARY, **_SHAPING, **_COMPARING, **_MORE, "Einsum": _einsum, **TENSORFLOW,
}  # fmt: skip
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
            expected=", ".join(sorted(name for name in FUNCTIONS if name.isalnum() and name[0].isupper())),
            received=name,
            advice=WAYS_OUT,
        )
    given = {**config, **kwargs}
    if name not in {"Cast", "cast"}:
        given.pop("dtype", None)
    if unknown := set(given) - set(inspect.signature(function).parameters):
        raise NetworkError(f"{shown} ({name}) has unknown arguments", where=shown, received=", ".join(sorted(unknown)))
    return function(*args, **given)
