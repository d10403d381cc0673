"""How well a number tells two classes apart, whatever the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.intervals import Interval, bootstrap


@dataclass(frozen=True)
class Roc:
    """The receiver operating characteristic of one class against the rest."""

    false_positive: tuple[float, ...]
    true_positive: tuple[float, ...]
    auc: float
    interval: Interval | None
    """Bootstrap within each class; None where every resample gives the same."""
    positives: int
    negatives: int


def roc(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> Roc | None:
    """Return the curve of `(probe,)` values, one step a distinct value; None where one class has no probe.

    Fawcett 2006, doi:10.1016/j.patrec.2005.10.010. The area is the probability that a positive has the larger value,
    ties counting half.
    """
    v, p = np.asarray(values, np.float64), np.asarray(positive, bool)
    inside, outside = np.flatnonzero(p), np.flatnonzero(~p)
    if not len(inside) or not len(outside):
        return None
    order = np.argsort(-v, kind="stable")
    last = np.append(np.flatnonzero(np.diff(v[order])), len(v) - 1)
    true, false = np.cumsum(p[order])[last] / len(inside), np.cumsum(~p[order])[last] / len(outside)

    def resampled(indices: NDArray[np.intp]) -> NDArray[np.float64]:
        return _areas(v[indices], len(inside))

    auc = float(_areas(np.concatenate([v[inside], v[outside]])[None], len(inside))[0])
    interval = bootstrap(resampled, (inside, outside))
    return Roc((0.0, *false.tolist()), (0.0, *true.tolist()), auc, interval, len(inside), len(outside))


def _areas(values: NDArray[np.float64], positives: int) -> NDArray[np.float64]:
    """Return the areas of rows of values, positives first, by their ranks."""
    from scipy.stats import rankdata

    negatives = values.shape[1] - positives
    ranks = rankdata(values, axis=1)[:, :positives].sum(axis=1)
    return np.asarray((ranks - positives * (positives + 1) / 2) / (positives * negatives), np.float64)
