"""Filters of a layer that do the same thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.matrices import Matrix
from reportgen.diagnostics.weights import why_not

ALIKE = 0.9
"""Magnitude of the cosine above which two filters count as alike (Ayinde, Inanc and Zurada 2019, arXiv:1802.07653)."""
MOST = 4096
"""Filters of a layer beyond which pairs are not compared."""


@dataclass(frozen=True)
class Redundancy:
    """How much the filters of one kernel repeat each other."""

    filters: int
    highest: float | None
    """Largest magnitude of the cosine between two filters; None where none can be compared."""
    pair: tuple[int, int] | None
    """Those two."""
    alike: int
    """Pairs with |cosine| above ALIKE."""
    pairs: int
    by_chance: float
    """Pairs above ALIKE expected of random filters of as many numbers: few numbers are often parallel by chance."""
    duplicates: tuple[tuple[int, ...], ...]
    """Groups of filters that are equal to the last bit and not zero."""
    zero: tuple[int, ...]
    """Filters that are all zero; they are left out of the pairs."""
    weakest: float | None
    """Smallest L1 norm of a filter as a fraction of the median one (Li et al. 2017, arXiv:1608.08710): what could be
    pruned; None where the median is zero."""
    problem: str
    """Why the pairs were not compared; empty where they were."""


def redundancy(matrix: Matrix) -> Redundancy:
    """Compare the columns of `(input, filter)` with each other."""
    values = matrix.values
    numbers, count = values.shape
    reason = why_not(values)
    if reason:
        return Redundancy(count, None, None, 0, 0, 0.0, (), (), None, reason)
    sizes = np.abs(values).sum(axis=0)
    median = float(np.median(sizes))
    weakest = float(sizes.min()) / median if median > 0 else None
    zero = tuple(np.flatnonzero(sizes == 0).tolist())
    if not matrix.alike:
        reason = "each filter looks at inputs of its own"
    elif numbers == 1:
        reason = "a filter is a single number"
    elif count > MOST:
        reason = f"it has more than {MOST} filters"
    elif count - len(zero) < 2:
        reason = "it has a single filter" if count == 1 else "all its filters but one are zero" if zero else reason
        reason = "all its filters are zero" if len(zero) == count else reason
    if reason:
        return Redundancy(count, None, None, 0, 0, 0.0, (), zero, weakest, reason)
    kept = np.flatnonzero(sizes)
    unit = values[:, kept] / np.abs(values[:, kept]).max(axis=0)
    unit /= np.linalg.norm(unit, axis=0)
    upper = np.triu(np.abs(unit.T @ unit), 1)
    place = int(upper.argmax())
    first, second = divmod(place, len(kept))
    pairs = len(kept) * (len(kept) - 1) // 2
    return Redundancy(
        count, min(1.0, float(upper.flat[place])), (int(kept[first]), int(kept[second])), int((upper > ALIKE).sum()),
        pairs, pairs * chance(numbers), _duplicates(values, kept), zero, weakest, "",
    )  # fmt: skip


def chance(numbers: int) -> float:
    """Return the probability that two random directions in so many dimensions have |cosine| above ALIKE.

    The square of the cosine has a beta distribution with parameters ½ and (d − 1)/2 (Cai, Fan and Jiang 2013,
    arXiv:1306.0256).
    """
    from scipy.stats import beta

    return float(beta.sf(ALIKE**2, 0.5, (numbers - 1) / 2))


def _duplicates(values: NDArray[np.float64], kept: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    same: dict[bytes, list[int]] = {}
    for i in kept.tolist():
        same.setdefault((values[:, i] + 0.0).tobytes(), []).append(i)
    return tuple(tuple(group) for group in same.values() if len(group) > 1)
