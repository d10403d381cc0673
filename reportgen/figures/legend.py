"""Legends that leave their chart its room, however many kinds there are and however long their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reportgen.figures.letters import NAME
from reportgen.figures.style import SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARACTERS = 64
"""Of the names in one row of a legend, each with some for its mark."""


def few_kinds(kinds: Sequence[str]) -> list[str]:
    """Return the kinds, the rarer ones counted together where there are more than colours to tell them apart."""
    counts = Counter(kinds)
    if len(counts) <= len(SERIES):
        return list(kinds)
    common = {kind for kind, _ in counts.most_common(len(SERIES) - 1)}
    rest = f"{len(counts) - len(common)} others"
    return [kind if kind in common else rest for kind in kinds]


def legend_above(axes: Axes, names: Sequence[str], **looks: Any) -> None:
    """Put a legend of these names above the axes, right, in as many rows as it takes."""
    longest = min(max(map(len, names), default=0), NAME) + 6
    columns = max(1, min(len(names), CHARACTERS // longest))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=columns, borderaxespad=0, **looks)
