"""How far weights have moved between two checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.weights import why_not

Motion = Literal["moved", "frozen", "not learning", "still", "not known"]
"""still: it never moved, and the file does not say whether it should; not known: fewer than two checkpoints."""

COUNTED = ("moving_mean", "moving_variance", "seed", "count")
"""Arrays that no gradient moves; they are left out of a layer's drift."""


@dataclass(frozen=True)
class Drift:
    """From one state of some weights to another."""

    relative: float | None
    """‖W − W₀‖ / ‖W₀‖ (Zhang, Bengio and Singer 2019, arXiv:1902.01996)."""
    cosine: float | None
    """cos(W, W₀)."""
    problem: str
    """Why there are none; empty where there are both."""


def drift(before: NDArray[np.floating], after: NDArray[np.floating]) -> Drift:
    """Return how far `after` is from `before`, arrays of the same shape."""
    if before.shape != after.shape:
        return Drift(None, None, "its shape is another one")
    a, b = np.asarray(before, np.float64).ravel(), np.asarray(after, np.float64).ravel()
    for values, word in ((a, "before"), (b, "after")):
        if reason := why_not(values):
            return Drift(None, None, f"{word}, {reason}" if reason[0].isdigit() else reason)
    first, last = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if first == 0:
        return Drift(None, None, "all its weights were zero")
    relative = float(np.linalg.norm(b - a)) / first
    if last == 0:
        return Drift(relative, None, "all its weights are zero")
    if np.array_equal(a, b):
        return Drift(0.0, 1.0, "")
    return Drift(relative, float(np.clip((a / first) @ (b / last), -1, 1)), "")


def filter_drift(before: NDArray[np.floating], after: NDArray[np.floating]) -> tuple[Drift, ...]:
    """Return the drift of each column of two matrices `(input, filter)`."""
    return tuple(drift(before[:, i], after[:, i]) for i in range(before.shape[1]))


def learned(arrays: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    """Return all numbers of a layer that training moves by gradients, as one vector in the order of the file."""
    kept = [
        np.asarray(values, np.float64).ravel()
        for name, values in arrays.items()
        if values.dtype.kind in "f" and not name.rsplit("/", 1)[-1].startswith(COUNTED)
    ]
    return np.concatenate(kept) if kept else np.zeros(0)


def motion(states: Sequence[NDArray[np.floating]], trainable: bool | None) -> Motion:
    """Return whether weights moved over checkpoints, and if not, whether they should have.

    `trainable` is what the file says of the layer: False is frozen, True a layer that does not learn, None not known.
    """
    if len(states) < 2 or not states[0].size:
        return "not known"
    if any(s.shape != states[0].shape or not np.array_equal(s, states[0], equal_nan=True) for s in states[1:]):
        return "moved"
    return {False: "frozen", True: "not learning", None: "still"}[trainable]  # type: ignore[return-value]
