"""What changed since the previous report of the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.config import EVIDENCE
from reportgen.sections import Check
from reportgen.sections.verdicts.grade import ORDER


@dataclass(frozen=True)
class Turn:
    """A verdict whose status is another one."""

    id: str
    before: str
    """pass, warn, fail, or "not judged"."""
    now: str


@dataclass(frozen=True)
class Number:
    """A headline number before and now."""

    name: str
    before: float | None
    now: float | None


@dataclass(frozen=True)
class Changes:
    """The report beside the previous one."""

    id: str
    """Of the previous report; empty where this is the first."""
    worse: tuple[Turn, ...] = ()
    better: tuple[Turn, ...] = ()
    other: tuple[Turn, ...] = ()
    """Judged now and not before, or the other way round."""
    new: tuple[str, ...] = ()
    """Files of checkpoints that were not there."""
    gone: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    """Files of the same name and other content."""
    numbers: tuple[Number, ...] = ()
    """Headline numbers that differ; none where the probe set is another one."""

    @property
    def nothing(self) -> bool:
        """Whether verdicts, checkpoints and headline numbers are the same."""
        return not any((self.worse, self.better, self.other, self.new, self.gone, self.rewritten, self.numbers))


def remembered(
    id: str, checks: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], checkpoints: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a later report must know of this one, as plain data."""
    return {
        "id": id, "checks": worst([(c["id"], c["status"]) for c in checks]), "headline": headline(summary),
        "checkpoints": dict(checkpoints),
    }  # fmt: skip


def headline(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the headline numbers of a summary's content, by the words the template has for them."""
    found: dict[str, float | None] = {}
    if summary.get("monitor"):
        found |= {"value": summary.get("value"), "best_epoch": summary.get("best_epoch")}
    if score := summary.get("score"):
        found["mean_absolute_difference"] = score["mean_absolute_difference"]
    if table := summary.get("confusion"):
        found["accuracy"] = table["accuracy"]
    if summary.get("channels"):
        found["dead"] = summary.get("dead")
    return found


def compare(
    previous: Mapping[str, Any], checks: Sequence[Check], summary: Mapping[str, Any], checkpoints: Mapping[str, str],
    same_probes: bool,
) -> Changes:  # fmt: skip
    """Return what differs from what was remembered of the previous report."""
    before, now = previous["checks"], worst([(c.id, c.status) for c in checks])
    turns = [
        Turn(id, before.get(id, "not judged"), now.get(id, "not judged"))
        for id in EVIDENCE
        if before.get(id) != now.get(id)
    ]
    judged = [t for t in turns if t.before in ORDER and t.now in ORDER]
    old, had, have = previous["headline"], previous["checkpoints"], dict(checkpoints)
    numbers = [
        Number(name, old.get(name), value)
        for name, value in headline(summary).items()
        if name in old and old[name] != value
    ]
    return Changes(
        previous["id"],
        tuple(t for t in judged if ORDER[t.now] < ORDER[t.before]),  # type: ignore[index]
        tuple(t for t in judged if ORDER[t.now] > ORDER[t.before]),  # type: ignore[index]
        tuple(t for t in turns if t not in judged),
        tuple(file for file in have if file not in had), tuple(file for file in had if file not in have),
        tuple(file for file in have if file in had and had[file] != have[file]),
        tuple(numbers) if same_probes else (),
    )  # fmt: skip


def worst(checks: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the worst status of each id."""
    found: dict[str, str] = {}
    for id, status in checks:
        if id not in found or ORDER[status] < ORDER[found[id]]:  # type: ignore[index]
            found[id] = status
    return found
