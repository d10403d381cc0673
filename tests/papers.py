"""A PDF read back: its structure tree with the words in it, and where on its pages things stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pypdf import PdfReader
from pypdf.generic import ContentStream

TEXT = {"Tj", "TJ"}


@dataclass
class Element:
    """An element of the structure tree."""

    kind: str
    alt: str = ""
    id: str = ""
    headers: tuple[str, ...] = ()
    """Ids of the header cells of a cell."""
    kids: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All words in it, spaces as one."""
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for kid in self.kids:
            yield from [kid] if isinstance(kid, str) else kid._words()

    def all(self, *kinds: str) -> list[Element]:
        """Return every element of these kinds below this one, in order."""
        found = []
        for kid in self.kids:
            if isinstance(kid, Element):
                found += [kid] if kid.kind in kinds else []
                found += kid.all(*kinds)
        return found


@dataclass
class Page:
    """What is drawn on one page, in points from its lower left corner."""

    width: float
    height: float
    words: dict[int, str]
    """By number of the marked content."""
    texts: list[tuple[float, float]]
    """Where each piece of text starts."""
    images: list[tuple[float, float, float, float]]
    """Left, lower, right and upper edge of each picture."""

    @property
    def filled(self) -> float:
        """Fraction of the page's height that is used, header and footer left out."""
        margin = 45
        places = [y for _, y in self.texts] + [low for _, low, _, _ in self.images]
        lowest = min((y for y in places if margin < y < self.height - margin), default=self.height)
        return (self.height - margin - lowest) / (self.height - 2 * margin)

    @property
    def outside(self) -> list[tuple[float, ...]]:
        """What is not on the page."""

        def strays(x: float, y: float) -> bool:
            return not (-1 < x < self.width + 1 and -1 < y < self.height + 1)

        return [t for t in self.texts if strays(*t)] + [i for i in self.images if strays(*i[:2]) or strays(*i[2:])]


class Paper:
    """A PDF of the report."""

    def __init__(self, path: Path) -> None:
        self.reader = PdfReader(path)
        self._fonts: dict[int, dict[int, str]] = {}
        self.pages = [self._page(page) for page in self.reader.pages]

    @cached_property
    def tree(self) -> Element:
        """The root of the structure tree."""
        places = {page.indirect_reference.idnum: i for i, page in enumerate(self.reader.pages)}
        root = Element("Root")
        root.kids = self._kids(self.reader.trailer["/Root"]["/StructTreeRoot"]["/K"], places, None)
        return root

    def text(self, page: int) -> str:
        """Return the words of a page as a reader of text sees them."""
        return " ".join(self.reader.pages[page].extract_text().split())

    def _kids(self, kids: Any, places: dict[int, int], page: int | None) -> list[Element | str]:
        found: list[Element | str] = []
        for kid in kids if isinstance(kids, list) else [kids]:
            thing = kid.get_object() if hasattr(kid, "get_object") else kid
            if isinstance(thing, int):
                found.append(self.pages[page].words.get(int(thing), ""))
                continue
            here = places[thing.raw_get("/Pg").idnum] if "/Pg" in thing else page
            if thing.get("/Type") == "/OBJR":
                continue
            if "/MCID" in thing:
                found.append(self.pages[here].words.get(int(thing["/MCID"]), ""))
                continue
            about = thing.get("/A", [])
            attributes = [a.get_object() for a in (about if isinstance(about, list) else [about])]
            headers = tuple(str(h) for a in attributes for h in a.get("/Headers", ()))
            made = Element(str(thing["/S"])[1:], str(thing.get("/Alt", "")), str(thing.get("/ID", "")), headers)
            made.kids = self._kids(thing.get("/K", []), places, here)
            found.append(made)
        return found

    def _page(self, page: Any) -> Page:
        resources = page["/Resources"]
        fonts = {name: self._letters(font.get_object()) for name, font in resources.get("/Font", {}).items()}
        pictures = {n for n, x in resources.get("/XObject", {}).items() if x.get_object()["/Subtype"] == "/Image"}
        made = Page(float(page.mediabox.width), float(page.mediabox.height), {}, [], [])
        at, kept, marked, letters, place = np.eye(3), [], [], {}, np.eye(3)
        for operands, code in ContentStream(page.get_contents(), self.reader).operations:
            operator = code.decode()
            if operator == "q":
                kept.append(at)
            elif operator == "Q":
                at = kept.pop()
            elif operator == "cm":
                at = _matrix(operands) @ at
            elif operator == "Tm":
                place = _matrix(operands)
            elif operator == "Tf":
                letters = fonts[operands[0]]
            elif operator in {"BDC", "BMC"}:
                about = operands[1] if operator == "BDC" else {}
                marked.append(int(about["/MCID"]) if hasattr(about, "get") and "/MCID" in about else None)
            elif operator == "EMC":
                marked.pop()
            elif operator in TEXT:
                made.texts.append(tuple(float(v) for v in (place @ at)[2, :2]))
                number = next((m for m in reversed(marked) if m is not None), None)
                if number is not None:
                    made.words[number] = made.words.get(number, "") + _said(operands[0], letters)
            elif operator == "Do" and operands[0] in pictures:
                corners = np.array([[0, 0, 1], [1, 1, 1]]) @ at
                (x0, y0), (x1, y1) = corners[:, :2].tolist()
                made.images.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        return made

    def _letters(self, font: Any) -> dict[int, str]:
        key = font.indirect_reference.idnum
        if key not in self._fonts:
            table = font["/ToUnicode"].get_object().get_data().decode()
            pairs = re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>\s*$", table, re.M)
            self._fonts[key] = {int(a, 16): bytes.fromhex(b).decode("utf-16-be") for a, b in pairs}
        return self._fonts[key]


def _matrix(operands: Any) -> np.ndarray:
    a, b, c, d, e, f = (float(v) for v in operands)
    return np.array([[a, b, 0], [c, d, 0], [e, f, 1]])


def _said(operand: Any, letters: dict[int, str]) -> str:
    pieces = operand if isinstance(operand, list) else [operand]
    said = ""
    for piece in pieces:
        raw = getattr(piece, "original_bytes", None)
        raw = piece if isinstance(piece, bytes) else raw
        if raw is not None:
            said += "".join(letters.get(int.from_bytes(raw[i : i + 2], "big"), "") for i in range(0, len(raw), 2))
    return said
