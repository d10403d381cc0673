"""What a section hands to its template, and what a section module must have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from reportgen.config import Options
from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One verdict: a number against a threshold, and where the evidence is.

    Its sentence is templates/verdicts/<id>.html; what it means and what to try is in templates/verdicts.yaml.
    """

    id: str
    status: Status
    value: float | None
    threshold: float | None
    facts: dict[str, Any] = field(default_factory=dict)
    """What its sentence says beside value and threshold."""
    section: str = ""
    """Where the evidence is; given by the report."""
    network: str = ""
    """Letter of the network that is judged; empty in a run of one, and of what is the same for all."""


@dataclass(frozen=True)
class Unjudged:
    """A verdict that could not be given: absent, and said to be."""

    id: str
    because: str
    """Half a sentence."""
    network: str = ""
    """As of Check."""


@dataclass(frozen=True)
class Section:
    """One answered question."""

    content: Any
    """A frozen dataclass with a docstring under each field: the template's variable `it`; goes to report.json."""
    figures: tuple[Figure, ...] = ()
    """Every figure, in the order the template shows them."""
    checks: tuple[Check, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    """Verdicts this section owes and could not give."""
    absent: str = ""
    """Why the question cannot be answered for this run, in one line; the template is then not used."""
    id: str = ""
    """Given by the report, like title and question."""
    title: str = ""
    question: str = ""

    def figure(self, id: str) -> Figure:
        """Return the figure with this id; its template asks for it."""
        return next(figure for figure in self.figures if figure.id == id)


Judged = Check | Unjudged


def of_network(judged: Iterable[Judged], letter: str) -> list[Judged]:
    """Return verdicts with the letter of their network."""
    return [replace(one, network=letter) for one in judged]


def told(judged: Iterable[Judged]) -> dict[str, Any]:
    """Return verdicts given and not given, as the arguments of Section that hold them."""
    every = tuple(judged)
    return {
        "checks": tuple(j for j in every if isinstance(j, Check)),
        "unjudged": tuple(j for j in every if isinstance(j, Unjudged)),
    }


class SectionModule(Protocol):
    """A module in this room that makes a section."""

    TITLE: str
    QUESTION: str

    @property
    def SectionOptions(self) -> type[Options]:
        """The section's own options."""

    @property
    def build(self) -> Callable[[ExtractedRun, Any], Section]:
        """Make the section from the extractions."""


class NoOptions(Options):
    """For a section that has none."""
