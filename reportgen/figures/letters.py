"""Characters that the report's faces lack, spelled as their Unicode numbers: never a box where a letter should be."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.errors import harmless

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAID_OUT = frozenset("\n\t\r")
"""Characters that need no glyph."""
NAME, WORDS = 36, 70
"""Characters of a name beside an axis or in a legend, and of any other words in a chart."""
SPELLED = 8
"""Characters of a run that are spelled; of a longer one the rest is counted."""


@cache
def face_files() -> dict[str, Path]:
    """Return the files of the report's faces, all open-licence and out of the dependencies.

    Source Sans for text, DejaVu for what it lacks and for hashes and configurations.
    """
    import matplotlib
    from font_source_sans_pro import font_files_ttf

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return {
        "text.ttf": Path(font_files_ttf["SourceSansPro"]), "italic.ttf": Path(font_files_ttf["SourceSansProIt"]),
        "semibold.ttf": Path(font_files_ttf["SourceSansProSemibold"]),
        "bold.ttf": Path(font_files_ttf["SourceSansProBold"]),
        "fallback.ttf": fonts / "DejaVuSans.ttf", "mono.ttf": fonts / "DejaVuSansMono.ttf",
    }  # fmt: skip


@cache
def drawable() -> frozenset[str]:
    """Return the characters that text in any of the faces can show."""
    from fontTools.ttLib import TTFont

    known = set(LAID_OUT)
    for name in ("text.ttf", "fallback.ttf"):
        with TTFont(face_files()[name], lazy=True) as opened:
            known |= {chr(code) for code in opened.getBestCmap()}
    return frozenset(known)


def spelled(text: str) -> str:
    """Return `text` with each run of characters that no face has as their numbers: ⟨U+661F U+7CFB⟩."""
    known = drawable()
    if known.issuperset(text):
        return text
    missing = "".join(set(text) - known)
    return re.sub(f"[{re.escape(missing)}]+", _numbers, text)


def _numbers(run: re.Match[str]) -> str:
    numbers = [f"U+{ord(c):04X}" for c in run[0][:SPELLED]]
    rest = len(run[0]) - SPELLED
    return f"⟨{' '.join(numbers)}{f' and {rest} more' if rest > 0 else ''}⟩"


def make_legible(figure: Figure) -> None:
    """Spell what cannot be drawn in all words of a chart, and cut names so long that they would leave it no room."""
    from matplotlib.text import Text

    named = {text for axes in figure.axes if (legend := axes.get_legend()) for text in legend.get_texts()}
    for text in figure.findobj(Text):
        said = text.get_text()
        if (better := legible(said, NAME if text in named else WORDS)) != said:
            text.set_text(better)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            names = [label.get_text() for label in axis.get_ticklabels()]
            if (better_names := [legible(name, NAME) for name in names]) != names:
                axis.set_ticks(axis.get_ticklocs(), better_names)


def legible(text: str, most: int) -> str:
    """Return `text` of at most `most` characters, the end of a longer one in place of its middle, spelled."""
    shown = spelled(harmless(text))
    if len(shown) <= most:
        return shown
    end = most // 3
    return f"{shown[: most - end - 1]}…{shown[-end:]}"
