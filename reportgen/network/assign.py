"""Which array of a file belongs to which variable of a layer, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.stored import Variable
from reportgen.checkpoints.variables import snake
from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer

_ROLES = (
    "forward_layer", "backward_layer", "layer", "cell", "_query_dense", "_key_dense", "_value_dense", "_output_dense",
)  # fmt: skip
"""Attributes that hold the layers inside a layer; until Keras 3.1 `.keras` files knew inner layers by these alone."""


@dataclass(frozen=True)
class Inner:
    """A layer inside a layer, under all the names a file may give it."""

    name: str
    role: str
    """forward_layer, query, cell, …"""

    def meant_by(self, word: str) -> bool:
        """Return whether a word of a file names this layer; Keras numbers its own names through a session."""
        # Without a backward layer of its own, Bidirectional names it after the one that is `forward_lstm` already.
        own = self.name.replace("backward_forward_", "backward_")
        side = self.role.partition("_layer")[
            0
        ]  # Keras 2 also wrote it before the name of a backward layer of one's own
        return word in {self.name, self.role, f"{side}_{self.name}"} or unnumbered(word) == unnumbered(own)


@dataclass(frozen=True)
class Place:
    """A variable of a Keras layer, and the layers inside that layer it lies in, outermost first."""

    weight: Any
    inside: tuple[Inner, ...]

    @property
    def name(self) -> str:
        """The last word of its name: kernel, bias, …"""
        return str(self.weight.name)


def pair(layer: KerasLayer, arrays: Sequence[Variable], shown: str) -> list[tuple[Any, Any]]:
    """Return (variable, array) for all variables of a layer: by name, by number only where a file has nothing else.

    Raises NetworkError, naming the layer as `shown`, where the arrays are not this layer's or which is which cannot
    be told: equal shapes would hide a wrong guess.
    """
    places = _places(layer)
    if len(places) != len(arrays):
        raise _mismatch(f"layer {shown} has {len(arrays)} arrays in the file and needs {len(places)}",
                        shown, places, arrays)  # fmt: skip
    matched = _matched(places, arrays)
    if matched is None:
        raise _mismatch(f"layer {shown}: which array of the file is which cannot be told", shown, places, arrays)
    for place, array in zip(places, matched, strict=True):
        if tuple(place.weight.shape) != array.value.shape:
            raise NetworkError(
                f"layer {shown}: {array.name} has shape {array.value.shape} in the file, the network needs "
                f"{tuple(place.weight.shape)}",
                where=shown,
                expected=str(tuple(place.weight.shape)),
                received=str(array.value.shape),
                advice="The file's weights are not those of its architecture, or the input has another size.",
            )
    return [(place.weight, array.value) for place, array in zip(places, matched, strict=True)]


def _places(layer: KerasLayer) -> list[Place]:
    """Return the weights of a layer in its own order, each with the way to it."""
    ways: dict[int, tuple[Inner, ...]] = {}
    for role in _ROLES:
        held = getattr(layer, role, None)
        if held is not None and hasattr(held, "weights"):
            here = Inner(str(held.name), role.strip("_").removesuffix("_dense"))
            for place in _places(held):
                ways.setdefault(id(place.weight), (here, *place.inside))
    counts: dict[str, int] = {}
    for cell in getattr(layer, "cells", ()):  # files know those of a stack by class, counted
        kind = snake(type(cell).__name__)
        number = counts[kind] = counts.get(kind, -1) + 1
        here = Inner(str(cell.name), f"{kind}_{number}" if number else kind)
        ways |= {id(weight): (here,) for weight in cell.weights}
    return [Place(weight, ways.get(id(weight), ())) for weight in layer.weights]


def _matched(places: Sequence[Place], arrays: Sequence[Variable]) -> list[Variable] | None:
    """Return the array of each place, or None where names leave it open."""
    if len(places) == len(arrays) == 1:
        return list(arrays)
    for fits in (_exactly, _last_word, _loosely):
        if found := _one_to_one(places, arrays, fits):
            return found
    numbered = all(array.name.rsplit("/", 1)[-1].isdecimal() for array in arrays)
    plain = len({place.inside for place in places}) <= 1 and len({_scope(array) for array in arrays}) <= 1
    return list(arrays) if numbered and plain else None


def _one_to_one(
    places: Sequence[Place], arrays: Sequence[Variable], fits: Callable[[Place, Variable], bool]
) -> list[Variable] | None:
    """Return the array of each place where exactly one fits each, and no array fits two."""
    found = [[number for number, array in enumerate(arrays) if fits(place, array)] for place in places]
    if any(len(numbers) != 1 for numbers in found) or len({numbers[0] for numbers in found}) != len(arrays):
        return None
    return [arrays[numbers[0]] for numbers in found]


def _exactly(place: Place, array: Variable) -> bool:
    """Return whether the whole name is that of the place."""
    return array.name == "/".join([*(inner.name for inner in place.inside), place.name])


def _last_word(place: Place, array: Variable) -> bool:
    """Return whether the last words agree; Keras 2 says depthwise_kernel where Keras 3 says kernel."""
    word = unnumbered(array.name.rsplit("/", 1)[-1])
    return place.name == word or (place.name, word) == ("kernel", "depthwise_kernel")


def _loosely(place: Place, array: Variable) -> bool:
    """Return whether the inner layers agree too, but for numbers, for words by role and for what stands before them."""
    words = [word for word in _scope(array).split("/") if word]
    inside = [inner for inner in place.inside if inner.role != "cell"]  # Keras 2.3 wrote no cell
    known = bool(inside and words and inside[-1].meant_by(words[-1]))
    if len(words) > len(inside) and unnumbered(words[-1]).endswith("cell") and not known:
        words.pop()
    return (
        _last_word(place, array)
        and len(words) >= len(inside)
        and all(inner.meant_by(word) for inner, word in zip(reversed(inside), reversed(words), strict=False))
    )


def _scope(array: Variable) -> str:
    """Return what stands before the last word of an array's name."""
    return array.name.rpartition("/")[0]


def _mismatch(problem: str, shown: str, places: Sequence[Place], arrays: Sequence[Variable]) -> NetworkError:
    """Return the error that lists both sides."""
    ours = ("/".join([*(i.name for i in p.inside), f"{p.name} {tuple(p.weight.shape)}"]) for p in places)
    return NetworkError(
        problem,
        where=shown,
        expected=", ".join(ours) or "none",
        received=", ".join(f"{array.name} {array.value.shape}" for array in arrays) or "none",
        advice="The file's weights are not those of its architecture; was it saved whole?",
    )
