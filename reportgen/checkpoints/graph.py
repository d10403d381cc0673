"""An architecture as a flat list of calls: plain data, whatever Keras wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from reportgen.checkpoints.json_text import Json
from reportgen.checkpoints.numbering import lasting, lasting_options, unnumbered
from reportgen.checkpoints.stored import StoredModel


@dataclass(frozen=True)
class Ref:
    """The result of a call, wherever another call uses it."""

    call: int
    """Number of the call in `Graph.calls`."""
    output: int = 0
    """Which of its results, where it has several."""


@dataclass(frozen=True)
class Call:
    """One use of a layer or of a bare function."""

    name: str
    """Unique; `backbone/conv1` inside a nested model, `conv1 (call 2)` for a second use."""
    layer: str
    """Display name of the layer, the same for each of its uses."""
    class_name: str
    """Conv2D, …; of a function its class in Keras 3 or its path in TensorFlow, e.g. math.truediv."""
    kind: Literal["input", "layer", "function"]
    config: dict[str, Any]
    """What its arithmetic depends on; no initialisers, regularisers or names."""
    args: tuple[Any, ...] = ()
    """Positional arguments; a Ref wherever a tensor stands."""
    kwargs: dict[str, Any] = field(default_factory=dict)
    trainable: bool | None = None
    """False inside a frozen model too; None where the file does not say."""

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """The tensors it takes, in order."""
        return tuple(refs_in((self.args, self.kwargs)))


@dataclass(frozen=True)
class Graph:
    """A network without its weights, nested models made flat."""

    calls: tuple[Call, ...]
    """In an order in which they can be computed."""
    outputs: tuple[Ref, ...]
    output_names: tuple[str, ...]
    era: int
    """Major version of the Keras that wrote it; some functions changed their meaning between 2 and 3."""

    @property
    def inputs(self) -> tuple[Call, ...]:
        """The calls that stand for what goes into the network."""
        return tuple(call for call in self.calls if call.kind == "input")


def refs_in(value: Json) -> Iterator[Ref]:
    """Yield the Refs anywhere in lists, tuples and dictionaries, in order."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from refs_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from refs_in(item)


def graph_signature(graph: Graph | None, stored: StoredModel) -> str:
    """Return the sha256 over calls and shapes of arrays: equal ones share an architecture layer by layer.

    Of the names only the user's own for layers with arrays count; what Keras numbered is known by its place. Where the
    calls are not known, class and options of the model stand for them: two classes may have equal arrays.
    """
    arrays = {layer.name: layer.variables for layer in stored.layers}
    places: dict[str, int] = {}
    calls = []
    for number, call in enumerate(graph.calls if graph else ()):
        place = places.setdefault(call.layer, number)
        name = [lasting(call.layer, call.class_name), place] if call.layer in arrays else None
        calls.append([name, call.class_name, lasting_options(call.config), call.args, call.kwargs])
    ends = _class_of(stored) if graph is None else [graph.outputs, graph.era < 3]
    shapes = sorted(
        [
            f"{places[name]:06d}" if name in places else name,
            sorted(["/".join(map(unnumbered, v.name.split("/"))), list(v.value.shape)] for v in variables),
        ]
        for name, variables in arrays.items()
    )
    text = json.dumps([calls, ends, shapes], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _class_of(stored: StoredModel) -> list[Json]:
    """Return what a description says of a model whose calls are not known; nothing without one."""
    if stored.config is None:
        return []
    return [stored.config.get("class_name"), lasting_options(stored.config.get("config"))]


def _plain(value: object) -> Json:
    """Return a stand-in for what JSON does not know."""
    return ["tensor", value.call, value.output] if isinstance(value, Ref) else repr(value)
