"""Which channels do nothing?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, chart_figure, heat
from reportgen.sections.active import Active, active
from reportgen.sections.chosen import Group, labels, measured_groups, spread
from reportgen.sections.dying import Dying, dying
from reportgen.sections.section import Judged, Section, Unjudged, of_network, told
from reportgen.sections.verdicts.channels import Rectified, dead_channels

RARE = 0.05
"""Fraction of a layer's channels up to which a state gets a sentence and no figure."""

TITLE = "Health of the activations"
QUESTION = "Which channels do nothing?"


class SectionOptions(Options):
    """Options of the section on the health of activations."""

    checkpoints: PositiveInt = 10
    """Checkpoints looked at, evenly; the first, the best and the last are always among them."""
    layers: PositiveInt = 16
    """Layers of the heat maps, the first ones; the table has all."""


@dataclass(frozen=True)
class Few:
    """A state that is rare at every checkpoint: where most channels are in it."""

    state: str
    layer: str
    count: int
    of: int
    checkpoint: str
    epoch: int | None


@dataclass(frozen=True)
class OnlyHere:
    """Channels of a layer that fire on one class alone."""

    layer: str
    of: int
    channels: tuple[int, ...]


@dataclass(frozen=True)
class OneClass:
    """What fires on one class alone."""

    name: str
    probes: int
    layers: tuple[OnlyHere, ...]


@dataclass(frozen=True)
class Network:
    """The channels of one architecture."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    """The best one, which the tables are about."""
    epoch: int | None
    role: str
    layers: tuple[Active, ...]
    dying: tuple[Dying, ...]
    last: str
    last_epoch: int | None
    never: tuple[str, ...]
    """States no channel is in at any checkpoint looked at: dead, constant, dormant, saturated."""
    few: tuple[Few, ...]
    """States in which no more than RARE of a layer's channels are, at any of them; they have no figure."""
    figures: tuple[str, ...]
    looked_at: int
    checkpoints: int
    only: tuple[OneClass, ...]
    """By class; empty where fewer than two classes have probes."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    probes: int


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Tell dead, constant, dormant, sparse and saturated channels apart, layer by layer and over checkpoints."""
    groups = measured_groups(run)
    if not groups:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    for group in groups:
        network, drawn = _network(run, group, options)
        if network.layers:
            networks.append(network)
            figures += drawn
    if not networks:
        return Section(None, absent="No layer of this run's networks lies between input and prediction.")
    judged: list[Judged] = [
        Unjudged("dead_channels", "no layer lies between its input and its prediction", g.letter)
        for g in groups
        if not any(n.letter == g.letter for n in networks)
    ]
    judged += [
        one
        for g in groups
        for n in networks
        if n.letter == g.letter
        for one in of_network([_dead(run, g, n)], g.letter)
    ]
    return Section(Content(tuple(networks), len(run.probes)), tuple(figures), **told(judged))


def _dead(run: ExtractedRun, group: Group, network: Network) -> Judged:
    best = group.best.extraction
    rows = []
    for layer in network.layers:
        if layer.activity.dead is not None:
            shape = best.shape(layer.layer)
            values = shape[0] * int(np.prod(shape[1:-1]))
            rows.append(Rectified(layer.layer, len(layer.activity.dead), layer.activity.channels, values))
    return dead_channels(rows, network.checkpoint, network.letter, run.config.verdicts.dead_channels)


def _network(run: ExtractedRun, group: Group, options: SectionOptions) -> tuple[Network, list[Figure]]:
    best = group.best.extraction
    members = tuple(e for e in run.of_architecture(best.about.architecture) if e.predictions is not None)
    shown = spread(members, options.checkpoints, group.shown)
    names = [probe.label for probe in run.probes.probes]
    seen = [active(e, names) for e in shown]
    at_best = seen[[e.name for e in shown].index(best.name)]
    figures: list[Figure] = []
    few: list[Few] = []
    never: list[str] = []
    for state, value in STATES.items():
        counts = _counts(seen, value)
        rare = None if state == "zeros" else _rarest(state, counts, at_best, shown)
        if not counts or (rare and not rare.count):
            never += [state] if counts else []
        elif rare and rare.count <= RARE * rare.of:
            few.append(rare)
        elif len(shown) > 1:
            figures.append(_map(state, counts, seen, shown, len(members), group.letter, options.layers))
    last = shown[-1]
    return Network(
        group.letter, best.about.file, best.epoch, group.roles[best.name], at_best, dying(seen, shown),
        last.about.file, last.epoch, tuple(never), tuple(few), tuple(f.id for f in figures), len(shown), len(members),
        _only(at_best),
    ), figures  # fmt: skip


