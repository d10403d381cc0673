"""What a channel responds to: its AUC for a class, its rank correlation with a number, corrected for many tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
"""False-discovery rate below which a channel is called selective."""


@dataclass(frozen=True)
class Tests:
    """One test a channel; NaN where the channel does not vary, or there is nothing to compare."""

    effect: NDArray[np.float64]
    """Per channel: AUC in [0, 1], 0.5 for no preference; or Spearman's ρ."""
    p: NDArray[np.float64]
    """Two-sided p-value, before any correction."""
    n: int
    """Probes compared."""
    least_p: float
    """The smallest p-value that so many probes can give: where it is above ALPHA, nothing can be shown."""


def class_auc(responses: NDArray[np.floating], member: NDArray[np.bool_]) -> Tests:
    """Return for each channel of `(probe, channel)` how well it tells members from the others.

    AUC: the probability that a member excites the channel more than another probe does, ties counting half (Mann and
    Whitney 1947, doi:10.1214/aoms/1177730491; Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747). p-values
    are exact without ties, and normal with tie and continuity correction with them.
    """
    from scipy.stats import mannwhitneyu

    values = np.asarray(responses, np.float64)
    inside, outside = values[member], values[~member]
    n, m = len(inside), len(outside)
    effect, p = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    usable = np.isfinite(values).all(axis=0) & (np.ptp(values, axis=0) > 0)
    for channel in np.flatnonzero(usable) if n and m else ():
        column = values[:, channel]
        exact = len(np.unique(column)) == len(column) and len(column) <= 60
        test = mannwhitneyu(inside[:, channel], outside[:, channel], method="exact" if exact else "asymptotic")
        effect[channel], p[channel] = test.statistic / (n * m), test.pvalue
    return Tests(effect, p, n + m, min(1.0, 2 / math.comb(n + m, n)))


def rank_correlation(responses: NDArray[np.floating], numbers: NDArray[np.floating]) -> Tests:
    """Return Spearman's ρ of each channel of `(probe, channel)` with `(probe,)` numbers, NaN for a probe without one.

    p-values by Student's t with n − 2 degrees of freedom (Kendall and Stuart), never below 2/n!, the smallest an
    exact permutation test of n probes can give.
    """
    from scipy.stats import rankdata
    from scipy.stats import t as student

    known = np.isfinite(numbers)
    values, against = np.asarray(responses, np.float64)[known], np.asarray(numbers, np.float64)[known]
    n, channels = values.shape
    least = min(1.0, 2 / math.factorial(min(n, 20)))
    rho, p = np.full(channels, np.nan), np.full(channels, np.nan)
    if n >= 3 and np.ptp(against) > 0:
        usable = np.isfinite(values).all(axis=0) & (np.ptp(values, axis=0) > 0)
        ranks, other = rankdata(values[:, usable], axis=0), rankdata(against)
        ranks, other = ranks - ranks.mean(axis=0), other - other.mean()
        found = other @ ranks / np.sqrt((ranks**2).sum(axis=0) * (other**2).sum())
        found = np.clip(found, -1, 1)
        with np.errstate(divide="ignore"):
            score = np.abs(found) * np.sqrt((n - 2) / (1 - found**2))
        rho[usable], p[usable] = found, np.clip(2 * student.sf(score, n - 2), least, 1)
    return Tests(rho, p, n, least)


def false_discovery(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return q-values of p-values of any shape: the false-discovery rate at which each would be called a discovery.

    Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x. NaN is no test, stays NaN and counts for none.
    """
    from scipy.stats import false_discovery_control

    values = np.asarray(p, np.float64)
    q = np.full(values.shape, np.nan)
    tested = np.isfinite(values)
    if tested.any():
        q[tested] = false_discovery_control(values[tested])
    return q


def extremes(responses: NDArray[np.floating], most: int, least: int) -> tuple[list[int], list[int]]:
    """Return the probes of `(probe,)` that respond most, the largest first, and least, the smallest first.

    A probe is never in both; probes whose response is not finite are in neither, the first of equals comes first.
    """
    finite = [i for i in range(len(responses)) if np.isfinite(responses[i])]
    order = sorted(finite, key=lambda i: (-float(responses[i]), i))
    top = order[: min(most, len(order))]
    low = [i for i in sorted(finite, key=lambda i: (float(responses[i]), i)) if i not in top][:least]
    return top, low
