"""Numbers that may stand in for the class or the target: what the answer itself follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.partial import partial_rank_correlation
from reportgen.diagnostics.selectivity import ALPHA, class_auc, false_discovery, rank_correlation
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.confounders import Column
from reportgen.sections.task import Task


@dataclass(frozen=True)
class StandIn:
    """One number of the probes against the answers of one checkpoint."""

    name: str
    source: Literal["catalogue", "measured"]
    n: int
    """Probes with an answer, the number, and a label or target where any probe has one."""
    rho: float
    """Spearman's ρ of answer and number."""
    q: float
    """After correction over all numbers."""
    beyond: float | None
    """The same ρ with label or target taken out of both; None where that is not possible."""
    beyond_q: float | None
    alone: float | None
    """How well the number alone tells the class (AUC, at least 0.5) or goes with the target (|ρ|)."""
    network: float | None
    """How well the answer does, on the same probes."""

    @property
    def as_good(self) -> bool:
        """Whether the number follows the answer, and tells what is asked about as well as the network does."""
        return self.q <= ALPHA and None not in (self.alone, self.network) and (self.alone or 0) >= (self.network or 0)

    @property
    def followed(self) -> bool:
        """Whether the answer goes with it, and does so beyond what label or target explain, or as well as they can."""
        return self.q <= ALPHA and (self.as_good or (self.beyond_q is not None and self.beyond_q <= ALPHA))


@dataclass(frozen=True)
class Told:
    """The answers of a checkpoint with one number a probe, and what is known of the probes."""

    answers: NDArray[np.float64]
    """`(probe,)`, before the sigmoid where there is one: sure answers still have an order there."""
    known: Literal["nothing", "label", "target"]
    control: NDArray[np.float64] | None
    """1 for the positive class, or the rank of the target; NaN where not known."""


def told_of(run: ExtractedRun, extraction: Extraction, task: Task) -> Told | None:
    """Return the answers of a checkpoint; None of one that was not measured, or tells more than two classes."""
    if extraction.predictions is None or task.kind == "classes":
        return None
    said = extraction.predictions if extraction.scores is None else extraction.scores
    scores = said.reshape(len(said), -1).astype(np.float64)
    single = scores.shape[1] == 1 or task.kind == "regression"
    answers: NDArray[np.float64] = scores[:, 0] if single else scores[:, 1] - scores[:, 0]
    probes = run.probes.probes
    if task.kind == "regression" and any(p.target is not None for p in probes):
        from scipy.stats import rankdata

        target = np.array([np.nan if p.target is None else p.target for p in probes], np.float64)
        return Told(answers, "target", np.where(np.isfinite(target), rankdata(target, nan_policy="omit"), np.nan))
    if task.classes and any(p.label in task.classes for p in probes):
        named = [float(p.label == task.classes[1]) if p.label in task.classes else np.nan for p in probes]
        return Told(answers, "label", np.array(named))
    return Told(answers, "nothing", None)


def stand_ins(told: Told, columns: Sequence[Column]) -> tuple[StandIn, ...]:
    """Return the numbers of the probes, the one the answer follows most closely first."""
    rows: list[StandIn] = []
    p: list[float] = []
    beyond_p: list[float] = []
    for column in columns:
        good = np.isfinite(told.answers) & np.isfinite(column.values)
        if told.control is not None:
            good &= np.isfinite(told.control)
        x, y = told.answers[good], column.values[good]
        found = rank_correlation(x[:, None], y)
        if not np.isfinite(found.effect).all():
            continue
        control = None if told.control is None else told.control[good]
        left = partial_rank_correlation(x, y, control) if control is not None else None
        alone, network = _effect(told.known, y, control), _effect(told.known, x, control)
        p.append(float(found.p[0]))
        beyond_p.append(np.nan if left is None or left.p is None else left.p)
        rho = float(found.effect[0])
        rows.append(
            StandIn(
                column.name, column.source, len(x), rho, np.nan, left.rho if left else None, None, alone, network
            )
        )  # fmt: skip
    q, beyond_q = false_discovery(np.array(p)), false_discovery(np.array(beyond_p))
    corrected = [
        replace(row, q=float(q[i]), beyond_q=float(beyond_q[i]) if np.isfinite(beyond_q[i]) else None)
        for i, row in enumerate(rows)
    ]
    return tuple(sorted(corrected, key=lambda row: (row.q, -abs(row.rho))))


def _effect(known: str, values: NDArray[np.float64], control: NDArray[np.float64] | None) -> float | None:
    """Return how well numbers tell the class or go with the target; None where that has no meaning."""
    if control is None or np.ptp(control) == 0:
        return None
    test = class_auc(values[:, None], control == 1) if known == "label" else rank_correlation(values[:, None], control)
    effect = float(test.effect[0])
    if not np.isfinite(effect):
        return None
    return max(effect, 1 - effect) if known == "label" else abs(effect)
