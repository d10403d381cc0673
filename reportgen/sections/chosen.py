"""Which checkpoints are shown large: the first, the best and the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.diagnostics.history import best_index, larger_is_better
from reportgen.extraction import ExtractedRun, Extraction


@dataclass(frozen=True)
class Best:
    """The best checkpoint of a run, and what says so."""

    extraction: Extraction
    monitor: str
    """Column of the history; empty where none could be used and the last checkpoint stands in."""
    value: float | None
    larger: bool
    """Whether larger is better."""
    epoch: int | None
    """Best epoch of the history; the checkpoint is of this epoch, or of the best epoch that was kept."""


def best(run: ExtractedRun) -> Best | None:
    """Return the best checkpoint by the monitored quantity, or the last one where no history says; None without any."""
    candidates = run.measured or run.extractions
    if not candidates:
        return None
    history = run.run.history
    asked = run.config.run.monitor or run.run.record.get("monitor")
    if history is not None:
        names = [asked] if asked in history.columns else [n for n in ("val_loss", "loss") if n in history.columns]
        by_epoch = {e.epoch: e for e in candidates if e.epoch is not None}
        kept = np.array([epoch in by_epoch for epoch in history.epochs.tolist()], bool)
        for name in names[:1]:
            mode = run.config.run.mode if run.config.run.mode != "auto" else run.run.record.get("mode", "auto")
            larger = larger_is_better(name, mode)
            values = history.columns[name]
            index = best_index(np.where(kept, values, np.nan), larger)
            overall = best_index(values, larger)
            if index is not None and overall is not None:
                epoch = int(history.epochs[index])
                return Best(by_epoch[epoch], name, float(values[index]), larger, int(history.epochs[overall]))
    return Best(candidates[-1], "", None, False, None)


def shown(run: ExtractedRun) -> tuple[Extraction, ...]:
    """Return the first, the best and the last checkpoint, each once, in training order."""
    candidates = run.measured or run.extractions
    chosen = best(run)
    if chosen is None:
        return ()
    names = {candidates[0].name, chosen.extraction.name, candidates[-1].name}
    return tuple(e for e in candidates if e.name in names)


def roles(run: ExtractedRun) -> dict[str, str]:
    """Return what each shown checkpoint is: {name: "first", "best", "last", "best and last", …}."""
    candidates = run.measured or run.extractions
    chosen = best(run)
    if chosen is None:
        return {}
    parts: dict[str, list[str]] = {}
    for role, extraction in (("first", candidates[0]), ("best", chosen.extraction), ("last", candidates[-1])):
        parts.setdefault(extraction.name, []).append(role)
    return {name: " and ".join(words) for name, words in parts.items()}
