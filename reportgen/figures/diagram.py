"""A network as boxes from left to right: as high as its maps are, as wide as it has channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.figures.figure import Label
from reportgen.figures.mosaic import WIDTH
from reportgen.templating import shape as shape_in_words

STEP, BASE = 200.0, 150.0
PER_ROW = int(WIDTH // STEP)
FAMILIES = (
    ("conv", "convolution"), ("pool", "pooling"), ("dense", "dense"), ("norm", "normalisation"), ("input", "input"),
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """One layer on the canvas."""

    x: float
    y: float
    width: float
    height: float
    family: str
    """Which colour: convolution, pooling, dense, normalisation, input or other."""


@dataclass(frozen=True)
class Arrow:
    """A line from one layer to the next, as points of the canvas."""

    points: tuple[tuple[float, float], ...]


def diagram(
    layers: Sequence[tuple[str, str, tuple[int | None, ...]]], inputs: Sequence[tuple[str, ...]]
) -> tuple[float, float, tuple[Box | Arrow, ...], tuple[Label, ...]]:
    """Lay out (name, class, output shape) in the order of computation, eight to a row; return a canvas.

    Height of a box: log of the map's side; width: log of the channels. A connection that skips layers is an arc.
    """
    sides = [s[0] or 1 for _, _, s in layers if len(s) == 3]
    largest = max(sides, default=1)
    boxes: list[Box | Arrow] = []
    labels: list[Label] = []
    centres: dict[str, tuple[float, float, float]] = {}
    row_height = BASE + 130
    for i, ((name, kind, shape), before) in enumerate(zip(layers, inputs, strict=True)):
        left, top = (i % PER_ROW) * STEP, (i // PER_ROW) * row_height + 30
        high, wide = _size(shape, largest)
        x, y = left + (STEP - 40 - wide) / 2, top + (BASE - high) / 2
        boxes += [_arrow(centres[source], (x, y + high / 2), i, top) for source in before if source in centres]
        boxes.append(Box(x, y, wide, high, family(kind)))
        centres[name] = (x + wide, y + high / 2, i)
        for k, text in enumerate((name, kind, shape_in_words(shape))):
            labels.append(Label(left, top + BASE + 24 + k * 24, text if len(text) < 19 else text[:17] + "…"))
    return WIDTH, math.ceil(len(layers) / PER_ROW) * row_height + 30, tuple(boxes), tuple(labels)


def family(kind: str) -> str:
    """Return which kind of layer a class is."""
    return next((name for word, name in FAMILIES if word in kind.lower()), "other")


def _size(shape: tuple[int | None, ...], largest: int) -> tuple[float, float]:
    channels = shape[-1] or 1 if shape else 1
    if len(shape) == 3:
        high = 24 + (BASE - 24) * math.log1p(shape[0] or 1) / math.log1p(largest)
        return high, 14 + 11 * math.log2(1 + channels)
    return 24 + 11 * math.log2(1 + channels), 14


def _arrow(source: tuple[float, float, float], target: tuple[float, float], i: int, top: float) -> Arrow:
    x, y, place = source
    if i - place == 1 and i % PER_ROW:
        return Arrow(((x + 3, y), (target[0] - 3, target[1])))
    # Over the boxes, or from the end of a row down to the start of the next.
    return Arrow(((x + 3, y), (x + 14, top - 12), (target[0] - 14, top - 12), (target[0] - 3, target[1])))
