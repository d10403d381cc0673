"""Many images in one array: which dataset holds them, and where its bands are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np

from reportgen.config import ProbesConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ProbeError
from reportgen.probes.labels import read_labels
from reportgen.probes.raw import LARGEST_IMAGE, MOST_PROBES, RawImage, native

MOST_BANDS = 16


def read_stack(
    arrays: Mapping[str, Any], name: str, alone: str, config: ProbesConfig
) -> Iterator[RawImage | ProbeError]:
    """Yield the images of a file of named arrays, one row at a time; an array of one image is called `alone`.

    `arrays` are anything with shape, dtype and rows: numpy arrays or HDF5 datasets.
    """
    key = _images_key(arrays, name, config)
    images, where = arrays[key], f"{name}: {key}" if key else name
    if images.dtype.hasobject or images.dtype.kind not in "buif":
        raise ProbeError(
            "The array does not hold plain numbers",
            where=where,
            expected="integers or floating point numbers",
            received=str(images.dtype),
            advice="Store the images as one array of numbers, all of one size.",
        )
    axes, stacked = _axes(images.shape, where, config.arrays.axes)
    count = images.shape[0] if stacked else 1
    rows = config.arrays.rows or range(count)
    _check_size(images.shape[1:] if stacked else images.shape, len(rows), where)
    labels = read_labels(arrays, count, name, config)
    for row in rows:
        source = f"{name}[{row}]" if stacked else name
        if not 0 <= row < count:
            yield ProbeError(
                f"There is no row {row}",
                where=source,
                expected=f"0 to {count - 1}",
                received=f"{row} in probes.arrays.rows",
            )
            continue
        pixels = np.asarray(images[row] if stacked else images[...])
        pixels = pixels[..., None] if axes == "yx" else np.moveaxis(pixels, 0, -1) if axes == "cyx" else pixels
        label, target = labels[row]
        yield RawImage(
            id=str(row) if stacked else alone,
            pixels=native(pixels, source),
            source=source,
            bands=("R", "G", "B") if pixels.dtype == np.uint8 and pixels.shape[-1] == 3 else None,
            numbered=stacked,
            label=label,
            target=target,
        )


def _images_key(arrays: Mapping[str, Any], name: str, config: ProbesConfig) -> str:
    if "" in arrays:
        return ""
    wanted = config.arrays.images
    listing = ", ".join(f"{key} {_shape(array.shape)}" for key, array in sorted(arrays.items())) or "nothing"
    if wanted is not None and wanted.strip("/") in arrays:
        return wanted.strip("/")
    if wanted is not None:
        raise ProbeError(
            f"There is no array {wanted!r}",
            where=name,
            expected="the name in probes.arrays.images",
            received=listing,
            advice=did_you_mean(wanted, arrays),
        )
    if "images" in arrays:
        return "images"
    for least in (3, 2):  # a plain (y, x) picture counts where nothing else does
        candidates = [key for key, array in arrays.items() if least <= len(array.shape) <= 4]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            break
    raise ProbeError(
        "It is not clear which array holds the images",
        where=name,
        expected="one called `images`, or only one with three or four axes",
        received=listing,
        advice="Name it in probes.arrays.images.",
    )


def _axes(
    shape: tuple[int, ...], where: str, axes: Literal["auto", "yxc", "cyx"]
) -> tuple[Literal["yx", "yxc", "cyx"], bool]:
    """Return the axes of one image and whether the array is a stack of them."""
    problem = ""
    if len(shape) not in (2, 3, 4) or 0 in shape:
        problem = "An array of images has two, three or four axes, none of length 0"
    elif len(shape) == 2:
        return "yx", False
    elif axes != "auto":
        return axes, len(shape) == 4
    elif len(shape) == 3:
        one = shape[-1] <= MOST_BANDS < min(shape[:2])
        return ("yxc", False) if one else ("yx", True)
    elif shape[-1] <= MOST_BANDS:
        return "yxc", True
    elif shape[1] <= MOST_BANDS:
        return "cyx", True
    else:
        problem = "It is not clear which axis holds the bands"
    raise ProbeError(
        problem,
        where=where,
        expected="(y, x), (image, y, x), (image, y, x, band) or (image, band, y, x)",
        received=_shape(shape),
        advice="Say where the bands are in probes.arrays.axes." if "clear" in problem else "",
    )


def _check_size(shape: tuple[int, ...], count: int, where: str) -> None:
    if count > MOST_PROBES or int(np.prod(shape, dtype=object)) > LARGEST_IMAGE:
        raise ProbeError(
            "The array is too large for a probe set",
            where=where,
            expected=f"at most {MOST_PROBES:,} images of at most {LARGEST_IMAGE:,} numbers",
            received=f"{count:,} images of shape {_shape(shape)}",
            advice="Choose some with probes.arrays.rows.",
        )


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
