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
    """Draw maps `(y, x, tile)` of A above those of B above B − A, as many columns as there are tiles.

    A and B share their limits; the difference has its own, about zero, which the facts tell as `difference`.
    """
    limits = Limits.of(np.stack([a, b]), "signed" if signed else "magnitude")
    apart = b.astype(np.float64) - a.astype(np.float64)
    own = Limits.of(apart, "signed")
    count, (high, wide) = a.shape[-1], a.shape[:2]
    side = (WIDTH - LEFT) / max(COLUMNS, count) - GAP
    width, height = (side, side * high / wide) if wide >= high else (side * wide / high, side)
    repeat = max(1, -(-24 // max(high, wide)))
    placed: list[Placed] = []
    labels = [Label(LEFT + i * (width + GAP), LABEL - 8, word) for i, word in enumerate(words)]
    y = LABEL
    for name, maps, scale in (("A", a, limits), ("B", b, limits), ("B − A", apart, own)):
        labels.append(Label(0, y + height / 2 + 8, name, strong=True))
        indices = scale.indices(maps).repeat(repeat, axis=0).repeat(repeat, axis=1)
        placed += [
            Placed(png(indices[..., i], palette(scale.scale)), LEFT + i * (width + GAP), y, width, height)
            for i in range(count)
        ]
        y += height + GAP
    told = {"low": limits.low, "high": limits.high, "difference": own.high, "shown": count}
    return Figure(id, facts | told, WIDTH, y, tuple(placed), tuple(labels), limits.bar())
