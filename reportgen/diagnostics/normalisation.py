"""Health of batch normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.weights import why_not

OFF = 0.01
"""A channel whose |gamma| is below this is switched off (Liu et al. 2017, "Network slimming", arXiv:1708.06519)."""
FAR = 10.0
"""A moving mean of so many moving standard deviations: what is normalised hardly varies."""


@dataclass(frozen=True)
class NormHealth:
    """One batch normalisation; a count is None where its array is not there."""

    channels: int
    off: int | None
    """Channels with |gamma| below OFF."""
    gamma: tuple[float, float] | None
    """Smallest and largest |gamma|."""
    floored: int | None
    """Channels whose moving variance is below epsilon, which then sets the scale instead."""
    variance: float | None
    """Smallest moving variance."""
    negative: int | None
    """Channels with a negative moving variance: impossible, and NaN once epsilon does not cover it."""
    far: int | None
    """Channels with |moving mean| above FAR moving standard deviations, epsilon counted in."""
    wrong_axis: bool
    """Whether it has another number of channels than the layer's output: it normalises over the wrong axis."""
    problem: str
    """Why nothing can be computed; empty where it can."""


def norm_health(
    arrays: Mapping[str, NDArray[np.generic]], epsilon: float = 1e-3, channels: int | None = None
) -> NormHealth | None:
    """Return the health of the arrays gamma, beta, moving_mean and moving_variance; None where there are none.

    `channels` is the last axis of the layer's output.
    """
    found = {
        name: np.asarray(arrays[name], np.float64).ravel()
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
        if name in arrays
    }
    if not {"gamma", "moving_variance"} & found.keys():
        return None
    count = len(next(iter(found.values())))
    wrong = channels is not None and count != channels
    reasons = [f"{name}: {reason}" for name, values in found.items() if (reason := why_not(values))]
    if reasons:
        return NormHealth(count, None, None, None, None, None, None, wrong, "; ".join(reasons))
    gamma, variance, mean = (found.get(name) for name in ("gamma", "moving_variance", "moving_mean"))
    size = None if gamma is None else np.abs(gamma)
    spread = None if variance is None else np.sqrt(np.maximum(variance, 0) + epsilon)
    return NormHealth(
        channels=count,
        off=None if size is None else int((size < OFF).sum()),
        gamma=None if size is None else (float(size.min()), float(size.max())),
        floored=None if variance is None else int((variance < epsilon).sum()),
        variance=None if variance is None else float(variance.min()),
        negative=None if variance is None else int((variance < 0).sum()),
        far=None if mean is None or spread is None else int((np.abs(mean) > FAR * spread).sum()),
        wrong_axis=wrong,
        problem="",
    )
