"""Attribution maps with the outline of the galaxy on them, and pictures in rows with words between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.figure import Label, Placed, Tile
from reportgen.figures.mosaic import LABEL, WIDTH, Limits
from reportgen.figures.picture import Picture, png
from reportgen.figures.style import palette

LEAST = 192
"""Pixels of an overlay's longer side, at least: the outline is one of them wide."""
LIGHT, DARK = (255, 255, 255), (20, 20, 20)


def overlay(values: NDArray[np.floating], limits: Limits, galaxy: NDArray[np.bool_] | None = None) -> Picture:
    """Return a map `(y, x)` in the colours of its limits, with the outline of a region `(y, x)` of the same size."""
    repeat = max(1, -(-LEAST // max(values.shape)))
    indices = limits.indices(values).repeat(repeat, axis=0).repeat(repeat, axis=1)
    pixels = palette(limits.scale)[indices]
    if galaxy is not None and galaxy.any():
        large = galaxy.repeat(repeat, axis=0).repeat(repeat, axis=1)
        inside = large.copy()
        for axis in (0, 1):
            for step in (-1, 1):
                inside &= np.roll(large, step, axis)
        pixels[large & ~inside] = LIGHT if limits.scale == "magnitude" else DARK
    return png(pixels)


@dataclass(frozen=True)
class Panel:
    """One picture of a row; without one its words stand in its place."""

    picture: Picture | None
    words: tuple[str, ...] = ()
    """Lines under it, or in its place."""
    tile: Tile | None = None
    """The map it is made of."""


def gallery(
    rows: Sequence[tuple[tuple[str, ...], Sequence[Panel]]], heads: Sequence[tuple[str, ...]], side: float | None = None
) -> tuple[float, float, tuple[Placed, ...], tuple[Label, ...]]:
    """Lay out rows of (lines at the left, panels) below column heads; return width, height, pictures and labels.

    Without lines at the left the pictures have the whole width. `side` is that of a picture [unit].
    """
    columns = max(len(panels) for _, panels in rows)
    left = 250.0 if any(lines for lines, _ in rows) else 0.0
    cell = (WIDTH - left) / columns
    side = min(cell - 12, side or cell)
    labels: list[Label] = []
    placed: list[Placed] = []
    y = 0.0
    for j, head in enumerate(heads):
        labels += [Label(left + j * cell, LABEL * (k + 1) - 6, text) for k, text in enumerate(head)]
    y += LABEL * max((len(head) for head in heads), default=0) + 6 * bool(heads)
    for lines, panels in rows:
        labels += [Label(0, y + 28 + k * LABEL, text) for k, text in enumerate(lines)]
        tall = 0.0
        for j, panel in enumerate(panels):
            x, under = left + j * cell, y
            if panel.picture is not None:
                longest = max(panel.picture.width, panel.picture.height)
                w, h = side * panel.picture.width / longest, side * panel.picture.height / longest
                placed.append(Placed(panel.picture, x, y, w, h, (panel.tile,) if panel.tile else ()))
                under = y + h
            else:
                under = y + side / 3
            for k, text in enumerate(panel.words):
                labels.append(Label(x, under + (k + 1) * LABEL - 4, text))
            tall = max(tall, under - y + LABEL * len(panel.words))
        y += max(tall, LABEL * len(lines)) + 14
    return WIDTH, y, tuple(placed), tuple(labels)
