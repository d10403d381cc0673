"""The arrays of a file into the variables of a live model: by name, by attribute, by order only where all agrees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.errors import NetworkError
from reportgen.network.assign import pair
from reportgen.network.engine import KerasLayer
from reportgen.network.sublayers import Held, Live, Words, walk

ADVICE = "Is it the code this file was trained with? The file's weights are not those of the model it makes."


@dataclass
class Group:
    """Part of a file: the arrays right under a name, and the parts below it."""

    arrays: list[Variable] = field(default_factory=list)
    """Under the last words of their names."""
    parts: dict[str, Group] = field(default_factory=dict)

    def at(self, words: Words) -> Group | None:
        """Return the part below this one under these words, or None."""
        group: Group | None = self
        for word in words:
            group = group.parts.get(word) if group else None
        return group

    def everything(self, scope: str = "") -> Iterator[Variable]:
        """Yield all arrays from here on, under their names from here on."""
        for array in self.arrays:
            yield Variable(scope + array.name, array.value)
        for word, part in self.parts.items():
            yield from part.everything(f"{scope}{word}/")


@dataclass
class Match:
    """Which array goes where, and what each layer is called in the file."""

    pairs: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """id of a variable → (variable, array)."""
    words: dict[int, Words] = field(default_factory=dict)
    """id of a Live → the words that lead to it."""
    in_order: list[str] = field(default_factory=list)
    """Layers whose own arrays the file does not name as the code does."""
    doubtful: list[str] = field(default_factory=list)
    """Layers whose names in a file without a description may be numbers of groups instead."""
    whole_in_order: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, a sentence each."""
        notes = []
        if self.whole_in_order:
            notes.append(
                "The names in the file are not those of your model; its arrays were given to the layers in their "
                "order, in which all shapes agree. Equal shapes in another order would not have been noticed."
            )
        if self.in_order:
            more = f" and {len(self.in_order) - 3} more" if len(self.in_order) > 3 else ""
            notes.append(
                f"The file does not name the arrays of {', '.join(self.in_order[:3])}{more} as your code does; "
                "within each of these layers they were taken in their order."
            )
        if self.doubtful:
            notes.append(
                f"{', '.join(self.doubtful[:5])} in the file may be names of layers, or Keras' count of their class; "
                "they were taken for names. Name the layers in your code, or save whole models, to be sure."
            )
        return tuple(notes)


def match(model: Live, stored: StoredModel) -> Match:
    """Return which array of a file belongs to which variable of a model: all of them, or NetworkError.

    Names of layers count first, then what v3 files say instead: attributes, places in lists. Only where names
    leave it open and all shapes agree in their order, the order decides, and a note says so.
    """
    found = Match()
    _descend(model, _grouped(stored, {held.name for held in model.inner}), (), found)
    if stored.config is not None:  # then names are names
        found.doubtful.clear()
    left = [live for live in walk(model) if any(id(weight) not in found.pairs for weight in live.own)]
    arrays = sum(len(layer.variables) for layer in stored.layers)
    if not left and len(found.pairs) == arrays:
        return found
    return _by_order(model, stored, found, left)


def put(found: Match) -> None:
    """Put the arrays into the variables."""
    for weight, value in found.pairs.values():
        weight.assign(value)


def named(model: Live, names: Mapping[int, str], stored: StoredModel) -> StoredModel:
    """Return a file's arrays layer by layer of the model, under the layers' display names and the variables' own.

    `names` are by id of a Live, in the order they are to stand in.
    """
    pairs = match(model, stored).pairs
    lives = {id(live): live for live in walk(model)}
    layers = []
    for key, name in names.items():
        own = lives[key].own
        words = [str(weight.name) for weight in own]
        if len(set(words)) < len(words):  # two halves of a Bidirectional have a kernel each
            words = [weight.path.rpartition(f"{lives[key].layer.name}/")[2] for weight in own]
        if len(set(words)) < len(words):
            words = [str(number) for number in range(len(own))]
        if own:
            arrays = (pairs[id(weight)][1] for weight in own)
            layers.append(StoredLayer(name, tuple(map(Variable, words, arrays))))
    return replace(stored, layers=tuple(layers))


