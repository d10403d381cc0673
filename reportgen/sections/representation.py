"""How does the network arrange the galaxies?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.embedding import Method, embed, principal_components
from reportgen.diagnostics.neighbours import Alike, near_target, same_label
from reportgen.diagnostics.similarity import LEAST
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure
from reportgen.figures.atlas import apart, atlas
from reportgen.figures.stretch import display_rgb, shrink
from reportgen.sections.alike import Similarity, checkpoints_alike, layers_alike, matrix_figure
from reportgen.sections.arranged import features as arranged
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.responses import penultimate
from reportgen.sections.section import Section
from reportgen.sections.task import task_of

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
    of: int
    """Probes there are."""
    left_out: int
    """Probes whose features are NaN or infinite."""
    shares: tuple[float, ...]
    """Fraction of the variance of each principal component."""
    for_most: int | None
    """Components that hold 95 % of the variance."""
    by: str
    """What the neighbours are compared by: label, target, or empty."""
    neighbours: Alike | None
    """Whether near probes are alike in that; None where it is not known of enough probes."""
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
    at, features = arranged(e, layer) if layer else (np.arange(len(run.probes)), np.zeros((len(run.probes), 0)))
    finite = np.asarray(np.isfinite(features).all(axis=1))
    if layer and finite.any():
        found = principal_components(features[finite])
        kept = at[finite]
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
    alike = layers_alike(e, options.layers, options.probes)
    between = checkpoints_alike(run, group, layer, options.layers, options.probes)
    if alike:
        made.append(matrix_figure(f"representation-layers-{e.name}", alike, e, "layers", layer))
    if between:
        made.append(matrix_figure(f"representation-checkpoints-{e.name}", between, e, "checkpoints", layer))
    figures += made
    sums = np.cumsum(shares)
    return Network(
        group.letter, e.about.file, e.epoch, layer, int(np.prod(e.shape(layer)[1:])) if layer else 0, int(finite.sum()),
        len(run.probes), int((~finite).sum()),
        shares, int(np.searchsorted(sums, 0.95 - 1e-9)) + 1 if len(sums) else None,
        *_neighbours(run, e, at[finite], features[finite]), alike, between,
        tuple(f.id for f in made), tuple(missing),
    )  # fmt: skip


def _neighbours(
    run: ExtractedRun, extraction: Extraction, at: NDArray[np.intp], features: NDArray[np.floating]
) -> tuple[str, Alike | None]:
    """Return what is known of the probes at some places, and whether those near each other are alike in it."""
    task, probes = task_of(run, extraction), [run.probes.probes[i] for i in at.tolist()]
    if task.kind == "regression":
        known = [i for i, p in enumerate(probes) if p.target is not None]
        if not known or not features.shape[1]:
            return "", None
        return "target", near_target(features[known], np.array([probes[i].target for i in known], np.float64))
    known = [i for i, p in enumerate(probes) if p.label in task.classes]
    if not known or not features.shape[1]:
        return "", None
    return "label", same_label(features[known], np.array([probes[i].label for i in known], object))


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
    regression = task_of(run, extraction).kind == "regression"
    targets = [run.probes.probes[i].target if regression else None for i in probes]
    names = [f"{i}" if t is None else f"{i}: {t:.2g}" for i, t in zip(probes, targets, strict=True)]
    picture = atlas(places, pictures, names, kinds, *axes)
    facts = {
        "kind": method, "layer": layer, "checkpoint": extraction.about.file, "epoch": extraction.epoch,
        "n": len(probes), "of": len(run.probes), "pictures": len(shown), "seed": seed, "labels": run.probes.has_labels,
        "display": run.probes.display, "targets": any(t is not None for t in targets),
    }  # fmt: skip
    data = {"probe": [run.probes.probes[i].id for i in probes], "x": places[:, 0].tolist(), "y": places[:, 1].tolist()}
    return chart_figure(f"representation-{method}-{extraction.name}", picture, facts, data)
