"""What became of each probe while the network learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SPREAD = 0.2
"""Standard deviation of p_true over checkpoints above which a probe is called ambiguous."""
CONTRADICTED = 0.2
"""Mean p_true below which a probe that is never right lately is called probably mislabelled."""
LEAST = 3
"""Checkpoints below which nothing is said of a probe's course."""

Kind = Literal["", "easy", "ambiguous", "hard"]


@dataclass(frozen=True)
class Course:
    """One labelled probe over the checkpoints."""

    p_true: tuple[float, ...]
    """Probability of its label at each checkpoint."""
    right: tuple[bool, ...]
    mean: float
    """Of p_true: confidence."""
    spread: float
    """Standard deviation of p_true over checkpoints: variability."""
    flips: int
    """How often it changed between right and wrong."""
    forgotten: int
    """How often it changed from right to wrong."""
    kind: Kind
    """Empty with fewer than LEAST checkpoints, or where a prediction is not finite."""
    contradicted: bool
    """Hard, p_true below CONTRADICTED in the mean, and wrong at each checkpoint of the second half."""


def course(p_true: NDArray[np.floating], right: NDArray[np.bool_]) -> Course:
    """Describe one probe from `(checkpoint,)` arrays.

    Forgetting events after Toneva et al. 2018 (arXiv:1812.05159), confidence and variability after Swayamdipta et
    al. 2020 (arXiv:2009.10795): easy is high confidence and low variability, hard low confidence and low variability,
    ambiguous high variability. Its regions have no published borders. Here variability is high above SPREAD, and
    confidence above one half; easy must also be right at the last checkpoint, hard, in that paper often mislabelled,
    wrong there and at more than half of them. What is neither is ambiguous.
    """
    p, r = np.asarray(p_true, np.float64), np.asarray(right, bool)
    mean, spread = float(p.mean()), float(p.std())
    flips, forgotten = int((r[1:] != r[:-1]).sum()), int((r[:-1] & ~r[1:]).sum())
    kind: Kind = ""
    if len(p) >= LEAST and np.isfinite(p).all():
        easy, hard = mean > 0.5 and r[-1], mean <= 0.5 and not r[-1] and r.mean() < 0.5
        kind = "ambiguous" if spread > SPREAD or not (easy or hard) else "easy" if easy else "hard"
    contradicted = kind == "hard" and mean < CONTRADICTED and not r[len(r) // 2 :].any()
    return Course(tuple(p.tolist()), tuple(r.tolist()), mean, spread, flips, forgotten, kind, bool(contradicted))


def steps(answers: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean absolute change of `(checkpoint, probe)` answers to the checkpoint before: NaN for the first."""
    a = np.asarray(answers, np.float64)
    change = np.full(len(a), np.nan)
    for t in range(1, len(a)):
        moved = np.abs(a[t] - a[t - 1])
        change[t] = float(moved[np.isfinite(moved)].mean()) if np.isfinite(moved).any() else np.nan
    return change
