"""What the checkpoints say of each probe, and whether they say anything at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reportgen.diagnostics.intervals import Interval
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.courses import ProbeCourse
from reportgen.sections.scoring import Scored
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.verdicts.answers import (
    labels_contradicted,
    predictions_constant,
    predictions_not_finite,
    predictions_saturated,
    probe_set_small,
    score_at_chance,
)


@dataclass(frozen=True)
class Column:
    """One checkpoint's column of the table."""

    checkpoint: str
    epoch: int | None
    role: str


@dataclass(frozen=True)
class Row:
    """One probe as a line of the table."""

    probe: str
    label: str
    target: float | None
    values: tuple[float, ...]
    """One a column: the value, or the probability of the positive or of the chosen class."""
    classes: tuple[str, ...]
    """The class each column's checkpoint chose; empty for a regression."""
    right: tuple[bool | None, ...]
    """Whether that is its label; None without one, and for a regression."""


def rows_of(run: ExtractedRun, scored: Scored, at: tuple[Extraction, ...]) -> tuple[Row, ...]:
    """Return a line a probe with the answers of some measured checkpoints."""
    rows = []
    task, labels = scored.task, scored.labels
    answers = [task.answers(e.predictions) for e in at if e.predictions is not None]
    picked = [task.chosen(e.predictions) for e in at if e.predictions is not None]
    for i, probe in enumerate(run.probes.probes):
        classes = [c[i] for c in picked] if task.classes else []
        names = tuple("none" if c is None else task.classes[c] for c in classes)
        right = tuple(None if labels[i] is None or name == "none" else name == labels[i] for name in names)
        rows.append(Row(probe.id, probe.label or "", probe.target, tuple(float(a[i]) for a in answers), names, right))
    return tuple(rows)


def judge(
    run: ExtractedRun, scored: Scored, extraction: Extraction, members: Sequence[Extraction],
    courses: Sequence[ProbeCourse],
) -> list[Judged]:  # fmt: skip
    """Judge the answers of the best checkpoint, and over the checkpoints of its architecture."""
    limits, p = run.config.verdicts, extraction.predictions
    assert p is not None  # noqa: S101 - the caller measured it
    task, table = scored.task, scored.confusion
    bad = [(e.about.file, int((~np.isfinite(e.predictions)).sum())) for e in members if e.predictions is not None]
    right = round(table.accuracy * table.n) if table else None
    followed = [(c.probe, c.label, c.course) for c in courses if c.course]
    counts = [r.n for r in table.scores if r.n] if table else [len(scored.known)]
    if task.kind == "regression":
        contradicted: Judged = Unjudged("labels_contradicted", "it is a regression, and has no labels")
    else:
        accuracy = table.accuracy if table else None
        contradicted = labels_contradicted(followed, len(members), accuracy, limits.labels_contradicted)
    activation = extraction.output_activation
    found: list[Judged] = [
        predictions_not_finite(bad, len(members)),
        predictions_constant(p, extraction.scores, activation, limits.predictions_constant),
        predictions_saturated(p, activation, right, table.n if table else 0, limits.predictions_saturated),
        score_at_chance(*_score(scored), len(scored.known), limits.score_at_chance, scored.score),
        contradicted,
        probe_set_small(counts, task.kind == "regression", limits.probe_set_small),
    ]
    where = {"checkpoint": extraction.about.file}
    return [replace(j, facts=j.facts | where) if isinstance(j, Check) else j for j in found]


def _score(scored: Scored) -> tuple[str, float | None, Interval | None, float]:
    """Return which score it is, its value and interval, and that of answers that know nothing."""
    if scored.score is not None:
        return "r", scored.score.correlation, scored.score.interval, 0.0
    if scored.task.kind == "binary":
        found = scored.rocs[0][1] if scored.rocs else None
        return "AUC", found.auc if found else None, found.interval if found else None, 0.5
    table = scored.confusion
    if table is None:
        return "accuracy", None, None, 0.0
    return "accuracy", table.accuracy, table.interval, max(row.n for row in table.scores) / table.n
