"""What the checkpoints say of each probe, and whether they say anything at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.scoring import Scored
from reportgen.sections.section import Check


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


def answers_vary(extraction: Extraction) -> Check:
    """Fail where every probe gets the same answer or a saturated one: the preparation is probably wrong."""
    p = extraction.predictions
    assert p is not None  # noqa: S101 - the caller measured it
    values = p.reshape(len(p), -1).astype(np.float64)
    facts = {
        "n": len(p),
        "checkpoint": extraction.about.file,
        "low": float(values.min()),
        "high": float(values.max()),
    }
    if not np.isfinite(values).all():
        return Check("predictions_not_finite", "fail", float((~np.isfinite(values)).sum()), 0.0, facts)
    spread = float(np.ptp(values, axis=0).max())
    # Outputs may have any unit: what counts is the spread against their own size.
    size = 1.0 if extraction.output_activation in {"sigmoid", "softmax"} else float(np.abs(values).max())
    least = 1e-3 * size
    if spread <= least:
        return Check("predictions_constant", "fail", spread, least, facts)
    if extraction.output_activation in {"sigmoid", "softmax"}:
        saturated = float(((values < 1e-4) | (values > 1 - 1e-4)).all(axis=1).mean())
        if saturated == 1.0:
            return Check("predictions_saturated", "warn", saturated, 1.0, facts)
    return Check("predictions_constant", "pass", spread, least, facts)
