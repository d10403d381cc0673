"""Galaxies as a person sees them: stretches and intervals by astropy, nothing the network ever sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.config import DisplayConfig
from reportgen.config.display import find_band

if TYPE_CHECKING:
    from astropy.visualization import BaseInterval, BaseStretch

NON_FINITE = (255, 0, 255)
"""Magenta: colour of NaN and infinite pixels; nothing else in a grey picture has a colour."""


def display_rgb(image: NDArray[Any], bands: Sequence[str], config: DisplayConfig) -> NDArray[np.uint8]:
    """Return `(y, x)` grey or `(y, x, 3)` colours of an image `(y, x, band)`, row 0 at the top.

    An image with another number of bands than `bands` is shown as if its bands had no names. An image in grey
    becomes `(y, x, 3)`, too, where it holds pixels in the colour of NON_FINITE.
    """
    count = image.shape[-1]
    eight_bit = image.dtype == np.uint8
    if count != len(bands):
        bands = [str(number) for number in range(count)]
        config = config.model_copy(update={"rgb": None, "band": None})
    chosen = config.resolved(eight_bit)
    colours = chosen.colours(bands, eight_bit)
    shown = image[..., list(colours)] if colours else image[..., [find_band(chosen.band or 0, bands)]]
    bad = ~np.isfinite(shown).all(axis=-1)
    values = np.where(bad[..., None], 0, shown).astype(np.float64)
    if bad.all():
        brightness = np.zeros_like(values)
    elif chosen.lupton and colours:
        brightness = _lupton(values, ~bad, chosen)
    else:
        brightness = np.stack(
            [_stretched(values[..., band], ~bad, chosen) for band in range(values.shape[-1])], axis=-1
        )
    if chosen.invert:
        # Mirrors the lightness of HSL and leaves hue and chroma; for grey this is 1 - v.
        brightness = brightness + 1 - brightness.max(-1, keepdims=True) - brightness.min(-1, keepdims=True)
    pixels = np.round(255 * np.clip(brightness, 0, 1)).astype(np.uint8)
    if pixels.shape[-1] == 1 and not bad.any():
        return pixels[..., 0]
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
    pixels[bad] = NON_FINITE
    return pixels


def shrink(image: NDArray[Any], limit: int = 512) -> NDArray[Any]:
    """Return `(y, x, band)` with sides of at most `limit` pixels, each the mean of those it covers."""
    from PIL import Image

    height, width = image.shape[:2]
    if max(height, width) <= limit:
        return image
    factor = limit / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    plain = image if image.dtype == np.uint8 else image.astype(np.float32)
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plain[..., band])).resize(size, Image.Resampling.BOX))
        for band in range(image.shape[-1])
    ]
    smaller = np.stack(bands, axis=-1)
    return (np.round(smaller) if image.dtype.kind in "iu" else smaller).astype(image.dtype)


def _stretched(band: NDArray[np.float64], good: NDArray[np.bool_], config: DisplayConfig) -> NDArray[np.float64]:
    """Return one band in [0, 1]."""
    from astropy.visualization import ManualInterval

    low, high = _limits(band[good], config)
    return np.asarray(_stretch(config)(ManualInterval(low, high)(band)))


def _limits(values: NDArray[np.float64], config: DisplayConfig) -> tuple[float, float]:
    """Return the values shown black and white.

    A lone star on an empty sky has all its percentiles at the sky; then the whole range is shown.
    """
    low, high = _interval(config).get_limits(values)
    return (float(low), float(high)) if high > low else (float(values.min()), float(values.max()))


def _interval(config: DisplayConfig) -> BaseInterval:
    from astropy.visualization import (
        AsymmetricPercentileInterval,
        ManualInterval,
        MinMaxInterval,
        ZScaleInterval,
    )

    if config.interval == "minmax":
        return MinMaxInterval()
    if config.interval == "zscale":
        return ZScaleInterval()
    return ManualInterval(0, 255) if config.interval == "auto" else AsymmetricPercentileInterval(*config.percent)


def _stretch(config: DisplayConfig) -> BaseStretch:
    from astropy.visualization import AsinhStretch, LinearStretch, LogStretch, SqrtStretch, SquaredStretch

    return {
        "asinh": AsinhStretch(config.asinh_a),
        "linear": LinearStretch(),
        "log": LogStretch(),
        "sqrt": SqrtStretch(),
        "square": SquaredStretch(),
    }[config.stretch]


def _lupton(rgb: NDArray[np.float64], good: NDArray[np.bool_], config: DisplayConfig) -> NDArray[np.float64]:
    """Return `(y, x, 3)` in [0, 1] after Lupton et al. (2004, PASP 116, 133), each band black at its median.

    Intensities are shown in the same asinh stretch as a grey image, up to the upper end of the interval.
    """
    from astropy.visualization import make_lupton_rgb

    sky = np.median(rgb[good], axis=0) if config.interval != "auto" else np.zeros(3)
    intensity = (rgb[good] - sky).mean(axis=-1)
    white = max(_limits(intensity, config)[1], np.finfo(np.float64).tiny)
    # Q and stretch such that f(I) = asinh(I / (a white)) / asinh(1 / a): linear up to a x white, 1 at white.
    q = 10 * np.sinh(0.1 * np.arcsinh(1 / config.asinh_a))
    # Where there is no light at all astropy divides 0 by 0, and then rightly puts 0.
    with np.errstate(invalid="ignore", divide="ignore"):
        colours = make_lupton_rgb(
            *np.moveaxis(rgb, -1, 0),
            minimum=list(sky),
            stretch=config.asinh_a * white * q,
            Q=q,
            output_dtype=np.float64,
        )
    return np.asarray(colours)
