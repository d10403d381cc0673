"""How far a score from few probes may be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 2000
SEED = 20200101


@dataclass(frozen=True)
class Interval:
    """A confidence interval of LEVEL."""

    low: float
    high: float


def of_fraction(found: int, of: int) -> Interval | None:
    """Return Wilson's interval of a fraction (Wilson 1927, doi:10.1080/01621459.1927.10502953); None of nothing.

    A bootstrap of 13 right out of 13 is the point 100 %; Wilson's interval says 77 % to 100 %.
    """
    from scipy.stats import binomtest

    if not of:
        return None
    low, high = binomtest(found, of).proportion_ci(LEVEL, method="wilson")
    return Interval(float(low), float(high))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], NDArray[np.float64]], groups: tuple[NDArray[np.intp], ...], seed: int = SEED
) -> Interval | None:
    """Return the percentile bootstrap interval of a statistic (Efron 1979, doi:10.1214/aos/1176344552).

    `statistic` gets indices of probes `(resample, probe)` and returns `(resample,)`; each of `groups` is resampled
    within itself, so that no class is lost. None where all resamples agree: a perfect score of few probes has no
    spread to measure, which proves nothing about the next probe.
    """
    rng = np.random.default_rng(seed)
    drawn = [g[rng.integers(0, len(g), (RESAMPLES, len(g)))] for g in groups]
    values = statistic(np.concatenate(drawn, axis=1))
    values = values[np.isfinite(values)]
    if not len(values) or np.ptp(values) == 0:
        return None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
