"""Which pixels of the image one unit of a layer looks at, exactly: padding, strides, dilation and branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.geometry import pair

Span = tuple[int, int]
"""First and last index, both included."""

MIXING = ("Attention", "Permute", "Flatten", "Global", "Adaptive", "Resizing", "Crop", "Reshape")
"""Words in the class names of layers whose output places are not those of their input."""


class Call(Protocol):
    """What is asked of a row of the layer table."""

    @property
    def name(self) -> str:
        """Unique."""

    @property
    def class_name(self) -> str:
        """Conv2D, MaxPooling2D, …"""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the layers it takes its input from; an input takes none."""

    @property
    def config(self) -> dict[str, Any]:
        """kernel_size, strides, dilation_rate, padding, pool_size, …"""


@dataclass(frozen=True)
class Patch:
    """A rectangle of the network's input, in its pixels, clipped to the image."""

    top: int
    left: int
    height: int
    width: int


def patch(
    layers: Sequence[Call], sizes: Mapping[str, tuple[int, int]], name: str, unit: tuple[int, int]
) -> Patch | None:
    """Return the pixels that reach a unit `(y, x)` of a layer; None where the size of a layer on the way is not known.

    `layers` stand in the order of computation, `sizes` is the `(y, x)` of the output of each, (1, 1) for a vector.
    The receptive field of Araujo, Norris and Sim 2019 (doi:10.23915/distill.00021), found by going back from the
    unit layer by layer: so it holds at the border, too, where padding in the middle of a network lets units see less
    than the closed formula says. Of branches, the rectangle around all. A layer that mixes places sees its whole input.
    """
    seen: dict[str, tuple[Span, Span]] = {name: ((unit[0], unit[0]), (unit[1], unit[1]))}
    image: tuple[Span, Span] | None = None
    for layer in reversed(layers):
        spans = seen.pop(layer.name, None)
        if spans is None:
            continue
        if not layer.inputs:
            image = _around(image, spans)
        for before in layer.inputs:
            if before not in sizes or layer.name not in sizes:
                return None
            y, x = (_back(layer, axis, spans[axis], sizes[before][axis], sizes[layer.name][axis]) for axis in (0, 1))
            seen[before] = _around(seen.get(before), (y, x))
    if image is None:
        return None
    (top, bottom), (left, right) = image
    return Patch(top, left, bottom - top + 1, right - left + 1)


Centres = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of the rows and of the columns of units, in pixels; 0 is the middle of the first pixel."""


def centres(
    layers: Sequence[Call], sizes: Mapping[str, tuple[int, int]], name: str, picture: tuple[int, int]
) -> Centres | None:
    """Return where on the picture `(y, x)` the receptive fields of a layer's units have their centres.

    Arguments as of `patch`. Start and stride of Araujo, Norris and Sim 2019 (doi:10.23915/distill.00021, section 3),
    found by going back layer by layer; padding counts as if the picture went on behind its edge. Branches that lie
    half a pixel apart are averaged; a gate of one place has no say. None where a layer on the way mixes places.
    """
    if name not in sizes:
        return None
    start = (np.arange(sizes[name][0], dtype=np.float64), np.arange(sizes[name][1], dtype=np.float64))
    seen: dict[str, list[Centres]] = {name: [start]}
    found: list[Centres] = []
    for layer in reversed(layers):
        if layer.name not in seen:
            continue
        own = seen.pop(layer.name)
        here = (np.mean([y for y, _ in own], axis=0), np.mean([x for _, x in own], axis=0))
        size = sizes.get(layer.name)
        before = {n: sizes.get(n) for n in layer.inputs}
        if size == picture and all(b == (1, 1) for b in before.values()):
            found.append(here)  # the picture itself: the input, or one that came flat and is put in shape
            continue
        for n, was in before.items():
            if was is None or size is None:
                return None
            if was == (1, 1) != size:
                continue
            y, x = (_centre(layer, axis, here[axis], was[axis], size[axis]) for axis in (0, 1))
            if y is None or x is None:
                return None
            seen.setdefault(n, []).append((y, x))
    if not found:
        return None
    return np.mean([y for y, _ in found], axis=0), np.mean([x for _, x in found], axis=0)


def _centre(layer: Call, axis: int, at: NDArray[np.float64], before: int, after: int) -> NDArray[np.float64] | None:
    """Return where on a layer's inputs the windows of places on its outputs have their middle; None where it mixes."""
    kind, config = layer.class_name, layer.config
    size = config.get("kernel_size") or config.get("pool_size")
    if kind.startswith(("ZeroPadding", "Cropping")):
        shift = _first(config.get("padding") or config.get("cropping") or 0, axis)
        return at - shift if kind.startswith("Zero") else at + shift
    if kind.startswith("UpSampling") or "Resizing" in kind:
        return (at + 0.5) * before / after - 0.5
    if "Crop" in kind and before > after:
        return at + (before - after) // 2
    if size is None or any(word in kind for word in MIXING):
        return at if before == after else None
    length, dilation = pair(size)[axis], pair(config.get("dilation_rate") or 1)[axis]
    stride = pair(config.get("strides") or (size if "Pool" in kind else 1))[axis]
    window = dilation * (length - 1) + 1
    same = str(config.get("padding", "valid")).lower() == "same"
    if kind.endswith("Transpose"):
        ahead = max(window - stride, 0) // 2 if same else 0
        return (at + ahead - (window - 1) / 2) / stride
    ahead = max((after - 1) * stride + window - before, 0) // 2 if same else 0
    return at * stride - ahead + (window - 1) / 2


