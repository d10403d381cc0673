"""The graph of Python objects that a TensorFlow checkpoint was made from: which object held which, by what name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reportgen.checkpoints.wire import Field, fields, message, number, text
from reportgen.errors import CheckpointError

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
NODE_LIMIT = 500_000


@dataclass
class Node:
    """One object."""

    children: dict[str, int] = field(default_factory=dict)
    """Attribute → number of the node it holds."""
    key: str = ""
    """Of a variable: where its array is stored."""
    full_name: str = ""
    """Of a variable: the name its framework gave it, scopes included; perhaps empty."""


def parse_graph(data: bytes) -> list[Node]:
    """Return the objects of a graph; the first is the one that was saved.

    Raises CheckpointError where an attribute leads to no object.
    """
    nodes = []
    for number_, value in fields(data):
        if number_ == 1:
            nodes.append(_node(message(value)))
            if len(nodes) > NODE_LIMIT:
                raise CheckpointError("the object graph is far too large", expected=f"at most {NODE_LIMIT:,} objects")
    if not nodes or any(not 0 <= child < len(nodes) for node in nodes for child in node.children.values()):
        raise CheckpointError("the object graph is damaged", expected="attributes that lead to objects of the graph")
    return nodes


def _node(data: bytes) -> Node:
    """Read one object."""
    node = Node()
    for number_, value in fields(data):
        if number_ == 1:
            child = dict(fields(message(value)))
            node.children[text(child.get(2, b""))] = number(child.get(1, 0))
        elif number_ == 2:
            attribute: dict[int, Field] = dict(fields(message(value)))
            if text(attribute.get(1, b"")) == "VARIABLE_VALUE":
                node.full_name = text(attribute.get(2, b""))
                node.key = text(attribute.get(3, b""))
    return node


def members_of(nodes: list[Node], at: int) -> list[tuple[int, int]]:
    """Return (place, node) of the layers of a model that is made of layers; nothing for any other object.

    Keras 2 holds them as `layer-0`, …; Keras 3 in the list `_operations`, a Sequential in that of its `_functional`.
    """
    children = nodes[at].children
    listed = children.get("_operations")
    inner = children.get("_functional")
    if listed is None and inner is not None:
        listed = nodes[inner].children.get("_operations")
    if listed is not None:
        pairs: Iterator[tuple[str, int]] = iter(nodes[listed].children.items())
    else:
        pairs = ((name.removeprefix("layer-"), child) for name, child in children.items() if name.startswith("layer-"))
    return sorted((int(name), child) for name, child in pairs if name.isdecimal() and len(name) < 8)


def is_optimizer(node: Node) -> bool:
    """Return whether an object is an optimiser, by what every optimiser of an era holds."""
    held = node.children.keys()
    return {"_iterations", "_learning_rate"} <= held or "_index_dict" in held or {"iter", "learning_rate"} <= held
