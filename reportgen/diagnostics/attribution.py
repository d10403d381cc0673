"""Attribution: published formulas on arrays of activations and gradients, and where on a galaxy they fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]
Places = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Rows and columns [pixel]; 0 is the middle of the first pixel."""


def saliency(gradient: Maps) -> Maps:
    """Return max over bands of |ds/dx| `(probe, y, x, channel)`: `(probe, y, x)` (Simonyan 2013, arXiv:1312.6034)."""
    return np.asarray(np.abs(gradient).max(axis=-1))


def grad_cam(activations: Maps, gradient: Maps) -> Maps:
    """Return ReLU(sum_k mean_yx(ds/dA_k) A_k), `(probe, y, x)` (Selvaraju 2017, arXiv:1610.02391).

    Both are `(probe, y, x, channel)`. All zero: there is no positive evidence.
    """
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum((weights * activations).sum(axis=-1), 0))


def layer_cam(activations: Maps, gradient: Maps) -> Maps:
    """Return ReLU(sum_k ReLU(ds/dA_k) A_k), pixel by pixel (Jiang 2021, doi:10.1109/TIP.2021.3089943)."""
    return np.asarray(np.maximum((np.maximum(gradient, 0) * activations).sum(axis=-1), 0))


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


def to_pixels(maps: Maps, shape: tuple[int, int], centres: Places) -> Maps:
    """Return maps `(probe, row, column)` on the grid of a picture, bilinear between the centres of their cells.

    `centres` are the rows and the columns of the cells in pixels, rising (`patches.centres`). Farther from the
    outermost centres than half their distance from the next no cell is, and the result is zero: not the nearest cell,
    drawn out over pixels it may not even see.
    """
    rows, columns = (_between(at, n) for at, n in zip(centres, shape, strict=True))
    with np.errstate(invalid="ignore", over="ignore"):  # of maps that are not finite, which the figures say
        return np.asarray(rows @ maps.astype(np.float64) @ columns.T, np.float32)


def covered(shape: tuple[int, int], centres: Places) -> tuple[slice, slice]:
    """Return the rows and the columns of a picture that `to_pixels` fills."""
    y, x = (np.flatnonzero(_between(at, n).sum(axis=1) > 0) for at, n in zip(centres, shape, strict=True))
    return tuple(slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0, 0) for p in (y, x))  # type: ignore[return-value]


def spread_evenly(cells: tuple[int, int], shape: tuple[int, int]) -> Places:
    """Return centres of cells that divide a picture among them: where nothing better is known."""
    y, x = ((np.arange(m) + 0.5) * n / m - 0.5 for m, n in zip(cells, shape, strict=True))
    return y, x


