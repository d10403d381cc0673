"""Attributions of one checkpoint, as the sections and the verdicts want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import (
    SanityScore,
    Shares,
    covered,
    median_shares,
    sanity,
    shares,
    spread_evenly,
    to_pixels,
)
from reportgen.diagnostics.regions import border
from reportgen.extraction import Attribution, Extraction
from reportgen.sections.responses import centres_of, field_of

METHODS = ("grad_cam", "layer_cam", "gradient", "smooth_grad", "integrated", "occlusion")
NAMES = {
    "grad_cam": "Grad-CAM", "layer_cam": "LayerCAM", "gradient": "gradient", "smooth_grad": "SmoothGrad",
    "integrated": "integrated gradients", "occlusion": "occlusion",
}  # fmt: skip
CAMS = ("grad_cam", "layer_cam")
DRAWN = ("grad_cam", "integrated", "smooth_grad", "occlusion")
"""Methods whose maps are drawn, where they show anything."""
SIGNED = {"integrated", "occlusion"}
"""Methods whose maps have a sign: for or against the answer."""


@dataclass(frozen=True)
class Cells:
    """The cells of the CAM layer on the picture."""

    layer: str
    rows: int
    columns: int
    field: tuple[int, int] | None
    """What the one in the middle sees, `(y, x)` [pixel]; None where that is not known."""
    known: bool
    """Whether each is put where the middle of what it sees is; else they are spread evenly over the picture."""
    top: int
    left: int
    height: int
    width: int
    """The part of the picture they cover [pixel]; beyond it a CAM says nothing, and is drawn as nothing."""
    picture: tuple[int, int]
    """`(y, x)` [pixel]"""

    @property
    def whole(self) -> bool:
        """Whether they cover the whole picture."""
        return (self.height, self.width) == self.picture


@dataclass(frozen=True)
class Method:
    """One method at one checkpoint."""

    id: str
    name: str
    n: int
    """Probes."""
    empty: int
    """Of these, probes whose map is zero everywhere: no (positive) evidence."""
    counted: int
    """Probes with a galaxy and a map that is not zero: those of the medians."""
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


def drawn_methods(
    found: Attribution, numbers: Attributed, places: Sequence[int]
) -> tuple[list[str], list[str]]:  # fmt: skip
    """Return the methods to draw of the probes at some places, and those left out because all these maps are empty.

    Where none of those usually drawn passes the sanity check, the first other that passes is drawn with them.
    """
    empty = [
        m for m in found.maps if not np.abs(np.nan_to_num(found.maps[m][list(places)], nan=1.0)).max(initial=0) > 0
    ]
    shown = [m for m in DRAWN if m in found.maps and m not in empty]
    sound = [m.id for m in numbers.methods if m.sanity.verdict == "passes" and m.id not in empty]
    if sound and not set(sound) & set(shown):
        shown.append(sound[0])
    return [m for m in METHODS if m in shown], [m for m in DRAWN if m in empty]


def attributed(extraction: Extraction, found: Attribution, threshold: float) -> Attributed:
    """Return the numbers of a checkpoint's attributions that are not absent."""
    edge = border(found.regions.shape[1:])
    with_galaxy = [i for i in range(len(found.probes)) if (found.regions[i] == 1).any()]
    area = median_shares([shares(np.ones(edge.shape), found.regions[i], edge) for i in with_galaxy])
    methods = []
    for id in (m for m in METHODS if m in found.maps):
        maps = on_pixels(extraction, found, id)
        each = [shares(maps[i], found.regions[i], edge) for i in with_galaxy]
        where, counted = median_shares(each), sum(bool(np.isfinite(one.galaxy)) for one in each)
        last = {
            name: parts[id][-1] if id in parts else None
            for name, parts in (("spearman", found.spearman), ("ssim", found.ssim), ("signed", found.signed))
        }
        score = sanity(last["spearman"], last["ssim"], last["signed"], threshold)
        empty = int((np.abs(found.maps[id]).reshape(len(maps), -1).max(axis=1) == 0).sum())
        methods.append(Method(id, NAMES[id], len(maps), empty, counted, where, score))
    total = found.bands.sum(axis=0)
    return Attributed(
        extraction.about.file, extraction.epoch, len(found.probes), found.of, area, tuple(methods),
        tuple((total / total.sum()).tolist()) if total.size and total.sum() > 0 else (), _error(found),
        found.stages[-1] if found.stages else 0, len(found.checked),
    )  # fmt: skip


def on_pixels(extraction: Extraction, found: Attribution, method: str) -> NDArray[np.float32]:
    """Return a method's maps on the grid of the picture, `(chosen, y, x)`.

    Cells of a CAM lie where the middle of what they see is, bilinear between them; patches are as they are.
    """
    maps, shape = found.maps[method], found.regions.shape[1:]
    if method == "occlusion":
        stride = max(1, int(found.settings["stride"]))
        rows, columns = (np.minimum(np.arange(n) // stride, m - 1) for n, m in zip(shape, maps.shape[1:], strict=True))
        return np.asarray(maps[:, rows][:, :, columns])
    if method not in CAMS:
        return maps
    return to_pixels(maps, (shape[0], shape[1]), _places(extraction, found, method)[0])


def cells_of(extraction: Extraction, found: Attribution) -> Cells | None:
    """Return where the cells of a checkpoint's CAMs are; None without CAMs."""
    method = next((m for m in CAMS if m in found.maps), "")
    if not method:
        return None
    rows, columns = found.maps[method].shape[1:]
    picture = (found.regions.shape[1], found.regions.shape[2])
    places, known = _places(extraction, found, method)
    high, wide = covered(picture, places)
    field = field_of(extraction, found.layer, (rows // 2, columns // 2), picture)
    return Cells(
        found.layer, rows, columns, field, known, high.start, wide.start, high.stop - high.start,
        wide.stop - wide.start, picture,
    )  # fmt: skip


def _places(
    extraction: Extraction, found: Attribution, method: str
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], bool]:
    """Return the centres of a CAM's cells, and whether they are known."""
    cells, picture = found.maps[method].shape[1:], (found.regions.shape[1], found.regions.shape[2])
    places = centres_of(extraction, found.layer, picture)
    if places is None or (len(places[0]), len(places[1])) != cells:
        return spread_evenly((cells[0], cells[1]), picture), False
    return places, True


def _error(found: Attribution) -> float | None:
    if not len(found.completeness):
        return None
    size = np.abs(found.score - found.baseline)
    good = size > 0
    return float(np.median(np.abs(found.completeness[good]) / size[good])) if good.any() else None
