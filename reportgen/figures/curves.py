"""Charts of how far a classification can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reportgen.figures.charts import chart
from reportgen.figures.picture import Picture
from reportgen.figures.style import DASHES, MARKERS, PALE, RULE, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def roc_curves(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Picture:
    """Draw completeness against the fraction of wrongly included, a line a class, and the diagonal of guessing."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.9, linestyle="--")
        for i, (name, (false, true)) in enumerate(curves.items()):
            k = i % len(SERIES)
            axes.plot(false, true, color=SERIES[k], linestyle=DASHES[k], label=name, clip_on=False)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.01)
        axes.set_aspect("equal")
        axes.grid(color=RULE)
        axes.set_xlabel("false-positive rate")
        axes.set_ylabel("true-positive rate (completeness)")
        axes.legend(loc="lower right")

    return chart(draw, 4.8, 4.2)


def reliability(confidence: Sequence[float], accuracy: Sequence[float], counts: Sequence[int], low: float) -> Picture:
    """Draw accuracy against confidence, a dot a bin with its number of probes; on the diagonal both agree."""

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=0.9, linestyle="--")
        for c, a in zip(confidence, accuracy, strict=True):
            axes.plot([c, c], [c, a], color=SERIES[1], linewidth=1.2)
        axes.scatter(confidence, accuracy, s=30, color=SERIES[0], zorder=3, clip_on=False)
        for c, a, n in zip(confidence, accuracy, counts, strict=True):
            axes.annotate(f"{n}", (c, a), xytext=(-5, 0 if a > 0.05 else 6), textcoords="offset points", ha="right",
                          va="center", fontsize=9, color=PALE)  # fmt: skip
        axes.set_xlim(low, 1.01)
        axes.set_ylim(-0.03, 1.03)
        axes.grid(color=RULE)
        axes.set_xlabel("confidence: probability of the chosen class")
        axes.set_ylabel("accuracy: fraction that is right")

    return chart(draw, 4.8, 4.2)


def data_map(
    spread: Sequence[float], mean: Sequence[float], kinds: Sequence[str], names: Sequence[str], border: float
) -> Picture:
    """Draw mean against spread of the probability of the label, a mark a kind; `border` is where ambiguous begins."""

    def draw(axes: Axes) -> None:
        for k, kind in enumerate(("easy", "ambiguous", "hard")):
            chosen = [i for i, found in enumerate(kinds) if found == kind]
            axes.scatter(
                [spread[i] for i in chosen], [mean[i] for i in chosen], s=34, color=SERIES[(0, 4, 1)[k]],
                marker=MARKERS[k], label=f"{kind} ({len(chosen)})", zorder=3, clip_on=False,
            )  # fmt: skip
        for x, y, name in zip(spread, mean, names, strict=True):
            if name:
                axes.annotate(name, (x, y), xytext=(5, -3), textcoords="offset points", fontsize=9, color=PALE)
        axes.axvline(border, color=PALE, linewidth=0.9, linestyle="--")
        axes.set_xlim(-0.01, 0.51)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(color=RULE)
        axes.set_xlabel("spread of p(true class) over checkpoints")
        axes.set_ylabel("mean of p(true class) over checkpoints")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0, handletextpad=0.2, fontsize=9)

    return chart(draw, 4.8, 4.2)
