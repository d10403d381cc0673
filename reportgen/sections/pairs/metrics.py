"""Which of the two is better?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.history import larger_is_better
from reportgen.diagnostics.intervals import Interval
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import lines
from reportgen.sections.chosen import best
from reportgen.sections.pairs.pair import Pair, Side, why_not_measured
from reportgen.sections.scoring import score
from reportgen.sections.section import Section

TITLE = "Metrics"
QUESTION = "Which of the two is better, and by how much?"
CURVES = 3


@dataclass(frozen=True)
class Value:
    """A number in both."""

    name: str
    a: float | None
    b: float | None
    a_interval: Interval | None = None
    """95 %, where there is one."""
    b_interval: Interval | None = None
    better: str = ""
    """A or B; empty where they are equal, one is missing, or neither way is better."""
    alike: bool = True
    """Whether it is the same quantity in both, as far as is known: the loss of another function is not."""

    @property
    def apart(self) -> float | None:
        """B − A; None where one is missing, or they are two quantities."""
        return None if self.a is None or self.b is None or not self.alike else self.b - self.a


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    history: tuple[Value, ...]
    """Columns of the histories at the epochs of the two checkpoints."""
    probes: tuple[Value, ...]
    """Scores on the probe set."""
    n: int
    """Probes that are scored."""
    why_not: str
    """Why there are no scores on the probes."""
    losses: tuple[str, str]
    """The loss functions of the two, as their files say; empty where they do not."""
    same_columns: bool
    """Whether the histories have the same columns; a column of the same name may still be another quantity."""
    figures: tuple[str, ...]
    """Ids."""


def build(pair: Pair) -> Section:
    """Set the numbers of the histories, and of the probe set where it is one, beside each other."""
    a, b = (_at(side) for side in pair.sides)
    names = [name for name in dict.fromkeys([*a, *b]) if name not in {"lr", "learning_rate"}]
    history = tuple(
        _value(name, a.get(name), b.get(name), larger_is_better(name, "auto"), alike=_alike(pair, name))
        for name in names
    )
    found: tuple[Value, ...] = ()
    n, why_not = 0, why_not_measured(pair)
    if not why_not and not pair.same_task:
        why_not = "The two were asked different questions: scores of one have no counterpart in the other."
    if not why_not:
        found, n = _scores(pair)
        why_not = "" if found else "No probe has a label or a target: there is nothing to score."
    figures = _curves(pair)
    if not history and not found:
        return Section(None, absent=f"Neither run has a history. {why_not}")
    columns = [set(s.run.run.history.columns) if s.run.run.history else set() for s in pair.sides]
    ids = tuple(figure.id for figure in figures)
    losses = (pair.a.extraction.about.loss, pair.b.extraction.about.loss)
    return Section(Content(history, found, n, why_not, losses, columns[0] == columns[1], ids), figures)


def _alike(pair: Pair, name: str) -> bool:
    """Whether a column is the same quantity in both histories, as far as the files say."""
    return "loss" not in name or pair.a.extraction.about.loss == pair.b.extraction.about.loss


def _at(side: Side) -> dict[str, float]:
    """Return the line of the history of a checkpoint's epoch."""
    history, epoch = side.run.run.history, side.extraction.epoch
    if history is None or epoch is None or epoch not in history.epochs:
        return {}
    place = int(np.flatnonzero(history.epochs == epoch)[0])
    return {name: float(column[place]) for name, column in history.columns.items()}


def _value(
    name: str, a: float | None, b: float | None, larger: bool,
    intervals: tuple[Interval | None, Interval | None] = (None, None), alike: bool = True,
) -> Value:  # fmt: skip
    better = ""
    if alike and a is not None and b is not None and np.isfinite([a, b]).all() and a != b:
        better = "B" if (b > a) == larger else "A"
    return Value(name, a, b, *intervals, better, alike)


def _scores(pair: Pair) -> tuple[tuple[Value, ...], int]:
    a, b = (score(side.run, side.extraction) for side in pair.sides)
    rows: list[Value] = []
    if a.score and b.score:
        for name, of, larger in (
            ("mean absolute difference", "mean_absolute_difference", False),
            ("root mean square difference", "root_mean_square", False), ("Pearson's r", "correlation", True),
            ("Spearman's ρ", "rank_correlation", True),
        ):  # fmt: skip
            pairs = (a.score.interval, b.score.interval) if of == "correlation" else (None, None)
            rows.append(_value(name, getattr(a.score, of), getattr(b.score, of), larger, pairs))
    if a.confusion and b.confusion:
        intervals = (a.confusion.interval, b.confusion.interval)
        rows.append(_value("accuracy", a.confusion.accuracy, b.confusion.accuracy, True, intervals))
        curves = dict(b.rocs)
        rows += [
            _value(f"AUC of {name}", x.auc, curves[name].auc, True, (x.interval, curves[name].interval))
            for name, x in a.rocs if name in curves
        ]  # fmt: skip
    if a.calibration and b.calibration:
        rows.append(_value("calibration error", a.calibration.ece, b.calibration.ece, False))
    return tuple(rows), len(set(a.known) & set(b.known))


def _curves(pair: Pair) -> tuple[Figure, ...]:
    """Draw the quantities both histories have, both runs in one chart; none for checkpoints of one report."""
    a, b = (side.run.run.history for side in pair.sides)
    if a is None or b is None or pair.one_report:
        return ()
    both = [name for name in a.columns if name in b.columns and name not in {"lr", "learning_rate"}]
    both = [name for name in both if _alike(pair, name)]
    chosen = [found.monitor for side in pair.sides if (found := best(side.run))]
    order = sorted(both, key=lambda name: (name not in chosen, not name.startswith("val_")))[:CURVES]
    epochs = sorted({*a.epochs.tolist(), *b.epochs.tolist()})
    figures = []
    for name in order:
        series = {
            f"{side.letter}: {side.run.run.name[:24]}": _spread(history.epochs, history.columns[name], epochs)
            for side, history in zip(pair.sides, (a, b), strict=True)
        }
        at = [(side.letter, side.extraction.epoch) for side in pair.sides if side.extraction.epoch is not None]
        marks = {" and ".join(n for n, e in at if e == epoch): float(epoch) for _, epoch in at}
        picture = lines([float(e) for e in epochs], series, "epoch", name.replace("_", " "), marks, narrow=True)
        figures.append(
            chart_figure(f"metrics-{name}", picture, {"quantity": name, "epochs": len(epochs)},
                         {"epoch": epochs, **series})
        )  # fmt: skip
    return tuple(figures)


def _spread(at: NDArray[np.int64], values: NDArray[np.float64], epochs: list[int]) -> list[float]:
    known = dict(zip(at.tolist(), values.tolist(), strict=True))
    return [known.get(epoch, float("nan")) for epoch in epochs]
