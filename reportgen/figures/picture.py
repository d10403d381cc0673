"""Image bytes that know their size and their name."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from zlib_ng import zlib_ng


@dataclass(frozen=True)
class Picture:
    """One encoded image."""

    data: bytes
    width: int
    """[pixel]; of an SVG [CSS pixel]."""
    height: int
    suffix: str = "png"

    @cached_property
    def name(self) -> str:
        """A file name made from the content: equal pictures have equal names."""
        return f"{hashlib.sha256(self.data).hexdigest()[:20]}.{self.suffix}"

    @property
    def media(self) -> str:
        """Media type."""
        return {"png": "image/png", "svg": "image/svg+xml"}[self.suffix]


def png(pixels: NDArray[np.uint8], colours: NDArray[np.uint8] | None = None) -> Picture:
    """Encode `(y, x)` grey or palette indices, or `(y, x, 3)` colours, without any metadata."""
    if colours is not None:
        return _indexed(pixels, colours)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return Picture(buffer.getvalue(), image.width, image.height)


def _indexed(indices: NDArray[np.uint8], colours: NDArray[np.uint8]) -> Picture:
    """Encode `(y, x)` palette indices, the bulk of a report, packed by zlib-ng at a sixth of the cost of zlib.

    ISA-L is faster still, but its bytes are not the same each time.
    """
    height, width = indices.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = indices
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", colours.tobytes()), (b"IDAT", zlib_ng.compress(rows.tobytes(), 2)),
             (b"IEND", b""))  # fmt: skip
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return Picture(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), width, height)
