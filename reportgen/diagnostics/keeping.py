"""Which checkpoint to keep, by several witnesses that may disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reportgen.diagnostics.intervals import Interval

ENOUGH = 30
"""Scored probes below which the probes may not overrule the history."""

Decided = Literal["history", "probes", "last"]


@dataclass(frozen=True)
class Witness:
    """What is known of one checkpoint."""

    checkpoint: str
    epoch: int | None
    monitored: float | None
    """Value of the history's monitored column at its epoch."""
    score: float | None
    """On the probes: area under the ROC, accuracy, or Pearson's r; larger is better."""
    interval: Interval | None
    """Of the score."""
    ece: float | None
    """Expected calibration error; None for a regression."""
    change: float | None
    """Mean absolute change of the answers since the checkpoint before."""
    dead: float | None
    """Fraction of dead channels and units of rectified layers."""
    not_finite: int
    """Predictions that are NaN or infinite."""


@dataclass(frozen=True)
class Choice:
    """The checkpoint to keep, and what each witness would keep."""

    kept: str
    """Name of the checkpoint."""
    decided: Decided
    """The history; the probes, where their interval is clear of that of the history's choice; or, without either,
    the last checkpoint stands in."""
    by_history: str
    """Empty where no history says."""
    by_score: str
    by_calibration: str
    most_stable: str
    """Of the last third of the checkpoints, the one whose answers moved least."""
    fewest_dead: str
    scored: int
    """Probes in the scores."""

    @property
    def disagree(self) -> tuple[str, ...]:
        """Which witnesses would keep another one."""
        said = {
            "history": self.by_history, "score": self.by_score, "calibration": self.by_calibration,
            "stability": self.most_stable, "dead": self.fewest_dead,
        }  # fmt: skip
        return tuple(name for name, choice in said.items() if choice and choice != self.kept)


def choose(witnesses: Sequence[Witness], larger: bool, scored: int) -> Choice | None:
    """Return which checkpoint to keep; None without any.

    The history decides, as it usually stands on far more images than the probe set. The probes overrule it where there
    are ENOUGH of them and the best score's interval lies wholly above that of the history's choice. A witness that
    finds several equally good names the first of them. A checkpoint with predictions that are not finite is never
    kept while there is another.
    """
    sound = [w for w in witnesses if not w.not_finite] or list(witnesses)
    if not sound:
        return None
    by_history = _best(sound, [w.monitored for w in sound], larger)
    by_score = _best(sound, [w.score for w in sound], True)
    late = sound[-max(1, len(sound) // 3) :] if len(sound) >= 3 else []
    kept, decided = (by_history, "history") if by_history else (by_score, "probes")
    if not kept:
        kept, decided = sound[-1].checkpoint, "last"
    elif decided == "history" and by_score and scored >= ENOUGH:
        before = next(w for w in sound if w.checkpoint == kept).interval
        after = next(w for w in sound if w.checkpoint == by_score).interval
        if before and after and after.low > before.high:
            kept, decided = by_score, "probes"
    return Choice(
        kept, decided, by_history, by_score,  # type: ignore[arg-type]
        _best(sound, [w.ece for w in sound], False), _best(late, [w.change for w in late], False),
        _best(sound, [w.dead for w in sound], False), scored,
    )  # fmt: skip


def _best(witnesses: Sequence[Witness], values: Sequence[float | None], larger: bool) -> str:
    """Return the checkpoint with the best finite value, the first of equals; empty where none differs or is known."""
    known = np.array([np.nan if v is None else v for v in values], float)
    if not np.isfinite(known).any() or np.nanmin(known) == np.nanmax(known):
        return ""
    order = known if larger else -known
    return witnesses[int(np.nanargmax(order))].checkpoint
