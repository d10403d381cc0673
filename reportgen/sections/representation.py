"""How does the network arrange the galaxies?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.embedding import Method, embed, principal_components
from reportgen.diagnostics.similarity import LEAST, cka_matrix, gram
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.atlas import apart, atlas
from reportgen.figures.heatmap import heatmap
from reportgen.figures.stretch import display_rgb, shrink
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.responses import own_layers, penultimate
from reportgen.sections.section import Section

TITLE = "Representation"
QUESTION = "How does the network arrange the galaxies?"


class SectionOptions(Options):
    """Options of the representation section."""

    also: tuple[Method, ...] = ()
    """Embeddings beside the principal components: umap (needs umap-learn), tsne (needs scikit-learn)."""
    seed: int = 1
    """Of these embeddings."""
    layers: PositiveInt = 14
    """Layers, and checkpoints, that are compared; of more, that many evenly from first to last."""
    probes: PositiveInt = 256
    """Probes that are compared; of more, that many evenly through the set."""


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


@dataclass(frozen=True)
class Network:
    """How one architecture arranges the probes."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    epoch: int | None
    layer: str
    """The layer the answer is computed from; empty where that is the image itself."""
    features: int
    n: int
    left_out: int
    """Probes whose features are NaN or infinite."""
    shares: tuple[float, ...]
    """Fraction of the variance of each principal component."""
    for_most: int | None
    """Components that hold 95 % of the variance."""
    layers: Similarity | None
    checkpoints: Similarity | None
    figures: tuple[str, ...]
    """Ids."""
    missing: tuple[str, ...]
    """Embeddings that were asked for and cannot be made, and why."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    least: int
    """Probes below which CKA is not defined."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Place the probes as the last layer before the answer does, and compare layers and checkpoints."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    figures: list[Figure] = []
    networks = tuple(_network(run, group, options, figures) for group in measured)
    return Section(Content(networks, LEAST), tuple(figures))


def _network(run: ExtractedRun, group: Group, options: SectionOptions, figures: list[Figure]) -> Network:
    e = group.best.extraction
    layer = penultimate(e)
    made: list[Figure] = []
    missing: list[str] = []
    shares: tuple[float, ...] = ()
    features = e.maps(layer).reshape(len(run.probes), -1) if layer else np.zeros((len(run.probes), 0), np.float32)
    finite = np.asarray(np.isfinite(features).all(axis=1))
    if layer:
        found = principal_components(features[finite])
        kept = np.flatnonzero(finite)
        if found is not None:
            shares = found.shares
            axes = [f"component {i + 1}: {100 * s:.0f} % of the variance" for i, s in enumerate((*shares, 0.0)[:2])]
            made.append(_atlas(run, e, layer, "pca", kept, found.scores, axes, None))
        for method in options.also if len(kept) >= LEAST else ():
            try:
                places = embed(features[finite], method, options.seed)
            except ImportError as error:
                missing.append(f"{method}: {error.name} is not installed (pip install 'reportgen[embedding]')")
                continue
            made.append(_atlas(run, e, layer, method, kept, places, ["dimension 1", "dimension 2"], options.seed))
    alike, between = _layers(run, e, options), _checkpoints(run, group, layer, options)
    if alike:
        made.append(_matrix(f"representation-layers-{e.name}", alike, e, "layers", layer))
    if between:
        made.append(_matrix(f"representation-checkpoints-{e.name}", between, e, "checkpoints", layer))
    figures += made
    sums = np.cumsum(shares)
    return Network(
        group.letter, e.about.file, e.epoch, layer, features.shape[1], int(finite.sum()), int((~finite).sum()),
        shares, int(np.searchsorted(sums, 0.95 - 1e-9)) + 1 if len(sums) else None, alike, between,
        tuple(f.id for f in made), tuple(missing),
    )  # fmt: skip


def _atlas(
    run: ExtractedRun, extraction: Extraction, layer: str, method: str, probes: NDArray[np.intp],
    places: NDArray[np.float64], axes: Sequence[str], seed: int | None,
) -> Figure:  # fmt: skip
    shown = set(apart(places))
    pictures = [
        display_rgb(shrink(run.probes.images[i], 160), run.probes.bands, run.config.probes.display)
        if k in shown else None
        for k, i in enumerate(probes.tolist())
    ]  # fmt: skip
    unlabelled = "no label" if run.probes.has_labels else ""
    kinds = [run.probes.probes[i].label or unlabelled for i in probes]
    picture = atlas(places, pictures, [str(i) for i in probes], kinds, *axes)
    facts = {
        "kind": method, "layer": layer, "checkpoint": extraction.about.file, "epoch": extraction.epoch,
        "n": len(probes), "of": len(run.probes), "pictures": len(shown), "seed": seed, "labels": run.probes.has_labels,
        "display": run.probes.display,
    }  # fmt: skip
    data = {"probe": [run.probes.probes[i].id for i in probes], "x": places[:, 0].tolist(), "y": places[:, 1].tolist()}
    return chart_figure(f"representation-{method}-{extraction.name}", picture, facts, data)


def _layers(run: ExtractedRun, extraction: Extraction, options: SectionOptions) -> Similarity | None:
    names = [*(layer.name for layer in own_layers(extraction))]
    if extraction.measured and extraction.measured[-1] not in names:
        names.append(extraction.measured[-1])
    chosen = _evenly(names, options.layers)
    return _similarity([(name, extraction, name) for name in chosen], len(names), len(run.probes), options.probes)


def _checkpoints(run: ExtractedRun, group: Group, layer: str, options: SectionOptions) -> Similarity | None:
    signature = group.best.extraction.about.architecture
    members = [e for e in run.of_architecture(signature) if layer and layer in e.measured]
    chosen = _evenly(members, options.layers)
    named = [(f"epoch {e.epoch}" if e.epoch is not None else e.name, e, layer) for e in chosen]
    return _similarity(named, len(members), len(run.probes), options.probes)


def _similarity(named: Sequence[tuple[str, Extraction, str]], of: int, probes: int, most: int) -> Similarity | None:
    """Compare representations on the probes that are finite in all; None with fewer than two or too few probes."""
    if len(named) < 2 or probes < LEAST:
        return None
    rows = np.array(_evenly(range(probes), most))
    features = [_finite(e, layer) for _, e, layer in named]
    rows = rows[np.all([good[rows] for good in features], axis=0)]
    if len(rows) < LEAST:
        return None
    table = cka_matrix([gram(e.maps(layer)[rows]) for _, e, layer in named])
    values = tuple(tuple(float(v) if np.isfinite(v) else None for v in row) for row in table)
    return Similarity(tuple(name for name, _, _ in named), values, len(rows), of)


def _finite(extraction: Extraction, layer: str) -> NDArray[np.bool_]:
    channels = extraction.channels(layer)
    return np.asarray(np.isfinite(channels.minimum).all(axis=1) & np.isfinite(channels.maximum).all(axis=1))


def _matrix(id: str, found: Similarity, extraction: Extraction, kind: str, layer: str) -> Figure:
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
