"""What each input of a network gets, whether it fits, and what to do where it does not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.graph import Call
from reportgen.errors import NetworkError

Shape = tuple[int, ...]
Given = TypeVar("Given")


@dataclass(frozen=True)
class Fit:
    """How probes go into a network."""

    shape: Shape
    """Input of the network without the batch axis, every size known."""
    channels_first: bool = False
    """The network takes `(channel, y, x)`; probes are turned to that."""

    def turn(self, batch: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a batch of probes as the network takes it."""
        batch = np.moveaxis(batch, -1, 1) if self.channels_first else batch
        return np.ascontiguousarray(batch.reshape(len(batch), *self.shape))


def assign(inputs: Sequence[Call], given: Mapping[str, Given]) -> list[Given]:
    """Return what each input of a network gets: what has its name, and the image where one input alone has none.

    The image is what stands under no name. Raises NetworkError, with the option to set.
    """
    names = [call.layer for call in inputs]
    rest = [name for name in names if name not in given]
    # A name that no input has may be this one's, misspelt.
    alone = len(rest) == 1 and "" in given and (len(names) == 1 or set(given) - {""} <= set(names))
    if rest and not alone:
        shapes = ", ".join(f"{call.layer} ({_words(_shape(call))})" for call in inputs)
        unused = [name for name in given if name and name not in names]
        raise NetworkError(
            f"the network has {len(names)} input{'s' if len(names) > 1 else ''}, {shapes}; "
            f"the configuration says nothing of {', '.join(rest)}",
            expected="a source in probes.inputs for each of them; one alone may go without and gets the image",
            received=f"sources for {', '.join(unused)}, which it does not have" if unused else "",
            advice=f"Add under `probes:`, as it was in training: inputs: {{{_sources(inputs, given)}}}",
        )
    return [given[name if name in given else ""] for name in names]


def _sources(inputs: Sequence[Call], given: Mapping[str, object]) -> str:
    """Return YAML that gives every input without a source one of the right kind."""
    entries = []
    pictured = "" not in given
    for call in inputs:
        shape = _shape(call)
        if call.layer in given:
            continue
        if len(shape) < 2:
            source = "{columns: [" + ", ".join(f"column_{i + 1}" for i in range(min(shape[0] or 1, 3) if shape else 1))
            source += ", …]}" if shape and (shape[0] or 1) > 3 else "]}"
        else:
            source = "{images: other/*.png}" if pictured else "{image: true}"
            pictured = True
        name = call.layer if call.layer.replace("_", "a").isalnum() else json.dumps(call.layer)
        entries.append(f"{name}: {source}")
    return ", ".join(entries)


def _shape(call: Call) -> Sequence[int | None]:
    return call.config["shape"] or ()


def fit_input(
    expected: Sequence[int | None] | None, probe: Shape, *, channels_first: bool, limit: int, name: str = ""
) -> Fit:
    """Return how probes of shape `probe`, `(y, x, channel)` or `(feature,)`, go into an input of shape `expected`.

    A size of None in `expected` fits any; `name` is that of one of several inputs. Raises NetworkError, with the
    option of `probes.prepare` to change.
    """
    channels_first = channels_first and len(probe) == 3
    given = (probe[2], *probe[:2]) if channels_first else probe
    if expected is None or _fits(expected, given):
        if any(number > limit for number in given):
            raise NetworkError("the input is far too large", received=f"{given}", expected=f"at most {limit} a side")
        return Fit(given, channels_first)
    if len(probe) == 3 and probe[2] == 1 and _fits(expected, probe[:2]):
        return Fit(probe[:2])  # one grey band without an axis of its own
    if len(expected) < 2 and math.prod(n or 0 for n in expected) == math.prod(probe):
        return Fit(
            tuple(n or 0 for n in expected)
        )  # the same numbers, rows first: a run may hold networks of both kinds
    wanted = tuple(expected)
    last = (*wanted[1:], wanted[0]) if channels_first and len(wanted) == 3 else wanted
    advice = _advice(last, probe)
    raise NetworkError(
        f"the network takes inputs of shape {_words(last)} and the probes are prepared as {_words(probe)}"
        + (f" for its input {name}" if name else ""),
        expected=_words(last),
        received=_words(probe),
        advice=advice.replace("probes.prepare", f"probes.inputs.{name}.prepare") if name else advice,
    )


def _fits(expected: Sequence[int | None], given: Shape) -> bool:
    """Return whether a shape fits another one with free sizes in it."""
    return len(expected) == len(given) and all(e in (None, g) for e, g in zip(expected, given, strict=True))


def _advice(wanted: Sequence[int | None], probe: Shape) -> str:
    """Return which option of the preparation to change."""
    if len(wanted) == 1:
        if len(probe) == 1:
            return (
                f"Give as many columns, or a flattened image of as many numbers: {math.prod(n or 1 for n in wanted)}."
            )
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
