"""Everything that is wrong with a configuration, told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.errors import ConfigError, printable


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong."""

    where: str
    """`file:line:col`, an environment variable or a flag."""
    key: str
    """The option, dotted; empty where none is to blame."""
    words: str
    """What is wrong with it."""
    advice: str = ""
    """What to write instead."""

    def __str__(self) -> str:
        told = f"{self.words}; {self.advice}" if self.advice else self.words
        return printable(": ".join(part for part in (self.where, self.key, told) if part), 600)


class WrongConfig(ConfigError):
    """A configuration with at least one problem; `str` gives one line a problem."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        count = f"{len(problems)} errors" if len(problems) > 1 else "1 error"
        super().__init__(f"{count} in the configuration", where=file)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
