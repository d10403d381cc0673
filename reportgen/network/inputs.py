"""Whether the prepared probes fit the input of a network, and what to do where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.errors import NetworkError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Fit:
    """How probes go into a network."""

    shape: Shape
    """Input of the network without the batch axis, every size known."""
    channels_first: bool = False
    """The network takes `(channel, y, x)`; probes are turned to that."""


def fit_input(expected: Sequence[int | None] | None, probe: Shape, *, channels_first: bool, limit: int) -> Fit:
    """Return how probes of shape `probe`, `(y, x, channel)` or `(feature,)`, go into an input of shape `expected`.

    A size of None in `expected` fits any. Raises NetworkError, with the option of `probes.prepare` to change.
    """
    channels_first = channels_first and len(probe) == 3
    given = (probe[2], *probe[:2]) if channels_first else probe
    if expected is None or _fits(expected, given):
        if any(number > limit for number in given):
            raise NetworkError("the input is far too large", received=f"{given}", expected=f"at most {limit} a side")
        return Fit(given, channels_first)
    if len(probe) == 3 and probe[2] == 1 and _fits(expected, probe[:2]):
        return Fit(probe[:2])  # one grey band without an axis of its own
    if len(expected) == 1 and expected[0] == math.prod(probe):
        return Fit((math.prod(probe),))  # the same numbers, rows first: a run may hold networks of both kinds
    wanted = tuple(expected)
    last = (*wanted[1:], wanted[0]) if channels_first and len(wanted) == 3 else wanted
    raise NetworkError(
        f"the network takes inputs of shape {_words(last)} and the probes are prepared as {_words(probe)}",
        expected=_words(last),
        received=_words(probe),
        advice=_advice(last, probe),
    )


def _fits(expected: Sequence[int | None], given: Shape) -> bool:
    """Return whether a shape fits another one with free sizes in it."""
    return len(expected) == len(given) and all(e in (None, g) for e, g in zip(expected, given, strict=True))


def _advice(wanted: Sequence[int | None], probe: Shape) -> str:
    """Return which option of the preparation to change."""
    if len(wanted) == 1:
        if len(probe) == 1:
            return "Change probes.prepare.resize, or the bands, until an image flattened has that many numbers."
        return "Set probes.prepare.flatten: true, with a resize and bands whose product is that many numbers."
    if len(wanted) == 3 and len(probe) == 1:
        return "Set probes.prepare.flatten: false."
    if len(wanted) != 3 or len(probe) != 3:
        return "Only images (y, x, channel) and flat vectors can be given to a network."
    steps = []
    if any(w not in (None, p) for w, p in zip(wanted[:2], probe[:2], strict=True)):
        size = ", ".join(str(w or p) for w, p in zip(wanted[:2], probe[:2], strict=True))
        steps.append(f"probes.prepare.resize: [{size}] (or crop)")
    if wanted[2] not in (None, probe[2]):
        one = "probes.prepare.grey: true, or one band in probes.prepare.bands"
        steps.append(one if wanted[2] == 1 else f"{wanted[2]} bands in probes.prepare.bands")
    return f"Set {' and '.join(steps)}, as it was in training."


def _words(shape: Sequence[int | None]) -> str:
    """Return a shape in words: 100 × 100 × 1."""
    return " × ".join("any" if n is None else str(n) for n in shape) or "nothing"
