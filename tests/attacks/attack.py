"""What an attack is, and what a report must make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

End = Literal["reported", "weights only", "refused", "passed over"]
"""reported: as any other; weights only: with a line that says why no more; passed over: the same file under its own
name is there too, or the file is none of ours."""

SECRET = "hostname-of-the-machine-that-must-not-be-read"  # noqa: S105 - no password, a text to look for
"""What stands in the file outside the run that the attacks point at."""


@dataclass(frozen=True)
class Place:
    """Where an attack is written, and what it may try to reach."""

    path: Path
    """The file or folder itself."""
    marker: Path
    """File that appears when code out of the attack runs, or when it writes outside its place."""
    foreign: Path
    """File outside the run folder, which holds SECRET and must never be read."""

    def beside(self, name: str) -> Path:
        """Return a file that belongs to the attack."""
        return self.path.parent / name


@dataclass(frozen=True)
class Attack:
    """One hostile or broken file, or folder."""

    file: str
    """Name in the run folder; without digits, so that none is taken for an epoch."""
    write: Callable[[Place], object]
    ends: tuple[End, ...]
    """What may come of it; more than one where a format that can be read makes more of it."""
    words: str = ""
    """Regular expression for what its line of failure must say."""
    isolated: bool = False
    """Whether it needs more than a look at the file: memory or time that only a child process under limits has."""


def refused(file: str, words: str, write: Callable[[Place], object], *, isolated: bool = False) -> Attack:
    """Return an attack of which nothing is reported but why."""
    return Attack(file, write, ("refused",), words, isolated)


def weights_only(file: str, words: str, write: Callable[[Place], object], *, isolated: bool = False) -> Attack:
    """Return an attack whose weights are reported, and why its network is not."""
    return Attack(file, write, ("weights only",), words, isolated)


def reported(file: str, write: Callable[[Place], object]) -> Attack:
    """Return a file that looks hostile and is reported like any other."""
    return Attack(file, write, ("reported",))
