"""Whether probes that lie near each other are alike in what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Alike:
    """Nearest neighbours compared by label or by target."""

    n: int
    """Probes with a label or a target."""
    found: float
    """Of a label: fraction whose nearest other probe has the same. Of a target: median difference to the nearest."""
    chance: float
    """The same for any other probe in place of the nearest."""


def same_label(features: NDArray[np.floating], labels: NDArray[np.object_]) -> Alike | None:
    """Return how often the nearest of `(probe, number)` has the same label; None with fewer than three probes.

    The leave-one-out rule of one nearest neighbour (Cover and Hart 1967, doi:10.1109/TIT.1967.1053964), Euclidean; the
    first of equally near ones. By chance: the fraction of pairs with the same label.
    """
    nearest = _nearest(features)
    if nearest is None or len(set(labels.tolist())) < 2:
        return None
    same = labels[:, None] == labels[None, :]
    n = len(labels)
    return Alike(n, float(same[np.arange(n), nearest].mean()), float((same.sum() - n) / (n * (n - 1))))


def near_target(features: NDArray[np.floating], targets: NDArray[np.floating]) -> Alike | None:
    """Return the median |difference| of target to the nearest of `(probe, number)`, and to any other."""
    nearest = _nearest(features)
    if nearest is None or np.ptp(targets) == 0:
        return None
    apart = np.abs(np.asarray(targets, np.float64)[:, None] - targets[None, :])
    n = len(targets)
    others = apart[~np.eye(n, dtype=bool)]
    return Alike(n, float(np.median(apart[np.arange(n), nearest])), float(np.median(others)))


def _nearest(features: NDArray[np.floating]) -> NDArray[np.intp] | None:
    x = np.asarray(features, np.float64).reshape(len(features), -1)
    if len(x) < 3 or not np.isfinite(x).all():
        return None
    apart = np.stack([((x - row) ** 2).sum(axis=1) for row in x])
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.argmin(axis=1))
