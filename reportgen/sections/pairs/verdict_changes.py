"""Which verdicts were gained and which lost?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.config import EVIDENCE
from reportgen.sections.pairs.pair import Pair, Side
from reportgen.sections.section import Section
from reportgen.sections.verdicts.grade import ORDER

TITLE = "Verdicts"
QUESTION = "Which verdicts were gained, and which lost?"


@dataclass(frozen=True)
class Given:
    """A verdict of one side."""

    status: str
    """pass, warn, fail, or "not judged"."""
    value: float | None
    threshold: float | None
    because: str
    """Why it was not judged."""


@dataclass(frozen=True)
class Row:
    """One verdict in both."""

    id: str
    a: Given
    b: Given
    turn: str
    """better, worse, the same, or "judged in one only"."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    rows: tuple[Row, ...]
    """The worse first, then the better, then those of one side only; those that are the same in both last."""
    same_limits: bool
    """Whether both were judged by the same thresholds."""
    same_probes: bool
    alone: bool
    """Whether these are verdicts on two checkpoints, each judged as if its run had no other."""


TURNS = ("worse", "better", "judged in one only", "the same")


def build(pair: Pair) -> Section:
    """Set the verdicts of the two reports beside each other."""
    rows = [Row(id, a, b, _turn(a, b)) for id in EVIDENCE for a, b in [(_given(pair.a, id), _given(pair.b, id))]]
    rows.sort(key=lambda row: TURNS.index(row.turn))
    same = pair.a.run.config.verdicts == pair.b.run.config.verdicts
    told = tuple(row for row in rows if _told(row))
    if not told:
        return Section(None, absent="No verdict is given on either of the two.")
    return Section(Content(told, same, pair.same_probes, pair.one_report))


def _told(row: Row) -> bool:
    return row.a.status in ORDER or row.b.status in ORDER


def _given(side: Side, id: str) -> Given:
    own: Sequence[Mapping[str, Any]] = [check for check in side.checks if check["id"] == id]
    if not own:
        return Given("not judged", None, None, side.not_judged.get(id, "the report does not have it"))
    worst = min(own, key=lambda check: ORDER[check["status"]])
    return Given(worst["status"], worst.get("value"), worst.get("threshold"), "")


def _turn(a: Given, b: Given) -> str:
    if a.status == b.status:
        return "the same"
    if a.status not in ORDER or b.status not in ORDER:
        return "judged in one only"
    return "worse" if ORDER[b.status] < ORDER[a.status] else "better"
