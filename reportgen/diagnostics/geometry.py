"""What follows from the architecture alone: receptive fields and the cost of a pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reach:
    """What one unit of a layer can see of the input."""

    field: tuple[int, int]
    """Receptive field `(y, x)` [pixel]; of units that see everything, the whole input."""
    jump: tuple[float, float]
    """Distance between neighbouring units, `(y, x)` [pixel]."""


def receptive_field(kind: str, config: Mapping[str, Any], inputs: Iterable[Reach], whole: tuple[int, int]) -> Reach:
    """Return the reach of a layer from that of its inputs: r' = r + (k_eff − 1) j and j' = j s.

    Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill,
    doi:10.23915/distill.00021, equation 2; k_eff = d (k − 1) + 1 for dilation d. Of several inputs the largest counts.
    A unit of a dense or global layer sees `whole`.
    """
    before = list(inputs) or [Reach((1, 1), (1.0, 1.0))]
    field = (max(r.field[0] for r in before), max(r.field[1] for r in before))
    jump = (max(r.jump[0] for r in before), max(r.jump[1] for r in before))
    if kind in {"Dense", "Flatten"} or kind.startswith("Global") or "Attention" in kind:
        return Reach(whole, jump)
    size = config.get("kernel_size") or config.get("pool_size")
    if size is None:
        if kind.startswith("UpSampling") and (up := config.get("size")):
            return Reach(field, (jump[0] / up[0], jump[1] / up[-1]))
        return Reach(field, jump)
    size, dilation = pair(size), pair(config.get("dilation_rate") or 1)
    stride = pair(config.get("strides") or (size if "Pool" in kind else 1))
    if kind.endswith("Transpose"):
        jump = (jump[0] / stride[0], jump[1] / stride[1])
        stride = (1, 1)
    grown = tuple(
        min(limit, math.ceil(r + d * (k - 1) * j))
        for r, k, d, j, limit in zip(field, size, dilation, jump, whole, strict=True)
    )
    return Reach((grown[0], grown[1]), (jump[0] * stride[0], jump[1] * stride[1]))


def multiply_adds(
    kind: str,
    output_shape: tuple[int | None, ...],
    kernel_sizes: Iterable[int],
    input_shape: tuple[int | None, ...] = (),
) -> int | None:
    """Return the multiply–adds of one image: each number of a kernel is used once an output pixel.

    For convolutions output height × width × kernel numbers, for dense layers kernel numbers; 0 for layers without a
    kernel, whose cost is not counted (as in He et al. 2016, arXiv:1512.03385, table 1). None where the output size is
    not fixed.
    """
    numbers = sum(kernel_sizes)
    if not numbers:
        return 0
    # A transposed convolution uses each number once an input pixel; a dense layer once a place it is applied to.
    places = (input_shape if kind.endswith("Transpose") else output_shape)[:-1]
    if any(place is None for place in places):
        return None
    return numbers * math.prod(place for place in places if place is not None)


def pair(value: Any) -> tuple[int, int]:
    """Return an option that is one number or two as `(y, x)`."""
    if isinstance(value, list | tuple):
        return int(value[0]), int(value[-1])
    return int(value), int(value)
