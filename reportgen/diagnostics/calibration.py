"""Whether a probability means what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class Bin:
    """Probes whose confidence lies in one interval."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean probability of the class each was given."""
    accuracy: float
    """Fraction for which that class is right."""


@dataclass(frozen=True)
class Calibration:
    """Confidence against being right."""

    n: int
    ece: float
    """Expected calibration error, in [0, 1]."""
    brier: float
    over: float
    """Mean confidence − accuracy: positive for a network that is too sure."""
    bins: tuple[Bin, ...]
    """Those with any probe in them."""
    of: int
    """Bins in all."""


def calibration(probabilities: NDArray[np.floating], actual: NDArray[np.integer], bins: int = BINS) -> Calibration:
    """Compare `(probe, class)` probabilities with `(probe,)` actual classes.

    Expected calibration error: Σ (n_b / n) |accuracy_b − confidence_b| over equal bins (low, high] of the
    probability of the predicted class (Guo et al. 2017, arXiv:1706.04599). Brier score (Brier 1950,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2): of two classes mean (p − y)² of the second, in [0, 1]; of
    more the mean of the sum over classes, in [0, 2].
    """
    p = np.asarray(probabilities, np.float64)
    chosen = p.argmax(axis=1)
    if p.shape[1] == 2:
        chosen = (p[:, 1] >= 0.5).astype(int)  # as one unit is cut
    confidence, right = p[np.arange(len(p)), chosen], chosen == actual
    truth = np.eye(p.shape[1])[actual]
    brier = ((p[:, 1] - truth[:, 1]) ** 2).mean() if p.shape[1] == 2 else ((p - truth) ** 2).sum(axis=1).mean()
    # Rounding must not move 0.8 into the bin above it.
    place = np.clip(np.ceil(np.round(confidence * bins, 9)).astype(int) - 1, 0, bins - 1)
    found = []
    for b in np.unique(place):
        here = place == b
        found.append(
            Bin(
                float(b / bins), float((b + 1) / bins), int(here.sum()), float(confidence[here].mean()),
                float(right[here].mean()),
            )
        )  # fmt: skip
    ece = sum(b.n * abs(b.accuracy - b.confidence) for b in found) / len(p)
    return Calibration(len(p), ece, float(brier), float(confidence.mean() - right.mean()), tuple(found), bins)
