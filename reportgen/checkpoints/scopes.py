"""Layers from the names of arrays alone: `backbone/conv1/kernel` is the kernel of backbone/conv1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.other_state import SEEDS
from reportgen.checkpoints.outline import is_model, leaves


@dataclass(frozen=True)
class Place:
    """Where an array of a layer is stored."""

    layer: str
    variable: str
    key: str


def is_seed(full_name: str) -> bool:
    """Return whether a name is that of the state of a random generator."""
    return unnumbered(full_name.partition(":")[0].rsplit("/", 1)[-1]) in SEEDS


def last_word(full_name: str, attribute: str) -> str:
    """Return the name of an array without its scopes; that of its attribute where TensorFlow gave it none."""
    word = full_name.partition(":")[0].rsplit("/", 1)[-1]
    return attribute.strip("_") or attribute if unnumbered(word) in {"", "Variable", "variable"} else word


def after(parts: Sequence[str], words: Sequence[str]) -> str:
    """Return what follows the last run of `words` in `parts`, or nothing where there is no such run."""
    for start in range(len(parts) - len(words) - 1, -1, -1):
        if list(parts[start : start + len(words)]) == list(words):
            return "/".join(parts[start + len(words) :])
    return ""


def by_full_name(arrays: Sequence[tuple[str, str]], config: dict[str, Any] | None, *, root: bool) -> list[Place]:
    """Return a place for each (full name, key): in the layers of `config` where there is one.

    With `root`, a first word that all names share is taken for the model's own and dropped.
    """
    split = [([word for word in name.partition(":")[0].split("/") if word] or [key], key) for name, key in arrays]
    first = {words[0] for words, _ in split}
    if config is not None and is_model(config):
        known = [name for name, _ in leaves(config)]
        places = [_described(words, key, known) for words, key in split]
    else:
        if root and len(first) == 1 and all(len(words) > 2 for words, _ in split):
            split = [(words[1:], key) for words, key in split]
        places = [Place("/".join(words[:-1]) or "model", words[-1], key) for words, key in split]
    # The names of a subclassed model of Keras 3 do not say whose they are: then the file's numbers tell them apart.
    times = Counter((place.layer, place.variable) for place in places)
    twice = {layer for (layer, _), number in times.items() if number > 1}
    return [
        replace(place, variable=f"{_number(place.key)}/{place.variable}") if place.layer in twice else place
        for place in places
    ]


def _described(words: list[str], key: str, known: Sequence[str]) -> Place:
    """Return the place in the layer of an architecture that shares most words with an array's name."""
    best, score = Place("/".join(words[:-1]) or "model", words[-1], key), (0, 0)
    for name in known:
        layer = name.split("/")
        for length in range(len(layer)):  # the layer's own name may itself hold slashes
            variable = after(words, layer[length:])
            shared = (sum(word in words for word in layer), -len(layer))
            if variable and shared > score:
                best, score = Place(name, variable, key), shared
    return best


def _number(key: str) -> str:
    """Return the number by which a list of arrays knows one of them."""
    return next((word for word in key.split("/") if word.isdecimal()), key)
