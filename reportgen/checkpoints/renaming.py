"""One set of names for checkpoints that differ in Keras' numbering alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable


def renamed(stored: StoredModel, own: Graph, reference: Graph) -> StoredModel:
    """Return a model with its layers, place by place, under the names of a graph of the same signature."""
    if own.calls == reference.calls:
        return stored
    names: dict[str, str] = {}
    inner: dict[str, dict[str, str]] = {}
    for mine, theirs in zip(own.calls, reference.calls, strict=True):
        names[mine.layer] = theirs.layer
        pairs = list(zip(_inside(mine.config), _inside(theirs.config), strict=True))
        inner[mine.layer] = dict(pairs) | {
            f"{side}_{a}": f"{side}_{b}" for a, b in pairs for side in ("forward", "backward")
        }
    layers = tuple(
        StoredLayer(
            names.get(layer.name, layer.name),
            tuple(Variable(_words(v.name, inner.get(layer.name, {})), v.value) for v in layer.variables),
        )
        for layer in stored.layers
    )
    return replace(stored, layers=layers)


def _inside(config: dict[str, Any]) -> list[str]:
    """Return the names of the layers inside a layer."""
    found: list[str] = []
    for value in (item for listed in config.values() for item in (listed if isinstance(listed, list) else [listed])):
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            found += [str(value.get("name", "")), *_inside(value["config"])]
    return found


def _words(name: str, words: dict[str, str]) -> str:
    """Return the name of a variable with the words for inner layers replaced."""
    *scope, own = name.split("/")
    return "/".join([*(words.get(word, word) for word in scope), own])
