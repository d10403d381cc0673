"""What a kernel over pixels and bands is made of: brightness, colour, pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Composition:
    """Fractions of the squared weights of all kernels of a layer; they add up to one."""

    brightness: float
    """The same weight for every pixel and band: a plain sum."""
    colour: float
    """The same for every pixel, and different from band to band."""
    pattern: float
    """The same in every band, and different from pixel to pixel."""
    mixed: float
    """A pattern that differs from band to band."""


def composition(kernel: NDArray[np.floating]) -> Composition | None:
    """Return what kernels `(y, x, band, output)` are made of; None where all are zero or one is not finite.

    Two-way analysis of variance of each kernel without its mean taken out (Fisher 1925, Statistical Methods for
    Research Workers, chapter VIII): the four parts are orthogonal, so their squares add up.
    """
    w = np.asarray(kernel, np.float64)
    total = float((w**2).sum())
    if not np.isfinite(total) or total == 0:
        return None
    pixels, bands = w.shape[0] * w.shape[1], w.shape[2]
    mean = w.mean(axis=(0, 1, 2))
    of_band, of_pixel = w.mean(axis=(0, 1)) - mean, w.mean(axis=2) - mean
    brightness = pixels * bands * float((mean**2).sum()) / total
    colour, pattern = pixels * float((of_band**2).sum()) / total, bands * float((of_pixel**2).sum()) / total
    return Composition(brightness, colour, pattern, max(0.0, 1 - brightness - colour - pattern))


def by_chance(pixels: int, bands: int) -> Composition:
    """Return what independent random weights of one variance are made of: by the degrees of freedom of each part."""
    of = pixels * bands
    return Composition(1 / of, (bands - 1) / of, (pixels - 1) / of, (pixels - 1) * (bands - 1) / of)
