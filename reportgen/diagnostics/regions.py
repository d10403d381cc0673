"""Where the galaxy is in a picture, and where the sky: by segmentation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIGMAS = 1.5
"""Height above the sky, in its standard deviations, of a source's pixels; the picture smoothed by one pixel."""
PIXELS = 16
"""Pixels of the smallest source."""
BORDER = 0.1
"""Fraction of the side that is the stamp's border, on each of its four sides."""


@dataclass(frozen=True)
class Scene:
    """One picture `(y, x, channel)` taken apart."""

    sky: NDArray[np.float64]
    """Median of the sky, `(channel,)`."""
    noise: NDArray[np.float64]
    """Standard deviation of the sky, `(channel,)`."""
    galaxy: NDArray[np.bool_]
    """`(y, x)`: the sources of at least a quarter of the largest one's area: a galaxy and its companion."""
    outskirts: NDArray[np.bool_]
    """`(y, x)`: a ring around it, as wide as a quarter of the radius of a disc of its area, at least two pixels."""
    other: NDArray[np.bool_]
    """`(y, x)`: smaller sources elsewhere."""

    @property
    def found(self) -> bool:
        """Whether there is a galaxy at all."""
        return bool(self.galaxy.any())

    @property
    def empty(self) -> NDArray[np.bool_]:
        """`(y, x)`: the sky, neither source nor outskirts."""
        return ~(self.galaxy | self.outskirts | self.other)


def take_apart(image: NDArray[np.generic]) -> Scene:
    """Segment a picture `(y, x, channel)` with photutils (Bradley et al., doi:10.5281/zenodo.596036).

    Sky by sigma clipping (3 σ) in each channel; the mean of all channels, each in units of its noise, is smoothed by
    one pixel and cut at 1.5 σ. A channel without noise (a simulation) counts in hundredths of its range.
    """
    from astropy.stats import sigma_clipped_stats
    from photutils.segmentation import detect_sources
    from scipy.ndimage import binary_dilation, gaussian_filter

    pixels = np.nan_to_num(np.asarray(image, np.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing was found is our own answer
        _, sky, noise = (np.atleast_1d(v) for v in sigma_clipped_stats(pixels, sigma=3, axis=(0, 1)))
        unit = np.where(noise > 0, noise, np.maximum(np.ptp(pixels, axis=(0, 1)) / 100, np.finfo(np.float32).tiny))
        together = ((pixels - sky) / unit).mean(axis=-1)
        level = SIGMAS * float(sigma_clipped_stats(together, sigma=3)[2] or 1.0)
        found = detect_sources(gaussian_filter(together, 1.0), level, PIXELS)
    labels = np.zeros(pixels.shape[:2], int) if found is None else np.asarray(found.data)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    galaxy = (areas >= max(1.0, areas.max() / 4))[labels] & (labels > 0)
    width = max(2, round(0.25 * float(np.sqrt(galaxy.sum() / np.pi))))
    ring = binary_dilation(galaxy, iterations=width) & ~galaxy if galaxy.any() else galaxy
    return Scene(sky, noise, galaxy, ring & (labels == 0), (labels > 0) & ~galaxy)


def border(shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the outer tenth of a stamp `(y, x)` on each side."""
    mask = np.ones(shape, np.bool_)
    y, x = (max(1, round(BORDER * n)) for n in shape)
    mask[y : shape[0] - y, x : shape[1] - x] = False
    return mask
