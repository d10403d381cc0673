"""How good predictions are, from predictions and truths alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.intervals import Interval, bootstrap, of_fraction

TAIL = 0.2
"""Fraction of the probes, those with the actual values farthest from the median, without which r is looked at."""


@dataclass(frozen=True)
class Rest:
    """What is left of a correlation without the probes that have the most leverage on it."""

    left_out: int
    n: int
    correlation: float
    interval: Interval | None
    mean_absolute_difference: float
    of_median: float
    """As of RegressionScore, of the rest alone."""


@dataclass(frozen=True)
class RegressionScore:
    """Of predictions against actual values, in their unit."""

    n: int
    mean_absolute_difference: float
    root_mean_square: float
    bias: float
    """Mean of predicted − actual."""
    correlation: float | None
    """Pearson's r; None with fewer than three probes, or where one side does not vary."""
    rank_correlation: float | None
    """Spearman's ρ; None where r is."""
    of_median: float
    """Mean absolute difference of always answering the median of the actual values: what a constant gets."""
    scatter: float = float("nan")
    """1.4826 times the median absolute deviation of predicted − actual from its median: a standard deviation that
    outliers do not reach (Hoaglin, Mosteller and Tukey 1983)."""
    interval: Interval | None = None
    """Bootstrap interval of Pearson's r; None where r is."""
    rest: Rest | None = None
    """None with few probes, and where the rest does not vary."""


def regression_score(predicted: NDArray[np.floating], actual: NDArray[np.floating]) -> RegressionScore:
    """Compare `(probe,)` predictions with `(probe,)` actual values."""
    from scipy.stats import spearmanr

    p, a = predicted.astype(np.float64), actual.astype(np.float64)
    difference = p - a
    varies = len(p) >= 3 and bool(np.ptp(p) > 0) and bool(np.ptp(a) > 0)
    return RegressionScore(
        n=len(p),
        mean_absolute_difference=float(np.abs(difference).mean()),
        root_mean_square=float(np.sqrt((difference**2).mean())),
        bias=float(difference.mean()),
        correlation=float(np.corrcoef(p, a)[0, 1]) if varies else None,
        rank_correlation=float(spearmanr(p, a).statistic) if varies else None,
        of_median=float(np.abs(a - np.median(a)).mean()),
        scatter=float(1.4826 * np.median(np.abs(difference - np.median(difference)))),
        interval=bootstrap(lambda i: _correlations(p[i], a[i]), (np.arange(len(p)),)) if varies else None,
        rest=_rest(p, a),
    )


def _rest(p: NDArray[np.float64], a: NDArray[np.float64]) -> Rest | None:
    """Return the score without the tail of the actual values.

    The leverage of a point grows with the square of its distance (Hoaglin and Welsch 1978, doi:10.2307/2683469): a few
    far points can make an r that the others have not (Anscombe 1973, doi:10.2307/2682899).
    """
    out = int(TAIL * len(a))
    if len(a) - out < 8 or not out:
        return None
    near = np.sort(np.argsort(np.abs(a - np.median(a)), kind="stable")[: len(a) - out])
    p, a = p[near], a[near]
    if not np.ptp(p) > 0 or not np.ptp(a) > 0:
        return None
    return Rest(
        out, len(near), float(np.corrcoef(p, a)[0, 1]),
        bootstrap(lambda i: _correlations(p[i], a[i]), (np.arange(len(p)),)),
        float(np.abs(p - a).mean()), float(np.abs(a - np.median(a)).mean()),
    )  # fmt: skip


def _correlations(p: NDArray[np.float64], a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's r of each row; NaN where a side does not vary."""
    p, a = p - p.mean(axis=1, keepdims=True), a - a.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((p * a).sum(axis=1) / np.sqrt((p**2).sum(axis=1) * (a**2).sum(axis=1)))


@dataclass(frozen=True)
class ClassScore:
    """One class of a classification."""

    name: str
    n: int
    """Probes that belong to it."""
    found: int
    """Probes predicted to belong to it."""
    completeness: float | None
    """Of its probes, the fraction predicted so (recall); None without any."""
    purity: float | None
    """Of those predicted so, the fraction that is (precision); None without any."""
    completeness_interval: Interval | None = None
    purity_interval: Interval | None = None


@dataclass(frozen=True)
class Confusion:
    """A classification against the truth."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Row: actual class; column: predicted class."""
    accuracy: float
    n: int
    scores: tuple[ClassScore, ...]
    interval: Interval | None = None
    """Of the accuracy."""


def confusion(predicted: list[int], actual: list[int], classes: tuple[str, ...]) -> Confusion:
    """Count predicted against actual class indices."""
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (actual, predicted), 1)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    scores = tuple(
        ClassScore(
            name, int(rows[i]), int(columns[i]),
            float(counts[i, i] / rows[i]) if rows[i] else None,
            float(counts[i, i] / columns[i]) if columns[i] else None,
            of_fraction(int(counts[i, i]), int(rows[i])), of_fraction(int(counts[i, i]), int(columns[i])),
        )
        for i, name in enumerate(classes)
    )  # fmt: skip
    return Confusion(
        classes, tuple(tuple(row) for row in counts.tolist()), float(np.trace(counts) / counts.sum()),
        int(counts.sum()), scores, of_fraction(int(np.trace(counts)), int(counts.sum())),
    )  # fmt: skip
