"""Is any layer sick?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure, heat
from reportgen.sections.chosen import Group, groups, labels, spread
from reportgen.sections.section import Judged, Section, of_network, told
from reportgen.sections.verdicts.weights import (
    Copies,
    Size,
    duplicate_kernels,
    weights_collapsed,
    weights_exploded,
)
from reportgen.sections.weighed import Normalised, Weighed, weigh

TITLE = "Health of the weights"
QUESTION = "Is any layer sick?"


class SectionOptions(Options):
    """Options of the section on the health of weights."""

    checkpoints: PositiveInt = 10
    """Checkpoints of the heat maps, evenly; the first, the best and the last are always among them."""
    layers: PositiveInt = 16
    """Kernels of the heat maps, the first ones; the table has all."""
    largest: PositiveInt = 4_000_000
    """Numbers of a kernel beyond which its spectrum is not computed: it takes minutes."""


@dataclass(frozen=True)
class Sick:
    """An array that is not finite, at one checkpoint."""

    checkpoint: str
    epoch: int | None
    layer: str
    variable: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One kernel in the table."""

    weighed: Weighed
    growth: float | None
    """Its norm over that at the first checkpoint; None where there is no earlier one."""


@dataclass(frozen=True)
class Network:
    """The weights of one architecture."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    """The best one, which the table is about."""
    epoch: int | None
    role: str
    rows: tuple[Row, ...]
    """Its kernels."""
    vectors: tuple[Weighed, ...]
    """Its other arrays: biases, scales, statistics."""
    normalised: tuple[Normalised, ...]
    sick: tuple[Sick, ...]
    """Arrays that are not finite, at any of the checkpoints looked at."""
    figures: tuple[str, ...]
    looked_at: int
    """Checkpoints looked at."""
    checkpoints: int
    """Checkpoints there are."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Weigh every array at the best checkpoint, and rank and redundancy of every kernel over checkpoints."""
    networks: list[Network] = []
    figures: list[Figure] = []
    judged: list[Judged] = []
    for group in groups(run):
        if group.best.extraction.weighted:
            network, drawn, said = _network(run, group, options)
            networks.append(network)
            figures += drawn
            judged += of_network(said, group.letter)
    if not networks:
        return Section(None, absent="No checkpoint with weights could be read.")
    return Section(Content(tuple(networks)), tuple(figures), **told(judged))


def _network(
    run: ExtractedRun, group: Group, options: SectionOptions
) -> tuple[Network, list[Figure], list[Judged]]:  # fmt: skip
    best = group.best.extraction
    members = run.of_architecture(best.about.architecture)
    shown = spread(members, options.checkpoints, group.shown)
    weighed = {e.name: weigh(e, options.largest) for e in shown}
    before = {(w.layer, w.variable): w.health.norm for w in weighed[shown[0].name][0]} if shown[0] is not best else {}
    rows, norms = weighed[best.name]
    table = tuple(Row(w, _ratio(w.health.norm, before.get((w.layer, w.variable)))) for w in rows if w.spectrum)
    sick = tuple(
        Sick(e.about.file, e.epoch, w.layer, w.variable, w.health.problem)
        for e in shown
        for w in weighed[e.name][0]
        if w.health.problem
    )
    figures = []
    if len(shown) > 1:
        by_name = [{w.name: w for w in weighed[e.name][0]} for e in shown]
        figures = [
            f
            for id, value in (("rank", _rank), ("cosine", _cosine))
            if (f := _strip(id, value, shown, len(members), by_name, group.letter, options.layers))
        ]
    return Network(
        group.letter, best.about.file, best.epoch, group.roles[best.name], table,
        tuple(w for w in rows if not w.spectrum), norms, sick, tuple(f.id for f in figures), len(shown), len(members),
    ), figures, _judged(run, best, shown, weighed)  # fmt: skip