def _between(at: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the weight of each cell in each of n pixels, `(pixel, cell)`: linear interpolation, zero beyond."""
    pixels, last = np.arange(n, dtype=np.float64), len(at) - 1
    # A cell alone is as wide as the picture it stands for.
    low, high = ((at[1] - at[0]) / 2, (at[-1] - at[-2]) / 2) if last else (float(n), float(n))
    weights = np.stack([np.interp(pixels, at, np.eye(last + 1)[cell]) for cell in range(last + 1)], axis=1)
    weights[(pixels < at[0] - low - 1e-9) | (pixels > at[-1] + high + 1e-9)] = 0
    return weights


def share(attribution: NDArray[np.floating], region: NDArray[np.bool_]) -> float:
    """Return the fraction of |attribution| `(y, x)` that falls into a region; NaN where there is none at all."""
    magnitude = np.abs(np.asarray(attribution, np.float64))
    total = float(magnitude.sum())
    return float(magnitude[region].sum()) / total if total > 0 and np.isfinite(total) else float("nan")


@dataclass(frozen=True)
class Spot:
    """The window that holds most of the attribution at one place of the stamp, whatever galaxy is on it."""

    share: float
    """Fraction of |attribution| in it, mean over the probes."""
    area: float
    """Fraction of the stamp it covers."""
    y: int
    x: int
    """Its upper left corner [pixel]."""
    side: int
    """[pixel]"""
    n: int
    """Probes."""


def fixed_spot(maps: Maps, galaxy: NDArray[np.bool_]) -> Spot | None:
    """Return the window of an eighth of the side with the largest mean share of |attribution|, off the galaxies.

    `maps` and `galaxy` are `(probe, y, x)`; windows that show a galaxy in half of their pixels, all probes together,
    are passed over; a mark bright enough is taken for one now and then. Objects lie anywhere, marks in one place:
    Lapuschkin et al. 2019 (arXiv:1902.10178) found a network that read a tag in the corner of the pictures of one
    class. None without a map or such a window.
    """
    from scipy.ndimage import uniform_filter

    magnitude = np.abs(maps.astype(np.float64))
    total = magnitude.sum(axis=(1, 2))
    good = np.isfinite(total) & (total > 0)
    side = max(1, round(min(maps.shape[1:]) / 8))
    if not good.any():
        return None
    mean = (magnitude[good] / total[good, None, None]).mean(axis=0)
    inside = uniform_filter(galaxy[good].mean(axis=0), side, mode="constant")
    half, (height, width) = side // 2, mean.shape
    shares = uniform_filter(mean, side, mode="constant") * side**2
    whole = np.zeros(mean.shape, np.bool_)  # centres of windows that lie in the stamp whole
    whole[half : height - side + half + 1, half : width - side + half + 1] = True
    shares[~whole | (inside > 0.5)] = -1
    y, x = (int(i) for i in np.unravel_index(shares.argmax(), shares.shape))
    if shares[y, x] < 0:
        return None
    return Spot(float(shares[y, x]), side**2 / mean.size, y - half, x - half, side, int(good.sum()))


def rank_similarity(a: Maps, b: Maps, signed: bool = False) -> NDArray[np.float32]:
    """Return Spearman's ρ of |a| and |b|, or of a and b, for each probe of `(probe, …)`; NaN where one is constant.

    Adebayo 2018 (arXiv:1810.03292): near zero for a map of a network against that of the same with random weights.
    """
    from scipy.stats import rankdata

    def ranks(m: Maps) -> NDArray[np.float64]:
        r = rankdata((m if signed else np.abs(m)).reshape(len(m), -1), axis=1)
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
            found[i] = ssim(pair[0] / peaks[0], pair[1] / peaks[1], data_range=1.0, win_size=window)  # type: ignore[no-untyped-call]
    return found


Sanity = Literal["passes", "in part", "fails", "not known"]


@dataclass(frozen=True)
class SanityScore:
    """How far a method's maps depend on the weights: similarity of |map| under randomised weights, medians."""

    spearman: float | None
    ssim: float | None
    signed: float | None
    """Spearman's ρ of the maps with their signs; None of a method without."""
    verdict: Sanity
    """fails: both stay at the threshold or above, so that the map mostly shows the picture and the architecture.
    in part: one does. not known: the maps are constant, or no probe was checked."""


def sanity(spearman: Maps | None, ssim: Maps | None, signed: Maps | None = None, threshold: float = 0.5) -> SanityScore:
    """Judge `(probe,)` similarities under full randomisation (Adebayo 2018, arXiv:1810.03292).

    The paper gives no threshold. At ρ = 0.5 a quarter of the variance of the ranks is shared with a network that has
    learned nothing; both measures must reach it for a fail, because ranks alone also agree where only the edge of the
    stamp or the faint sky do, which carries none of the map. Passing is necessary, not sufficient: noise passes, too
    (Binder 2023, arXiv:2211.12486).
    """

    def middle(values: Maps | None) -> float | None:
        known = np.zeros(0) if values is None else values[np.isfinite(values)]
        return float(np.median(known)) if len(known) else None

    rank, structure = middle(spearman), middle(ssim)
    if rank is None:
        return SanityScore(rank, structure, middle(signed), "not known")
    high = [value >= threshold for value in (rank, structure) if value is not None]
    verdict: Sanity = "fails" if all(high) else "in part" if any(high) else "passes"
    return SanityScore(rank, structure, middle(signed), verdict)


@dataclass(frozen=True)
class Shares:
    """Where on a picture something falls, as fractions of its sum; those of one picture add up to 1."""

    galaxy: float
    outskirts: float
    other: float
    """Sources elsewhere in the picture."""
    sky: float
    border: float
    """Outer tenth on each side; it overlaps with the others."""


def shares(attribution: NDArray[np.floating], regions: NDArray[np.uint8], border: NDArray[np.bool_]) -> Shares:
    """Return the fractions of |attribution| `(y, x)` in each region; of ones, they are the fractions of the area."""
    sky, galaxy, outskirts, other = (share(attribution, regions == code) for code in range(4))
    return Shares(galaxy, outskirts, other, sky, share(attribution, border))


def median_shares(found: Sequence[Shares]) -> Shares | None:
    """Return the median of each fraction; those that are not known are left out, None where none is."""
    known = [f for f in found if np.isfinite(f.galaxy)]
    if not known:
        return None
    return Shares(*(float(np.median([getattr(f, part.name) for f in known])) for part in fields(Shares)))
