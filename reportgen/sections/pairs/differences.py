"""What was done differently?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reportgen.sections.pairs.pair import Pair, Side
from reportgen.sections.section import Section

TITLE = "Configuration and provenance"
QUESTION = "What was done differently?"
NOTHING = "–"
LONGEST = 160
"""Letters of a value that are shown."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    kind: str
    """configuration, report, training, or probes."""
    name: str
    a: str
    b: str


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    rows: tuple[Difference, ...]
    same: int
    """How many options of the configuration are the same."""
    only_a: tuple[str, ...]
    """Ids of probes only A was asked about."""
    only_b: tuple[str, ...]
    other_pixels: tuple[str, ...]
    """Ids of probes of both that are other numbers to the network."""
    probes: int
    """Probes that are the same in both."""
    shared: int
    """Checkpoints that are in both runs, byte by byte."""
    checkpoints: tuple[int, int]


def build(pair: Pair) -> Section:
    """Lay configurations, versions, records of training and probe sets over each other."""
    a, b = (dict(_flat(side.run.config.model_dump(mode="json"))) for side in pair.sides)
    rows = [Difference("configuration", *row) for row in _different(a, b)]
    rows += [Difference("report", *row) for row in _different(*(dict(_of_report(side)) for side in pair.sides))]
    rows += [Difference("training", *row) for row in _different(*(dict(_of_training(side)) for side in pair.sides))]
    first, second = ({p.id: p.sha256 for p in side.run.probes.probes} for side in pair.sides)
    files = [{c.sha256 for c in side.run.run.checkpoints} for side in pair.sides]
    return Section(
        Content(
            tuple(rows), sum(key in b and b[key] == value for key, value in a.items()),
            tuple(id for id in first if id not in second), tuple(id for id in second if id not in first),
            tuple(id for id in first if id in second and first[id] != second[id]),
            sum(second.get(id) == sha256 for id, sha256 in first.items()),
            len(files[0] & files[1]), (len(files[0]), len(files[1])),
        )
    )  # fmt: skip


def _of_report(side: Side) -> Iterator[tuple[str, Any]]:
    for key in ("command", "commit", "dirty", "host", "user"):
        if key in side.provenance:
            yield key, side.provenance[key]
    yield from ((f"version of {name}", v) for name, v in side.provenance.get("versions", {}).items())


def _of_training(side: Side) -> Iterator[tuple[str, Any]]:
    about = side.extraction.about
    yield from _flat(side.run.run.record)
    yield from (("checkpoint's optimizer", about.optimizer), ("checkpoint's loss", about.loss))
    yield from (("checkpoint's Keras", about.keras_version), ("architecture", about.architecture[:12]))


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested groups under its dotted name; a list is one value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _different(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys([*a, *b]):
        if a.get(key) != b.get(key) or (key in a) != (key in b):
            yield key, *_apart(_word(a.get(key)), _word(b.get(key)))


def _word(value: Any) -> str:
    if isinstance(value, list):
        # An option that is not set says nothing; a group in a list is told by what it sets.
        value = [{k: v for k, v in item.items() if v not in (None, {}, [])} if isinstance(item, dict) else item
                 for item in value]  # fmt: skip
        return ", ".join(str(next(iter(v.values()))) if isinstance(v, dict) and len(v) == 1 else str(v) for v in value)
    return NOTHING if value in (None, "") else "yes" if value is True else "no" if value is False else str(value)


def _apart(a: str, b: str) -> tuple[str, str]:
    """Cut two long texts around the place from which they differ."""
    if max(len(a), len(b)) <= LONGEST:
        return a, b
    place = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, place - 40)
    end = start + LONGEST
    first, second = (f"{'…' * (start > 0)}{text[start:end]}{'…' * (len(text) > end)}" for text in (a, b))
    return first, second
