"""Arrays of maps as tiles, sixteen to a row: numpy and palette PNG, no axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.figure import Bar, Label, Mark, Placed, Tile
from reportgen.figures.picture import Picture, png
from reportgen.figures.style import LEVELS, Scale, palette

WIDTH = 1600.0
"""Width of every canvas [unit]."""
FEW = 11
"""Sides of a map [pixel] up to which each number below zero is marked; a larger one gets the sign of its mean."""
LABEL = 28.0
"""Height of the line of words above a tile [unit]."""


@dataclass(frozen=True)
class Limits:
    """The values that get the first and the last colour of a map."""

    scale: Scale
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.generic], scale: Scale) -> Limits:
        """Return shared limits: symmetric about zero for signed values, from zero for magnitudes that have none below.

        Values that are not finite are left out.
        """
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        if scale == "signed":
            high = max(abs(low), abs(high))
            return cls(scale, -high, high)
        return cls(scale, min(low, 0.0), high)

    def indices(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Return palette indices of the same shape; what is not finite gets the last."""
        numbers = np.asarray(values, np.float32)
        finite = np.isfinite(numbers)
        span = self.high - self.low
        # A map without any range has the colour of its only value: zero, or the middle.
        position = (
            (numbers - self.low) / span if span > 0 else np.full_like(numbers, 0.5 if self.scale == "signed" else 0)
        )
        scaled = np.clip(np.where(finite, position, 0), 0, 1) * (LEVELS - 1) + 0.5
        return np.where(finite, scaled.astype(np.uint8), np.uint8(LEVELS))

    def below(self, values: NDArray[np.generic]) -> NDArray[np.bool_] | None:
        """Return which of few signed numbers `(y, x, …)` are below zero; None where there are many, or no signs."""
        few = self.scale == "signed" and max(values.shape[:2]) <= FEW
        return np.less(values, 0) if few else None

    def sign(self, values: NDArray[np.generic]) -> Literal["", "+", "−"]:
        """Return the sign of the mean of many signed numbers; empty where each has its own, or the mean is zero."""
        if self.scale != "signed" or max(values.shape[:2]) <= FEW or not np.isfinite(values).all():
            return ""
        mean = float(values.astype(np.float64).mean())
        return "+" if mean > 0 else "−" if mean < 0 else ""

    def bar(self) -> Bar:
        """Return the colour bar that explains these limits."""
        return Bar(self.scale, self.low, self.high, _ramp(self.scale))


@cache
def _ramp(scale: Scale) -> Picture:
    return png(np.arange(LEVELS, dtype=np.uint8)[None], palette(scale))


def mosaic(
    maps: NDArray[np.generic],
    limits: Limits,
    labels: Sequence[str],
    marks: Sequence[Mark] = (),
    columns: int | None = None,
    names: Sequence[str] = (),
) -> tuple[float, float, tuple[Placed, ...], tuple[Label, ...]]:
    """Lay out maps `(y, x, tile)` row by row and return width, height, pictures and labels of the canvas.

    Each row of tiles is one picture at the maps' own resolution; very small maps are repeated to 24 pixels, because
    viewers smooth what they enlarge a lot. `names` are what the tiles are called to whoever points at one; by default
    their labels.
    """
    height, width, count = maps.shape
    columns = columns or (16 if count > 8 else 8)
    marks = marks or [""] * count
    repeat = max(1, -(-24 // max(height, width)))
    indices = limits.indices(maps)
    cell = WIDTH / columns
    # Tiles lie side by side in one picture; the page draws the lines between them, in its own colour.
    tile_width = min(cell, 2 * cell * width / height)
    tile_height = tile_width * height / width
    placed: list[Placed] = []
    words: list[Label] = []
    y = 0.0
    for start in range(0, count, columns):
        y += LABEL
        stop = min(start + columns, count)
        words += [
            Label(
                (i - start) * tile_width, y - 6, labels[i], marks[i], tile_width, tile_height, limits.sign(maps[..., i])
            )
            for i in range(start, stop)
        ]  # fmt: skip
        row = indices[:, :, start:stop]
        if repeat > 1:
            row = row.repeat(repeat, axis=0).repeat(repeat, axis=1)
        strip = row.transpose(0, 2, 1).reshape(row.shape[0], -1)
        tiles = tuple(Tile.of((names or labels)[i], maps[..., i]) for i in range(start, stop))
        wide = tile_width * (stop - start)
        below = limits.below(maps[..., start:stop])
        flat = None if below is None else below.transpose(0, 2, 1).reshape(height, -1)
        placed.append(Placed(png(strip, palette(limits.scale)), 0, y, wide, tile_height, tiles, flat))
        y += tile_height + 6
    return WIDTH, y, tuple(placed), tuple(words)
