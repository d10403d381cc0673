"""Layers and checkpoints compared by how they arrange the probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.similarity import LEAST, cka_matrix
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.heatmap import heatmap
from reportgen.sections.arranged import comparable, gram
from reportgen.sections.chosen import Group
from reportgen.sections.responses import own_layers


@dataclass(frozen=True)
class Similarity:
    """Debiased linear CKA of each with each."""

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    """None where it is not defined."""
    n: int
    """Probes."""
    of: int
    """Layers or checkpoints there are."""


def layers_alike(extraction: Extraction, most: int, probes: int) -> Similarity | None:
    """Compare the layers of a checkpoint that have channels of their own, and the output, by at most `probes`."""
    names = [*(layer.name for layer in own_layers(extraction))]
    if extraction.measured and extraction.measured[-1] not in names:
        names.append(extraction.measured[-1])
    chosen = _evenly(names, most)
    return _similarity([(name, extraction, name) for name in chosen], len(names), probes)


def checkpoints_alike(run: ExtractedRun, group: Group, layer: str, most: int, probes: int) -> Similarity | None:
    """Compare one layer at the checkpoints of an architecture."""
    signature = group.best.extraction.about.architecture
    members = [e for e in run.of_architecture(signature) if layer and layer in e.measured]
    chosen = _evenly(members, most)
    named = [(f"epoch {e.epoch}" if e.epoch is not None else e.name, e, layer) for e in chosen]
    return _similarity(named, len(members), probes)


def _similarity(named: Sequence[tuple[str, Extraction, str]], of: int, most: int) -> Similarity | None:
    """Compare representations on the probes that are finite in all; None with fewer than two or too few probes."""
    probes = comparable([e for _, e, _ in named])
    if len(named) < 2 or len(probes) < LEAST:
        return None
    rows = np.array(_evenly(probes, most))
    features = [_finite(e, layer) for _, e, layer in named]
    rows = rows[np.all([good[rows] for good in features], axis=0)]
    if len(rows) < LEAST:
        return None
    table = cka_matrix([gram(e, layer, rows) for _, e, layer in named])
    values = tuple(tuple(float(v) if np.isfinite(v) else None for v in row) for row in table)
    return Similarity(tuple(name for name, _, _ in named), values, len(rows), of)


def _finite(extraction: Extraction, layer: str) -> NDArray[np.bool_]:
    channels = extraction.channels(layer)
    return np.asarray(np.isfinite(channels.minimum).all(axis=1) & np.isfinite(channels.maximum).all(axis=1))


def matrix_figure(id: str, found: Similarity, extraction: Extraction, kind: str, layer: str) -> Figure:
    """Draw who is how much like whom."""
    values = np.array(found.values, float)
    names = [name if len(name) <= 22 else "…" + name[-21:] for name in found.names]
    picture = heatmap(values, names, names, (0.0, 1.0), bar_label="debiased linear CKA")
    facts = {
        "kind": kind, "layer": layer, "checkpoint": extraction.about.file, "epoch": extraction.epoch,
        "n": found.n, "shown": len(names), "of": found.of, "undefined": int((~np.isfinite(values)).sum()),
    }  # fmt: skip
    data = {"names": list(found.names), "values": [list(row) for row in found.values]}
    return chart_figure(id, picture, facts, data)


def _evenly(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many of the items, evenly from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in dict.fromkeys(np.linspace(0, len(items) - 1, most).round().astype(int).tolist())]
