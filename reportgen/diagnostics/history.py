"""What a training history says."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

LARGER_IS_BETTER = (
    "acc", "auc", "precision", "recall", "f1", "r2", "iou", "dice", "correlation", "cosine_similarity", "kappa", "mcc",
    "top_k", "sensitivity", "specificity",
)  # fmt: skip


def larger_is_better(name: str, mode: Literal["auto", "min", "max"] = "auto") -> bool:
    """Return whether the best value of a monitored quantity is its largest, by its name where `mode` is auto."""
    if mode != "auto":
        return mode == "max"
    word = name.lower()
    return not word.endswith(("loss", "error")) and any(part in word for part in LARGER_IS_BETTER)


def best_index(values: NDArray[np.floating], larger: bool) -> int | None:
    """Return the index of the best value of `(epoch,)`, the first of equals; None where none is finite."""
    finite = np.isfinite(values)
    if not finite.any():
        return None
    return int(np.argmax(np.where(finite, values if larger else -values, -np.inf)))
