"""A checkpoint's predictions against what is known of the probes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.calibration import Calibration, calibration
from reportgen.diagnostics.roc import Roc, roc
from reportgen.diagnostics.scores import Confusion, RegressionScore, confusion, regression_score
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.task import Task, task_of

YES, NO = {"yes", "true", "1", "1.0"}, {"no", "false", "0", "0.0"}
"""What the column `trained` may say."""


@dataclass(frozen=True)
class Scored:
    """What a checkpoint says, and how far it is right."""

    task: Task
    answers: NDArray[np.float64]
    """One number a probe, `(probe,)`."""
    chosen: list[int | None]
    """Predicted class of each probe, None where it is not finite; without meaning for a regression."""
    labels: list[str | None]
    """Label of each probe where it is one of the classes."""
    known: list[int]
    """Probes whose target or class is known and whose prediction is finite: those that are scored."""
    score: RegressionScore | None
    confusion: Confusion | None
    p_true: NDArray[np.float64]
    """Probability of its own class, `(probe,)`; NaN without a label or a finite prediction, and for a regression."""
    rocs: tuple[tuple[str, Roc], ...] = ()
    """Of the positive class, or of each class against the rest, where both sides have probes."""
    calibration: Calibration | None = None
    """None for a regression, without labels, and where the outputs are no probabilities."""


def objects(run: ExtractedRun, chosen: Iterable[int]) -> int:
    """Return how many different objects some probes show; one that names none is an object of its own."""
    column, probes = run.config.probes.columns.object, run.probes.probes
    named = [probes[i].metadata.get(column, "") for i in chosen]
    return len(set(filter(None, named))) + named.count("")


def trained(run: ExtractedRun, chosen: Iterable[int]) -> tuple[int, int] | None:
    """Return how many of some probes were trained on, of how many that say so; None where none does."""
    column, probes = run.config.probes.columns.trained, run.probes.probes
    said = [word for i in chosen if (word := probes[i].metadata.get(column, "").strip().lower()) in YES | NO]
    return (sum(word in YES for word in said), len(said)) if said else None


def score(run: ExtractedRun, extraction: Extraction) -> Scored:
    """Compare the predictions of a measured checkpoint with the targets or labels of the probes."""
    assert extraction.predictions is not None, "ask only for checkpoints that were measured"  # noqa: S101
    task = task_of(run, extraction)
    probes = run.probes.probes
    answers, chosen = task.answers(extraction.predictions), task.chosen(extraction.predictions)
    labels = [p.label if p.label in task.classes else None for p in probes]
    if task.kind == "regression":
        known = [i for i, p in enumerate(probes) if p.target is not None and np.isfinite(answers[i])]
        actual = np.array([probes[i].target for i in known], float)
        found = regression_score(answers[known], actual) if known else None
        return Scored(task, answers, chosen, labels, known, found, None, np.full(len(probes), np.nan))
    pairs = [(i, c, label) for i, (c, label) in enumerate(zip(chosen, labels, strict=True))]
    judged = [(i, c, task.classes.index(label)) for i, c, label in pairs if c is not None and label is not None]
    table = confusion([c for _, c, _ in judged], [t for _, _, t in judged], task.classes) if judged else None
    known = [i for i, _, _ in judged]
    actual = np.array([t for _, _, t in judged], int)
    p = task.by_class(extraction.predictions)
    p_true = np.full(len(probes), np.nan)
    p_true[known] = p[known, actual]
    asked = range(1, 2) if len(task.classes) == 2 else range(len(task.classes))
    curves = [(task.classes[c], roc(p[known, c], actual == c)) for c in asked] if known else []
    found_all = p[known]
    sums = bool(known) and bool((found_all >= 0).all() and np.allclose(found_all.sum(axis=1), 1, atol=1e-3))
    return Scored(
        task, answers, chosen, labels, known, None, table, p_true, tuple((n, c) for n, c in curves if c is not None),
        calibration(found_all, actual) if sums else None,
    )  # fmt: skip
