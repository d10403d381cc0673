"""Letters of charts as text of the page: it can be searched and copied, and costs a tenth of the outlines."""

from __future__ import annotations

import re

DRAWN = re.compile(
    r'<!-- (?P<text>[^\n]*?) -->\s*<g(?: style="(?P<style>[^"]*)")? transform="(?P<place>translate\([-\d. ]+\)'
    r'(?: rotate\([-\d. ]+\))?) scale\((?P<scale>[\d.]+) -[\d.]+\)">\s*(?:<defs>.*?</defs>\s*)?'
    r"(?P<glyphs>(?:<use [^>]*/>\s*)+)</g>",
    re.S,
)
"""How matplotlib draws a line of text: its words as a comment, then each glyph by reference to its outline."""
WEIGHTS = {"Semibold": 600, "Bold": 700}
EM = 100
"""Size of the letters before they are scaled."""


def lettered(svg: bytes) -> bytes:
    """Return a chart of matplotlib with its outlined letters as text in the page's own face.

    All stay outlines where the words of one line cannot be told from its comment for sure.
    """
    unsure = False

    def text(found: re.Match[str]) -> str:
        nonlocal unsure
        words = _words(found["text"], found["glyphs"].count("<use "))
        if words is None:
            unsure = True
            return found[0]
        weight = next((w for name, w in WEIGHTS.items() if f"-{name}-" in found["glyphs"]), 400)
        size = round(EM * float(found["scale"]), 3)
        return (
            f'<text style="{found["style"] or ""}" transform="{found["place"]}" font-family="Rep, Rep Wide" '
            f'font-size="{size}" font-weight="{weight}" xml:space="preserve">{words}</text>'
        )

    drawn = DRAWN.sub(text, svg.decode())
    return svg if unsure else drawn.encode()


def _words(comment: str, glyphs: int) -> str | None:
    """Return the words of a comment, in which matplotlib writes `--` as `- -`; None where that cannot be undone."""
    apart = comment.count("- -")
    if not apart:
        return comment
    letters = len(re.sub(r"&\w+;", "x", comment))
    if letters == glyphs:
        return comment
    return comment.replace("- -", "--") if letters - glyphs == apart else None
