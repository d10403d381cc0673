"""A configuration while it is written: options, guesses, and choices left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from reportgen.config import CHOOSE
from reportgen.errors import printable

SHORT = 3
"""Longer lists have one item a line."""


@dataclass
class Draft:
    """Lines of YAML; a group opens by itself when the first of its options comes."""

    lines: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    """What was guessed and why, in words for the terminal."""
    open: list[str] = field(default_factory=list)
    """What is left to choose, likewise."""
    _groups: tuple[str, ...] = ()

    def given(self, key: str, value: object, comment: str = "") -> None:
        """Write an option the user has given, or that needs no guess."""
        if isinstance(value, list) and len(value) > SHORT:
            indent = self._enter(key)
            self.lines.append(f"{indent}{key.rpartition('.')[2]}:")
            self.lines += [f"{indent}  - {in_yaml(item)}" for item in value]
        else:
            self._line(key, in_yaml(value), comment)

    def guess(self, key: str, value: object, why: str) -> None:
        """Write an option and what it was guessed from."""
        self._line(key, in_yaml(value), f"guessed: {why}")
        self.guessed.append(f"{key}: {in_yaml(value)}  ({why})")

    def choose(self, key: str, question: str, options: Sequence[tuple[str, str]]) -> None:
        """Leave an option open; `check` refuses the file until one of `options` is taken.

        An option is a line of YAML and what it stands for.
        """
        indent = self._enter(key)
        name = key.rpartition(".")[2]
        self.lines.append(f"{indent}# {CHOOSE}: {printable(question)}")
        width = max(len(text) for text, _ in options)
        self.lines += [f"{indent}#   {text:<{width}}  # {comment}" for text, comment in options]
        self.lines.append(f"{indent}{name}: {CHOOSE}")
        self.open.append(f"{key}: {question}")

    def note(self, key: str, text: str) -> None:
        """Write a comment where `key` would stand."""
        self.lines.append(f"{self._enter(key)}# {printable(text)}")

    def blank(self) -> None:
        """Leave a line empty."""
        self.lines.append("")

    def text(self) -> str:
        """Return the whole file."""
        return "\n".join(self.lines) + "\n"

    def _line(self, key: str, value: str, comment: str) -> None:
        indent = self._enter(key)
        name = key.rpartition(".")[2]
        self.lines.append(f"{indent}{name}: {value}" + (f"  # {printable(comment)}" if comment else ""))

    def _enter(self, key: str) -> str:
        """Open the groups that `key` is in and return the indentation of its line."""
        groups = tuple(key.split(".")[:-1])
        same = 0
        while same < min(len(groups), len(self._groups)) and groups[same] == self._groups[same]:
            same += 1
        for depth, name in list(enumerate(groups))[same:]:
            self.lines.append(f"{'  ' * depth}{name}:")
        self._groups = groups
        return "  " * len(groups)


def in_yaml(value: object) -> str:
    """Write a value on one line of YAML, quoted where it must be."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("...\n").strip()
