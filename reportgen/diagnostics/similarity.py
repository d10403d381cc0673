"""How alike two representations of the same probes are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 4
"""Probes below which the debiased estimate is not defined."""

NOTHING = 1e-10
"""A self-similarity below this fraction of the squared norm is rounding, and the similarity not defined."""


def gram(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return X X' of `(probe, …)` features, each centred over the probes: `(probe, probe)`.

    All that the similarity needs of a layer, however many features it has; they are taken in blocks to save memory.
    """
    flat = features.reshape(len(features), -1)
    total = np.zeros((len(flat), len(flat)))
    for start in range(0, flat.shape[1], 16384):
        block = flat[:, start : start + 16384].astype(np.float64)
        block -= block.mean(axis=0)
        total += block @ block.T
    return total


def cka(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Return the debiased linear centred kernel alignment of two Gram matrices as `gram` gives them.

    Kornblith et al. 2019 (arXiv:1905.00414), in the unbiased form of Song et al. 2012 that Nguyen, Raghu and
    Kornblith 2021 (arXiv:2010.15327) use: with S(X, Y) = ‖X'Y‖² − n/(n−2) Σᵢ ‖xᵢ‖² ‖yᵢ‖² + ‖X‖² ‖Y‖² / ((n−1)(n−2)),
    S(X, Y) / √(S(X, X) S(Y, Y)). 1 for equal representations up to rotation and scale, about 0 for independent ones,
    and slightly negative by chance. None where it is not defined: fewer than LEAST probes, or S(X, X) or S(Y, Y) is
    not positive. Biased CKA is near 1 for anything when features outnumber probes.
    """
    if len(x) < LEAST or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    own, other = _product(x, x), _product(y, y)
    if own <= NOTHING * np.trace(x) ** 2 or other <= NOTHING * np.trace(y) ** 2:
        return None
    return float(_product(x, y) / np.sqrt(own * other))


def cka_matrix(grams: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the similarity of each representation with each, NaN where it is not defined."""
    table = np.full((len(grams), len(grams)), np.nan)
    for i, x in enumerate(grams):
        for j in range(i + 1):
            found = cka(x, grams[j])
            table[i, j] = table[j, i] = np.nan if found is None else found
    return table


def _product(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    n = len(x)
    rows = float(np.diag(x) @ np.diag(y))
    norms = float(np.trace(x) * np.trace(y))
    return float((x * y).sum()) - n / (n - 2) * rows + norms / ((n - 1) * (n - 2))
