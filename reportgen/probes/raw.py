"""What a reader hands over: one image of a file, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.errors import Failure, ProbeError


@dataclass(frozen=True)
class RawImage:
    """One image as the file stores it."""

    id: str
    """What it is called where nobody says otherwise."""
    pixels: NDArray[np.generic]
    """`(y, x, band)`, rows in the order of the file, native byte order."""
    source: str
    """File, and HDU or row, relative to the config file."""
    bands: tuple[str, ...] | None = None
    """Names of the bands, where the format knows them."""
    bottom_up: bool = False
    """Row 0 is the bottom of the picture, as in FITS."""
    numbered: bool = False
    """The file holds several images and `id` is but a number, or an EXTNAME, in it."""
    label: str | None = None
    target: float | None = None
    group: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """What the file says about it: pixel_scale [arcsec / pixel], north_angle [degree] …"""


@dataclass(frozen=True)
class Unreadable:
    """An image that cannot be read; it keeps its place, so that rows in order still meet their images."""

    id: str
    source: str
    failure: Failure


Found = RawImage | Unreadable

Reader = Callable[[Path, str, ProbesConfig], Iterator[RawImage | ProbeError]]
"""Yield the images of one file, given its path, its name in messages and the options.

An error that is yielded costs one image; one that is raised costs the rest of the file.
"""

LARGEST_IMAGE = 2**27
"""[number] in one image; more is a damaged or hostile header, not a picture of a galaxy."""

MOST_PROBES = 5000
"""A report looks at each of its probes; a whole survey is no probe set."""


def native(pixels: NDArray[np.generic], source: str) -> NDArray[np.generic]:
    """Return plain numbers in native byte order, booleans as 0 and 1.

    Raises ProbeError where they are no real numbers.
    """
    if pixels.dtype.kind not in "buif":
        raise ProbeError(
            "The pixels are no real numbers",
            where=source,
            expected="integers or floating point numbers",
            received=f"{pixels.dtype}",
        )
    kind = {"b": np.dtype(np.uint8)}.get(pixels.dtype.kind, pixels.dtype.newbyteorder("="))
    return np.ascontiguousarray(pixels, dtype=np.dtype(np.float64) if kind.itemsize > 8 else kind)


def stem(path: Path) -> str:
    """Return a file name without its endings: `m51` of m51.png, m51.fits.gz and m51.fits.fz."""
    return path.with_suffix("").stem if path.suffix.lower() in {".gz", ".fz"} else path.stem
