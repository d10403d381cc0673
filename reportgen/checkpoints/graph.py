"""An architecture as a flat list of calls: plain data, whatever Keras wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from reportgen.checkpoints.limits import Json
from reportgen.checkpoints.stored import StoredLayer


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


def graph_signature(graph: Graph | None, layers: Iterable[StoredLayer]) -> str:
    """Return the sha256 over calls and shapes of arrays: equal ones share an architecture layer by layer."""
    # Keras numbers inputs through a session: their names say nothing about the network.
    calls = [
        ["" if c.kind == "input" else c.name, c.class_name, c.config, c.args, c.kwargs]
        for c in (graph.calls if graph else ())
    ]
    ends = [] if graph is None else [graph.outputs, graph.era < 3]
    shapes = sorted([layer.name, [[v.name, v.value.shape] for v in layer.variables]] for layer in layers)
    text = json.dumps([calls, ends, shapes], sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> Json:
    """Return a stand-in for what JSON does not know."""
    return ["tensor", value.call, value.output] if isinstance(value, Ref) else repr(value)
