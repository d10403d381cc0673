"""Pictures on their way into the PDF: pixels as they are stored, never smoothed, everything packed once.

WeasyPrint turns a palette into RGB and encodes each picture twice; pydyf packs each stream twice. With hundreds of
feature maps that is half of the time and of the size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {0: ("/DeviceGray", 1), 2: ("/DeviceRGB", 3), 3: ("/DeviceRGB", 1)}
"""By PNG's colour type: colour space, and numbers a pixel. Those with transparency are left to WeasyPrint."""


class Raster:
    """A PNG as WeasyPrint expects its images to be; what it asks of one was read from version 70."""

    def __init__(self, name: str, width: int, height: int, depth: int, kind: int, palette: bytes, data: bytes) -> None:
        self.id, self.width, self.height, self.ratio = name, width, height, width / height
        self._depth, self._kind, self._palette, self._data = depth, kind, palette, data

    def get_intrinsic_size(self, resolution: float, font_size: float) -> tuple[float, float, float]:
        """Return width, height [pixel of the page] and their ratio."""
        return self.width / resolution, self.height / resolution, self.ratio

    def draw(self, stream: Any, concrete_width: float, concrete_height: float, style: Any) -> None:
        """Draw it on a stream, in a box of that size."""
        name = stream.add_image(self, False, 1)
        stream.transform(concrete_width, 0, 0, -concrete_height, 0, concrete_height)
        stream.draw_x_object(name)

    def get_x_object(self, interpolate: bool, dpi_ratio: float) -> Any:
        """Return the object of the PDF; `finish` gives those with a palette their colours."""
        import pydyf

        space, numbers = COLOURS[self._kind]
        parameters = {"Predictor": 15, "Columns": self.width, "Colors": numbers, "BitsPerComponent": self._depth}
        made = pydyf.Stream([self._data], {
            "Type": "/XObject", "Subtype": "/Image", "Width": self.width, "Height": self.height, "ColorSpace": space,
            "BitsPerComponent": self._depth, "Interpolate": "false", "Filter": "/FlateDecode",
            "DecodeParms": pydyf.Dictionary(parameters),
        })  # fmt: skip
        made.palette = self._palette
        return made


def rasters(files: Mapping[str, bytes]) -> dict[str, Raster]:
    """Return the PNG files among `files` that can be taken as they are, by their addresses."""
    found = {name: read_raster(name, data) for name, data in files.items() if data.startswith(SIGNATURE)}
    return {f"run:{name}": raster for name, raster in found.items() if raster is not None}


def read_raster(name: str, data: bytes) -> Raster | None:
    """Return a PNG whose compressed rows a PDF can hold; None for one that is interlaced, transparent or deeper."""
    chunks = list(_chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if interlaced or depth > 8 or kind not in COLOURS or any(chunk == b"tRNS" for chunk, _ in chunks):
        return None
    palette = b"".join(body for chunk, body in chunks if chunk == b"PLTE") if kind == 3 else b""
    rows = b"".join(body for chunk, body in chunks if chunk == b"IDAT")
    return Raster(name.replace(".", "-"), width, height, depth, kind, palette, rows)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


def finish(document: Any, pdf: Any) -> None:
    """Share palettes, let no picture be smoothed, and pack every stream once: just before the PDF is written.

    PDF/A forbids smoothing, and pictures inside a chart are not reached by the style sheet.
    """
    import pydyf

    palettes: dict[bytes, Any] = {}
    for thing in list(pdf.objects):
        extra = getattr(thing, "extra", None)
        if not isinstance(extra, dict):
            continue
        if extra.get("Subtype") == "/Image":
            extra["Interpolate"] = "false"
        if palette := getattr(thing, "palette", b""):
            if palette not in palettes:
                palettes[palette] = pydyf.Stream([palette])
                pdf.add_object(palettes[palette])
            last = len(palette) // 3 - 1
            extra["ColorSpace"] = pydyf.Array(["/Indexed", "/DeviceRGB", last, palettes[palette].reference])
    for thing in pdf.objects:
        if getattr(thing, "compress", False):
            content = b"\n".join(item if isinstance(item, bytes) else _as_bytes(item) for item in thing.stream)
            thing.stream, thing.compress = [zlib.compress(content, 6)], False
            thing.extra["Filter"] = "/FlateDecode"


def _as_bytes(item: Any) -> bytes:
    if isinstance(item, float):
        return f"{item:f}".rstrip("0").rstrip(".").encode()
    return item.data if hasattr(item, "data") else str(item).encode()
