"""A picture through a telescope: lit points in, a three-band image with seeing and sky noise out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.demo.discs import Array
from reportgen.demo.light import BANDS, Light, light_radius

PIXELS = 128
"""Width and height of a picture."""
SEEING = 1.3
"""Sigma of the Gaussian point-spread function [pixel]."""
SKY_SIGMA = (0.8, 1.0, 1.2)
"""Noise of the sky in g, r, i, the same in every picture [count]."""
FILLING = (0.28, 0.77)
"""Radius of 80 % of the light as a fraction of half the field: cutouts are made to the size of what they show."""
FLUX, FLUX_SCATTER = 100_000.0, 0.7
"""Typical light of all galaxies of a picture in r [count], and the scatter of its natural logarithm."""
STARS = 3.0
"""Foreground stars a picture, on average."""
SMOOTHING = ((0.0, 3.0), (0.2, 2.0), (0.8, 1.2), (4.0, 0.0))
"""(from so many particles a pixel, sigma [pixel]): sparse particles stand for a smooth tail and are spread wider."""

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """Where the camera points, its field of view in the units of the points, and the light it collects [count]."""

    centre: Array
    width: float
    flux: float


def draw_exposure(light: Light, rng: np.random.Generator) -> Exposure:
    """Point the camera near the centre of light; field and light follow the same law whatever there is to see."""
    centre, radius = light_radius(light)
    width = 2 * radius / rng.uniform(*FILLING)
    return Exposure(centre + width * rng.normal(0, 0.03, 2), width, FLUX * np.exp(rng.normal(0, FLUX_SCATTER)))


def expose(light: Light, exposure: Exposure, rng: np.random.Generator) -> Image:
    """Take a picture, `(y, x, band)` [count], sky subtracted, its noise left."""
    layers = spread(light, exposure) * np.float32(exposure.flux / light.light[1].sum())
    layers[-1] += scatter_stars(rng)
    blurred = [blur(layer, sigma) for layer, (_, sigma) in zip(layers, SMOOTHING, strict=True)]
    return add_sky(np.sum(blurred, axis=0), rng)


def spread(light: Light, exposure: Exposure) -> Image:
    """Put the light on the pixels, by the blur it needs: `(smoothing, band, y, x)`; the rest is lost."""
    x, y = (light.points - exposure.centre[:, None]) * (PIXELS / exposure.width) + PIXELS / 2
    seen = (x >= 0) & (x < PIXELS) & (y >= 0) & (y < PIXELS)
    cell = y[seen].astype(int) * PIXELS + x[seen].astype(int)
    particles = np.bincount(cell, minlength=PIXELS**2).reshape(1, PIXELS, PIXELS).astype(np.float32)
    crowding = blur(particles, 1.5).ravel()[cell]
    place = np.digitize(crowding, [start for start, _ in SMOOTHING[1:]]) * PIXELS**2 + cell
    size = len(SMOOTHING) * PIXELS**2
    bands = [np.bincount(place, band[seen], size).reshape(-1, PIXELS, PIXELS) for band in light.light]
    return np.stack(bands, axis=1).astype(np.float32)


def blur(image: Image, sigma: float = 0.0) -> Image:
    """Blur `(band, y, x)` by the seeing, and by `sigma` [pixel] before."""
    from scipy.ndimage import gaussian_filter

    both = np.hypot(sigma, SEEING)
    return np.asarray(gaussian_filter(image, (0, both, both), mode="constant", truncate=3.5))


def scatter_stars(rng: np.random.Generator) -> Image:
    """Put a few foreground stars anywhere on the pixels, `(band, y, x)`, faint ones more often."""
    image = np.zeros((len(BANDS), PIXELS, PIXELS), np.float32)
    for _ in range(rng.poisson(STARS)):
        y, x = rng.integers(0, PIXELS, 2)
        flux = min(250 * (1 - rng.random()) ** -0.8, 10_000.0)
        image[:, y, x] += flux * np.exp(rng.normal(0, 0.35) * np.array([-1, 0, 0.8]))
    return image


def add_sky(image: Image, rng: np.random.Generator) -> Image:
    """Add the noise of the sky to `(band, y, x)`; return `(y, x, band)`."""
    noise = rng.standard_normal(image.shape, np.float32) * np.array(SKY_SIGMA, np.float32)[:, None, None]
    return np.ascontiguousarray((image + noise).transpose(1, 2, 0))
