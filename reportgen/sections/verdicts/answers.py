"""What the predictions say against the network, the labels and the probe set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from reportgen.config.verdicts import (
    LabelsContradicted,
    PredictionsConstant,
    PredictionsSaturated,
    ProbeSetSmall,
    ScoreAtChance,
)
from reportgen.diagnostics.intervals import Interval, of_fraction
from reportgen.diagnostics.learning import LEAST, Course
from reportgen.diagnostics.scores import RegressionScore
from reportgen.sections.section import Check, Judged, Status, Unjudged
from reportgen.sections.verdicts.grade import above

PROBABILITIES = frozenset({"sigmoid", "softmax", "hard_sigmoid"})
"""Functions whose outputs lie between 0 and 1."""


def predictions_not_finite(bad: Sequence[tuple[str, int]], checkpoints: int) -> Judged:
    """Judge `(checkpoint, predictions that are not finite)`: any is one too many."""
    total = sum(count for _, count in bad)
    named = [name for name, count in bad if count]
    facts = {"where": named[:3], "more": max(0, len(named) - 3), "checkpoints": checkpoints}
    return Check("predictions_not_finite", "fail" if total else "pass", float(total), 0.0, facts)


def predictions_constant(
    predictions: NDArray[np.floating], scores: NDArray[np.floating] | None, activation: str, limits: PredictionsConstant
) -> Judged:
    """Judge the span of the answers `(probe, unit)`, that of the widest unit.

    Where they are probabilities, the scores before the sigmoid or softmax must span as little of their own size: a
    network that is sure of everything is not constant.
    """
    values = np.asarray(predictions, np.float64).reshape(len(predictions), -1)
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < 2:
        return Unjudged("predictions_constant", "fewer than two probes have a finite answer")
    span = float(np.ptp(values, axis=0).max())
    least = limits.fail if limits.fail is not None else -1.0
    if activation not in PROBABILITIES:
        least *= float(np.abs(values).max())
    constant = span <= least
    if constant and scores is not None and activation in PROBABILITIES:
        raw = np.asarray(scores, np.float64).reshape(len(scores), -1)
        raw = raw[np.isfinite(raw).all(axis=1)]
        size = max(1.0, float(np.abs(raw).max(initial=0.0)))
        constant = len(raw) < 2 or float(np.ptp(raw, axis=0).max()) <= (limits.fail or 0.0) * size
    facts = {"n": len(values), "low": float(values.min()), "high": float(values.max())}
    return Check("predictions_constant", "fail" if constant else "pass", span, least if least >= 0 else None, facts)


def predictions_saturated(
    predictions: NDArray[np.floating], activation: str, right: int | None, of: int, limits: PredictionsSaturated
) -> Judged:
    """Judge the fraction of probes all of whose probabilities are as good as 0 or 1.

    `right` of `of` labelled probes are answered rightly: being sure is no defect where it is also right.
    """
    if activation not in PROBABILITIES:
        return Unjudged("predictions_saturated", "the answers are not made by a sigmoid or softmax")
    values = np.asarray(predictions, np.float64).reshape(len(predictions), -1)
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < 2:
        return Unjudged("predictions_saturated", "fewer than two probes have a finite answer")
    share = float(((values < limits.within) | (values > 1 - limits.within)).all(axis=1).mean())
    status, threshold = above(share, limits.warn)
    sure = right is not None and of > 0 and right / of >= limits.right
    facts = {
        "n": len(values),
        "within": limits.within,
        "right": right,
        "of": of,
        "sure": bool(sure and status == "warn"),
    }
    return Check("predictions_saturated", "pass" if sure else status, share, threshold, facts)


def score_at_chance(
    kind: str, score: float | None, interval: Interval | None, chance: float, n: int, limits: ScoreAtChance,
    details: RegressionScore | None = None,
) -> Judged:  # fmt: skip
    """Judge whether the answers have to do with the truth, by their skill: 0 by chance, 1 for perfect answers.

    `kind` is AUC, r or accuracy, `chance` the score of answers that know nothing. Without an interval every resample
    agreed, which stands for a point. Pearson's r that halves without the far tail of the actual values, and is not to
    be told from 0 there, leans on few points: `details` has both, and it is a warn.
    """
    if n < limits.least:
        return Unjudged("score_at_chance", f"{n} scored probes are fewer than {limits.least}")
    if score is None:
        return Unjudged("score_at_chance", "the answers, or what is known of the probes, do not vary")
    scale = 1 - chance
    skill = (score - chance) / scale if scale > 0 else 0.0
    ends = (interval.low, interval.high) if interval else (score, score)
    low, high = ((end - chance) / scale if scale > 0 else 0.0 for end in ends)
    status: Status = "pass"
    if limits.warn is not None:
        if (high < 0 and kind != "accuracy") or (low <= 0 and high < limits.warn):
            status = "fail"
        elif low <= 0 and skill <= limits.warn:
            status = "warn"
    rest = details.rest if details else None
    leans = bool(
        rest and status == "pass" and rest.correlation < limits.rest * score
        and (rest.interval is None or rest.interval.low <= 0)
    )  # fmt: skip
    if leans and limits.warn is not None:
        status = "warn"
    facts = {
        "rho": details.rank_correlation if details else None, "rest": asdict(rest) if rest else None, "leans": leans,
        "kind": kind, "score": score, "low": interval.low if interval else None,
        "high": interval.high if interval else None, "chance": chance, "n": n,
        "reversed": high < 0 and kind != "accuracy",
    }  # fmt: skip
    return Check("score_at_chance", status, skill, limits.warn, facts)


def labels_contradicted(
    courses: Sequence[tuple[str, str, Course]], checkpoints: int, right: float | None, limits: LabelsContradicted
) -> Judged:
    """Judge the number of labels `(probe, label, course)` that a good network denies, early and late.

    After the data map of Swayamdipta et al. 2020 (arXiv:2009.10795): hard to learn is often mislabelled.
    """
    if checkpoints < LEAST:
        return Unjudged("labels_contradicted", f"{checkpoints} checkpoints are fewer than {LEAST}")
    if not courses or right is None:
        return Unjudged("labels_contradicted", "no probe has a label that is one of the classes")
    if right < limits.right:
        return Unjudged("labels_contradicted", f"the answers are right for {100 * right:.0f} % of the labels only")
    denied = [
        (probe, label, c.mean)
        for probe, label, c in courses
        if c.kind == "hard" and c.mean < limits.confidence and not any(c.right[len(c.right) // 2 :])
    ]
    steadily = [probe for probe, _, c in courses if not any(c.right) and probe not in {p for p, _, _ in denied}]
    facts = {
        "wrong": steadily[:6], "n_wrong": len(steadily),
        "probes": [{"probe": probe, "label": label, "mean": mean} for probe, label, mean in denied[:6]],
        "n": len(courses), "checkpoints": checkpoints, "confidence": limits.confidence, "more": max(0, len(denied) - 6),
    }  # fmt: skip
    status, threshold = above(float(len(denied)), limits.warn)
    return Check("labels_contradicted", status, float(len(denied)), threshold, facts)


def probe_set_small(counts: Sequence[int], regression: bool, limits: ProbeSetSmall) -> Judged:
    """Judge the smallest p-value that perfect answers could have; `counts` are probes by class, or those with a target.

    Exact: of the rank-sum test 2 / C(n + m, n), of each class against the others the best; of rank correlation 2 / n!.
    """
    n = sum(counts)
    if not n:
        return Unjudged("probe_set_small", "no probe has a label or a target")
    if regression:
        least = min(1.0, 2 / math.factorial(min(n, 20)))
    else:
        least = min(1.0, min(2 / math.comb(n, c) for c in counts))
    status, threshold = above(least, limits.warn)
    # How precise a score is of a regression: Fisher's z (1921) of r = 0.5; of classes: Wilson's interval of 90 %.
    low, high = None, None
    if regression and n > 3:
        low, high = (float(np.tanh(np.arctanh(0.5) + side * 1.96 / math.sqrt(n - 3))) for side in (-1, 1))
    elif not regression and (found := of_fraction(round(0.9 * n), n)):
        low, high = found.low, found.high
    facts = {"n": n, "regression": regression, "counts": list(counts), "low": low, "high": high}
    return Check("probe_set_small", status, least, threshold, facts)
