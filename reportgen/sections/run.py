"""What was trained, and which checkpoint should be used?"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure, chart_figure
from reportgen.figures.charts import lines
from reportgen.sections.chosen import Best, best, groups
from reportgen.sections.section import Judged, NoOptions, Section, told
from reportgen.sections.verdicts.history import of_history
from reportgen.sections.verdicts.weights import Copy, identical_checkpoints, weights_not_finite

TITLE = "The run"
QUESTION = "What was trained, and which checkpoint should I use?"
SectionOptions = NoOptions


@dataclass(frozen=True)
class Row:
    """A checkpoint as a line of the table."""

    name: str
    file: str
    epoch: int | None
    role: str
    """first, best, last, or empty."""
    metrics: dict[str, float]
    """Its epoch's line of the history."""
    format: str
    size: int
    """[byte]"""
    sha256: str
    keras_version: str
    saved: str
    architecture: str
    """Letter of the group of checkpoints with this architecture; empty with only one."""
    architecture_from: str
    """File that describes its network, where it holds weights alone; else empty."""
    status: str
    """measured, weights only, or failed."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    rows: tuple[Row, ...]
    ordered: bool
    """Whether all epochs are known, so that the order is that of training."""
    dated: int
    """Checkpoints whose epoch is known; they come first, in training order."""
    networks: int
    """Architectures among the checkpoints."""
    metrics: tuple[str, ...]
    """Columns of the history shown in the table."""
    history: str
    """File name of the history; empty without one."""
    best: str
    """Name of the best checkpoint."""
    best_epoch: int | None
    monitor: str
    value: float | None
    larger: bool
    overall_best_epoch: int | None
    """Best epoch of the history, kept as a checkpoint or not."""
    gap: float | None
    """Validation loss minus training loss at the best checkpoint."""
    at_best: dict[str, float]
    """The other quantities of the history at that epoch."""
    notes: str
    """The user's notes in run.json."""
    optimizer: str
    loss: str
    beside: dict[str, int]
    """What the files hold beside weights: kind → in how many checkpoints."""


def build(run: ExtractedRun, options: NoOptions) -> Section:
    """List the checkpoints in training order and draw the training curves."""
    chosen, history = best(run), run.run.history
    families = groups(run)
    role = {name: word for group in families for name, word in group.roles.items()}
    letters = {e: g.letter for g in families for e in (g.best.extraction.about.architecture,)}
    columns = dict(history.columns) if history else {}
    # The quantities that are watched; a learning rate is not one, and would flatten the rest.
    metrics = tuple(n for n in columns if n not in {"lr", "learning_rate"})[:6]
    place = {epoch: i for i, epoch in enumerate(history.epochs.tolist())} if history else {}
    made = {e.name: e for e in run.extractions}
    rows = []
    for checkpoint in run.run.checkpoints:
        e = made.get(checkpoint.name)
        at = place.get(checkpoint.epoch) if checkpoint.epoch is not None else None
        rows.append(
            Row(
                checkpoint.name, checkpoint.file, checkpoint.epoch, role.get(checkpoint.name, ""),
                {n: float(columns[n][at]) for n in metrics} if at is not None else {},
                e.about.format if e else checkpoint.format, checkpoint.size, checkpoint.sha256,
                e.about.keras_version if e else "", e.about.saved if e else "",
                letters.get(e.about.architecture, "") if e else "", e.about.architecture_from if e else "",
                "failed" if e is None else "measured" if e.predictions is not None else "weights only",
            )
        )  # fmt: skip
    gap = None
    if chosen and chosen.extraction.epoch in place and {"loss", "val_loss"} <= columns.keys():
        at = place[chosen.extraction.epoch]
        gap = float(columns["val_loss"][at] - columns["loss"][at])
    content = Content(
        tuple(rows), len(rows) < 2 or all(row.epoch is not None for row in rows),
        sum(row.epoch is not None for row in rows), len(families), metrics,
        history.file if history else "",
        chosen.extraction.name if chosen else "", chosen.extraction.epoch if chosen else None,
        chosen.monitor if chosen else "", chosen.value if chosen else None, chosen.larger if chosen else False,
        chosen.epoch if chosen else None, gap, _at_best(chosen, columns, place, metrics),
        str(run.run.record.get("notes") or ""),
        next((e.about.optimizer for e in run.extractions if e.about.optimizer), ""),
        next((e.about.loss for e in run.extractions if e.about.loss), ""),
        {k: sum(k in e.about.other for e in run.extractions) for e in run.extractions for k in e.about.other},
    )  # fmt: skip
    curves = _curves(run, metrics) if history and len(history.epochs) > 1 else ()
    return Section(content, curves, **told(_judged(run)))


def _at_best(
    chosen: Best | None, columns: dict[str, NDArray[np.float64]], place: dict[int, int], metrics: tuple[str, ...]
) -> dict[str, float]:
    if chosen is None or not chosen.monitor or chosen.extraction.epoch not in place:
        return {}
    at = place[chosen.extraction.epoch]
    return {name: float(columns[name][at]) for name in metrics if name != chosen.monitor}


def _curves(run: ExtractedRun, metrics: tuple[str, ...]) -> tuple[Figure, ...]:
    history, chosen = run.run.history, best(run)
    assert history is not None  # noqa: S101 - the caller asked
    pairs: dict[str, list[str]] = {}
    for name in metrics:
        pairs.setdefault(name.removeprefix("val_"), []).append(name)
    epochs = history.epochs.tolist()
    figures = []
    for base, names in list(pairs.items())[:3]:
        series = {n: history.columns[n].tolist() for n in names}
        at = chosen.extraction.epoch if chosen and chosen.monitor else None
        marks = {f"best kept: epoch {at}": float(at)} if at is not None else {}
        picture = lines(epochs, series, "epoch", base.replace("_", " "), marks, narrow=True)
        facts: dict[str, Any] = {
            "quantity": base, "series": names, "epochs": len(epochs), "validation": any("val_" in n for n in names),
            "kept": [c.epoch for c in run.run.checkpoints if c.epoch is not None],
        }  # fmt: skip
        figures.append(chart_figure(f"run-{base}", picture, facts, {"epoch": epochs, **series}))
    return tuple(figures)


def _judged(run: ExtractedRun) -> list[Judged]:
    """Judge the history, and the arrays of every checkpoint, read once."""
    found = of_history(run.run.history, best(run), run.config.verdicts)
    if not run.extractions:
        return found
    bad: list[tuple[str, int]] = []
    copies = []
    for extraction in run.extractions:
        digest = sha256()
        for layer in extraction.weighted:
            for name, values in extraction.arrays(layer).items():
                digest.update(f"{layer} {name} {values.dtype} {values.shape}".encode())
                digest.update(np.ascontiguousarray(values).data)
                if values.dtype.kind == "f" and not np.isfinite(values).all():
                    bad.append((f"{extraction.about.file}: {layer} {name}", int((~np.isfinite(values)).sum())))
        copies.append(Copy(extraction.about.file, extraction.epoch, digest.hexdigest()))
    return [weights_not_finite(bad, len(run.extractions)), identical_checkpoints(copies), *found]
