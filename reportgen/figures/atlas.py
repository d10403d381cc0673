"""A scatter of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.charts import chart
from reportgen.figures.legend import few_kinds, legend_above
from reportgen.figures.picture import Picture
from reportgen.figures.style import DASHES, MARKERS, RULE, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (7.2, 5.2)
"""Of the chart [inch]."""
SIDE = 0.55
"""Of a picture [inch]."""
PAPER = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
"""Behind a name on a picture."""
FEW = 48
"""Points up to which a dot carries its name, too."""


def atlas(
    places: NDArray[np.floating],
    pictures: Sequence[NDArray[np.uint8] | None],
    names: Sequence[str],
    kinds: Sequence[str],
    x_label: str,
    y_label: str,
) -> Picture:
    """Draw each picture at its place `(picture, 2)`, framed in the colour and dashes of its kind; None is a dot.

    Names stand in the corners of the pictures.
    """
    kinds = few_kinds(kinds)
    order = list(dict.fromkeys(kinds))

    def draw(axes: Axes) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.offsetbox import AnnotationBbox, OffsetImage

        x, y = places[:, 0], places[:, 1]
        for k, kind in enumerate(order):
            dots = [i for i, p in enumerate(pictures) if p is None and kinds[i] == kind]
            axes.scatter(
                x[dots], y[dots], s=34, color=SERIES[k % len(SERIES)], marker=MARKERS[k % len(MARKERS)],
                edgecolor="white", linewidth=0.8, zorder=90,
            )  # fmt: skip
            for i in dots if len(pictures) <= FEW else ():
                axes.annotate(
                    names[i], (x[i], y[i]), xytext=(4, 3), textcoords="offset points", fontsize=8, zorder=91,
                    bbox=PAPER,
                )  # fmt: skip
        for i, picture in enumerate(pictures):
            if picture is None:
                continue
            k = order.index(kinds[i]) % len(SERIES)
            zoom = SIDE * 72 / max(picture.shape[:2])
            image = OffsetImage(picture, zoom=zoom, cmap="gray", interpolation="none")
            box = AnnotationBbox(image, (x[i], y[i]), pad=0.12, zorder=3 + i)
            box.patch.set(edgecolor=SERIES[k], linewidth=1.8, linestyle=DASHES[k], facecolor="white")
            axes.add_artist(box)
            axes.annotate(
                names[i], (x[i], y[i]), xytext=(-SIDE * 36 + 1, SIDE * 36 - 1), textcoords="offset points",
                ha="left", va="top", fontsize=8, zorder=3 + i, bbox=PAPER,
            )  # fmt: skip
        for values, change in ((x, axes.set_xlim), (y, axes.set_ylim)):
            margin = 0.1 * (float(np.ptp(values)) or 1.0)
            change(float(values.min()) - margin, float(values.max()) + margin)
        axes.grid(color=RULE)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        handles = [
            Line2D([], [], color=SERIES[k % len(SERIES)], linestyle=DASHES[k % len(DASHES)], linewidth=2,  # type: ignore[arg-type]
                   marker="" if all(p is not None for p in pictures) else MARKERS[k % len(MARKERS)], label=kind)
            for k, kind in enumerate(order) if kind
        ]  # fmt: skip
        if handles:
            legend_above(axes, [kind for kind in order if kind], handles=handles, handlelength=2.4)

    return chart(draw, *SIZE, dots=288)


def apart(places: NDArray[np.floating]) -> list[int]:
    """Return which of `(point, 2)` places get a picture, in order, so that no two pictures overlap."""
    span = np.ptp(places, axis=0)
    unit = places / np.where(span > 0, span, 1) * np.array(SIZE) * 0.75
    kept: list[int] = []
    for i in range(len(unit)):
        if all(np.abs(unit[i] - unit[k]).max() > 1.05 * SIDE for k in kept):
            kept.append(i)
    return kept