def _rarest(
    state: str, counts: dict[str, list[float | None]], layers: Sequence[Active], shown: Sequence[Extraction]
) -> Few | None:
    """Return the layer and checkpoint with the largest fraction of channels in a state."""
    channels = {a.layer: a.activity.channels for a in layers}
    found = [
        (n / channels[name], name, i)
        for name, line in counts.items()
        for i, n in enumerate(line)
        if n is not None and name in channels
    ]
    if not found:
        return None
    share, name, i = max(found, key=lambda f: f[0])
    count = round(share * channels[name])
    return Few(state, name, count, channels[name], shown[i].about.file, shown[i].epoch)


def _only(layers: Sequence[Active]) -> tuple[OneClass, ...]:
    names = {c.name: c.probes for a in layers for c in a.classes}
    if len(names) < 2:
        return ()
    return tuple(
        OneClass(
            name,
            probes,
            tuple(
                OnlyHere(a.layer, a.activity.channels, c.only)
                for a in layers
                for c in a.classes
                if c.name == name and c.only
            ),
        )
        for name, probes in names.items()
    )


def _size(channels: tuple[int, ...] | None) -> float | None:
    return None if channels is None else float(len(channels))


STATES: dict[str, Callable[[Active], float | None]] = {
    "dead": lambda a: _size(a.activity.dead),
    "constant": lambda a: _size(a.activity.constant),
    "dormant": lambda a: _size(a.activity.dormant),
    "saturated": lambda a: _size(a.activity.saturated),
    "zeros": lambda a: a.activity.apoz,
}
"""Number of channels in a state, and the fraction of zeros; None where a layer cannot be in it."""


def _counts(seen: Sequence[Sequence[Active]], value: Callable[[Active], float | None]) -> dict[str, list[float | None]]:
    """Return layer → its number at each checkpoint, of the layers that have any."""
    found: dict[str, list[float | None]] = {}
    for i, layers in enumerate(seen):
        for a in layers:
            found.setdefault(a.layer, [None] * len(seen))[i] = value(a)
    return {layer: line for layer, line in found.items() if any(n is not None for n in line)}


def _map(
    state: str,
    counts: dict[str, list[float | None]],
    seen: Sequence[Sequence[Active]],
    shown: Sequence[Extraction],
    of: int,
    letter: str,
    most: int,
) -> Figure:
    """Return layer × checkpoint: a share as the colour, a count or the share as the number."""
    channels = {a.layer: a.activity.channels for a in seen[0]}
    # With many layers the first and those with most to show: a sound layer's row says little.
    worst = sorted(counts, key=lambda name: -max(n or 0 for n in counts[name]))[:most]
    kept = [name for name in counts if name in worst]
    numbers = np.array([[np.nan if n is None else n for n in counts[name]] for name in kept])
    if state == "zeros":
        share, texts = numbers, [["–" if np.isnan(n) else f"{n:.2f}" for n in line] for line in numbers]
        bar = "fraction of zeros"
    else:
        share = numbers / np.array([[channels[name]] for name in kept])
        texts = [["–" if np.isnan(n) else f"{n:.0f}" if n else "" for n in line] for line in numbers]
        bar = f"fraction {state}"
    axis, words = labels(shown)
    rows = [f"{name if len(name) <= 20 else '…' + name[-19:]} ({channels[name]})" for name in kept]
    picture = heat(share, texts, rows, words, (0.0, 1.0), axis, bar)
    facts = {
        "state": state, "letter": letter, "layers": len(kept), "of_layers": len(counts), "shown": len(shown), "of": of,
        "missing": int(np.isnan(numbers).sum()),
    }  # fmt: skip
    data = {"rows": kept, "columns": [e.name for e in shown], "values": numbers.tolist()}
    return chart_figure(f"channels-{state}{'-' + letter if letter else ''}", picture, facts, data)
