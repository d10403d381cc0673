"""Which array of an object graph belongs to which layer, under the user's names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.checkpoints.object_graph import Node, is_optimizer, members_of
from reportgen.checkpoints.other_state import kind_of
from reportgen.checkpoints.outline import is_model, layer_name, layers_of
from reportgen.checkpoints.scopes import Place, after, by_full_name, is_seed, last_word
from reportgen.errors import CheckpointError

STEP_LIMIT = 1_000_000
"""Attributes looked at in all; graphs of many objects that lead to each other could be walked for ever."""
SCOPE_LIMIT = 16
"""Last words of an array's name in which a layer's name is looked for."""
DEPTH_LIMIT = 64
"""Steps from the saved object to an array; a nested model of Keras 3 takes three."""
LISTS = ("variables", "_all_variables", "weights", "trainable_variables", "non_trainable_variables")
"""Attributes that list arrays a second time; all there is in what `export` writes, `variables` in the model's order."""
_NO_WEIGHTS = frozenset({
    "keras_api", "signatures", "save_counter", "compiled_metrics", "compiled_loss", "loss", "root",
    "_compiled_trainable_state", "_compile_loss", *LISTS,
})  # fmt: skip
"""Attributes that lead to no weights, or only to those found elsewhere."""
_NUMBERED = re.compile(r"layer(_with_weights)?-\d+|_operations|_functional")


def places_in(nodes: list[Node], config: dict[str, Any] | None, known: Mapping[int, str]) -> list[Place]:
    """Return the arrays that are weights, each with its layer; `known` are names of nodes from elsewhere.

    Layers of models made of layers are named as in `config`, else by the scope of their arrays' names; those of
    subclassed models by the attributes that hold them.
    """
    walk = _Walk(nodes, known)
    start = 0
    held = [(name, child) for name, child in walk.attributes(0, 0) if walk.holds_arrays(child)]
    if not members_of(nodes, 0) and len(held) == 1 and not nodes[held[0][1]].key:
        start = held[0][1]  # tf.train.Checkpoint(model=…): the word is no part of the model
    walk.visit(start, "", config if config is not None and is_model(config) else None, 0)
    places = _told_apart(walk)
    return places + _listed(nodes, places, config)


@dataclass(frozen=True)
class _Found(Place):
    """An array, and the way to its layer in the graph, for where names are not enough."""

    way: str = ""
    full_name: str = ""
    named: bool = True
    """Whether the layer's name is sure, not drawn from the scope of an array's name."""


