"""A kernel as the matrix whose columns are its filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["dense", "convolution", "transposed", "depthwise", "recurrent", "embedding", "attention"]


@dataclass(frozen=True)
class Matrix:
    """A kernel, flattened; every number of it is there once."""

    values: NDArray[np.float64]
    """`(input, filter)`: a column is what one filter looks for."""
    kind: Kind
    """How it was flattened. dense (inputs, units). convolution (kh·kw·cin, cout). transposed: stored with its outputs
    before its inputs, flattened like a convolution. depthwise (kh·kw, cin·multiplier). recurrent (inputs,
    gates·units), or (units, gates·units) for what it remembers. embedding (numbers, entries). attention (inputs,
    heads·size), or (heads·size, outputs) on the way out."""
    alike: bool
    """Whether all columns look at the same inputs, so that comparing them means something; False for depthwise and
    grouped convolutions."""


def as_matrix(
    variable: str, array: NDArray[np.generic], class_name: str = "", config: Mapping[str, Any] | None = None
) -> Matrix | None:
    """Return a stored array as the matrix meant when its rank is spoken of; None for biases, scales and statistics.

    Spectra and redundancy of a convolution depend on the flattening: this is the one of Li et al. 2017
    (arXiv:1608.08710), a filter with all its input channels as one column.
    """
    word = variable.rsplit("/", 1)[-1]
    if array.ndim < 2 or array.dtype.kind not in "f" or not ("kernel" in word or "embeddings" in word):
        return None
    values = np.asarray(array, np.float64)
    if "embeddings" in word:
        return Matrix(values.reshape(len(values), -1).T, "embedding", True)
    if "recurrent" in word or class_name in {"LSTM", "GRU", "SimpleRNN", "Bidirectional"}:
        return Matrix(values.reshape(-1, values.shape[-1]), "recurrent", True)
    if values.ndim == 2:
        return Matrix(values, "dense", True)
    if "depthwise" in word or class_name.startswith("Depthwise"):
        return Matrix(values.reshape(-1, values.shape[-2] * values.shape[-1]), "depthwise", False)
    if "Attention" in class_name:
        inwards = any(name in variable for name in ("query", "key", "value"))
        shape = (values.shape[0], -1) if inwards else (-1, values.shape[-1])
        return Matrix(values.reshape(shape), "attention", True)
    if class_name.endswith("Transpose"):
        values = np.moveaxis(values, -2, -1)
        return Matrix(values.reshape(-1, values.shape[-1]), "transposed", True)
    groups = int((config or {}).get("groups") or 1)
    return Matrix(values.reshape(-1, values.shape[-1]), "convolution", groups == 1)
