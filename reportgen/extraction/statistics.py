"""What is stored of feature maps beside the maps themselves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.activity import FLAT

FEW = 32
"""Channels up to which NumPy counts three times as fast where the numbers of each lie side by side."""


def channel_statistics(maps: NDArray[np.float32], function: str = "") -> dict[str, NDArray[np.float32]]:
    """Return minimum, maximum, mean, mean magnitude and the fraction of exact zeros of each channel.

    `(probe, channel)` each; of a function that is flat somewhere also the fraction of values that lie there. NaN
    where a channel has no value.
    """
    flat = maps.reshape(maps.shape[0], math.prod(maps.shape[1:-1]), maps.shape[-1])
    empty = flat.shape[1] == 0
    if empty:
        flat = np.full((flat.shape[0], 1, flat.shape[2]), np.nan, np.float32)
    axis = 1
    if flat.shape[2] <= FEW:
        flat, axis = np.ascontiguousarray(flat.transpose(0, 2, 1)), 2
    statistics = {
        "minimum": flat.min(axis=axis),
        "maximum": flat.max(axis=axis),
        "mean": flat.mean(axis=axis, dtype=np.float64).astype(np.float32),
        "magnitude": np.abs(flat).mean(axis=axis, dtype=np.float64).astype(np.float32),
        "zeros": (flat == 0).mean(axis=axis).astype(np.float32),
    }
    if function in FLAT:
        low, high = FLAT[function]
        statistics["saturated"] = ((flat < low) | (flat > high)).mean(axis=axis).astype(np.float32)
    return {name: np.full_like(values, np.nan) for name, values in statistics.items()} if empty else statistics
