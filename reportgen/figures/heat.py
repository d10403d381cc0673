"""Tables of numbers as coloured cells, each with its number in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.charts import chart
from reportgen.figures.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = "Blues"
"""Pale is low and dark is high: lightness alone tells them apart, in grey and to every eye."""
MISSING = "#eceff3"


def heat(
    values: NDArray[np.floating],
    texts: Sequence[Sequence[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    limits: tuple[float, float],
    x_label: str,
    bar_label: str,
) -> Picture:
    """Draw `(row, column)` as cells with their texts; what is not finite is grey."""

    def draw(axes: Axes) -> None:
        import matplotlib

        # Fewer shades than matplotlib would turn into a picture inside the chart, which the PDF refuses.
        colours = matplotlib.colormaps[SHADES].resampled(32).with_extremes(bad=MISSING)
        height, width = values.shape
        low, high = limits
        drawn = axes.pcolormesh(
            np.ma.masked_invalid(values), cmap=colours, vmin=low, vmax=high, edgecolors="white", linewidth=1.2
        )
        for y in range(height):
            for x in range(width):
                dark = np.isfinite(values[y, x]) and values[y, x] > low + 0.55 * (high - low)
                axes.text(
                    x + 0.5, y + 0.52, texts[y][x], ha="center", va="center", fontsize=9,
                    color="white" if dark else "#1f2a37",
                )  # fmt: skip
        axes.set_xticks(np.arange(width) + 0.5, columns, rotation=0 if max(map(len, columns)) <= 4 else 40)
        axes.set_yticks(np.arange(height) + 0.5, rows)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel(x_label)
        bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, aspect=max(4, 5 * height), fraction=0.05)
        bar.set_label(bar_label)
        bar.outline.set_visible(False)

    return chart(draw, 4.9, 0.85 + 0.25 * len(rows))
