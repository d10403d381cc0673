"""A figure: pictures placed on a canvas, with the words and marks that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.figures.picture import Picture
from reportgen.figures.style import Scale

Mark = Literal["", "dead", "constant", "not finite"]


@dataclass(frozen=True)
class Tile:
    """One map of a picture, for whoever points at it."""

    name: str
    low: float | None
    """Least value; None where no value is finite."""
    high: float | None

    @classmethod
    def of(cls, name: str, values: NDArray[np.generic]) -> Tile:
        """Return the tile of a map; values that are not finite are left out of its range."""
        finite = values[np.isfinite(values)]
        return cls(name, float(finite.min()), float(finite.max())) if finite.size else cls(name, None, None)


@dataclass(frozen=True)
class Placed:
    """A picture on the canvas, in units of the canvas."""

    picture: Picture
    x: float
    y: float
    width: float
    height: float
    tiles: tuple[Tile, ...] = ()
    """The maps in it, side by side and equally wide; none where its values are no numbers of the network."""
    below: NDArray[np.bool_] | None = None
    """`(y, x)`: which numbers are below zero, of a signed picture of few numbers; in grey its colours do not say so."""

    @property
    def minus(self) -> str:
        """The minus signs paper draws on the numbers below zero, as one path."""
        if self.below is None:
            return ""
        rows, columns = np.nonzero(self.below)
        wide, high = self.width / self.below.shape[1], self.height / self.below.shape[0]
        x, y = self.x + (columns + 0.5) * wide - self.stroke / 2, self.y + (rows + 0.5) * high
        return "".join(f"M{a:.1f} {b:.1f}h{self.stroke:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))

    @property
    def stroke(self) -> float:
        """Length of a minus sign [unit]."""
        return 0.42 * self.width / self.below.shape[1] if self.below is not None else 0.0


@dataclass(frozen=True)
class Label:
    """A word on the canvas: its left end and its baseline, in units of the canvas."""

    x: float
    y: float
    text: str
    mark: Mark = ""
    width: float = 0
    """Width of what it labels; a marked tile is framed with it."""
    height: float = 0
    sign: Literal["", "+", "−"] = ""
    """Sign of the mean of what it labels, where that is signed and in grey its colours do not say so."""
    strong: bool = False
    """Whether it is a heading of what stands beside or below it."""


@dataclass(frozen=True)
class Frame:
    """A rectangle around a part of a picture: light with a dark core, so that it shows on any galaxy and in grey."""

    left: float
    top: float
    wide: float
    high: float


@dataclass(frozen=True)
class Bar:
    """The colour bar of a figure: what its colours mean."""

    scale: Scale
    low: float
    high: float
    picture: Picture


@dataclass(frozen=True)
class Figure:
    """What is drawn; its caption and its text alternative are words and stand in the template."""

    id: str
    """Unique in the report, stable over runs: an anchor."""
    facts: dict[str, Any]
    """What the caption says in numbers; goes to report.json."""
    width: float
    height: float
    placed: tuple[Placed, ...]
    labels: tuple[Label, ...] = ()
    bar: Bar | None = None
    boxes: tuple[Any, ...] = ()
    """Boxes and arrows of a diagram, frames on pictures."""
    number: int = 0
    """Given by the report."""
    part: str = ""
    """a, b, … where paper holds the same figure at several checkpoints; given by the report."""
    at: str = ""
    """Name of the checkpoint it shows, where it is one of `moments`."""
    printed: bool = False
    """Whether paper shows this moment."""
    moments: tuple[Figure, ...] = ()
    """The same figure at each checkpoint it is drawn at, in training order, itself among them; none where it never
    moves."""
    data: dict[str, Any] = field(default_factory=dict)
    """What a chart plots; goes to report.json."""

    @property
    def on_paper(self) -> tuple[Figure, ...]:
        """What the PDF shows of it."""
        return tuple(moment for moment in self.moments if moment.printed) or (self,)

    @property
    def struck(self) -> bool:
        """Whether numbers below zero carry a minus sign on paper."""
        return any(p.below is not None for p in self.placed)

    @property
    def plain(self) -> bool:
        """Whether it is one picture and nothing else."""
        return self.placed[:1] != () and self.placed[0].picture.suffix == "svg"


def chart_figure(id: str, picture: Picture, facts: dict[str, Any], data: dict[str, Any]) -> Figure:
    """Return a figure that is one chart, with what it plots."""
    placed = Placed(picture, 0, 0, picture.width, picture.height)
    return Figure(id, facts, picture.width, picture.height, (placed,), data=data)


def moving(moments: Mapping[str, Figure], chosen: str, printed: Sequence[str] = ()) -> Figure:
    """Return the figure of the chosen checkpoint, which moves through all of them, {checkpoint: figure}.

    `printed` are those that paper shows, too; by default the chosen one alone.
    """
    if len(moments) < 2:
        return moments[chosen]
    paper = printed or (chosen,)
    every = tuple(replace(figure, at=name, printed=name in paper) for name, figure in moments.items())
    return replace(next(figure for figure in every if figure.at == chosen), moments=every)


def with_number(figure: Figure, number: int) -> Figure:
    """Return a figure with its number, which its moments share; those on paper get a letter where there are several."""
    several = len(figure.on_paper) > 1
    letters = {m.id: chr(97 + i) for i, m in enumerate(figure.on_paper) if several}
    moments = tuple(replace(m, number=number, part=letters.get(m.id, "")) for m in figure.moments)
    return replace(figure, number=number, part=letters.get(figure.id, ""), moments=moments)
