"""What is stored of feature maps beside the maps themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.activity import FLAT

Floats = NDArray[np.float32]
AT_ONCE = 2**18
"""Values that are counted at one time, so that they stay in the processor's cache: twice as fast."""
WIDE = 1024
"""Values side by side, at most, that are counted together: channels alone are too few to be fast."""


def channel_statistics(maps: Floats, function: str = "") -> dict[str, Floats]:
    """Return minimum, maximum, mean, mean magnitude and the fraction of exact zeros of each channel.

    `(probe, channel)` each; of a function that is flat somewhere also the fraction of values that lie there. NaN
    where a channel has no value.
    """
    flat = maps.reshape(maps.shape[0], math.prod(maps.shape[1:-1]), maps.shape[-1])
    empty = flat.shape[1] == 0
    if empty:
        flat = np.full((flat.shape[0], 1, flat.shape[2]), np.nan, np.float32)
    step = max(1, AT_ONCE // max(1, flat.shape[1] * flat.shape[2]))
    parts = [_counted(flat[i : i + step], function) for i in range(0, max(1, len(flat)), step)]
    statistics = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {name: np.full_like(values, np.nan) for name, values in statistics.items()} if empty else statistics


def _counted(flat: Floats, function: str) -> dict[str, Floats]:
    """Return the statistics of `(probe, place, channel)`."""
    count, channels = flat.shape[1:]
    fold = next(k for k in range(max(1, min(count, WIDE // max(1, channels))), 0, -1) if count % k == 0)
    wide = np.ascontiguousarray(flat).reshape(len(flat), count // fold, fold * channels)

    def over(reduce: np.ufunc, values: NDArray[Any], kind: type | None = None) -> NDArray[Any]:
        halfway = reduce.reduce(values, axis=1, dtype=kind)
        return np.asarray(reduce.reduce(halfway.reshape(len(flat), fold, channels), axis=1))

    def share(values: NDArray[np.bool_]) -> Floats:
        return np.asarray(over(np.add, values, np.int64) / count, np.float32)

    exact = wide.astype(np.float64)
    minimum, maximum = over(np.minimum, wide), over(np.maximum, wide)
    mean = np.asarray(over(np.add, exact) / count, np.float32)
    magnitude = mean if (minimum >= 0).all() else np.asarray(over(np.add, np.abs(exact)) / count, np.float32)
    found = {
        "minimum": np.asarray(minimum, np.float32), "maximum": np.asarray(maximum, np.float32), "mean": mean,
        "magnitude": magnitude, "zeros": share(wide == 0),
    }  # fmt: skip
    if function in FLAT:
        low, high = FLAT[function]
        found["saturated"] = share((wide < low) | (wide > high))
    return found


def places_of_maxima(maps: Floats) -> NDArray[np.uint32]:
    """Return where in its map, row by row, each channel of `(probe, y, x, channel)` is largest, the first of equals.

    `(probe, channel)`; what is not finite is passed over.
    """
    flat = maps.reshape(maps.shape[0], math.prod(maps.shape[1:-1]), maps.shape[-1])
    found = np.zeros((flat.shape[0], flat.shape[2]), np.uint32)
    step = max(1, AT_ONCE // max(1, flat.shape[1] * flat.shape[2]))
    for i in range(0, len(flat) if flat.shape[1] else 0, step):
        some = flat[i : i + step]
        finite = some if np.isfinite(some).all() else np.where(np.isfinite(some), some, -np.inf)
        found[i : i + step] = np.ascontiguousarray(finite.transpose(0, 2, 1)).argmax(axis=2)
    return found
