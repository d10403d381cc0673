"""How differently two networks answer the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Churn:
    """Two classifications of the same probes."""

    n: int
    """Probes both give a class."""
    changed: int
    labelled: int
    """Of them with a known class."""
    gained: int
    """Wrong at first and right then."""
    lost: int
    """Right at first and wrong then."""
    p: float | None
    """Exact two-sided McNemar test of gained against lost (McNemar 1947, doi:10.1007/BF02295996); None without either.
    """

    @property
    def fraction(self) -> float | None:
        """Fraction of the probes with another class: churn (Fard et al. 2016, NeurIPS 29); None of nothing."""
        return self.changed / self.n if self.n else None


@dataclass(frozen=True)
class Agreement:
    """Two sets of numbers on the same probes, differences b − a."""

    n: int
    """Probes on which both are finite."""
    mean: float | None
    """Mean difference; like all that follow None of nothing."""
    absolute: float | None
    """Mean absolute difference."""
    largest: float | None
    correlation: float | None
    """Pearson's r; None with fewer than three probes, or where one side does not vary."""
    rank_correlation: float | None
    """Spearman's ρ; None where r is."""


def churn(a: Sequence[int | None], b: Sequence[int | None], actual: Sequence[int | None]) -> Churn:
    """Compare the classes two networks choose with each other and with the truth; None is not known."""
    both = [(x, y, t) for x, y, t in zip(a, b, actual, strict=True) if x is not None and y is not None]
    known = [(x == t, y == t) for x, y, t in both if t is not None]
    gained, lost = sum(not x and y for x, y in known), sum(x and not y for x, y in known)
    p = None
    if gained + lost:
        from scipy.stats import binomtest

        p = float(binomtest(gained, gained + lost).pvalue)
    return Churn(len(both), sum(x != y for x, y, _ in both), len(known), gained, lost, p)


def agreement(a: NDArray[np.floating], b: NDArray[np.floating]) -> Agreement:
    """Compare `(probe,)` with `(probe,)`."""
    finite = np.isfinite(a) & np.isfinite(b)
    x, y = a[finite].astype(np.float64), b[finite].astype(np.float64)
    if not len(x):
        return Agreement(0, None, None, None, None, None)
    d = y - x
    r = rho = None
    if len(x) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
        from scipy.stats import spearmanr

        r, rho = float(np.corrcoef(x, y)[0, 1]), float(spearmanr(x, y).statistic)
    return Agreement(len(x), float(d.mean()), float(np.abs(d).mean()), float(np.abs(d).max()), r, rho)
