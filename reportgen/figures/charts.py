"""Charts as SVG: the same data gives the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reportgen.figures.legend import few_kinds, legend_above
from reportgen.figures.letters import make_legible
from reportgen.figures.picture import Picture
from reportgen.figures.style import CHART, register_fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def chart(draw: Callable[[Axes], None], width: float = 6.4, height: float = 3.2, dots: int = 100) -> Picture:
    """Return the SVG, width × height [inch], of the axes that `draw` fills; pictures in it get `dots` an inch."""
    import matplotlib
    from matplotlib.figure import Figure

    register_fonts()
    with matplotlib.rc_context(CHART):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        make_legible(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", dpi=dots, metadata={"Date": None, "Creator": None})
    # matplotlib writes a document type that names a host and makes some readers ask for it.
    svg = re.sub(rb"<!DOCTYPE.*?>\s*", b"", buffer.getvalue(), flags=re.S)
    return Picture(svg, round(width * 96), round(height * 96), "svg")


def lines(
    x: list[float],
    series: dict[str, list[float]],
    x_label: str,
    y_label: str,
    marks: dict[str, float] | None = None,
    *,
    narrow: bool = False,
    log: bool = False,
) -> Picture:
    """Draw lines over a common x; `marks` are named places on it, each with a vertical rule.

    Narrow ones stand two in a row; `log` is for y. The legend stands above, where it covers nothing.
    """
    from reportgen.figures.style import DASHES, MARKERS, PALE, SERIES

    def draw(axes: Axes) -> None:
        for i, (name, y) in enumerate(series.items()):
            k = i % len(SERIES)
            few = len(x) <= 40
            axes.plot(
                x, y, label=name, color=SERIES[k], linestyle=DASHES[k], marker=MARKERS[k] if few else None, markersize=4
            )  # fmt: skip
        above = 18 if len(series) > 1 else 2  # the legend
        for name, at in (marks or {}).items():
            axes.axvline(at, color=PALE, linewidth=0.8, linestyle=":")
            near_end = at > (x[0] + x[-1]) / 2
            axes.annotate(
                name, (at, 1), xycoords=("data", "axes fraction"), xytext=(-4 if near_end else 4, above),
                textcoords="offset points", color=PALE, fontsize=9, ha="right" if near_end else "left",
            )  # fmt: skip
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.grid(axis="y")
        if len(x) <= 15:
            axes.set_xticks(x)
        else:
            from matplotlib.ticker import MaxNLocator

            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")  # powers of ten would need the mathematics that is switched off
            axes.yaxis.set_minor_formatter("")
        if len(series) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, columnspacing=1.2)

    return chart(draw, 4.9, 2.7) if narrow else chart(draw)


def scatter(
    x: list[float],
    y: list[float],
    names: list[str],
    x_label: str,
    y_label: str,
    limits: tuple[float, float] | None,
    diagonal: bool,
) -> Picture:
    """Draw y against x, points with a name carry it; `diagonal` is where both are equal."""
    from reportgen.figures.style import PALE, RULE, SERIES

    def draw(axes: Axes) -> None:
        if limits:
            axes.set_xlim(*limits)
            if diagonal:
                axes.set_ylim(*limits)
                axes.set_aspect("equal")
        if diagonal:
            axes.axline((0, 0), slope=1, color=PALE, linewidth=0.9, linestyle="--")
        else:
            axes.axhline(0, color=PALE, linewidth=0.9, linestyle="--")
        axes.grid(color=RULE)
        axes.scatter(x, y, s=22, color=SERIES[0], edgecolor="white", linewidth=0.5, zorder=3)
        for xi, yi, name in zip(x, y, names, strict=True):
            if name:
                axes.annotate(name, (xi, yi), xytext=(4, 3), textcoords="offset points", fontsize=9, color=PALE)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)

    return chart(draw, 4.8, 4.2)


def ranked(names: list[str], values: list[float], classes: list[str], x_label: str, threshold: float) -> Picture:
    """Draw one dot a name over [0, 1], with a mark and colour for each class and a rule at the threshold."""
    from reportgen.figures.style import MARKERS, PALE, RULE, SERIES

    def draw(axes: Axes) -> None:
        of = few_kinds(classes)
        kinds = list(dict.fromkeys(of))
        places = range(len(names), 0, -1)
        for k, kind in enumerate(kinds):
            chosen = [i for i, c in enumerate(of) if c == kind]
            axes.scatter(
                [values[i] for i in chosen], [places[i] for i in chosen], s=34, label=kind or "no label", zorder=3,
                color=SERIES[k % len(SERIES)], marker=MARKERS[k % len(MARKERS)],
            )  # fmt: skip
        axes.axvline(threshold, color=PALE, linewidth=0.9, linestyle="--")
        axes.set_xlim(-0.02, 1.02)
        axes.set_yticks(list(places), names)
        axes.grid(axis="both", color=RULE)
        axes.set_xlabel(x_label)
        legend_above(axes, [kind or "no label" for kind in kinds])

    return chart(draw, 6.4, 0.8 + 0.22 * len(names))
