"""Looks of everything that is drawn rather than set: colours with a meaning, and the type of charts."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scale = Literal["magnitude", "signed"]

MAPS: dict[Scale, str] = {"magnitude": "cividis", "signed": "RdBu_r"}
"""Magnitudes are sequential, signed values diverge about zero; both are safe for colour-blind readers."""

LEVELS = 255
"""Colours of a map; the one entry left in a palette of 256 is for values that are not finite."""
NON_FINITE = (214, 39, 140)
"""Colour of NaN and infinity: none of the maps holds it."""

INK, PALE, RULE = "#1f2a37", "#64748b", "#d5dbe3"
SERIES = ("#0b6e99", "#c8553d", "#6a8532", "#7a5195", "#b8860b", "#4d4d4d")
"""Colours of lines, told apart in greyscale by dashes and markers as well."""
DASHES = ("-", "--", ":", "-.", (0, (5, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")

CHART: dict[str, object] = {
    "svg.hashsalt": "reportgen",  # the same chart is the same bytes
    "svg.fonttype": "path",
    "font.family": ["Source Sans Pro", "DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "semibold",
    "axes.titlelocation": "left",
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "xtick.color": PALE,
    "ytick.color": PALE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}


@cache
def palette(scale: Scale) -> NDArray[np.uint8]:
    """Return the 256 colours of a map as `(256, 3)`; the last is NON_FINITE."""
    import matplotlib

    colours = matplotlib.colormaps[MAPS[scale]](np.linspace(0, 1, LEVELS), bytes=True)[:, :3]
    return np.vstack([colours, np.array([NON_FINITE], np.uint8)])


@cache
def register_fonts() -> None:
    """Make the report's typeface known to matplotlib."""
    from font_source_sans_pro import font_files_ttf
    from matplotlib import font_manager

    for name in ("SourceSansPro", "SourceSansProSemibold", "SourceSansProBold"):
        font_manager.fontManager.addfont(font_files_ttf[name])
