"""How far apart are the two, layer by layer?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.drift import Drift, drift, learned
from reportgen.diagnostics.similarity import LEAST, cka
from reportgen.extraction import Extraction, Layer
from reportgen.figures import Figure, chart_figure
from reportgen.figures.heatmap import heatmap
from reportgen.sections.arranged import comparable, gram, is_known
from reportgen.sections.kernels import comes_in, outputs_last, sees_image
from reportgen.sections.pairs.beside import COLUMNS, beside
from reportgen.sections.pairs.pair import Pair, why_not_measured
from reportgen.sections.responses import own_layers
from reportgen.sections.section import Section
from reportgen.sections.weighed import layer_of

TITLE = "Weights and representations"
QUESTION = "How far apart are the two, layer by layer?"
PROBES, MOST = 256, 16
"""Probes and layers that are compared by CKA; of more, that many evenly."""


@dataclass(frozen=True)
class Row:
    """One layer with weights in both."""

    layer: str
    class_name: str
    numbers: int
    """Weights that gradients move."""
    weights: Drift
    """From A to B."""
    cka: float | None
    """Of its output on the probes; None where it is not defined, or was not measured."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    rows: tuple[Row, ...]
    other_shape: tuple[str, ...]
    """Layers of the same name and another shape."""
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    same_architecture: bool
    one_report: bool
    n: int
    """Probes compared by CKA."""
    no_cka: str
    """Why representations are not compared; empty where they are."""
    figures: tuple[str, ...]
    """Ids."""


def build(pair: Pair) -> Section:
    """Measure the way between the weights of each layer of both, and how alike the layers arrange the probes."""
    a, b = pair.a.extraction, pair.b.extraction
    both = [name for name in a.weighted if name in b.weighted]
    shapes = [[{k: v.shape for k, v in e.arrays(name).items()} for name in both] for e in (a, b)]
    same = [name for name, x, y in zip(both, *shapes, strict=True) if x == y]
    no_cka = why_not_measured(pair)
    rows_at = _finite_probes(pair) if not no_cka else np.zeros(0, np.intp)
    if not no_cka and len(rows_at) < LEAST:
        no_cka = f"Debiased CKA needs at least {LEAST} probes on which everything is finite."
    first, second = ({}, {}) if no_cka else (_grams(a, rows_at), _grams(b, rows_at))
    rows = []
    for name in same:
        x, y = learned(a.arrays(name)), learned(b.arrays(name))
        layer = layer_of(a, name)
        key = layer.name if layer else ""
        there = not no_cka and all(key in e.measured and is_known(e, key) for e in (a, b))
        alike = cka(*(gram(e, key, rows_at) for e in (a, b))) if there else None
        rows.append(Row(name, layer.class_name if layer else "", x.size, drift(x, y), alike))
    figures = [f for f in (_kernels(pair, same), _alike(pair, first, second)) if f is not None]
    return Section(
        Content(
            tuple(rows), tuple(name for name in both if name not in same),
            tuple(name for name in a.weighted if name not in both), tuple(n for n in b.weighted if n not in both),
            pair.same_architecture, pair.one_report, len(rows_at), no_cka, tuple(f.id for f in figures),
        ),
        tuple(figures),
    )  # fmt: skip


def _compared_layers(e: Extraction) -> list[str]:
    names = [layer.name for layer in own_layers(e)]
    if e.measured and e.measured[-1] not in names:
        names.append(e.measured[-1])
    places = np.linspace(0, len(names) - 1, min(MOST, len(names))).round().astype(int).tolist() if names else []
    return [names[i] for i in dict.fromkeys(places)]


def _finite_probes(pair: Pair) -> NDArray[np.intp]:
    """Return the probes on which all compared layers of both are finite; at most PROBES, evenly."""
    fine = np.zeros(len(pair.a.run.probes), bool)
    fine[comparable([side.extraction for side in pair.sides])] = True
    for side in pair.sides:
        for name in _compared_layers(side.extraction):
            channels = side.extraction.channels(name)
            fine &= np.isfinite(channels.minimum).all(axis=1) & np.isfinite(channels.maximum).all(axis=1)
    kept = np.flatnonzero(fine)
    places = np.linspace(0, len(kept) - 1, min(PROBES, len(kept))).round().astype(int)
    return np.asarray(kept[np.unique(places)], np.intp)


def _grams(e: Extraction, rows: NDArray[np.intp]) -> dict[str, NDArray[np.float64]]:
    return {name: gram(e, name, rows) for name in _compared_layers(e)}


def _alike(pair: Pair, first: dict[str, NDArray[np.float64]], second: dict[str, NDArray[np.float64]]) -> Figure | None:
    """Draw which layer of A arranges the probes like which of B."""
    if not first or not second or len(first) + len(second) < 3:
        return None
    found = [[cka(x, y) for y in second.values()] for x in first.values()]
    values = np.array([[np.nan if v is None else v for v in row] for row in found])
    names = [[n if len(n) <= 20 else "…" + n[-19:] for n in side] for side in (first, second)]
    rows, columns = [f"A {n}" for n in names[0]], [f"B {n}" for n in names[1]]
    picture = heatmap(values, rows, columns, (0.0, 1.0), bar_label="debiased linear CKA")
    facts = {"kind": "cka", "undefined": int(np.isnan(values).sum())}
    return chart_figure("pair-cka", picture, facts, {"a": list(first), "b": list(second), "values": values.tolist()})


def _kernels(pair: Pair, same: list[str]) -> Figure | None:
    """Draw the kernels of the first layer of both that looks at the image, where they are images."""
    a, b = pair.a.extraction, pair.b.extraction
    for layer in a.layers:
        if layer.weights in same and "kernel" in a.variables(layer.weights) and sees_image(a, layer):
            return _drawn(pair, layer, *(e.arrays(layer.weights)["kernel"].astype(np.float32) for e in (a, b)))
    return None


def _drawn(pair: Pair, layer: Layer, a: NDArray[np.float32], b: NDArray[np.float32]) -> Figure | None:
    run, e = pair.a.run, pair.a.extraction
    shape, channels = comes_in(run, e, layer)
    kernels = [outputs_last(kernel, layer) for kernel in (a, b)]
    if a.ndim == 2 and len(shape) == 3 and a.shape[0] == np.prod(shape):
        kernels = [kernel.reshape(*shape, kernel.shape[1]) for kernel in (a, b)]
    if kernels[0].ndim != 4 or kernels[0].shape[0] * kernels[0].shape[1] < 2:
        return None
    tiles = [kernel.transpose(0, 1, 3, 2).reshape(*kernel.shape[:2], -1) for kernel in kernels]
    if all(probe.metadata.get("row_0") == "bottom" for probe in run.probes.probes):
        tiles = [tile[::-1] for tile in tiles]
    inputs, count = kernels[0].shape[2], tiles[0].shape[-1]
    strength = np.nan_to_num(np.sqrt((np.stack(tiles).astype(np.float64) ** 2).sum(axis=(0, 1, 2))))
    order = np.sort(np.argsort(-strength, kind="stable")[:COLUMNS]).tolist()
    bands = channels if len(channels) == inputs else tuple(str(i) for i in range(inputs))
    words = [f"{i // inputs}" if inputs == 1 else f"{i // inputs} {bands[i % inputs]}" for i in order]
    facts: dict[str, object] = {
        "kind": "kernels", "layer": layer.name, "of": count, "size": tiles[0].shape[:2], "bands": inputs,
    }  # fmt: skip
    return beside("pair-kernels", tiles[0][..., order], tiles[1][..., order], words, facts, signed=True)
