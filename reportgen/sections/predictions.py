"""What does the network say, and is it right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.calibration import Calibration
from reportgen.diagnostics.keeping import ENOUGH, Choice, Witness
from reportgen.diagnostics.roc import Roc
from reportgen.diagnostics.scores import Confusion, RegressionScore
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.classification import ranked_figure, reliability_figure, roc_figure, worst_figure
from reportgen.sections.courses import ProbeCourse, course_figures, courses_of
from reportgen.sections.keeping import keep
from reportgen.sections.regression import regression_figures
from reportgen.sections.scoring import Scored, score
from reportgen.sections.section import Check, Section

TITLE = "Predictions"
QUESTION = "What does the network say, and is it right?"


class SectionOptions(Options):
    """Options of the predictions section."""

    extremes: PositiveInt = 5
    """How many of the best and of the worst predictions are shown."""


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


@dataclass(frozen=True)
class ClassRoc:
    """How well one class is told from the rest, whatever the threshold."""

    name: str
    roc: Roc


@dataclass(frozen=True)
class Network:
    """What one architecture says, at its best checkpoint and beside it at its first and last."""

    letter: str
    """A, B, …; empty with only one."""
    kind: Literal["regression", "binary", "classes"]
    output: str
    unit: str
    activation: str
    logits: bool
    """Whether sigmoid or softmax was applied to a linear output."""
    classes: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    checkpoint: str
    """The checkpoint that is scored: the best."""
    epoch: int | None
    score: RegressionScore | None
    confusion: Confusion | None
    labelled: int
    other_outputs: tuple[str, ...]
    """Names of the outputs that are not shown, of a network with several."""
    not_finite: int
    """Probes whose prediction is NaN or infinite; no score counts them."""
    unknown_labels: tuple[str, ...]
    """Labels of probes that are none of the classes."""
    rocs: tuple[ClassRoc, ...]
    """Of the positive class, or of each class against the rest; none where a class has no probe."""
    calibration: Calibration | None
    """None for a regression, without labels, and where the outputs are no probabilities."""
    courses: tuple[ProbeCourse, ...]
    """Every labelled probe over all checkpoints of this architecture."""
    at: tuple[str, ...]
    """The checkpoints of the courses."""
    witnesses: tuple[Witness, ...]
    """What is known of each checkpoint."""
    score_name: str
    """What the score of the witnesses is."""
    monitor: str
    """The history's monitored column; empty without."""
    choice: Choice | None
    """Which checkpoint to keep."""
    figures: tuple[str, ...]
    """Ids."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    enough: int
    """Labelled probes below which a score proves little."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Set predictions against what is known of the probes."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    for group in measured:
        network, drawn = _network(run, group, options)
        networks.append(network)
        figures += drawn
    checks = tuple(_varies(group.best.extraction) for group in measured if len(run.probes) > 1)
    return Section(Content(tuple(networks), ENOUGH), tuple(figures), checks)


def _network(run: ExtractedRun, group: Group, options: SectionOptions) -> tuple[Network, list[Figure]]:
    e = group.best.extraction
    scored = score(run, e)
    task = scored.task
    drawn: list[Figure] = []
    if scored.score is not None:
        drawn = regression_figures(run, scored, options.extremes, e)
    elif task.kind == "binary" and np.isfinite(scored.answers).any():
        drawn = [ranked_figure(run, scored, e)]
    rocs = [ClassRoc(name, roc) for name, roc in scored.rocs]
    if rocs:
        drawn.append(roc_figure([(c.name, c.roc) for c in rocs], e))
    found = scored.calibration
    if found is not None and found.n >= ENOUGH:
        drawn.append(reliability_figure(found, len(task.classes), e))
    if task.classes and (worst := worst_figure(run, scored, options.extremes, e)):
        drawn.append(worst)
    members = [x for x in run.of_architecture(e.about.architecture) if x.predictions is not None]
    at, courses = courses_of(run, members)
    drawn += course_figures(run, e, at, courses, task)
    witnesses, score_name, choice = keep(run, group, members)
    strange = [p.label for p in run.probes.probes if p.label and task.classes and p.label not in task.classes]
    return Network(
        group.letter, task.kind, task.output, task.unit, e.output_activation, task.logits, task.classes,
        tuple(Column(x.about.file, x.epoch, group.roles[x.name]) for x in group.shown),
        _rows(run, scored, group.shown), e.about.file, e.epoch, scored.score, scored.confusion,
        len(scored.known), e.other_outputs, int((~np.isfinite(scored.answers)).sum()),
        tuple(dict.fromkeys(strange)), tuple(rocs), found, courses, at, witnesses, score_name, group.best.monitor,
        choice, tuple(f.id for f in drawn),
    ), drawn  # fmt: skip


def _rows(run: ExtractedRun, scored: Scored, at: tuple[Extraction, ...]) -> tuple[Row, ...]:
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


def _varies(extraction: Extraction) -> Check:
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
