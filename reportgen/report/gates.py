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
    network: str = ""
    """Letter of the network that is not judged; empty in a run of one, and where no network is."""


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
    network: str = ""
    """As of NotJudged."""


def not_judged(sections: Sequence[Section]) -> Iterator[NotJudged]:
    """Yield every verdict that no section gave, of each network: absence is visible, never silent."""
    checks = [check for section in sections for check in section.checks]
    unjudged = [verdict for section in sections for verdict in section.unjudged]
    letters = sorted(({check.network for check in checks} | {verdict.network for verdict in unjudged}) - {""})
    by_id = {section.id: section for section in sections}
    for id, name in EVIDENCE.items():
        given = {check.network for check in checks if check.id == id}
        own = {u.network: u.because for u in reversed(unjudged) if u.id == id}
        section = by_id.get(name)
        if not given and set(own) <= {""}:
            because = own.get("", "")
            if not because and section is None:
                because = f"the report has no section {name}"
            elif not because and section is not None:
                because = _inside(section.absent) or f"the section {name} says nothing of it"
            yield NotJudged(id, because, name if section else "")
        elif "" not in given:
            for letter in (x for x in letters if x not in given):
                yield NotJudged(
                    id, own.get(letter, "it could not be run, or not measured"), name if section else "", letter
                )


def _inside(sentence: str) -> str:
    """Return a sentence as half of one."""
    word = sentence.split(" ", 1)[0]
    return (sentence[:1].lower() + sentence[1:] if word[1:].islower() or len(word) == 1 else sentence).rstrip(".")


def unmet(gates: Mapping[str, str], checks: Sequence[Check], missing: Sequence[NotJudged]) -> Iterator[Gate]:
    """Yield the gates that are not met. What cannot be judged has not passed: a gate that is silent is no gate."""
    for id in (id for id in EVIDENCE if id in gates):  # the gravest first
        level = gates[id]
        given = [check for check in checks if check.id == id]
        worst = min(given, key=lambda check: ORDER[check.status], default=None)
        absent = next((n for n in missing if n.id == id), None)
        if worst is not None and worst.status in {"fail", level}:
            yield Gate(id, level, worst.status, worst.value, worst.threshold, "", worst.network)
        elif worst is None or absent is not None:
            because, network = (absent.because, absent.network) if absent else ("", "")
            yield Gate(id, level, "not judged", None, None, because, network)
