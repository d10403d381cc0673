"""Attribution maps of a few images, by every method; the same images and weights give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.attribution import grad_cam, layer_cam, saliency, steps_of
from reportgen.network.plan import Sizes
from reportgen.network.view import Floats, Images, View

SEED = 20200101
SMOOTH_SD = 0.1
"""Noise of SmoothGrad as a fraction of an image's range."""


@dataclass(frozen=True)
class Case:
    """The images to explain."""

    images: Images
    """`(image, y, x, channel)`"""
    sky: Floats
    """Median of the sky, `(image, 1, 1, channel)`: baseline and patch."""
    probes: NDArray[np.int64]
    """Places in the probe set, for what other inputs get."""
    weighting: Floats
    """`(image, unit)`"""

    def take(self, places: NDArray[np.intp]) -> Case:
        """Return some of the images."""
        return Case(self.images[places], self.sky[places], self.probes[places], self.weighting[places])


@dataclass(frozen=True)
class Explained:
    """Maps by method, as `extraction.Attribution` has them, and what belongs to them."""

    maps: dict[str, Floats]
    score: Floats
    baseline: Floats
    integrated: Floats
    """`(image, y, x, channel)`; empty where not asked for."""


def attribute(view: View, case: Case, sizes: Sizes) -> Explained:
    """Return the maps of all methods; those of which there are to be none are left out."""
    plain = view.slope(case.images, case.probes, case.weighting)
    maps = {"gradient": saliency(plain.image)}
    if plain.maps is not None and plain.slopes is not None:
        maps["grad_cam"] = grad_cam(plain.maps, plain.slopes)
        maps["layer_cam"] = layer_cam(plain.maps, plain.slopes)
    empty = np.broadcast_to(case.sky, case.images.shape).astype(case.images.dtype)
    baseline = _score(view, case, empty)
    integrated = np.zeros((0, *view.shape), np.float32)
    if sizes.steps:
        integrated = integrated_gradients(view, case, sizes.steps)
        maps["integrated"] = integrated.sum(axis=-1)
    if sizes.smooth:
        maps["smooth_grad"] = saliency(smooth_grad(view, case, sizes.smooth))
    if sizes.cells:
        maps["occlusion"] = occlusion(view, case, plain.score, *patches(view.shape, sizes))
    return Explained(maps, plain.score, baseline, integrated)


def smooth_grad(view: View, case: Case, count: int) -> Floats:
    """Return the mean gradient at `count` noisy copies, `(image, y, x, channel)` (Smilkov 2017, arXiv:1706.03825)."""
    x = case.images.astype(np.float32)
    sd = SMOOTH_SD * np.ptp(x, axis=(1, 2, 3), keepdims=True)
    rng = np.random.default_rng((SEED, 3))
    total = np.zeros(x.shape, np.float32)
    for _ in range(count):
        noisy = x + sd * rng.standard_normal(x.shape[1:], np.float32)  # the same draw for each image
        total += view.slope(noisy, case.probes, case.weighting).image
    return np.asarray(total / count, np.float32)


def integrated_gradients(view: View, case: Case, steps: int) -> Floats:
    """Return (x − x') times the mean gradient on the line from x', the sky, to x; `(image, y, x, channel)`.

    Sundararajan 2017, arXiv:1703.01365; the mean by Gauss-Legendre quadrature.
    """
    x = case.images.astype(np.float32)
    total = np.zeros(x.shape, np.float64)
    for place, weight in zip(*steps_of(steps), strict=True):
        there = (case.sky + place * (x - case.sky)).astype(np.float32)
        total += weight * view.slope(there, case.probes, case.weighting).image
    return np.asarray((x - case.sky) * total, np.float32)


def occlusion(view: View, case: Case, score: Floats, rows: list[slice], columns: list[slice]) -> Floats:
    """Return s(x) − s(x with a patch of sky), `(image, row, column)` (Zeiler & Fergus 2013, arXiv:1311.2901)."""
    found = np.zeros((len(score), len(rows), len(columns)), np.float32)
    for i, high in enumerate(rows):
        for j, wide in enumerate(columns):
            x = case.images.copy()
            x[:, high, wide] = case.sky
            found[:, i, j] = score - _score(view, case, x)
    return found


def patches(shape: tuple[int, int, int], sizes: Sizes) -> tuple[list[slice], list[slice]]:
    """Return the rows and the columns that a patch covers at each place of the grid."""
    if not sizes.cells:
        return [], []
    size = -(-max(shape[:2]) // sizes.cells)
    stride = max(1, size // 2) if sizes.overlap else size
    rows, columns = (
        [slice(a, min(a + size, n)) for a in range(0, max(1, n - size + stride), stride)] for n in shape[:2]
    )
    return rows, columns


def _score(view: View, case: Case, images: Images) -> Floats:
    _, scores = view.predict(images, case.probes)
    return np.asarray((case.weighting * scores).sum(axis=1), np.float32)
