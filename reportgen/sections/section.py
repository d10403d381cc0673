"""What a section hands to its template, and what a section module must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from reportgen.config import Options
from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One verdict: a number against a threshold, and where the evidence is. Its sentence stands in checks.html."""

    id: str
    status: Status
    value: float | None
    threshold: float | None
    facts: dict[str, Any] = field(default_factory=dict)
    """What its sentence says beside value and threshold."""
    section: str = ""
    """Where the evidence is; given by the report."""


@dataclass(frozen=True)
class Section:
    """One answered question."""

    content: Any
    """A frozen dataclass with a docstring under each field: the template's variable `it`; goes to report.json."""
    figures: tuple[Figure, ...] = ()
    """Every figure, in the order the template shows them."""
    checks: tuple[Check, ...] = ()
    absent: str = ""
    """Why the question cannot be answered for this run, in one line; the template is then not used."""
    id: str = ""
    """Given by the report, like title and question."""
    title: str = ""
    question: str = ""

    def figure(self, id: str) -> Figure:
        """Return the figure with this id; its template asks for it."""
        return next(figure for figure in self.figures if figure.id == id)


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
