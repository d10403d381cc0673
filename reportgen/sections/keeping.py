"""Which checkpoint to keep, and who says so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reportgen.diagnostics.intervals import Interval
from reportgen.diagnostics.keeping import ENOUGH, Choice, Witness, choose
from reportgen.diagnostics.learning import steps
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.active import silent
from reportgen.sections.chosen import Group
from reportgen.sections.scoring import Scored, score


def keep(
    run: ExtractedRun, group: Group, members: Sequence[Extraction]
) -> tuple[tuple[Witness, ...], str, Choice | None]:
    """Return what is known of each checkpoint, what the score is, and which to keep; no choice with one checkpoint."""
    scored = [score(run, e) for e in members]
    moved = steps(np.array([s.answers for s in scored]))
    monitored = _monitored(run, group)
    name = _score_name(scored)
    witnesses = []
    for e, s, change in zip(members, scored, moved, strict=True):
        value, interval = _score(s, name)
        lost = int((~np.isfinite(s.answers)).sum())
        ece = s.calibration.ece if s.calibration and s.calibration.n >= ENOUGH else None
        witnesses.append(
            Witness(
                e.name, e.epoch, monitored.get(e.epoch) if e.epoch is not None else None, value, interval, ece,
                float(change) if np.isfinite(change) else None, silent(e).fraction, lost,
            )
        )  # fmt: skip
    known = len(scored[0].known) if scored else 0
    choice = choose(witnesses, group.best.larger, known) if len(members) > 1 else None
    return tuple(witnesses), name, choice


def _monitored(run: ExtractedRun, group: Group) -> dict[int, float]:
    history = run.run.history
    if history is None or not group.best.monitor:
        return {}
    pairs = zip(history.epochs.tolist(), history.columns[group.best.monitor].tolist(), strict=True)
    return {int(epoch): value for epoch, value in pairs if np.isfinite(value)}


def _score_name(scored: Sequence[Scored]) -> str:
    """Return which score all checkpoints can be compared by; empty where nothing is known of the probes."""
    if not any(s.known for s in scored):
        return ""
    if scored[0].task.kind == "regression":
        return "Pearson's r"
    return "AUC" if scored[0].task.kind == "binary" and all(s.rocs for s in scored) else "accuracy"


def _score(scored: Scored, name: str) -> tuple[float | None, Interval | None]:
    if name == "AUC" and scored.rocs:
        return scored.rocs[0][1].auc, scored.rocs[0][1].interval
    if scored.score is not None:
        return scored.score.correlation, scored.score.interval
    if scored.confusion is not None:
        return scored.confusion.accuracy, scored.confusion.interval
    return None, None
