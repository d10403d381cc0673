"""The same maps of A and of B, one range for both, and their difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reportgen.figures import Figure, Label, Limits, Placed, png
from reportgen.figures.mosaic import LABEL, WIDTH
from reportgen.figures.style import palette

LEFT = 130.0
COLUMNS = 8
"""Tiles in a row."""
GAP = 8.0


def beside(
    id: str, a: NDArray[np.floating], b: NDArray[np.floating], words: Sequence[str], facts: dict[str, object], *,
    signed: bool,
) -> Figure:  # fmt: skip
    """Draw maps `(y, x, tile)` of A above those of B above B − A, a column a tile; of one or two tiles side by side.

    A and B share their limits; the difference has its own, about zero, which the facts tell as `difference`.
    """
    limits = Limits.of(np.stack([a, b]), "signed" if signed else "magnitude")
    apart = b.astype(np.float64) - a.astype(np.float64)
    own = Limits.of(apart, "signed")
    count, (high, wide) = a.shape[-1], a.shape[:2]
    parts = (("A", a, limits), ("B", b, limits), ("B − A", apart, own))
    across = count > 2  # one or two tiles are set large, A, B and the difference in a row
    side = (WIDTH - LEFT) / (max(COLUMNS, count) if across else 4) - GAP
    width, height = (side, side * high / wide) if wide >= high else (side * wide / high, side)
    repeat = max(1, -(-24 // max(high, wide)))
    placed: list[Placed] = []
    names = [name for name, _, _ in parts]
    heads, sides = (words, names) if across else (names, words)
    labels = [Label(LEFT + i * (width + GAP), LABEL - 8, word, strong=not across) for i, word in enumerate(heads)]
    labels += [Label(0, LABEL + i * (height + GAP) + height / 2 + 8, w, strong=across) for i, w in enumerate(sides)]
    for row, (_, maps, scale) in enumerate(parts):
        indices = scale.indices(maps).repeat(repeat, axis=0).repeat(repeat, axis=1)
        for tile in range(count):
            i, j = (tile, row) if across else (row, tile)
            x, y = LEFT + i * (width + GAP), LABEL + j * (height + GAP)
            placed.append(Placed(png(indices[..., tile], palette(scale.scale)), x, y, width, height))
    y = LABEL + len(sides) * (height + GAP)
    told = {"low": limits.low, "high": limits.high, "difference": own.high, "shown": count}
    return Figure(id, facts | told, WIDTH, y, tuple(placed), tuple(labels), limits.bar())
