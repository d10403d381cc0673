"""A checkpoint's predictions against what is known of the probes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.scores import Confusion, RegressionScore, confusion, regression_score
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.task import Task, task_of


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
        return Scored(task, answers, chosen, labels, known, found, None)
    pairs = [(i, c, label) for i, (c, label) in enumerate(zip(chosen, labels, strict=True))]
    judged = [(i, c, task.classes.index(label)) for i, c, label in pairs if c is not None and label is not None]
    table = confusion([c for _, c, _ in judged], [t for _, _, t in judged], task.classes) if judged else None
    return Scored(task, answers, chosen, labels, [i for i, _, _ in judged], None, table)
