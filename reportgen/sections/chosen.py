"""Which checkpoints are shown large: the first, the best and the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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


@dataclass(frozen=True)
class Group:
    """The checkpoints of a run that share one architecture: what can be compared layer by layer."""

    letter: str
    """A, B, … in training order; empty where the run has only one."""
    best: Best
    shown: tuple[Extraction, ...]
    """The first, the best and the last, each once, in training order."""
    roles: dict[str, str]
    """What each of them is: {name: "first", "best", "last", "best and last", …}."""
    members: tuple[Extraction, ...] = ()
    """All of them in training order: those that were measured, where any was."""


def groups(run: ExtractedRun) -> tuple[Group, ...]:
    """Return the run's checkpoints by architecture; in each, those that were measured where any was."""
    found = []
    for i, signature in enumerate(run.architectures):
        members = run.of_architecture(signature)
        measured = tuple(e for e in members if e.predictions is not None) or members
        chosen = best(run, measured)
        if chosen is None:
            continue
        parts: dict[str, list[str]] = {}
        for role, e in (("first", measured[0]), ("best", chosen.extraction), ("last", measured[-1])):
            parts.setdefault(e.name, []).append(role)
        roles = {name: "only" if len(measured) == 1 else " and ".join(words) for name, words in parts.items()}
        letter = chr(65 + i % 26) if len(run.architectures) > 1 else ""
        found.append(Group(letter, chosen, tuple(e for e in measured if e.name in parts), roles, measured))
    return tuple(found)


def measured_groups(run: ExtractedRun) -> list[Group]:
    """Return the groups whose network could be run on the probe set."""
    return [group for group in groups(run) if group.best.extraction.predictions is not None]


def best(run: ExtractedRun, among: tuple[Extraction, ...] = ()) -> Best | None:
    """Return the best checkpoint by the monitored quantity, or the last one where no history says; None without any.

    Of the whole run, or of some of its checkpoints. Of a run that mixes architectures the one with the most
    checkpoints is meant, the later where two have as many: what is beside it was tried, or used on the way.
    """
    candidates = among or _most_of_one_architecture(run.measured or run.extractions)
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


def _most_of_one_architecture(extractions: tuple[Extraction, ...]) -> tuple[Extraction, ...]:
    counts = Counter(e.about.architecture for e in reversed(extractions))
    most = counts.most_common(1)
    return tuple(e for e in extractions if e.about.architecture == most[0][0]) if most else ()


def spread(extractions: Sequence[Extraction], most: int, keep: Sequence[Extraction] = ()) -> tuple[Extraction, ...]:
    """Return at most `most` of some checkpoints, evenly; the first, the last and those of `keep` always."""
    count = len(extractions)
    if count <= most:
        return tuple(extractions)
    wanted = {0, count - 1} | {i for i, e in enumerate(extractions) if any(e.name == k.name for k in keep)}
    even = sorted({round(i * (count - 1) / max(1, most - 1)) for i in range(most)} - wanted)
    # One that must be there takes the place of its nearest neighbour.
    while even and len(even) + len(wanted) > most:
        even.remove(min(even, key=lambda i: min(abs(i - w) for w in wanted)))
    return tuple(extractions[i] for i in sorted(wanted | set(even)))


def labels(extractions: Sequence[Extraction]) -> tuple[str, list[str]]:
    """Return what the checkpoints of an axis are called, and each one's word: epochs where all are known and differ."""
    epochs = [e.epoch for e in extractions]
    if None not in epochs and len(set(epochs)) == len(epochs):
        return "epoch", [str(epoch) for epoch in epochs]
    return "checkpoint", [e.name if len(e.name) <= 12 else e.name[:11] + "…" for e in extractions]
