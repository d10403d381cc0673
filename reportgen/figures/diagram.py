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
MANY, SMALL = 64, 66.0
"""Layers above which a diagram has no words but numbers, and the step from box to box then."""
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

    Height of a box: log of the map's side; width: log of the channels. A connection that skips layers is an arc. Where
    there are very many layers the boxes are small, 24 to a row, and carry numbers from 0 in place of words.
    """
    many = len(layers) > MANY
    step, base = (SMALL, BASE * SMALL / STEP) if many else (STEP, BASE)
    per_row, size = int(WIDTH // step), step / STEP
    row_height = base + (54 if many else 130)
    sides = [s[0] or 1 for _, _, s in layers if len(s) == 3]
    largest = max(sides, default=1)
    boxes: list[Box | Arrow] = []
    labels: list[Label] = []
    centres: dict[str, tuple[float, float, float]] = {}
    for i, ((name, kind, shape), before) in enumerate(zip(layers, inputs, strict=True)):
        left, top = (i % per_row) * step, (i // per_row) * row_height + 30
        high, wide = (length * size for length in _size(shape, largest))
        x, y = left + (step * 0.8 - wide) / 2, top + (base - high) / 2
        boxes += [
            _arrow(centres[source], (x, y + high / 2), i % per_row != 0 and i - centres[source][2] == 1, top, size)
            for source in before
            if source in centres
        ]
        boxes.append(Box(x, y, wide, high, family(kind)))
        centres[name] = (x + wide, y + high / 2, i)
        words = (str(i),) if many else (name, kind, shape_in_words(shape))
        for k, text in enumerate(words):
            labels.append(Label(left, top + base + 24 + k * 24, text if len(text) < 19 else text[:17] + "…"))
    return WIDTH, math.ceil(len(layers) / per_row) * row_height + 30, tuple(boxes), tuple(labels)


def family(kind: str) -> str:
    """Return which kind of layer a class is."""
    return next((name for word, name in FAMILIES if word in kind.lower()), "other")


def _size(shape: tuple[int | None, ...], largest: int) -> tuple[float, float]:
    channels = shape[-1] or 1 if shape else 1
    if len(shape) == 3:
        high = 24 + (BASE - 24) * math.log1p(shape[0] or 1) / math.log1p(largest)
        return high, 14 + 11 * math.log2(1 + channels)
    return 24 + 11 * math.log2(1 + channels), 14


def _arrow(
    source: tuple[float, float, float], target: tuple[float, float], beside: bool, top: float, size: float
) -> Arrow:
    x, y, _ = source
    if beside:
        return Arrow(((x + 3 * size, y), (target[0] - 3 * size, target[1])))
    # Over the boxes, or from the end of a row down to the start of the next.
    over, near, far = top - 12 * size, 3 * size, 14 * size
    return Arrow(((x + near, y), (x + far, over), (target[0] - far, over), (target[0] - near, target[1])))
