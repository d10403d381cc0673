"""What is this channel for?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.selectivity import ALPHA
from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure
from reportgen.sections.chosen import Group, measured_groups
from reportgen.sections.confounders import Column, columns, without_morphology
from reportgen.sections.exciting import rows_of_probes
from reportgen.sections.fluxes import flux_verdict
from reportgen.sections.responses import Pooling, Responses, own_layers, responses
from reportgen.sections.section import Section, of_network, told
from reportgen.sections.stand_ins import StandIn, stand_ins, told_of
from reportgen.sections.task import task_of
from reportgen.sections.tested import Channel, Tested, tested

TITLE = "Selectivity: what a channel is for"
QUESTION = "What is this channel for?"


class SectionOptions(Options):
    """Options of the selectivity section."""

    response: Pooling = "max"
    """What a channel responds to a probe: the largest or the mean activation over its map."""
    layers: PositiveInt = 3
    """Layers drawn, evenly through the network; every layer is in the table."""
    channels: PositiveInt = 4
    """Channels drawn of a layer: the most selective."""
    morphology: NonNegativeInt = 64
    """Probes whose concentration, asymmetry, Gini and M20 are measured, evenly through the set: 0.4 s each; 0: none."""


@dataclass(frozen=True)
class LayerRow:
    """One layer as a line of the table."""

    layer: str
    class_name: str
    of: int
    tested: int
    """Channels that vary over the probes, and were tested."""
    selective: int
    """Of them, those with q of at most ALPHA."""
    best: Channel | None
    """The most selective, by effect."""
    confounded: int
    """Channels that follow a confounder more than the class or the target, with q of at most ALPHA."""
    confounder: str
    """The one that most of these follow."""


@dataclass(frozen=True)
class ColumnRow:
    """One possible confounder."""

    name: str
    source: str
    n: int


@dataclass(frozen=True)
class Network:
    """The channels of one architecture, at its best checkpoint."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    epoch: int | None
    test: str
    """class, target, or empty where nothing is known of the probes."""
    classes: tuple[str, ...]
    n: int
    """Probes with a label or a target."""
    least_p: float | None
    """The smallest p-value so many probes can give."""
    least_q: float | None
    """The smallest q-value of a single channel that so many probes and tests can give."""
    tried: int
    """Channels that vary over the probes, and were tested."""
    selective: int
    """Channels that tell the class or the target, of all layers."""
    confounded: int
    """Channels that follow another number more closely."""
    confounder: str
    """The number more of these follow than any other."""
    by_confounder: int
    """How many follow it."""
    tests: int
    """That were corrected for together."""
    problem: str
    """Why the channels could not be tested; empty where they were."""
    layers: tuple[LayerRow, ...]
    channels: tuple[Channel, ...]
    """Every channel of every layer."""
    compared: int
    """Probes in the comparison with the columns."""
    known: str
    """What is taken out of the comparison of the answer with the columns: label, target or nothing."""
    stand_ins: tuple[StandIn, ...]
    """The columns against the answer itself, the nearest first; none of several classes."""
    suspects: tuple[StandIn, ...]
    """Of these the columns of the catalogue that the answer follows."""
    figures: tuple[str, ...]
    """Ids."""
    not_drawn: tuple[str, ...]
    """Layers that are in the table only."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    probes: int
    response: Pooling
    alpha: float
    columns: tuple[ColumnRow, ...]
    without_morphology: str
    """Why concentration, asymmetry, Gini and M20 are missing; empty where they are not."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Find for the channels of each network what excites them, and what they tell."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    if len(run.probes) < 2:
        return Section(None, absent="With one probe there is nothing a channel could tell apart.")
    known = columns(run, options.morphology)
    networks: list[Network] = []
    figures: list[Figure] = []
    for group in measured:
        layers = [responses(group.best.extraction, x, options.response) for x in own_layers(group.best.extraction)]
        if not layers:
            continue
        network, drawn = _network(run, group, layers, known, options)
        networks.append(network)
        figures += drawn
    if not networks:
        return Section(None, absent="No network of this run has a layer between the image and its answer.")
    rows = tuple(ColumnRow(c.name, c.source, c.n) for c in known)
    content = Content(
        tuple(networks), len(run.probes), options.response, ALPHA, rows, without_morphology(options.morphology)
    )
    judged = [
        one for group in measured
        for one in of_network([flux_verdict(run, group.best.extraction, known)], group.letter)
    ]  # fmt: skip
    return Section(content, tuple(figures), **told(judged))


def _network(
    run: ExtractedRun, group: Group, layers: Sequence[Responses], known: Sequence[Column], options: SectionOptions
) -> tuple[Network, list[Figure]]:
    e = group.best.extraction
    result = tested(run, e, layers, known)
    drawn = _spread(layers, options.layers)
    figures = []
    for one in drawn:
        own = _ranked([c for c in result.channels if c.layer == one.layer.name])
        if own:
            figures.append(rows_of_probes(run, e, one, own[: options.channels], result, options.response))
    shown = {figure.facts["layer"] for figure in figures}
    answered = told_of(run, e, task_of(run, e))
    follows = stand_ins(answered, known) if answered else ()
    rivals = [c.confounder for c in result.channels if c.confounded]
    rival = max(dict.fromkeys(rivals), key=rivals.count, default="")
    return Network(
        group.letter, e.about.file, e.epoch, result.test, result.classes, result.n, result.least_p,
        None if result.least_p is None else min(1.0, result.least_p * max(1, result.tests)),
        sum(c.effect is not None for c in result.channels), sum(c.selective for c in result.channels), len(rivals),
        rival, rivals.count(rival), result.tests, result.problem, tuple(_row(one, result) for one in layers),
        result.channels, result.compared, answered.known if answered else "nothing", follows,
        tuple(s for s in follows if s.source == "catalogue" and s.followed), tuple(f.id for f in figures),
        tuple(one.layer.name for one in layers if one.layer.name not in shown),
    ), figures  # fmt: skip


def _row(one: Responses, result: Tested) -> LayerRow:
    own = [c for c in result.channels if c.layer == one.layer.name]
    found = [c for c in own if c.effect is not None]
    confounded = [c.confounder for c in own if c.confounded]
    return LayerRow(
        one.layer.name, one.layer.class_name, one.values.shape[1], len(found),
        sum(c.selective for c in found), _ranked(found)[0] if found else None, len(confounded),
        max(dict.fromkeys(confounded), key=confounded.count, default=""),
    )  # fmt: skip


def _ranked(channels: list[Channel]) -> list[Channel]:
    """Return channels that vary, the strongest effect first; without a test the largest spread first."""
    varying = [c for c in channels if c.spread > 0]
    return sorted(varying, key=lambda c: (-(c.strength or 0), -c.spread if c.strength is None else 0, c.channel))


def _spread(layers: Sequence[Responses], most: int) -> list[Responses]:
    """Return layers with maps evenly from the first to the last, or vectors where there are none with maps."""
    candidates = [x for x in layers if x.maps] or list(layers)
    places = np.linspace(0, len(candidates) - 1, min(most, len(candidates))).round().astype(int)
    return [candidates[i] for i in dict.fromkeys(places.tolist())]
