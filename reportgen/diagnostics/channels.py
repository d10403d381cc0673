"""Channels that carry nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-6
"""A channel whose largest value over the whole probe set is not above this, relative to the layer's, is dead."""

NON_NEGATIVE = frozenset({"relu", "relu6", "ReLU"})
"""Activation functions whose dead channels are zeros."""

State = Literal["", "dead", "constant", "not finite"]


def channel_states(minimum: NDArray[np.floating], maximum: NDArray[np.floating], rectified: bool) -> list[State]:
    """Return the state of each channel over the whole probe set.

    `minimum` and `maximum` are `(probe, channel)`. Dead, only where the layer's output is rectified: the largest
    activation over probes and pixels is zero, or below EPSILON of the layer's largest (Lu et al. 2019, "Dying ReLU
    and initialization", arXiv:1903.06733). Constant: the largest equals the smallest, within the same EPSILON.
    """
    high, low = maximum.max(axis=0).astype(np.float64), minimum.min(axis=0).astype(np.float64)
    finite = np.isfinite(high) & np.isfinite(low)
    scale = float(np.abs(np.concatenate([high[finite], low[finite]])).max(initial=0.0))
    states: list[State] = []
    for top, bottom, good in zip(high, low, finite, strict=True):
        if not good:
            states.append("not finite")
        elif rectified and top <= EPSILON * scale:
            states.append("dead")
        elif top - bottom <= EPSILON * scale:
            states.append("constant")
        else:
            states.append("")
    return states
