"""PNG and JPEG: 8 and 16 bit, grey, colour and palette."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reportgen.config import ProbesConfig
from reportgen.probes.raw import RawImage, native, stem

if TYPE_CHECKING:
    from PIL.Image import Image


def read(path: Path, name: str, config: ProbesConfig) -> Iterator[RawImage]:
    """Yield the one image of a PNG or JPEG file, as Keras' load_img decodes it.

    Transparency is dropped, and gamma, colour profile and EXIF rotation are not applied. One difference:
    colour with 16 bits keeps them.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            coding = str(image.tile[0][3])
            dropped = image.has_transparency_data and _see_through(image)
            pixels = _sixteen_bits(path, coding) if _is_deep_colour(image, coding) else _plain(image)
    pixels = native(pixels if pixels.ndim == 3 else pixels[..., None], name)
    yield RawImage(
        id=stem(path),
        pixels=pixels,
        source=name,
        bands=("R", "G", "B") if pixels.shape[-1] == 3 else None,
        metadata={"transparency": "dropped"} if dropped else {},
    )


def _plain(image: Image) -> NDArray[np.generic]:
    if image.mode in {"1", "LA"}:
        image = image.convert("L")
    elif image.mode not in {"L", "I;16", "RGB"}:
        # A palette with transparency has to go through RGBA, or Pillow warns.
        image = (image.convert("RGBA") if image.mode == "P" else image).convert("RGB")
    return np.asarray(image)


def _see_through(image: Image) -> bool:
    return bool((np.asarray(image.convert("RGBA").getchannel("A")) < 255).any())


def _is_deep_colour(image: Image, coding: str) -> bool:
    return image.format == "PNG" and coding.endswith(";16B") and image.mode != "I;16"


def _sixteen_bits(path: Path, coding: str) -> NDArray[np.uint16]:
    """Return `(y, x, 3)`, or `(y, x, 1)` for grey with alpha.

    Pillow has no mode for such images and keeps the upper byte of each number. Its decoder for the other byte
    order keeps the lower one, so that two passes give the whole.
    """
    if coding == "LA;16B":
        both = _decoded(path, "RGBA").view(">u2").astype(np.uint16)
        return both[..., :1]
    upper, lower = _decoded(path, coding), _decoded(path, coding.replace(";16B", ";16L"))
    return upper[..., :3] * np.uint16(256) + lower[..., :3]


def _decoded(path: Path, coding: str) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(path, formats=("PNG",)) as image:
        image.tile = [tile._replace(args=coding) for tile in image.tile]
        return np.array(image)