@dataclass
class _Walk:
    """The way through a graph, each object visited once."""

    nodes: list[Node]
    known: Mapping[int, str]
    seen: set[int] = field(default_factory=set)
    found: list[_Found] = field(default_factory=list)
    members: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    steps: int = 0

    def members_of(self, at: int) -> list[tuple[int, int]]:
        """Return (place, node) of the layers of a model, nothing for any other object."""
        if at not in self.members:
            self.members[at] = members_of(self.nodes, at)
        return self.members[at]

    def attributes(self, at: int, depth: int) -> list[tuple[str, int]]:
        """Return (name, node) of what an object holds and that may be weights.

        Raises CheckpointError where objects are nested too deeply, or lead to each other too often.
        """
        self.steps += 1 + len(self.nodes[at].children)
        if depth > DEPTH_LIMIT or self.steps > STEP_LIMIT:
            raise CheckpointError(
                "the objects of the checkpoint are too tangled",
                expected=f"at most {DEPTH_LIMIT} inside each other, {STEP_LIMIT:,} attributes looked at",
            )
        return [
            (name, child)
            for name, child in self.nodes[at].children.items()
            if name not in _NO_WEIGHTS and not kind_of(name) and not is_optimizer(self.nodes[child])
        ]

    def holds_arrays(self, at: int) -> bool:
        """Return whether any array that may be a weight lies below a node."""
        return next(self.arrays(at, (), set(), 0), None) is not None

    def visit(self, at: int, prefix: str, model: dict[str, Any] | None, depth: int, way: str = "") -> None:
        """Find the arrays below an object whose display name is `prefix`, and `way` by numbers; slashes included."""
        if at in self.seen:
            return
        self.seen.add(at)
        entries = self.entries(at, model) if model is not None else {}
        in_root = depth == 0 and "_functional" in self.nodes[at].children
        for position, child in self.members_of(at):
            entry = entries.get(child)
            name = layer_name(entry) if entry is not None else self.known.get(child, "")
            if self.members_of(child):
                inner = entry if entry is not None and is_model(entry) else None
                self.visit(child, f"{prefix}{name}/" if name else prefix, inner, depth + 1, f"{way}{position}/")
            else:
                self.leaf(child, prefix, name, f"{way}{position}", depth, in_root)
        for name, child in self.attributes(at, depth):
            if self.nodes[child].key:
                if child not in self.seen:
                    self.seen.add(child)
                    node = self.nodes[child]
                    self.found.append(_Found(prefix.rstrip("/") or "model", last_word(node.full_name, name), node.key))
            elif not _NUMBERED.fullmatch(name):
                self.visit(child, f"{prefix}{_word(name)}/", None, depth + 1, f"{way}{_word(name)}/")

    def entries(self, at: int, model: dict[str, Any]) -> dict[int, dict[str, Any]]:
        """Return node → entry of the architecture for the layers of a model: by name where all agree, else by place."""
        listed = layers_of(model)
        children = self.nodes[at].children
        first = 0
        if model["class_name"] == "Sequential":
            listed = [layer for layer in listed if layer.get("class_name") != "InputLayer"]
            first = 1 if "_functional" in children or "_operations" in children else 0  # Keras 3 counts the input
        members = self.members_of(at)
        by_name: dict[int, dict[str, Any]] = {}
        plain = {tuple(layer_name(layer).split("/")): layer for layer in listed if not is_model(layer)}
        for _, child in members:
            found = next(self.arrays(child, (), set(), 0), None)
            if found is None or self.members_of(child):
                continue
            scope = tuple(self.nodes[found[1]].full_name.partition(":")[0].split("/")[-SCOPE_LIMIT:-1])
            runs = (scope[i : j + 1] for j in range(len(scope)) for i in range(j + 1))
            fits = [plain[run] for run in runs if run in plain]
            if fits:
                # Of conv and block/conv, the longer one is meant.
                by_name[child] = max(fits, key=lambda layer: len(layer_name(layer)))
        by_place = {child: listed[i - first] for i, child in members if 0 <= i - first < len(listed)}
        sure = len({id(layer) for layer in by_name.values()}) == len(by_name)
        wanted = [c for _, c in members if not self.members_of(c) and self.holds_arrays(c)]
        return by_place | by_name if sure and set(wanted) <= set(by_name) else by_place

    def leaf(self, at: int, prefix: str, name: str, way: str, depth: int, in_root: bool) -> None:
        """Find the arrays of a layer, those of the layers inside it included.

        With `in_root` the first word of their names is the whole model's, which a Sequential of Keras 3 puts there.
        """
        for path, child in self.arrays(at, (), self.seen, depth):
            node = self.nodes[child]
            words = [word for word in node.full_name.partition(":")[0].split("/") if word]
            length = len(path)
            # The name has as many words behind the layer's as there are steps from the layer to the array.
            variable = after(words, name.split("/")) if name else ""
            if not variable:
                variable = "/".join(words[-length:] if len(words) > length else [*map(_word, path[:-1]), *words[-1:]])
            variable = variable or _word(path[-1])
            scope = words[:-length] if len(words) > length else words[:-1]
            if in_root and len(scope) > 1:
                scope = scope[1:]
            layer = name or "/".join(scope)
            own = prefix.rstrip("/").rsplit("/", 1)[-1]
            if not name and own and layer.startswith(own + "/"):
                layer = layer.removeprefix(own + "/")
            self.found.append(_Found(prefix + layer, variable, node.key, way, node.full_name, bool(name)))

    def arrays(
        self, at: int, path: tuple[str, ...], seen: set[int], depth: int
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield (attributes down to it, node) of each array below a node that was not seen."""
        if at in seen:
            return
        seen.add(at)
        if self.nodes[at].key:
            yield path, at
        for name, child in self.attributes(at, depth):
            yield from self.arrays(child, (*path, name), seen, depth + 1)


def _word(attribute: str) -> str:
    """Return an attribute as a word of a display name: _query_dense → query."""
    return attribute.strip("_").removesuffix("_dense") or attribute


def _told_apart(walk: _Walk) -> list[Place]:
    """Return the arrays found, their layers by number where the arrays' names do not tell whose they are.

    Keras 3 names all arrays of a subclassed model `model/kernel`; two nested models may have layers of one name.
    """
    times = Counter(node.full_name for node in walk.nodes if node.key)
    met: dict[str, set[str]] = {}
    for place in walk.found:
        met.setdefault(place.layer, set()).add(place.way)
    unsure = {
        place.way
        for place in walk.found
        if not place.named and (times[place.full_name] > 1 or len(met[place.layer]) > 1)
    }
    telling = len({place.full_name.partition("/")[0] for place in walk.found if place.full_name}) > 1
    ways: dict[str, str] = {}
    for place in walk.found:
        if place.way in unsure and place.way not in ways:
            inside = "/".join([*place.way.split("/")[:-1], place.layer.rsplit("/", 1)[-1]])
            ways[place.way] = inside if telling and inside not in ways.values() else place.way
    return [replace(place, layer=ways.get(place.way, place.layer)) for place in walk.found]


def _listed(nodes: list[Node], places: list[Place], config: dict[str, Any] | None) -> list[Place]:
    """Return weights that are only in a list of arrays: all of an `export`, some of an optimiser's."""
    taken = {"", *(place.key for place in places)}
    rest: dict[str, str] = {}
    names: set[str] = set()
    if not places:  # the lists of an export hold each array a second time, as a copy of the same name
        for name in LISTS:
            at = nodes[0].children.get(name)
            fresh = [] if at is None else _fresh(nodes, at, taken, names)
            rest.update((node.key, node.full_name) for node in fresh)
            names.update(node.full_name for node in fresh)
    for at in [node.children["_trainable_variables"] for node in nodes if "_trainable_variables" in node.children]:
        rest.update((node.key, node.full_name) for node in _fresh(nodes, at, taken, names))
    return by_full_name([(name or key, key) for key, name in rest.items()], config, root=not places)


def _fresh(nodes: list[Node], at: int, taken: set[str], names: set[str]) -> list[Node]:
    """Return the arrays in a list that are weights and were not met, by key or by name."""
    listed = [nodes[child] for child in nodes[at].children.values()]
    return [n for n in listed if n.key not in taken and n.full_name not in names and not is_seed(n.full_name)]
