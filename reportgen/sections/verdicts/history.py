"""What the training history says against the run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.run import History
from reportgen.config.verdicts import BestIsFirst, BestIsLast, Overfitting, VerdictsConfig
from reportgen.sections.chosen import Best
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.verdicts.grade import above


def of_history(history: History | None, chosen: Best | None, limits: VerdictsConfig) -> list[Judged]:
    """Judge the curves of a run; without a history nothing is."""
    names = ("overfitting", "best_is_last", "best_is_first")
    if history is None:
        return [Unjudged(name, "the run has no history") for name in names]
    found: list[Judged] = []
    if {"loss", "val_loss"} <= history.columns.keys():
        found.append(
            overfitting(history.epochs, history.columns["loss"], history.columns["val_loss"], limits.overfitting)
        )
    else:
        found.append(Unjudged("overfitting", "the history has not both loss and val_loss"))
    if chosen is None or not chosen.monitor:
        return [*found, *(Unjudged(n, "no column of the history says which epoch is best") for n in names[1:])]
    values = history.columns[chosen.monitor]
    return [
        *found,
        best_is_last(history.epochs, values, chosen.larger, chosen.monitor, limits.best_is_last),
        best_is_first(history.epochs, values, chosen.larger, chosen.monitor, limits.best_is_first),
    ]


def overfitting(
    epochs: NDArray[np.integer], loss: NDArray[np.floating], validation: NDArray[np.floating], limits: Overfitting
) -> Judged:
    """Judge how far the validation loss rises from its minimum while the training loss goes on falling.

    Generalisation loss GL = E_val / min E_val - 1 (Prechelt 1998, doi:10.1007/3-540-49430-8_3), of running medians over
    three epochs; where losses are not positive, relative to their whole descent.
    """
    good = np.isfinite(loss) & np.isfinite(validation)
    at, t, v = epochs[good], _smoothed(loss[good]), _smoothed(validation[good])
    if len(at) < limits.least:
        return Unjudged("overfitting", _few(len(at), "both losses", limits.least))
    best = int(v.argmin())
    rise = float(v[-1] - v[best])
    # From the highest of either loss on the way: a network that learnt nearly all in its first epoch has a validation
    # loss of next to nothing, and any rise of that is many times its minimum.
    descent = max(float(loss[good][: best + 1].max()), float(validation[good][: best + 1].max())) - float(v[best])
    size = float(v[best]) if v.min() > 0 else descent
    value = rise / size if size > 0 else 0.0
    falls = bool(t[-1] < t[best])
    status, threshold = above(value, limits.warn, limits.fail)
    if not falls or rise < limits.noise * descent:
        status, threshold = "pass", limits.warn
    facts = {
        "best_epoch": int(at[best]), "last_epoch": int(at[-1]), "best": float(v[best]), "last": float(v[-1]),
        "gap": float(v[-1] - t[-1]), "gap_at_best": float(v[best] - t[best]), "falls": falls,
        "noise": rise < limits.noise * descent,
    }  # fmt: skip
    return Check("overfitting", status, value, threshold, facts)


def best_is_last(
    epochs: NDArray[np.integer], values: NDArray[np.floating], larger: bool, monitor: str, limits: BestIsLast
) -> Judged:
    """Judge what the last fifth of the epochs still brought, where the last epoch is the best."""
    at, v = _finite(epochs, values, larger)
    if len(at) < limits.least:
        return Unjudged("best_is_last", _few(len(at), monitor, limits.least))
    late = max(1, round(len(v) / 5))
    best = int(v.argmin())
    gain = float(v[0] - v[best])
    last = best == len(v) - 1
    value = float(v[:-late].min() - v[best]) / gain if last and gain > 0 else 0.0
    status, threshold = above(value, limits.warn)
    facts = {"best_epoch": int(at[best]), "last_epoch": int(at[-1]), "monitor": monitor, "late": late, "last": last}
    return Check("best_is_last", status, value, threshold, facts)


def best_is_first(
    epochs: NDArray[np.integer], values: NDArray[np.floating], larger: bool, monitor: str, limits: BestIsFirst
) -> Judged:
    """Judge by how much the others are worse, where the first epoch is the best."""
    at, v = _finite(epochs, values, larger)
    if len(at) < limits.least:
        return Unjudged("best_is_first", _few(len(at), monitor, limits.least))
    best = int(v.argmin())
    size = abs(float(v[0])) or 1.0
    value = float(np.median(v[1:]) - v[0]) / size if best == 0 else 0.0
    status, threshold = above(value, limits.warn)
    facts = {"best_epoch": int(at[best]), "last_epoch": int(at[-1]), "monitor": monitor}
    return Check("best_is_first", status, value, threshold, facts)


def _few(n: int, what: str, least: int) -> str:
    return f"the history has {n} epoch{'' if n == 1 else 's'} with {what}, and {least} are needed"


def _finite(
    epochs: NDArray[np.integer], values: NDArray[np.floating], larger: bool
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    good = np.isfinite(values)
    v = np.asarray(values[good], np.float64)
    return epochs[good], -v if larger else v


def _smoothed(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the running median over three epochs, over two at the ends: one lucky epoch is no minimum."""
    return np.array([np.median(values[max(0, i - 1) : i + 2]) for i in range(len(values))], np.float64)
