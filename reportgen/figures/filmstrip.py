"""The same maps at one checkpoint after another: a row a map, a column a checkpoint, one range for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.figure import Label, Mark, Placed, Tile
from reportgen.figures.mosaic import LABEL, WIDTH, Limits
from reportgen.figures.picture import png
from reportgen.figures.style import palette

LEFT, RIGHT = 150.0, 250.0
"""Room for the words before and after a row [unit]."""
GAP, BAND_GAP = 12.0, 5.0
CHARACTER = 10.5
"""Mean width of a letter [unit]."""


@dataclass(frozen=True)
class Row:
    """One map over the checkpoints."""

    name: str
    maps: Sequence[Sequence[NDArray[np.generic]]]
    """By column the tiles side by side, one a band, `(y, x)` each."""
    words: str
    """What stands behind the row."""
    mark: Mark = ""


def filmstrip(
    rows: Sequence[Row], heads: Sequence[Sequence[str]], limits: Limits, after: str = "", tallest: float = 88
) -> tuple[float, float, tuple[Placed, ...], tuple[Label, ...]]:
    """Lay out rows under the lines of words in `heads`, one column each; return a canvas.

    `after` is the heading of the words behind the rows; tiles are at most `tallest` high.
    """
    tiles = max(len(maps) for row in rows for maps in row.maps)
    y0, x0 = np.asarray(rows[0].maps[0][0]).shape
    column = (WIDTH - LEFT - RIGHT) / max(len(heads), 3)
    wide = min((column - GAP) / tiles - BAND_GAP, tallest * x0 / y0)
    high = wide * y0 / x0
    column = min(column, max(tiles * (wide + BAND_GAP) + GAP, 96.0))
    placed: list[Placed] = []
    labels: list[Label] = []
    lines = max(len(head) for head in heads)
    for i, head in enumerate(heads):
        most = int(column / CHARACTER)
        labels += [
            Label(LEFT + i * column, (k + 1) * LABEL - 6, text if len(text) <= most else text[: most - 1] + "…")
            for k, text in enumerate(head)
        ]
    end = LEFT + len(heads) * column + 6
    labels.append(Label(end, LABEL - 6, after))
    y = lines * LABEL
    step = max(high + GAP, LABEL)
    repeat = max(1, -(-24 // max(y0, x0)))
    for row in rows:
        middle = y + high / 2 + 8
        # Not the mark itself: it would frame the word.
        labels.append(Label(0, middle, f"{row.name} {row.mark}".strip()))
        for i, maps in enumerate(row.maps):
            for k, tile in enumerate(maps):
                indices = limits.indices(np.asarray(tile)).repeat(repeat, axis=0).repeat(repeat, axis=1)
                x = LEFT + i * column + k * (wide + BAND_GAP)
                seen = Tile.of(f"{row.name}, {heads[i][0]}", np.asarray(tile))
                below = limits.below(np.asarray(tile))
                placed.append(Placed(png(indices, palette(limits.scale)), x, y, wide, high, (seen,), below))
        labels.append(Label(end, middle, row.words))
        y += step
    return WIDTH, y, tuple(placed), tuple(labels)
