"""From which checkpoint on something stays as it is in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.extraction import Extraction

SETTLED = 0.9
"""Correlation with its last state from which on a layer counts as seeing what it sees in the end."""


@dataclass(frozen=True)
class Settled:
    """From which checkpoint on a layer sees the probe as it does in the end."""

    layer: str
    checkpoint: str
    epoch: int | None
    place: int
    """Of the checkpoints compared, from 0."""
    at_end: bool
    """Whether that is the last checkpoint, which agrees with itself by definition."""


def settled(layer: str, course: Sequence[float], least: float, shown: Sequence[Extraction]) -> Settled:
    """Return from which checkpoint on a course that ends at 1 stays at `least` or above."""
    place = len(course) - 1
    while place > 0 and course[place - 1] >= least:
        place -= 1
    return Settled(layer, shown[place].about.file, shown[place].epoch, place, place == len(course) - 1)


def answered(said: Sequence[float], shown: Sequence[Extraction]) -> Settled | None:
    """Return from which checkpoint on a prediction is near the last, within a tenth of its span; None without one."""
    span = max(said) - min(said)
    if not np.isfinite(span) or span == 0:
        return None
    return settled("", [1 - abs(value - said[-1]) / span for value in said], SETTLED, shown)
