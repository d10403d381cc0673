"""Attribution: published formulas on arrays of activations and gradients, and where on a galaxy they fall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]


def saliency(gradient: Maps) -> Maps:
    """Return max over bands of |ds/dx|, `(probe, y, x)`, from `(probe, y, x, channel)` (Simonyan 2013, arXiv:1312.6034)."""
    return np.asarray(np.abs(gradient).max(axis=-1))


def grad_cam(activations: Maps, gradient: Maps) -> Maps:
    """Return ReLU(sum_k mean_yx(ds/dA_k) A_k), `(probe, y, x)` (Selvaraju 2017, arXiv:1610.02391).

    Both are `(probe, y, x, channel)`. All zero: there is no positive evidence.
    """
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    return np.maximum((weights * activations).sum(axis=-1), 0)


def layer_cam(activations: Maps, gradient: Maps) -> Maps:
    """Return ReLU(sum_k ReLU(ds/dA_k) A_k), pixel by pixel (Jiang 2021, doi:10.1109/TIP.2021.3089943)."""
    return np.maximum((np.maximum(gradient, 0) * activations).sum(axis=-1), 0)


def completeness(integrated: Maps, score: Maps, baseline: Maps) -> Maps:
    """Return the sum of integrated gradients `(probe, …)` minus s(x) − s(x'), which it should equal.

    Sundararajan 2017, arXiv:1703.01365, proposition 1.
    """
    total = integrated.reshape(len(integrated), -1).sum(axis=1, dtype=np.float64)
    return np.asarray(total - (score.astype(np.float64) - baseline), np.float32)


def steps_of(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places in (0, 1) and weights of Gauss-Legendre quadrature: the mean gradient from few steps."""
    places, weights = np.polynomial.legendre.leggauss(count)
    return (places + 1) / 2, weights / 2


def to_pixels(maps: Maps, shape: tuple[int, int]) -> Maps:
    """Return maps `(probe, row, column)` on the grid of the picture, bilinear between centres of cells."""
    from scipy.ndimage import map_coordinates

    if maps.shape[1:] == shape:
        return maps
    y, x = (
        np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1) for n, m in zip(shape, maps.shape[1:], strict=True)
    )
    grid = np.meshgrid(y, x, indexing="ij")
    return np.stack([map_coordinates(m, grid, order=1) for m in maps.astype(np.float64)]).astype(np.float32)


def share(attribution: NDArray[np.floating], region: NDArray[np.bool_]) -> float:
    """Return the fraction of |attribution| `(y, x)` that falls into a region; NaN where there is none at all."""
    magnitude = np.abs(np.asarray(attribution, np.float64))
    total = float(magnitude.sum())
    return float(magnitude[region].sum()) / total if total > 0 and np.isfinite(total) else float("nan")


def rank_similarity(a: Maps, b: Maps) -> NDArray[np.float32]:
    """Return Spearman's ρ of |a| and |b| for each probe of `(probe, …)`; NaN where one does not vary.

    Adebayo 2018 (arXiv:1810.03292): near zero for a map of a network against that of the same with random weights.
    """
    from scipy.stats import rankdata

    def ranks(m: Maps) -> NDArray[np.float64]:
        r = rankdata(np.abs(m).reshape(len(m), -1), axis=1)
        return np.asarray(r - r.mean(axis=1, keepdims=True))

    x, y = ranks(a), ranks(b)
    size = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.where(size > 0, (x * y).sum(axis=1) / np.where(size > 0, size, 1), np.nan).astype(np.float32)


def structural_similarity(a: Maps, b: Maps) -> NDArray[np.float32]:
    """Return the SSIM (Wang 2004, doi:10.1109/TIP.2003.819861) of |a| and |b|, each over its largest value.

    NaN where a map is all zero or smaller than the window, which has seven pixels, or three on small maps.
    """
    from skimage.metrics import structural_similarity as ssim

    window = 7 if min(a.shape[1:]) >= 7 else 3
    found = np.full(len(a), np.nan, np.float32)
    for i, pair in enumerate(zip(np.abs(a), np.abs(b), strict=True)):
        peaks = [float(m.max()) for m in pair]
        if min(a.shape[1:]) >= window and min(peaks) > 0 and np.isfinite(peaks).all():
            found[i] = ssim(pair[0] / peaks[0], pair[1] / peaks[1], data_range=1.0, win_size=window)
    return found
