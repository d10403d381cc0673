"""How a galaxy looks in numbers: brightness, noise, and the morphology astronomers measure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGMAS = 1.5
"""Height above the sky, in its standard deviations, of a source's pixels."""
PIXELS = 16
"""Pixels of the smallest source."""


@dataclass(frozen=True)
class Morphology:
    """Of one image; NaN for what could not be measured."""

    flux: float
    """Sum above the sky, in the image's own unit."""
    noise: float
    """Standard deviation of the sky, in the image's own unit."""
    area: float
    """Pixels of the source that is measured."""
    concentration: float
    asymmetry: float
    gini: float
    m20: float


def measure(image: NDArray[np.generic], shape: bool = True) -> Morphology:
    """Measure the source nearest to the centre of an image `(y, x)`, with all that its segment touches.

    Without `shape` brightness, noise and area only, which cost a hundredth of the time.

    Sky by sigma clipping (3 σ). The segment is of photutils: where the picture, smoothed by one pixel, is 1.5 σ above
    the sky; of the sources above a quarter of the largest, the one nearest to the centre. Concentration and asymmetry
    after Conselice 2003 (doi:10.1086/375001), Gini and M20 after Lotz, Primack and Madau 2004 (doi:10.1086/421849),
    by statmorph (Rodriguez-Gomez et al. 2019, doi:10.1093/mnras/sty3345), which also says where they cannot be
    trusted: NaN then, and where it is not installed.
    """
    from astropy.stats import sigma_clipped_stats

    pixels = image
    good = np.isfinite(pixels)
    nothing = float("nan")
    if good.sum() < PIXELS:
        return Morphology(*[nothing] * 7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pixels that are NaN, which the sky leaves out
        _, sky, noise = sigma_clipped_stats(pixels[good], sigma=3)
    flat = np.where(good, pixels - sky, 0.0)
    flux = float(flat.sum())
    segments = _segments(flat, float(noise))
    if segments is None:
        return Morphology(flux, float(noise), 0.0, *[nothing] * 4)
    area = float(segments.sum())
    return Morphology(flux, float(noise), area, *(_statmorph(flat, segments, float(noise)) if shape else [nothing] * 4))


def noiseless(image: NDArray[np.generic]) -> bool:
    """Return whether more than half of the pixels are the same number: a simulation's sky, or a cut one.

    What sigma clipping then calls noise is faint debris, or rounding.
    """
    pixels = image[np.isfinite(image)]
    return bool(pixels.size and (pixels == np.median(pixels)).mean() > 0.5)


def available() -> bool:
    """Return whether concentration, asymmetry, Gini and M20 can be measured here."""
    return find_spec("statmorph") is not None


def _segments(flat: NDArray[np.float64], noise: float) -> NDArray[np.int_] | None:
    """Return a map that is 1 on the source and 0 elsewhere; None without a source."""
    from photutils.segmentation import detect_sources
    from scipy.ndimage import gaussian_filter

    level = SIGMAS * (noise if noise > 0 else float(np.abs(flat).max()) / 100)
    if level <= 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was found is our own answer
        found = detect_sources(gaussian_filter(flat, 1.0), level, PIXELS)
    if found is None:
        return None
    labels = np.asarray(found.data)
    areas = np.bincount(labels.ravel())[1:]
    y, x = np.indices(labels.shape)
    middle = ((labels.shape[0] - 1) / 2, (labels.shape[1] - 1) / 2)
    distance = np.hypot(y - middle[0], x - middle[1])
    large = [i + 1 for i, a in enumerate(areas) if a >= areas.max() / 4]
    nearest = min(large, key=lambda i: float(distance[labels == i].min()))
    return np.asarray(labels == nearest, np.int_)


@cache
def _source() -> Any:
    """Return statmorph's class without the statistics that are not used: they take most of its time."""
    import statmorph

    class Source(statmorph.SourceMorphology):  # type: ignore[misc]
        multimode = intensity = deviation = smoothness = -99.0
        rms_asymmetry2 = outer_asymmetry = shape_asymmetry = rhalf_ellip = -99.0
        sersic_amplitude = sersic_rhalf = sersic_n = sersic_xc = sersic_yc = sersic_ellip = sersic_theta = -99.0
        sersic_chi2_dof = sersic_aic = sersic_bic = -99.0

    return Source


def _statmorph(flat: NDArray[np.float64], segments: NDArray[np.int_], noise: float) -> tuple[float, ...]:
    if not available():
        return (float("nan"),) * 4
    weights = np.full(flat.shape, noise if noise > 0 else 1.0)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # its doubts come with the flag
            source = _source()(flat, segments, 1, weightmap=weights)
    except Exception:  # whatever it makes of a strange picture, the others are measured
        return (float("nan"),) * 4
    if source.flag >= 2:
        return (float("nan"),) * 4
    values = (source.concentration, source.asymmetry, source.gini, source.m20)
    return tuple(float(v) if np.isfinite(v) and v > -90 else float("nan") for v in values)