def _grouped(stored: StoredModel, layers: set[str]) -> Group:
    """Return the arrays of a file as a tree along the slashes in their names; `layers` are those of the model."""
    root = Group()
    for layer in stored.layers:
        # What belongs to no layer but to the model itself is called so.
        whole = layer.name in {"model", "top_level_model_weights"} - layers
        start = [] if whole else layer.name.split("/")
        for variable in layer.variables:
            *scope, word = [*start, *variable.name.split("/")]
            group = root
            for part in scope:
                group = group.parts.setdefault(part, Group())
            group.arrays.append(Variable(word, variable.value))
    return root


def _descend(live: Live, group: Group, words: Words, found: Match) -> None:
    """Pair what a layer holds with what a part of the file holds, and so on inwards."""
    found.words[id(live)] = words
    shown = "/".join(words) or "the model itself"
    held = list(group.everything()) if live.leaf else group.arrays
    if live.own and held:
        pairs = _own(live, held, shown, found)
        found.pairs.update((id(weight), (weight, value)) for weight, value in pairs)
    ways, by_place = _children(live, group)
    for child, way in ways.items():
        part = group.at(way)
        if part is not None:
            # A name the user gave says more than the class or the attribute a file may have in its place; and a
            # group's number within its class is no name at all, though it looks like one that Keras gave.
            if child.automatic and way == (child.name,) != child.places[-1] and child.places[-1] in ways.values():
                found.doubtful.append("/".join((*words, *way)))
            by_class = way == child.places[-1] and way != (child.name,) and (child, way) in by_place
            shown_way = (child.name,) if by_class or not child.automatic else way
            _descend(child.live, part, (*words, *shown_way), found)


def _own(live: Live, arrays: list[Variable], shown: str, found: Match) -> list[tuple[Any, Any]]:
    """Return (variable, array) for the variables of one layer."""
    names = [str(weight.name) for weight in live.own]
    by_name = {array.name: array for array in arrays}
    built_in = type(live.layer).__module__.startswith("keras.")
    if built_in or len(names) != len(arrays) or len(set(names)) < len(names):
        ordered = arrays
    elif set(by_name) == set(names):
        ordered = [by_name[name] for name in names]
    else:
        ordered = arrays
        if len(arrays) > 1 and not all(name.isdecimal() for name in by_name):
            found.in_order.append(shown)
    if built_in:
        return pair(live.layer, ordered, shown)
    if len(names) != len(ordered):
        raise NetworkError(
            f"layer {shown} has {len(arrays)} arrays in the file and needs {len(names)}", where=shown,
            expected=", ".join(names), received=", ".join(by_name), advice=ADVICE,
        )  # fmt: skip
    for weight, array in zip(live.own, ordered, strict=True):
        if tuple(weight.shape) != array.value.shape:
            raise NetworkError(
                f"layer {shown}: {array.name} has shape {array.value.shape} in the file, the model needs "
                f"{tuple(weight.shape)}",
                where=shown, expected=str(tuple(weight.shape)), received=str(array.value.shape), advice=ADVICE,
            )  # fmt: skip
    return [(weight, array.value) for weight, array in zip(live.own, ordered, strict=True)]


