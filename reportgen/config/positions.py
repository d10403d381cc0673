"""YAML text in; values out, with the line and column each was written at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import Node, ScalarNode, SequenceNode

from reportgen.config.problems import Problem

Value: TypeAlias = Any
"""What YAML can hold: groups, lists, text, numbers, dates, None."""
Key: TypeAlias = tuple[str | int, ...]
"""Way to a value from the top: ("probes", "prepare", "steps", 0, "scale")."""

MAX_VALUES = 50_000
"""Aliases of aliases can make terabytes out of ten lines; no honest configuration holds this many values."""
MAX_DEPTH = 50
_PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_NULL_TAG = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class Spot:
    """Where a value was written."""

    source: str
    """File as the user named it, environment variable or flag."""
    line: int = 0
    """Counted from 1; 0 outside files."""
    column: int = 0
    """Counted from 1; 0 outside files."""
    text: str | None = None
    """A single value as it was written; None for lists, groups and null."""

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass
class Document:
    """Values with their places; layers of configuration are laid over it one after the other."""

    value: Value
    spots: dict[Key, Spot] = field(default_factory=dict)
    """Where each value begins."""
    keys: dict[Key, Spot] = field(default_factory=dict)
    """Where its name stands."""

    def spot(self, key: Key) -> Spot:
        """Return where `key` is written, or the nearest group around it."""
        while key not in self.spots and key:
            key = key[:-1]
        return self.spots[key]


def read_yaml(text: str, source: str, *, inside: bool = True) -> tuple[Document, list[Problem]]:
    """Read one YAML document with the safe loader; duplicate keys, merge keys and foreign tags are problems.

    `source` names the file, variable or flag; `inside` says whether lines and columns in it mean anything.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(source, mark.line + 1, mark.column + 1) if mark and inside else Spot(source)
        words = f"not YAML: {error.problem or error.context}"
        if "\t" in (error.problem or "") or "'\\t'" in words:
            words = "not YAML: a tab stands where YAML allows blanks only"
        return Document(None, {(): spot}), [Problem(str(spot), "", words)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        words = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return Document(None, {(): Spot(source)}), [Problem(source, "", f"not YAML: {words}")]
    walk = _Walk(source, inside)
    if node is None:
        walk.document.spots[()] = Spot(source)
    else:
        walk.document.value = walk.read(node, ())
    return walk.document, walk.problems


class _Walk:
    """One pass over the nodes of a document."""

    def __init__(self, source: str, inside: bool) -> None:
        self.source, self.inside = source, inside
        self.document = Document(None)
        self.problems: list[Problem] = []
        self.count = 0
        self.open: set[int] = set()
        self.scalars = SafeConstructor()

    def spot(self, node: Node, text: str | None = None) -> Spot:
        if not self.inside:
            return Spot(self.source, text=text)
        return Spot(self.source, node.start_mark.line + 1, node.start_mark.column + 1, text)

    def wrong(self, node: Node, key: Key, words: str) -> None:
        self.problems.append(Problem(str(self.spot(node)), dotted(key), words))

    def read(self, node: Node, key: Key) -> Value:
        self.count += 1
        if self.count > MAX_VALUES:
            if self.count == MAX_VALUES + 1:
                self.wrong(node, key, f"more than {MAX_VALUES} values; aliases multiply what they stand for")
            return None
        if isinstance(node, ScalarNode):
            return self.scalar(node, key)
        self.document.spots[key] = self.spot(node)
        if len(key) > MAX_DEPTH:
            self.wrong(node, key[:3], f"nested more than {MAX_DEPTH} levels deep")
            return None
        if node.tag not in _PLAIN_TAGS:
            self.wrong(node, key, f"the tag {node.tag} is not read here")
            return None
        if id(node) in self.open:
            self.wrong(node, key, "an alias stands inside what it stands for")
            return None
        self.open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.read(item, (*key, i)) for i, item in enumerate(node.value)]
            return self.mapping(node, key)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: ScalarNode, key: Key) -> Value:
        self.document.spots[key] = self.spot(node, None if node.tag == _NULL_TAG else node.value)
        try:
            value: Value = self.scalars.construct_object(node)
            return value
        except ConstructorError:
            self.wrong(node, key, f"the tag {node.tag} is not read here")
            return None
        except ValueError:  # looks like a date or a number and is none: 2020-13-45
            return node.value

    def mapping(self, node: Node, key: Key) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, ScalarNode):
                self.wrong(name_node, key, "a name of an option must be a word, not a list or a group")
                continue
            name = name_node.value  # as written: `no` is a band called no, not False
            if name_node.tag.endswith(":merge"):
                self.wrong(name_node, key, "merge keys (<<) are not read here; write the options out")
                continue
            if name in values:
                first = self.document.keys[(*key, name)]
                self.wrong(name_node, (*key, name), f"stands twice; the first is in line {first.line}")
                continue
            values[name] = None
            self.document.keys[(*key, name)] = self.spot(name_node)
            values[name] = self.read(value_node, (*key, name))
        return values


def dotted(key: Key) -> str:
    """Write the way to a value as people do: `probes.prepare.steps[0].scale`."""
    words = ""
    for part in key:
        words += f"[{part}]" if isinstance(part, int) else f".{part}"
    return words.removeprefix(".")
