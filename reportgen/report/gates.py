"""Verdicts that were not given, and gates that were not met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reportgen.config import EVIDENCE
from reportgen.sections import Check, Section
from reportgen.sections.verdicts.grade import ORDER


@dataclass(frozen=True)
class NotJudged:
    """A verdict without a status."""

    id: str
    because: str
    section: str
    """That owes it."""


@dataclass(frozen=True)
class Gate:
    """A verdict that had to be good enough, and was not."""

    id: str
    level: str
    """warn: it had to pass; fail: it could warn."""
    status: str
    """warn, fail, or "not judged"."""
    value: float | None
    threshold: float | None
    because: str
    """Why it was not judged; empty where it was."""


def not_judged(sections: Sequence[Section]) -> Iterator[NotJudged]:
    """Yield every verdict that no section gave: absence is visible, never silent."""
    given = {check.id for section in sections for check in section.checks}
    by_id = {section.id: section for section in sections}
    for id, name in EVIDENCE.items():
        if id in given:
            continue
        own = [u for section in sections for u in section.unjudged if u.id == id]
        section = by_id.get(name)
        if own:
            because = own[0].because
        elif section is None:
            because = f"the report has no section {name}"
        else:
            because = section.absent.rstrip(".") or f"the section {name} says nothing of it"
        yield NotJudged(id, because, name if section else "")


def unmet(gates: Mapping[str, str], checks: Sequence[Check], missing: Sequence[NotJudged]) -> Iterator[Gate]:
    """Yield the gates that are not met. What cannot be judged has not passed: a gate that is silent is no gate."""
    for id in (id for id in EVIDENCE if id in gates):  # the gravest first
        level = gates[id]
        given = [check for check in checks if check.id == id]
        worst = min(given, key=lambda check: ORDER[check.status], default=None)
        if worst is None:
            because = next((n.because for n in missing if n.id == id), "")
            yield Gate(id, level, "not judged", None, None, because)
        elif worst.status == "fail" or worst.status == level:
            yield Gate(id, level, worst.status, worst.value, worst.threshold, "")