def _back(layer: Call, axis: int, span: Span, before: int, after: int) -> Span:
    """Return which of `before` inputs along an axis reach a span of a layer's `after` outputs."""
    kind, config = layer.class_name, layer.config
    whole = (0, before - 1)
    size = config.get("kernel_size") or config.get("pool_size")
    if kind.startswith(("ZeroPadding", "Cropping")):
        shift = _first(config.get("padding") or config.get("cropping") or 0, axis)
        return _within(span, -shift if kind.startswith("Zero") else shift, before)
    if kind.startswith("UpSampling"):
        factor = pair(config.get("size") or 2)[axis]
        smooth = 0 if config.get("interpolation", "nearest") == "nearest" else 1
        return max(0, span[0] // factor - smooth), min(before - 1, span[1] // factor + smooth)
    if size is None or any(word in kind for word in MIXING):
        # A layer without a window keeps places where it keeps their number; a gate of one place is broadcast.
        return span if before == after and not any(word in kind for word in MIXING) else whole
    length, dilation = pair(size)[axis], pair(config.get("dilation_rate") or 1)[axis]
    stride = pair(config.get("strides") or (size if "Pool" in kind else 1))[axis]
    window = dilation * (length - 1) + 1
    same = str(config.get("padding", "valid")).lower() == "same"
    if kind.endswith("Transpose"):
        ahead = max(window - stride, 0) // 2 if same else 0
        first = -(-(span[0] + ahead - window + 1) // stride)
        return max(0, first), min(before - 1, (span[1] + ahead) // stride)
    # As TensorFlow pads: what is odd goes behind.
    ahead = max((after - 1) * stride + window - before, 0) // 2 if same else 0
    return max(0, span[0] * stride - ahead), min(before - 1, span[1] * stride - ahead + window - 1)


def _within(span: Span, shift: int, before: int) -> Span:
    """Move a span; of padding, which no input reaches, the nearest input stands in."""
    low, high = span[0] + shift, span[1] + shift
    return min(max(low, 0), before - 1), min(max(high, 0), before - 1)


def _first(value: Any, axis: int) -> int:
    """Return what is added or cut before the first place: of 1, (1, 2) or ((1, 1), (2, 2))."""
    if not isinstance(value, list | tuple):
        return int(value)
    chosen = value[axis]
    return int(chosen[0] if isinstance(chosen, list | tuple) else chosen)


def _around(known: tuple[Span, Span] | None, more: tuple[Span, Span]) -> tuple[Span, Span]:
    if known is None:
        return more
    (y, x), (v, u) = known, more
    return (min(y[0], v[0]), max(y[1], v[1])), (min(x[0], u[0]), max(x[1], u[1]))
