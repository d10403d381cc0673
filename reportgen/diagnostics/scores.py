"""How good predictions are, from predictions and truths alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
    )


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


@dataclass(frozen=True)
class Confusion:
    """A classification against the truth."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Row: actual class; column: predicted class."""
    accuracy: float
    n: int
    scores: tuple[ClassScore, ...]


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
        )
        for i, name in enumerate(classes)
    )  # fmt: skip
    return Confusion(
        classes, tuple(tuple(row) for row in counts.tolist()), float(np.trace(counts) / counts.sum()),
        int(counts.sum()), scores,
    )  # fmt: skip
