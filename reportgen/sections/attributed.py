"""Attributions of one checkpoint, as the sections and the verdicts want them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import SanityScore, Shares, median_shares, sanity, shares, to_pixels
from reportgen.diagnostics.regions import border
from reportgen.extraction import Attribution, Extraction

METHODS = ("grad_cam", "layer_cam", "gradient", "smooth_grad", "integrated", "occlusion")
NAMES = {
    "grad_cam": "Grad-CAM", "layer_cam": "LayerCAM", "gradient": "gradient", "smooth_grad": "SmoothGrad",
    "integrated": "integrated gradients", "occlusion": "occlusion",
}  # fmt: skip
SIGNED = {"integrated", "occlusion"}
"""Methods whose maps have a sign: for or against the answer."""


@dataclass(frozen=True)
class Method:
    """One method at one checkpoint."""

    id: str
    name: str
    n: int
    """Probes."""
    empty: int
    """Of these, probes whose map is zero everywhere: no (positive) evidence."""
    shares: Shares | None
    """Medians over the probes with a galaxy and a map; None where there is none."""
    sanity: SanityScore


@dataclass(frozen=True)
class Attributed:
    """Where the attributions of one checkpoint fall, in numbers."""

    checkpoint: str
    epoch: int | None
    n: int
    of: int
    area: Shares | None
    """Fractions of the pictures' area, medians."""
    methods: tuple[Method, ...]
    bands: tuple[float, ...]
    """Share of each band of the input in |integrated gradients|, of all probes together; empty where not measured."""
    completeness: float | None
    """Median over probes of |completeness error| as a fraction of |s(x) − s(x')|; None where not measured."""
    stages: int
    """Layers with weights that were randomised in the sanity check: all of them."""
    checked: int
    """Probes of the sanity check."""


def attributed(extraction: Extraction, found: Attribution, threshold: float) -> Attributed:
    """Return the numbers of a checkpoint's attributions that are not absent."""
    edge = border(found.regions.shape[1:])
    with_galaxy = [i for i in range(len(found.probes)) if (found.regions[i] == 1).any()]
    area = median_shares([shares(np.ones(edge.shape), found.regions[i], edge) for i in with_galaxy])
    methods = []
    for id in (m for m in METHODS if m in found.maps):
        maps = on_pixels(found, id)
        where = median_shares([shares(maps[i], found.regions[i], edge) for i in with_galaxy])
        last = {
            name: parts[id][-1] if id in parts else None
            for name, parts in (("spearman", found.spearman), ("ssim", found.ssim), ("signed", found.signed))
        }
        score = sanity(last["spearman"], last["ssim"], last["signed"], threshold)
        empty = int((np.abs(found.maps[id]).reshape(len(maps), -1).max(axis=1) == 0).sum())
        methods.append(Method(id, NAMES[id], len(maps), empty, where, score))
    total = found.bands.sum(axis=0)
    return Attributed(
        extraction.about.file, extraction.epoch, len(found.probes), found.of, area, tuple(methods),
        tuple((total / total.sum()).tolist()) if total.size and total.sum() > 0 else (), _error(found),
        found.stages[-1] if found.stages else 0, len(found.checked),
    )  # fmt: skip


def on_pixels(found: Attribution, method: str) -> NDArray[np.float32]:
    """Return a method's maps on the grid of the picture, `(chosen, y, x)`: CAMs bilinear, patches as they are."""
    maps, shape = found.maps[method], found.regions.shape[1:]
    if method == "occlusion":
        stride = max(1, int(found.settings["stride"]))
        rows, columns = (np.minimum(np.arange(n) // stride, m - 1) for n, m in zip(shape, maps.shape[1:], strict=True))
        return np.asarray(maps[:, rows][:, :, columns])
    return to_pixels(maps, (shape[0], shape[1]))


def _error(found: Attribution) -> float | None:
    if not len(found.completeness):
        return None
    size = np.abs(found.score - found.baseline)
    good = size > 0
    return float(np.median(np.abs(found.completeness[good]) / size[good])) if good.any() else None
