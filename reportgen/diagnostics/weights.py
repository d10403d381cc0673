"""What can be said of an array of weights without knowing what it is for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR_ZERO = 1e-3
"""A weight is near zero below this fraction of the array's largest magnitude."""


@dataclass(frozen=True)
class ArrayHealth:
    """One array of weights in a few numbers."""

    count: int
    norm: float | None
    """L2 norm; like all that follow None where a value is not finite."""
    mean: float | None
    spread: float | None
    """Standard deviation."""
    largest: float | None
    """Largest magnitude."""
    zeros: int
    """Values that are exactly zero."""
    near_zero: int
    """Values below NEAR_ZERO of the largest magnitude, exact zeros among them."""
    nan: int
    infinite: int

    @property
    def problem(self) -> str:
        """Why its numbers cannot be computed; empty where they can."""
        return not_finite(self.nan, self.infinite)


def array_health(array: NDArray[np.generic]) -> ArrayHealth:
    """Return norm, mean, spread, sparsity and what is not finite of an array of any shape."""
    values = np.asarray(array, np.float64).ravel()
    nan, infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    zeros = int((values == 0).sum())
    if nan or infinite or not values.size:
        return ArrayHealth(values.size, None, None, None, None, zeros, zeros, nan, infinite)
    size = np.abs(values)
    largest = float(size.max())
    near = int((size <= NEAR_ZERO * largest).sum())
    # Of the scaled values: a float64 square of 1e200 overflows.
    norm = largest * float(np.linalg.norm(values / largest)) if largest else 0.0
    return ArrayHealth(
        values.size, norm, float(values.mean()), float(values.std()), largest, zeros, near, nan, infinite
    )


def not_finite(nan: int, infinite: int) -> str:
    """Return the reason why nothing can be computed from an array with these; empty without any."""
    words = [f"{count:,} {'value is' if count == 1 else 'values are'} {what}".replace(",", "\u2009")
             for count, what in ((nan, "NaN"), (infinite, "infinite")) if count]  # fmt: skip
    return " and ".join(words)


def why_not(values: NDArray[np.floating]) -> str:
    """Return why an array cannot be computed with: it is empty, or not all of it is finite; empty where it can."""
    if not values.size:
        return "it is empty"
    with np.errstate(all="ignore"):
        if np.isfinite(values.sum()):  # one pass says it of nearly all arrays
            return ""
    return not_finite(int(np.isnan(values).sum()), int(np.isinf(values).sum()))
