"""What is stored of feature maps beside the maps themselves."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.activity import FLAT


def channel_statistics(maps: NDArray[np.float32], function: str = "") -> dict[str, NDArray[np.float32]]:
    """Return minimum, maximum, mean, mean magnitude and the fraction of exact zeros of each channel.

    `(probe, channel)` each; of a function that is flat somewhere also the fraction of values that lie there. NaN
    where a channel has no value.
    """
    flat = maps.reshape(maps.shape[0], math.prod(maps.shape[1:-1]), maps.shape[-1])
    empty = flat.shape[1] == 0
    if empty:
        flat = np.full((flat.shape[0], 1, flat.shape[2]), np.nan, np.float32)
    statistics = {
        "minimum": flat.min(axis=1),
        "maximum": flat.max(axis=1),
        "mean": flat.mean(axis=1, dtype=np.float64).astype(np.float32),
        "magnitude": np.abs(flat).mean(axis=1, dtype=np.float64).astype(np.float32),
        "zeros": (flat == 0).mean(axis=1).astype(np.float32),
    }
    if function in FLAT:
        low, high = FLAT[function]
        statistics["saturated"] = ((flat < low) | (flat > high)).mean(axis=1).astype(np.float32)
    return {name: np.full_like(values, np.nan) for name, values in statistics.items()} if empty else statistics


def places_of_maxima(maps: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return where in its map, row by row, each channel of `(probe, y, x, channel)` is largest, the first of equals.

    `(probe, channel)`; what is not finite is passed over.
    """
    flat = maps.reshape(maps.shape[0], math.prod(maps.shape[1:-1]), maps.shape[-1])
    if not flat.shape[1]:
        return np.zeros((flat.shape[0], flat.shape[2]), np.uint32)
    finite = np.where(np.isfinite(flat), flat, -np.inf).transpose(0, 2, 1)
    return np.asarray(np.ascontiguousarray(finite).argmax(axis=2), np.uint32)
