"""Probe images as a person sees them, laid out with their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reportgen.config import DisplayConfig
from reportgen.extraction import ExtractedRun
from reportgen.figures import Label, Limits, Picture, Placed, png
from reportgen.figures.mosaic import LABEL, WIDTH
from reportgen.figures.stretch import display_rgb, shrink
from reportgen.figures.style import palette
from reportgen.probes.prepare import pair
from reportgen.probes.probeset import Probe, ProbeSet

Kind = TypeVar("Kind", bound=np.generic)


def thumbnails(probes: ProbeSet, display: DisplayConfig, indices: Sequence[int]) -> list[Picture]:
    """Return the display picture of each chosen probe."""
    return [png(display_rgb(shrink(probes.images[i]), probes.bands, display)) for i in indices]


def framed_thumbnails(run: ExtractedRun, indices: Sequence[int]) -> list[Picture]:
    """Return the display picture of each chosen probe in the frame of the network."""
    whole = ((i, shrink(run.probes.images[i])) for i in indices)
    display = run.config.probes.display
    return [
        png(np.ascontiguousarray(framed(run, i, display_rgb(image, run.probes.bands, display)))) for i, image in whole
    ]


def framed(run: ExtractedRun, index: int, pixels: NDArray[Kind]) -> NDArray[Kind]:
    """Return a probe's picture `(y, x, …)` in the frame of the network: cut out and squeezed as its input is."""
    tall, wide = run.probes.images[index].shape[:2]
    y, x, _ = run.probes.input_shape
    height, width = pixels.shape[:2]
    if run.config.probes.prepare.crop is not None:
        cut_y, cut_x = pair(run.config.probes.prepare.crop)
        rows, columns = (
            max(1, min(now, round(now * cut / of))) for now, cut, of in ((height, cut_y, tall), (width, cut_x, wide))
        )
        top, left = (height - rows) // 2, (width - columns) // 2
        pixels = pixels[top : top + rows, left : left + columns]
        height, width = rows, columns
    if abs(width * y - height * x) <= max(height, width):
        return pixels
    side = max(height, width)
    new_y, new_x = (max(1, round(side * n / max(y, x))) for n in (y, x))
    rows_, columns_ = np.arange(new_y) * height // new_y, np.arange(new_x) * width // new_x
    squeezed: NDArray[Kind] = pixels[rows_][:, columns_]
    return squeezed


def as_displayed(probe: Probe, maps: NDArray[Kind]) -> NDArray[Kind]:
    """Turn maps `(y, x, …)` as the probe's picture is turned: FITS stores, and networks see, the lowest row first."""
    return maps[::-1] if probe.metadata.get("row_0") == "bottom" else maps


def as_inputs(probes: ProbeSet, index: int) -> dict[str, Picture]:
    """Return the first channel of each picture the network sees of a probe, in its own range, by its input's name.

    The prepared image comes first, without a name.
    """
    image = probes.inputs[index].reshape(probes.input_shape)[..., 0]
    channels = {"": as_displayed(probes.probes[index], image.astype(np.float32))}
    for name, other in probes.others.items():
        if len(other.shape) == 3:
            seen = other.values[index].reshape(other.shape)[..., 0].astype(np.float32)
            channels[name] = seen[::-1] if other.bottom_up else seen
    limits = {name: Limits.of(channel, "magnitude") for name, channel in channels.items()}
    return {name: png(limits[name].indices(channel), palette("magnitude")) for name, channel in channels.items()}


def contact_sheet(
    pictures: Sequence[Picture], lines: Sequence[tuple[str, ...]], columns: int = 8
) -> tuple[float, float, tuple[Placed, ...], tuple[Label, ...]]:
    """Lay out pictures with lines of words under each; return width, height, pictures and labels of the canvas."""
    columns = min(columns, max(4, len(pictures)))
    cell, gap = WIDTH / columns, 14.0
    side = cell - gap
    placed: list[Placed] = []
    labels: list[Label] = []
    y = 0.0
    for start in range(0, len(pictures), columns):
        row = range(start, min(start + columns, len(pictures)))
        sizes = [_fit(pictures[i], side) for i in row]
        height = max(h for _, h in sizes)
        for i, (w, h) in zip(row, sizes, strict=True):
            x = (i - start) * cell
            placed.append(Placed(pictures[i], x, y + height - h, w, h))
            for k, text in enumerate(lines[i]):
                labels.append(Label(x, y + height + (k + 1) * LABEL, _cut(text, side)))
        y += height + (max(len(lines[i]) for i in row) + 1) * LABEL
    return WIDTH, y, tuple(placed), tuple(labels)


def _fit(picture: Picture, side: float) -> tuple[float, float]:
    longest = max(picture.width, picture.height)
    return side * picture.width / longest, side * picture.height / longest


def _cut(text: str, width: float) -> str:
    most = max(4, int(width / 10.5))
    return text if len(text) <= most else text[: most - 1] + "…"
