"""Which probes are explained, and which score of theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reportgen.network.plan import Plan

Floats = NDArray[np.float32]


def choose(plan: Plan, answers: NDArray[np.floating], whole: int, most: int = 0) -> tuple[NDArray[np.int64], int]:
    """Return places of the chosen probes, rising, and how many of them do not depend on the answers `(probe,)`.

    All where there are at most `whole` and so many are wanted. Else half of `whole`, the same at every checkpoint:
    evenly over the labels in turn, in each over the targets, or over the order of the set; and up to `most` (by
    default `whole`) evenly over the ranks of the answers, the extremes among them.
    """
    count, most = len(answers), most or whole
    if count <= most:
        return np.arange(count), count
    targets = np.array(plan.targets)
    order = np.lexsort((np.arange(count), np.nan_to_num(targets, nan=np.inf)))
    by_label = {name: order[[plan.labels[i] == name for i in order]] for name in sorted(set(plan.labels))}
    half = min(most, max(1, whole // 2))
    each = -(-half // len(by_label))
    spread = [_evenly(places, each) for places in by_label.values()]
    fixed = [int(p[k]) for k in range(each) for p in spread if k < len(p)][:half]
    ranked = np.argsort(np.nan_to_num(answers, nan=-np.inf), kind="stable")
    rest = ranked[~np.isin(ranked, fixed)]
    more = _evenly(rest, most - len(fixed)) if most > len(fixed) else rest[:0]
    return np.sort(np.array([*fixed, *more], np.int64)), len(fixed)


def _evenly(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return so many of the places, evenly, with both ends."""
    return np.asarray(places[np.unique(np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int))])


def weigh(predictions: Floats, activation: str, loss: str, plan: Plan) -> tuple[Floats, str]:
    """Return the weights `(probe, unit)` of the scores whose sum is explained, and a word for them.

    output: the only or first unit of a regression. signed: z of one unit, -z where the answer is negative. contrast:
    z of the chosen class minus that of the runner-up, with two units the logit of the chosen one. largest: z of the
    largest unit, of units that are not exclusive.
    """
    count, units = predictions.shape
    entropy = "crossentropy" in loss.lower().replace("_", "")
    classifies = activation in {"sigmoid", "softmax", "hard_sigmoid"} or entropy
    known = bool(np.isfinite(plan.targets).any())
    regression = plan.kind == "regression" or (plan.kind == "auto" and (not classifies or (units == 1 and known)))
    weights = np.zeros((count, units), np.float32)
    if regression:
        weights[:, 0] = 1
        return weights, "output"
    if units == 1:
        middle = 0.0 if activation == "linear" else 0.5
        weights[:, 0] = np.where(predictions[:, 0] >= middle, 1, -1)
        return weights, "signed"
    ranked = np.argsort(-np.nan_to_num(predictions, nan=-np.inf), axis=1, kind="stable")
    rows = np.arange(count)
    weights[rows, ranked[:, 0]] = 1
    if activation in {"sigmoid", "hard_sigmoid"}:
        return weights, "largest"
    weights[rows, ranked[:, 1]] = -1
    return weights, "contrast"
