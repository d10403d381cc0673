"""What does the network say, and is it right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.scores import Confusion, RegressionScore
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import ranked, scatter
from reportgen.sections.chosen import measured_groups
from reportgen.sections.scoring import Scored, score
from reportgen.sections.section import Check, Section
from reportgen.sections.thumbnails import contact_sheet, thumbnails

TITLE = "Predictions"
QUESTION = "What does the network say, and is it right?"

ENOUGH = 30
"""Labelled probes below which the report says how little a score proves."""


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
        e = group.best.extraction
        scored = score(run, e)
        task = scored.task
        drawn: list[Figure] = []
        if scored.score is not None:
            drawn = _regression_figures(run, scored, options, e)
        elif task.kind == "binary" and np.isfinite(scored.answers).any():
            drawn = [_ranked(run, scored, e)]
        figures += drawn
        strange = [p.label for p in run.probes.probes if p.label and task.classes and p.label not in task.classes]
        networks.append(
            Network(
                group.letter, task.kind, task.output, task.unit, e.output_activation, task.logits, task.classes,
                tuple(Column(x.about.file, x.epoch, group.roles[x.name]) for x in group.shown),
                _rows(run, scored, group.shown), e.about.file, e.epoch, scored.score, scored.confusion,
                len(scored.known), e.other_outputs, int((~np.isfinite(scored.answers)).sum()),
                tuple(dict.fromkeys(strange)), tuple(f.id for f in drawn),
            )
        )  # fmt: skip
    checks = tuple(_varies(group.best.extraction) for group in measured if len(run.probes) > 1)
    return Section(Content(tuple(networks), ENOUGH), tuple(figures), checks)


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


def _regression_figures(
    run: ExtractedRun, scored: Scored, options: SectionOptions, extraction: Extraction
) -> list[Figure]:
    task, known = scored.task, scored.known
    predicted = scored.answers[known]
    actual = np.array([run.probes.probes[i].target for i in known], float)
    difference = predicted - actual
    # The largest differences are the ones a reader looks up; more numbers than these pile up.
    worst = set(np.argsort(-np.abs(difference), kind="stable")[:8].tolist())
    names = [str(i) if k in worst else "" for k, i in enumerate(known)]
    low, high = float(min(predicted.min(), actual.min())), float(max(predicted.max(), actual.max()))
    margin = 0.05 * (high - low or 1)
    limits = (low - margin, high + margin)
    if extraction.output_activation == "sigmoid" and low >= 0 and high <= 1:
        limits = (-0.02, 1.02)
    unit = f" [{task.unit}]" if task.unit else ""
    facts = {
        "n": len(known),
        "checkpoint": extraction.about.file,
        "epoch": extraction.epoch,
        "output": task.output,
        "display": run.probes.display,
    }
    data = {
        "probe": [run.probes.probes[i].id for i in known],
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
    }
    axis, both = f"actual {task.output}{unit}", f"predicted {task.output}{unit}"
    against = scatter(actual.tolist(), predicted.tolist(), names, axis, both, limits, True)
    apart = scatter(actual.tolist(), difference.tolist(), names, axis, f"predicted − actual{unit}", limits, False)
    figures = [
        chart_figure(f"predictions-actual-{extraction.name}", against, facts | {"kind": "actual"}, data),
        chart_figure(f"predictions-difference-{extraction.name}", apart, facts | {"kind": "difference"}, data),
    ]
    order = np.argsort(np.abs(difference), kind="stable")
    most = min(options.extremes, len(known) // 2)
    for word, places in (("best", order[:most]), ("worst", order[::-1][:most])):
        if not len(places):
            continue
        chosen = [known[int(k)] for k in places]
        lines = [
            (f"{i}  {run.probes.probes[i].id}", f"{predicted[int(k)]:.3f}, actual {actual[int(k)]:.3f}")
            for i, k in zip(chosen, places, strict=True)
        ]
        pictures = thumbnails(run.probes, run.config.probes.display, chosen)
        width, height, placed, labels = contact_sheet(pictures, lines, columns=5)
        said = facts | {"kind": "extremes", "which": word, "shown": most}
        figures.append(Figure(f"predictions-{word}-{extraction.name}", said, width, height, placed, labels))
    return figures


def _ranked(run: ExtractedRun, scored: Scored, extraction: Extraction) -> Figure:
    task, values = scored.task, scored.answers
    order = [i for i in np.argsort(-values, kind="stable").tolist() if np.isfinite(values[i])][:64]
    probes = [run.probes.probes[i] for i in order]
    picture = ranked(
        [f"{p.id} ({i})" for i, p in zip(order, probes, strict=True)], values[order].tolist(),
        [p.label or "" for p in probes], task.output, 0.5,
    )  # fmt: skip
    facts = {
        "n": len(order), "of": len(run.probes), "checkpoint": extraction.about.file, "epoch": extraction.epoch,
        "output": task.output, "threshold": 0.5, "kind": "ranked",
    }  # fmt: skip
    return chart_figure(
        f"predictions-ranked-{extraction.name}",
        picture,
        facts,
        {"probe": [p.id for p in probes], "value": values[order].tolist()},
    )


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
