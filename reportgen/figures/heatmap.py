"""A table of numbers as colours, with the numbers on them where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.charts import chart
from reportgen.figures.letters import NAME
from reportgen.figures.picture import Picture
from reportgen.figures.style import MAPS, PALE, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERED = 14
"""Columns up to which each field carries its number."""


def heatmap(
    values: NDArray[np.floating],
    rows: Sequence[str],
    columns: Sequence[str],
    limits: tuple[float, float],
    scale: Scale = "magnitude",
    x_label: str = "",
    bar_label: str = "",
    marked: frozenset[tuple[int, int]] = frozenset(),
    cell: tuple[float, float] = (0.36, 0.3),
) -> Picture:
    """Draw `(row, column)` values between limits; NaN is a hatched field, `marked` fields carry a cross.

    `cell` is width and height of a field [inch].
    """
    named = min(max((len(row) for row in rows), default=0), NAME)
    width = max(1.9, 0.9 + 0.075 * named) + max(len(columns) * cell[0], 1.6)
    longest = max((len(c) for c in columns), default=0)
    turned = len(columns) > 6 or longest * 0.075 > cell[0]
    height = 0.75 + len(rows) * cell[1] + 0.055 * longest * turned
    numbered = len(columns) <= NUMBERED and len(rows) <= 48

    def draw(axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        shown = np.ma.masked_invalid(values)
        image = axes.pcolormesh(shown, cmap=MAPS[scale], vmin=limits[0], vmax=limits[1], edgecolors="white", lw=0.6)
        axes.invert_yaxis()
        for (i, j), value in np.ndenumerate(values):
            if not np.isfinite(value):
                axes.add_patch(Rectangle((j, i), 1, 1, fill=False, hatch="////", edgecolor=PALE, linewidth=0))
            elif numbered:
                r, g, b, _ = image.cmap(image.norm(value))
                dark = 0.299 * r + 0.587 * g + 0.114 * b < 0.55
                text = f"{value:.2f}".replace("-", "−") + (" ×" if (i, j) in marked else "")
                axes.text(
                    j + 0.5, i + 0.52, text, ha="center", va="center", fontsize=9, color="white" if dark else "black"
                )
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
        if turned:
            axes.tick_params(axis="x", rotation=45)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_xlabel(x_label)
        bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03, aspect=max(6.0, len(rows) * cell[1] / 0.14))
        bar.set_label(bar_label)
        bar.outline.set_visible(False)

    return chart(draw, width, height)
