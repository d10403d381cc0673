"""How the layers of a functional model are connected, in the words of any Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reportgen.checkpoints.cleaning import plain
from reportgen.checkpoints.graph import Ref
from reportgen.checkpoints.json_text import Json
from reportgen.errors import CheckpointError

IGNORED = frozenset({"training", "mask", "name"})
"""Arguments that change nothing in inference mode."""


@dataclass(frozen=True)
class Link:
    """A tensor as a file refers to it: result `output` of use `node` of a layer."""

    layer: str
    node: int
    output: int


@dataclass(frozen=True)
class Use:
    """The arguments of one use of a layer; a Link wherever a tensor stands."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def uses_of(layer: dict[str, Any]) -> list[Use]:
    """Return each use of a layer; an InputLayer has none."""
    nodes = layer.get("inbound_nodes") or []
    if not isinstance(nodes, list):
        raise CheckpointError("the connections of a layer are no list", received=repr(nodes))
    return [_modern(node) if isinstance(node, dict) else _legacy(node) for node in nodes]


def links(value: Json) -> Json:
    """Return input_layers or output_layers with a Link for each [layer, node, output]; dictionaries stay."""
    if isinstance(value, dict):
        return {str(key): links(item) for key, item in value.items()}
    if (link := _link(value)) is not None:
        return link
    if isinstance(value, list):
        return [links(item) for item in value]
    raise CheckpointError("the ends of a model are no layers", received=repr(value))


def links_in(value: Json) -> list[Link]:
    """Return the Links anywhere in a value, in order."""
    if isinstance(value, Link):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [link for item in items for link in links_in(item)]


def _modern(node: dict[str, Any]) -> Use:
    """Read a use as Keras 3 writes it: {args, kwargs}."""
    kwargs = node.get("kwargs") or {}
    return Use(
        tuple(_argument(item) for item in node.get("args") or ()),
        {str(key): _argument(item) for key, item in kwargs.items() if key not in IGNORED},
    )


def _argument(value: Json, depth: int = 0) -> Json:
    """Turn one argument of Keras 3 into plain values, Links, slices and tuples."""
    if depth > 12:
        raise CheckpointError("the arguments of a layer are nested too deeply")
    if isinstance(value, list):
        return [_argument(item, depth + 1) for item in value]
    if isinstance(value, dict):
        config = value.get("config")
        match value.get("class_name"):
            case "__keras_tensor__" if isinstance(config, dict):
                link = _link(config.get("keras_history"))
                if link is None:
                    raise CheckpointError("a tensor of the architecture comes from nowhere")
                return link
            case "__slice__" if isinstance(config, dict):
                return slice(*(_argument(config.get(key), depth + 1) for key in ("start", "stop", "step")))
            case "__ellipsis__":
                return Ellipsis
            case "__tuple__":
                return tuple(_argument(item, depth + 1) for item in value.get("items", ()))
        if "class_name" not in value:
            return {str(key): _argument(item, depth + 1) for key, item in value.items()}
    return plain(value)


def _legacy(node: Json) -> Use:
    """Read a use as Keras 1 and 2 write it: lists of [layer, node, output, keyword arguments]."""
    if not isinstance(node, list) or not node:
        raise CheckpointError("a use of a layer is no list", received=repr(node))
    entries: list[Json] = [node] if isinstance(node[0], str) else node
    if all(isinstance(entry, dict) for entry in entries):  # dictionaries of inputs
        entries = list(entries[0].values())
    tensors = [_entry(entry) for entry in entries]
    extra = entries[0][3] if len(entries[0]) > 3 else {}
    kwargs = {str(k): _legacy_argument(v) for k, v in extra.items() if k not in IGNORED}
    return Use((tensors[0],) if len(tensors) == 1 else (tensors,), kwargs)


def _entry(entry: Json) -> Json:
    """Return the tensor, or the constant, of one entry of a use."""
    if not isinstance(entry, list) or len(entry) < 3:
        raise CheckpointError("a connection is not [layer, node, output]", received=repr(entry))
    if entry[0] == "_CONSTANT_VALUE":
        return plain(entry[2])
    link = _link(entry[:3])
    if link is None:
        raise CheckpointError("a connection is not [layer, node, output]", received=repr(entry))
    return link


def _legacy_argument(value: Json) -> Json:
    """Turn one keyword argument of Keras 2 into plain values, Links and slices."""
    if (link := _link(value)) is not None:
        return link
    if isinstance(value, list):
        return [_legacy_argument(item) for item in value]
    if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
        return slice(*(_legacy_argument(value[key]) for key in ("start", "stop", "step")))
    if isinstance(value, dict) and value.get("class_name") in {"__ellipsis__", "Ellipsis"}:
        return Ellipsis
    return plain(value)


def _link(value: Json) -> Link | None:
    """Return the Link that [layer, node, output] is, or None."""
    if isinstance(value, list | tuple) and len(value) in {3, 4} and isinstance(value[0], str):
        node, output = value[1], value[2]
        if type(node) is int and type(output) is int:
            return Link(value[0], node, output)
    return None


def shifts_of(uses: dict[str, list[Use]], ends: Json) -> dict[str, int]:
    """Return how far the numbers of uses are off: Keras 2 counts a nested model's own inside as its use 0."""
    highest: dict[str, int] = {}
    everything = [(use.args, use.kwargs) for listed in uses.values() for use in listed]
    for link in links_in([*everything, ends]):
        highest[link.layer] = max(highest.get(link.layer, 0), link.node)
    return {name: max(0, top + 1 - len(uses[name])) for name, top in highest.items() if uses.get(name)}


def ends_of(value: Json, layers: Mapping[str, dict[str, Any]]) -> Json:
    """Return the ends of a model as `links` does, uses of nested models counted as its connections count them.

    Keras 3 counts a nested model's own inside as use 0 here, and here alone.
    """
    if isinstance(value, dict):
        return {key: ends_of(item, layers) for key, item in value.items()}
    if isinstance(value, list):
        return [ends_of(item, layers) for item in value]
    if not isinstance(value, Link) or not value.node:
        return value
    layer = layers.get(value.layer, {})
    modern = any(isinstance(node, dict) for node in layer.get("inbound_nodes") or ())
    return replace(value, node=value.node - 1) if modern and layer.get("class_name") == "Functional" else value


def resolve(value: Json, known: dict[Link, Ref]) -> Json:
    """Return a value with the tensors in the place of the Links."""
    if isinstance(value, Link):
        if value in known:
            return known[value]
        first = known.get(Link(value.layer, value.node, 0))
        if first is None:
            raise CheckpointError(f"the model ends with {value.layer}, which it does not have")
        return Ref(first.call, value.output)
    if isinstance(value, dict):
        return {key: resolve(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(resolve(item, known) for item in value)
    return value
