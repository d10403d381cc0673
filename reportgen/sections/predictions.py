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
from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure
from reportgen.sections.answers import Column, Row, judge, rows_of
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.classification import (
    MANY_CLASSES,
    confusion_figure,
    ranked_figure,
    reliability_figure,
    roc_figure,
    worst_figure,
)
from reportgen.sections.courses import ProbeCourse, course_figure, courses_of, map_figure
from reportgen.sections.keeping import keep
from reportgen.sections.regression import regression_figures
from reportgen.sections.scoring import objects, score, trained
from reportgen.sections.section import Judged, Section, of_network, told

TITLE = "Predictions"
QUESTION = "What does the network say, and is it right?"


class SectionOptions(Options):
    """Options of the predictions section."""

    extremes: PositiveInt = 5
    """How many of the best and of the worst predictions are shown."""


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
    objects: int
    """Different objects these probes show."""
    trained: tuple[int, int] | None
    """How many of them were trained on, of how many of which the catalogue says; None where it does not say."""
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
    together: bool
    """Whether the answers of the networks stand in one table: several of one kind with one checkpoint each."""
    enough: int
    """Labelled probes below which a score proves little."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Set predictions against what is known of the probes."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    judged: list[Judged] = []
    for group in measured:
        network, drawn, said = _network(run, group, options)
        networks.append(network)
        figures += drawn
        judged += of_network(said, group.letter)
    together = len(networks) > 1 and len({n.kind for n in networks}) == 1 and all(len(n.columns) == 1 for n in networks)
    return Section(Content(tuple(networks), together, ENOUGH), tuple(figures), **told(judged))


def _network(
    run: ExtractedRun, group: Group, options: SectionOptions
) -> tuple[Network, list[Figure], list[Judged]]:  # fmt: skip
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
    if scored.confusion is not None and len(task.classes) > MANY_CLASSES:
        drawn.append(confusion_figure(scored.confusion, e))
    found = scored.calibration
    if found is not None and found.n >= ENOUGH:
        drawn.append(reliability_figure(found, len(task.classes), e))
    members = [x for x in run.of_architecture(e.about.architecture) if x.predictions is not None]
    at, courses = courses_of(run, members)
    drawn += map_figure(e, at, courses)
    if task.classes and (worst := worst_figure(run, scored, options.extremes, e)):
        drawn.append(worst)
    drawn += course_figure(e, at, courses, task)
    witnesses, score_name, choice = keep(run, group, members)
    strange = [p.label for p in run.probes.probes if p.label and task.classes and p.label not in task.classes]
    return Network(
        group.letter, task.kind, task.output, task.unit, e.output_activation, task.logits, task.classes,
        tuple(Column(x.about.file, x.epoch, group.roles[x.name]) for x in group.shown),
        rows_of(run, scored, group.shown), e.about.file, e.epoch, scored.score, scored.confusion,
        len(scored.known), objects(run, scored.known), trained(run, scored.known),
        e.other_outputs, int((~np.isfinite(scored.answers)).sum()),
        tuple(dict.fromkeys(strange)), tuple(rocs), found, courses, at, witnesses, score_name, group.best.monitor,
        choice, tuple(f.id for f in drawn),
    ), drawn, judge(run, scored, e, members, courses)  # fmt: skip
