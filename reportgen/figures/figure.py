"""A figure: pictures placed on a canvas, with the words and marks that belong to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from reportgen.figures.picture import Picture
from reportgen.figures.style import Scale

Mark = Literal["", "dead", "constant", "not finite"]


@dataclass(frozen=True)
class Placed:
    """A picture on the canvas, in units of the canvas."""

    picture: Picture
    x: float
    y: float
    width: float
    height: float


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
    data: dict[str, Any] = field(default_factory=dict)
    """What a chart plots; goes to report.json."""

    @property
    def plain(self) -> bool:
        """Whether it is one picture and nothing else."""
        return self.placed[:1] != () and self.placed[0].picture.suffix == "svg"


def chart_figure(id: str, picture: Picture, facts: dict[str, Any], data: dict[str, Any]) -> Figure:
    """Return a figure that is one chart, with what it plots."""
    placed = Placed(picture, 0, 0, picture.width, picture.height)
    return Figure(id, facts, picture.width, picture.height, (placed,), data=data)