def _children(live: Live, group: Group) -> tuple[dict[Held, Words], set[tuple[Held, Words]]]:
    """Return the part of the file of each layer inside a layer, as far as names and places tell it.

    And those of them that places told.
    """
    waiting = [] if live.leaf else [held for held in live.inner if held.live.layer.weights]
    ways: dict[Held, Words] = {}

    def settle(found: dict[Held, Words]) -> None:
        ways.update(found)
        waiting[:] = [held for held in waiting if held not in found]

    settle({h: way for h in waiting if not h.automatic and group.at(way := tuple(h.name.split("/")))})
    # Names that Keras numbered are the user's in no way: all of a kind together, or not at all.
    settle(_numbered(waiting, group, exactly=True))
    first = _structural(waiting, group, set(ways.values()))
    settle(first)
    settle(_numbered(waiting, group, exactly=False))
    second = _structural(waiting, group, set(ways.values()))
    settle(second)
    return ways, {*first.items(), *second.items()}


def _numbered(waiting: Iterable[Held], group: Group, *, exactly: bool) -> dict[Held, Words]:
    """Return the layers that differ in Keras' numbers alone: those numbers follow the order of making."""
    kinds: dict[str, list[Held]] = {}
    for held in waiting:
        if held.automatic:
            kinds.setdefault(unnumbered(held.name), []).append(held)
    found: dict[Held, Words] = {}
    for kind, layers in kinds.items():
        words = [word for word in group.parts if unnumbered(word) == kind]
        if len(words) == len(layers) and (not exactly or set(words) == {held.name for held in layers}):
            ranked = zip(sorted(layers, key=lambda h: _number(h.name)), sorted(words, key=_number), strict=True)
            found.update((held, (word,)) for held, word in ranked)
    return found


def _number(name: str) -> int:
    """Return the number Keras put behind a name; 0 for none."""
    last = name.rpartition("_")[2]
    return int(last) if last.isdecimal() else 0


def _structural(waiting: Iterable[Held], group: Group, taken: set[Words]) -> dict[Held, Words]:
    """Return the layers by attributes and places; none where these do not settle all of them in one way only."""
    open_ways = {h: {way for way in h.places if way not in taken and group.at(way)} for h in waiting}
    found: dict[Held, Words] = {}
    while open_ways:
        sure = next((held for held, ways in open_ways.items() if len(ways) == 1), None)
        if sure is None:
            return {}
        way = open_ways.pop(sure).pop()
        found[sure] = way
        for ways in open_ways.values():
            ways.discard(way)
    return found


def _by_order(model: Live, stored: StoredModel, found: Match, left: list[Live]) -> Match:
    """Return a match by order where that is possible without doubt in any shape; raises NetworkError else."""
    arrays = [(variable, layer.name) for layer in stored.layers for variable in layer.variables]
    for weights in _orders(model.layer):
        if [tuple(weight.shape) for weight in weights] == [array.value.shape for array, _ in arrays]:
            made = Match(whole_in_order=True)
            made.pairs = {id(w): (w, array.value) for w, (array, _) in zip(weights, arrays, strict=True)}
            return made
    used = {id(value) for _, value in found.pairs.values()}
    extra = [f"{layer}: {array.name} {array.value.shape}" for array, layer in arrays if id(array.value) not in used]
    if left:
        layer = left[0].layer
        raise NetworkError(
            f"layer {layer.name} ({type(layer).__name__}) finds no arrays in the file, "
            f"and the shapes do not agree in their order",
            where=str(layer.name),
            expected=", ".join(f"{weight.name} {tuple(weight.shape)}" for weight in left[0].own),
            received="; ".join(extra[:5]) or "none",
            advice=ADVICE,
        )
    raise NetworkError(
        f"the file has arrays the model does not use: {'; '.join(extra[:5])}",
        expected=f"{len(model.layer.weights)} arrays",
        received=f"{len(arrays)} arrays",
        advice=ADVICE,
    )


def _orders(model: KerasLayer) -> Iterator[list[Any]]:
    """Yield the variables of a model in the orders of files.

    Layer by layer inwards; or as HDF5 has it, in each layer of the model what is trained before what is not.
    """
    yield model.weights
    listed = [w for layer in model.layers for w in [*layer.trainable_weights, *layer.non_trainable_weights]]
    yield list({id(weight): weight for weight in [*listed, *model.weights]}.values())
