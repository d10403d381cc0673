"""From pixels to exactly what the network was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.config import PrepareConfig
from reportgen.config.display import find_band
from reportgen.errors import Failure, ProbeError
from reportgen.probes.raw import RawImage
from reportgen.probes.steps import apply_step, reorder_names, step_in_words

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""ITU-R 601-2, as Pillow."""


def prepare(pixels: NDArray[np.generic], bands: tuple[str, ...], config: PrepareConfig) -> NDArray[np.generic]:
    """Return one image `(y, x, band)` as `(y, x, channel)` before flattening.

    The order is that of Keras' load_img and what follows it: crop, grey, resize, bands, dtype, steps. Raises
    ProbeError where the image does not lend itself to it, ConfigError for an unknown band.
    """
    if config.crop is not None:
        pixels = _crop(pixels, *pair(config.crop))
    if config.grey:
        pixels = _grey(pixels)
    if config.resize is not None:
        pixels = _resize(pixels, *pair(config.resize), config.method)
    if config.bands is not None and not config.grey:
        pixels = pixels[..., [find_band(band, bands) for band in config.bands]]
    elif config.bands is not None:
        pixels = pixels[..., [find_band(band, ("grey",)) for band in config.bands]]
    numbers = _cast(pixels, np.dtype(config.dtype))
    # NaN and infinite pixels pass; what the network sees is what the file says.
    with np.errstate(all="ignore"):
        for step in config.steps:
            numbers = apply_step(step, numbers if numbers.dtype.kind == "f" else numbers.astype(np.float32))
    return np.ascontiguousarray(numbers)


def prepare_all(
    images: Sequence[RawImage], bands: tuple[str, ...], config: PrepareConfig
) -> tuple[list[RawImage], list[NDArray[np.generic]], list[Failure]]:
    """Prepare each image; those whose prepared shape is not that of most become failures."""
    done: list[tuple[RawImage, NDArray[np.generic]]] = []
    failures: list[Failure] = []
    for image in images:
        try:
            done.append((image, prepare(image.pixels, bands, config)))
        except ProbeError as error:
            failures.append(error.failure("probe", image.id))
    shapes = Counter(array.shape for _, array in done)
    usual = shapes.most_common(1)[0][0] if shapes else ()
    failures += [_other_shape(image.id, array.shape, usual) for image, array in done if array.shape != usual]
    fitting = [(image, array) for image, array in done if array.shape == usual]
    return [image for image, _ in fitting], [array for _, array in fitting], failures


def _other_shape(name: str, shape: tuple[int, ...], usual: tuple[int, ...]) -> Failure:
    sizes = shape[:2] != usual[:2]
    return Failure(
        "probe",
        name,
        "The probe has another shape than the others",
        expected=" × ".join(map(str, usual)) + " (height × width × channels), as most",
        received=" × ".join(map(str, shape)),
        advice="Set probes.prepare.resize or crop." if sizes else "Set probes.prepare.grey or bands.",
    )


def name_bands(images: Sequence[RawImage], given: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the names of the bands most images have: those given, where they are as many, else the files' own."""
    if not images:
        return ()
    count = Counter(image.pixels.shape[-1] for image in images).most_common(1)[0][0]
    known = next((image.bands for image in images if image.bands and len(image.bands) == count), None)
    own = known or tuple(f"band {number + 1}" for number in range(count))
    return given if given and len(given) == count else own


def channel_names(bands: tuple[str, ...], config: PrepareConfig) -> tuple[str, ...]:
    """Return the names of the channels of prepared images; raises ConfigError for an unknown band."""
    if config.grey:
        bands = ("grey",) if len(bands) > 1 else bands
    if config.bands is not None:
        bands = tuple(bands[find_band(band, bands)] for band in config.bands)
    return reorder_names(config.steps, bands)


def preparation_in_words(config: PrepareConfig) -> tuple[str, ...]:
    """Return the preparation as it reads in captions, one entry a step."""
    words = []
    if config.crop is not None:
        words.append("crop the central {} × {}".format(*pair(config.crop)))
    if config.grey:
        words.append("grey (ITU-R 601-2)")
    if config.resize is not None:
        words.append("resize to {} × {}, {}".format(*pair(config.resize), config.method))
    if config.bands is not None:
        words.append("bands " + ", ".join(map(str, config.bands)))
    if config.dtype != "float32":
        words.append(config.dtype)
    words += [step_in_words(step) for step in config.steps]
    return (*words, "flatten") if config.flatten else tuple(words)


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (height, width)."""
    return (size, size) if isinstance(size, int) else size


def _crop(pixels: NDArray[np.generic], height: int, width: int) -> NDArray[np.generic]:
    y, x = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    if y < 0 or x < 0:
        raise ProbeError(
            "The image is smaller than the crop",
            expected=f"at least {height} × {width} pixels",
            received=f"{pixels.shape[0]} × {pixels.shape[1]}",
            advice="Make probes.prepare.crop smaller, or use resize.",
        )
    return pixels[y : y + height, x : x + width]


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    from PIL import Image

    if pixels.shape[-1] == 1:
        return pixels
    if pixels.shape[-1] != 3:
        raise ProbeError(
            "Grey is made of red, green and blue",
            expected="1 or 3 bands",
            received=f"{pixels.shape[-1]}",
            advice="Choose one band with probes.prepare.bands in place of probes.prepare.grey.",
        )
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))[..., None]
    return np.asarray(pixels.astype(np.float64) @ np.array(GREY_WEIGHTS)).astype(np.float32)[..., None]


def _resize(pixels: NDArray[np.generic], height: int, width: int, method: str) -> NDArray[np.generic]:
    """Resample as Pillow does: 8 and 16 bits stay what they are, all else goes through 32-bit floats."""
    from PIL import Image

    if pixels.shape[:2] == (height, width):
        return pixels
    kept = pixels if pixels.dtype in (np.uint8, np.uint16) else pixels.astype(np.float32)
    resampling = Image.Resampling[method.upper()]
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(kept[..., band])).resize((width, height), resampling))
        for band in range(kept.shape[-1])
    ]
    return np.stack(bands, axis=-1)


def _cast(pixels: NDArray[np.generic], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype == np.uint8 and pixels.dtype != np.uint8:
        values = pixels.astype(np.float64)
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255):
            raise ProbeError(
                "The pixels do not fit into uint8",
                expected="values from 0 to 255",
                received=f"{np.min(values):.6g} to {np.max(values):.6g}",
                advice="Set probes.prepare.dtype to float32.",
            )
    with np.errstate(over="ignore"):
        return pixels.astype(dtype)
