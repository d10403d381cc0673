"""The layers inside a live Keras model, custom ones opened up, each under every name a file may give it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras

from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.outline import NESTING_LIMIT
from reportgen.checkpoints.variables import snake
from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer

Words = tuple[str, ...]
"""What stands between slashes in a file."""


@dataclass(eq=False)
class Live:
    """One layer of a live model, with the layers inside it."""

    layer: KerasLayer
    leaf: bool
    """Built in, and so measured as one; what a custom layer or a model is made of is looked into."""
    inner: list[Held] = field(default_factory=list)

    @property
    def own(self) -> list[Any]:
        """Variables of this layer; of one that is opened up, those of the layers inside it left out."""
        if self.leaf:
            return list(self.layer.weights)
        listed = [*self.layer._trainable_variables, *self.layer._non_trainable_variables]
        return list({id(weight): weight for weight in listed}.values())

    @property
    def is_model(self) -> bool:
        """Return whether it is but a list of layers: nested models are made flat."""
        return type(self.layer) is keras.Sequential or type(self.layer).__name__ == "Functional"


@dataclass(frozen=True)
class Held:
    """A layer as the one around it holds it."""

    live: Live
    name: str
    """Its name in Keras; numbered through a session where the user gave none."""
    places: tuple[Words, ...]
    """The groups it may have in a v3 file: by attribute, by place in a list, by place among all layers."""

    @property
    def automatic(self) -> bool:
        """Return whether Keras may have made up its name."""
        return unnumbered(self.name) == snake(type(self.live.layer).__name__)


def open_up(model: KerasLayer) -> Live:
    """Return the layers of a model as a tree; a layer that two others hold is the same object in both.

    Keras lists layers inside layers only privately (`_layers`); nothing public sees into custom layers.
    """
    return _open(model, {}, 0)


def walk(live: Live, seen: set[int] | None = None) -> Iterator[Live]:
    """Yield a layer and all in it, each once, what is inside before what is around."""
    seen = set() if seen is None else seen
    if id(live) in seen:
        return
    seen.add(id(live))
    for held in live.inner:
        yield from walk(held.live, seen)
    yield live


def _open(layer: KerasLayer, known: dict[int, Live], depth: int) -> Live:
    if depth > NESTING_LIMIT:
        raise NetworkError("layers are nested too deeply", expected=f"at most {NESTING_LIMIT} levels")
    if id(layer) in known:
        return known[id(layer)]
    live = known[id(layer)] = Live(layer, _is_leaf(layer))
    if not live.leaf:
        groups = _groups(layer)
        live.inner = [
            Held(_open(inner, known, depth + 1), str(inner.name), tuple(dict.fromkeys(groups.get(id(inner), ()))))
            for inner in {id(inner): inner for inner in layer._layers}.values()
        ]
    return live


def _is_leaf(layer: KerasLayer) -> bool:
    """Return whether a layer is one of Keras' own, all that it is made of included."""
    if isinstance(layer, keras.Model):
        return False
    built_in = type(layer).__module__.startswith(("keras.src.layers.", "keras.layers."))
    return (built_in and all(map(_is_leaf, layer._layers))) or not layer._layers


def _groups(layer: KerasLayer) -> dict[int, list[Words]]:
    """Return the groups of a v3 file that each layer inside this one may be written to."""
    found: dict[int, list[Words]] = {}
    for attribute, value in vars(layer).items():
        # The reader takes off what Keras' own layers put around the words.
        word = attribute.strip("_").removesuffix("_dense")
        if isinstance(value, keras.layers.Layer):
            found.setdefault(id(value), []).append((word,))
        elif isinstance(value, list | tuple | dict) and attribute != "_layers":
            listed = value.values() if isinstance(value, dict) else value
            for inner, group in _counted(listed):
                found.setdefault(id(inner), []).extend([(word, group), (word, str(inner.name))])
    # Containers named `layers` leave no word of their own; inputs are counted in functional models only.
    for inner, group in _counted(layer.layers if isinstance(layer, keras.Model) else layer._layers):
        found.setdefault(id(inner), []).append((group,))
    return found


def _counted(listed: Any) -> Iterator[tuple[KerasLayer, str]]:
    """Yield the layers of a list with the names of their groups: class, and number within its class."""
    counts: Counter[str] = Counter()
    for inner in listed:
        if isinstance(inner, keras.layers.Layer):
            kind = "functional" if type(inner).__name__ == "Functional" else snake(type(inner).__name__)
            yield inner, f"{kind}_{counts[kind]}" if counts[kind] else kind
            counts[kind] += 1
