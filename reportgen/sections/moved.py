"""How far each layer moved from checkpoint to checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reportgen.diagnostics.drift import Drift, Motion, drift, filter_drift, learned, motion
from reportgen.diagnostics.matrices import as_matrix
from reportgen.extraction import Extraction
from reportgen.sections.weighed import layer_of


@dataclass(frozen=True)
class FilterMoves:
    """How far the filters of a kernel moved, each relative to its own size, from the first checkpoint to the last."""

    filters: int
    least: float
    least_filter: int
    median: float
    most: float
    most_filter: int


@dataclass(frozen=True)
class LayerMoves:
    """One layer over checkpoints."""

    layer: str
    numbers: int
    """Weights that gradients move; moving statistics are left out."""
    kernel: bool
    """Whether it has a kernel, and not scales alone."""
    trainable: bool | None
    """What the last file says; None where it does not."""
    motion: Motion
    from_first: tuple[Drift, ...]
    """At each checkpoint, from the first."""
    from_previous: tuple[Drift, ...]
    """At each checkpoint but the first, from the one before."""
    filters: FilterMoves | None
    """None where it has no kernel, or its numbers cannot be computed."""


def moves(extractions: Sequence[Extraction]) -> tuple[LayerMoves, ...]:
    """Return the way of every layer of checkpoints of one architecture, in training order."""
    last = extractions[-1]
    return tuple(_moves(extractions, name) for name in last.weighted if _has(extractions, name))


def _has(extractions: Sequence[Extraction], name: str) -> bool:
    return all(name in e.weighted for e in extractions)


def _moves(extractions: Sequence[Extraction], name: str) -> LayerMoves:
    # A layer at a time, and of it the first and the one before only: a run may be larger than the memory.
    layer = layer_of(extractions[-1], name)
    first_arrays = arrays = extractions[0].arrays(name)
    first = before = learned(arrays)
    from_first, from_previous = [drift(first, first)], []
    words: set[Motion] = set()
    trainable = layer.trainable if layer else None
    for extraction in extractions[1:]:
        arrays = extraction.arrays(name)
        now = learned(arrays)
        from_first.append(drift(first, now))
        from_previous.append(drift(before, now))
        words.add(motion([first, now], trainable))
        before = now
    word: Motion = "moved" if "moved" in words else next(iter(words), "not known")
    kernel = next((key for key in first_arrays if key.rsplit("/", 1)[-1] == "kernel"), "")
    kind, config = (layer.class_name, layer.config) if layer else ("", {})
    matrices = [as_matrix(kernel, a[kernel], kind, config) if kernel in a else None for a in (first_arrays, arrays)]
    filters = None
    if matrices[0] is not None and matrices[1] is not None and matrices[0].values.shape == matrices[1].values.shape:
        each = [d.relative for d in filter_drift(matrices[0].values, matrices[1].values)]
        known = [(value, i) for i, value in enumerate(each) if value is not None]
        if known and len(extractions) > 1:
            low, high = min(known), max(known)
            median = float(np.median([value for value, _ in known]))
            filters = FilterMoves(len(each), low[0], low[1], median, high[0], high[1])
    return LayerMoves(
        name, first.size, any("kernel" in key or "embeddings" in key for key in arrays), trainable, word,
        tuple(from_first), tuple(from_previous), filters,
    )  # fmt: skip
