"""Image bytes that know their size and their name."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Picture:
    """One encoded image."""

    data: bytes
    width: int
    """[pixel]; of an SVG [CSS pixel]."""
    height: int
    suffix: str = "png"

    @property
    def name(self) -> str:
        """A file name made from the content: equal pictures have equal names."""
        return f"{hashlib.sha256(self.data).hexdigest()[:20]}.{self.suffix}"

    @property
    def media(self) -> str:
        """Media type."""
        return {"png": "image/png", "svg": "image/svg+xml"}[self.suffix]


def png(pixels: NDArray[np.uint8], colours: NDArray[np.uint8] | None = None) -> Picture:
    """Encode `(y, x)` grey or palette indices, or `(y, x, 3)` colours, without any metadata."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if colours is not None:
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette(colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return Picture(buffer.getvalue(), image.width, image.height)