def _judged(
    run: ExtractedRun, best: Extraction, shown: Sequence[Extraction],
    weighed: dict[str, tuple[tuple[Weighed, ...], tuple[Normalised, ...]]],
) -> list[Judged]:  # fmt: skip
    """Judge the sizes of the kernels at all checkpoints looked at, and the copies among filters at the best one."""
    limits = run.config.verdicts
    trains = {layer.weights: layer.trainable for layer in best.layers}
    copies = [
        Copies(w.name, sum(len(g) - 1 for g in w.redundancy.duplicates), w.redundancy.filters, w.redundancy.duplicates)
        for w in weighed[best.name][0]
        if w.redundancy and w.kind != "embedding" and not w.redundancy.problem and trains.get(w.layer) is not False
    ]
    sizes = [s for e in shown for s in _sizes(e, weighed[e.name][0], weighed[shown[0].name][0], e is shown[0])]
    # What is small at the first of several checkpoints may be meant to start so.
    late = [s for e in shown[1:] or shown for s in sizes if s.checkpoint == e.about.file]
    return [
        weights_exploded(sizes, limits.weights_exploded), weights_collapsed(late, limits.weights_collapsed),
        duplicate_kernels(copies, best.about.file, limits.duplicate_kernels),
    ]  # fmt: skip


def _sizes(e: Extraction, rows: Sequence[Weighed], before: Sequence[Weighed], first: bool) -> list[Size]:
    then = {w.name: w.health.norm for w in before}
    kernels = [w for w in rows if w.redundancy and w.health.norm is not None and w.kind != "embedding"]
    lengths = {w.name: (w.health.norm or 0.0) / np.sqrt(w.redundancy.filters) for w in kernels if w.redundancy}
    found = []
    for name, length in lengths.items():
        rest = [value for other, value in lengths.items() if other != name]
        median = float(np.median(rest)) if len(rest) > 1 else 0.0
        growth = None if first else _ratio(next(w.health.norm for w in kernels if w.name == name), then.get(name))
        found.append(Size(name, e.about.file, growth, float(length), float(length) / median if median > 0 else None))
    return found


def _ratio(now: float | None, before: float | None) -> float | None:
    return now / before if now is not None and before else None


def _rank(w: Weighed) -> float | None:
    if w.spectrum is None or w.spectrum.effective_rank is None or w.spectrum.full < 2:
        return None
    return w.spectrum.effective_rank / w.spectrum.full


def _cosine(w: Weighed) -> float | None:
    return w.redundancy.highest if w.redundancy else None


def _strip(
    id: str,
    value: Callable[[Weighed], float | None],
    shown: Sequence[Extraction],
    of: int,
    by_name: Sequence[dict[str, Weighed]],
    letter: str,
    most: int,
) -> Figure | None:
    """Return kernel × checkpoint of a number between 0 and 1; None where no kernel has it."""
    names = list(dict.fromkeys(name for found in by_name for name, w in found.items() if value(w) is not None))
    if not names:
        return None
    kept = names[:most]
    numbers = np.array(
        [[np.nan if (w := f.get(name)) is None or (v := value(w)) is None else v for f in by_name] for name in kept]
    )
    axis, words = labels(shown)
    bar = {"rank": "effective rank / full rank", "cosine": "highest |cosine|"}[id]
    texts = [["–" if np.isnan(v) else f"{v:.2f}" for v in line] for line in numbers]
    short = [name if len(name) <= 24 else "…" + name[-23:] for name in kept]
    picture = heat(numbers, texts, short, words, (0, 1), axis, bar)
    facts = {
        "quantity": id, "letter": letter, "layers": len(kept), "of_layers": len(names), "shown": len(shown), "of": of,
        "axis": axis, "missing": int(np.isnan(numbers).sum()),
    }  # fmt: skip
    data = {"rows": kept, "columns": [e.name for e in shown], "values": numbers.tolist()}
    return chart_figure(f"weights-{id}{'-' + letter if letter else ''}", picture, facts, data)
