"""Where do the two disagree?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.churn import Agreement, Churn, agreement, churn
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import scatter
from reportgen.sections.pairs.pair import Pair, why_not_measured
from reportgen.sections.scoring import Scored, score
from reportgen.sections.section import Section
from reportgen.sections.thumbnails import contact_sheet, thumbnails

TITLE = "Predictions against each other"
QUESTION = "Where do the two disagree?"
SHOWN = 8
"""Probes in the figure of those that changed most."""


@dataclass(frozen=True)
class Row:
    """One probe in both."""

    number: int
    probe: str
    label: str
    target: float | None
    a: float
    b: float
    a_class: str
    b_class: str
    turn: str
    """gained, lost, changed, or empty where the class is the same."""

    @property
    def apart(self) -> float:
        """B − A."""
        return self.b - self.a


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    regression: bool
    same_task: bool
    a_output: str
    b_output: str
    agreement: Agreement
    """Of the probabilities of one class, or of the values."""
    of: str
    """What the agreement is of: the output's name, or the class."""
    churn: Churn | None
    """None for a regression, and where the questions differ."""
    rows: tuple[Row, ...]
    """Every probe, the largest difference first."""
    figures: tuple[str, ...]


def build(pair: Pair) -> Section:
    """Hold the answers of the two on the same probes against each other."""
    if reason := why_not_measured(pair):
        return Section(None, absent=reason)
    a, b = (score(side.run, side.extraction) for side in pair.sides)
    task = a.task
    x, y = _numbers(a), _numbers(b)
    classes = pair.same_task and bool(task.classes)
    actual = [task.classes.index(label) if label is not None else None for label in a.labels] if classes else []
    turned = churn(a.chosen, b.chosen, actual) if classes else None
    rows = sorted((_row(pair, i, a, b, float(x[i]), float(y[i]), classes) for i in range(len(x))), key=_most)
    rows = rows if pair.same_task else sorted(rows, key=lambda row: row.number)
    figures = [_scatter(pair, x, y, rows)] if np.isfinite(x + y).any() else []
    if pair.same_task:
        figures.append(_sheet(pair, rows))
    return Section(
        Content(
            not task.classes, pair.same_task, a.task.output, b.task.output, agreement(x, y), task.output, turned,
            tuple(rows), tuple(f.id for f in figures),
        ),
        tuple(figures),
    )  # fmt: skip


def _numbers(scored: Scored) -> NDArray[np.float64]:
    """Return what is compared of each answer: a value, the positive class's probability, or that of the own class.

    Of several classes the probability of the probe's own is compared; without labels the largest.
    """
    own = scored.p_true
    return own if scored.task.kind == "classes" and np.isfinite(own).any() else scored.answers


def _most(row: Row) -> tuple[bool, float, int]:
    size = abs(row.b - row.a)
    return not np.isfinite(size), -size if np.isfinite(size) else 0.0, row.number


def _row(pair: Pair, i: int, a: Scored, b: Scored, x: float, y: float, classes: bool) -> Row:
    probe = pair.a.run.probes.probes[i]
    names, turn = ("", ""), ""
    if classes:
        picked = (a.chosen[i], b.chosen[i])
        names = tuple("none" if c is None else a.task.classes[c] for c in picked)  # type: ignore[assignment]
        if names[0] != names[1]:
            turn = "gained" if names[1] == a.labels[i] else "lost" if names[0] == a.labels[i] else "changed"
    return Row(i, probe.id, probe.label or "", probe.target, x, y, *names, turn)


def _scatter(pair: Pair, x: NDArray[np.float64], y: NDArray[np.float64], rows: list[Row]) -> Figure:
    finite = np.isfinite(x) & np.isfinite(y)
    named = {row.number for row in rows[:6]} if pair.same_task else set()
    names = [str(i) if i in named else "" for i in np.flatnonzero(finite).tolist()]
    span = np.concatenate([x[finite], y[finite]])
    limits = None
    if pair.same_task:
        room = 0.05 * float(np.ptp(span)) or 0.05
        limits = (float(span.min()) - room, float(span.max()) + room)
    tasks = [side.task for side in pair.sides]
    first, second = (f"{side.letter}: {t.output if t else ''}" for side, t in zip(pair.sides, tasks, strict=True))
    picture = scatter(x[finite].tolist(), y[finite].tolist(), names, first, second, limits, pair.same_task)
    data = {"probe": [p.id for p in pair.a.run.probes.probes], "a": x.tolist(), "b": y.tolist()}
    facts = {"kind": "scatter", "n": int(finite.sum()), "same_task": pair.same_task}
    return chart_figure("answers-scatter", picture, facts, data)


def _sheet(pair: Pair, rows: list[Row]) -> Figure:
    shown = rows[:SHOWN]
    run = pair.a.run
    lines = []
    for row in shown:
        known = row.label or (f"actual {row.target:.2f}" if row.target is not None else "")
        # One probability says which of two classes it is; of several classes the choice has to be told.
        several = pair.a.task is not None and pair.a.task.kind == "classes"
        classes = [f" {name}" if several else "" for name in (row.a_class, row.b_class)]
        lines.append(
            tuple(w for w in (f"{row.number}  {row.probe}", f"A {row.a:.2f}{classes[0]}", f"B {row.b:.2f}{classes[1]}",
                              known) if w)
        )  # fmt: skip
    pictures = thumbnails(run.probes, run.config.probes.display, [row.number for row in shown])
    width, height, placed, labels = contact_sheet(pictures, lines)
    facts = {"kind": "sheet", "shown": len(shown), "of": len(rows), "display": run.probes.display}
    return Figure("answers-changed", facts, width, height, placed, labels)
