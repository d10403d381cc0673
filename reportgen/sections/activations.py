"""How does the network see this galaxy?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.channels import NON_NEGATIVE, State, channel_states
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.figures import Figure, Limits, Mark, mosaic, moving
from reportgen.figures.mosaic import LABEL
from reportgen.sections.answering import Answering, answering
from reportgen.sections.chosen import Group, measured_groups, spread
from reportgen.sections.picked import kept_maps, picked_channels, picked_probes, shown_by
from reportgen.sections.section import Section
from reportgen.sections.task import asks_for_target
from reportgen.sections.thumbnails import as_displayed, as_inputs, contact_sheet, thumbnails

TITLE = "Activations: how it sees a galaxy"
QUESTION = "How does the network see this galaxy?"

SHARE = 0.6
"""Of report.html's size that feature maps may fill."""


class SectionOptions(Options):
    """Options of the activations section."""

    probes: tuple[str, ...] = ()
    """Ids of the probes shown here; by default the first of each label or group, at most `show`."""
    show: PositiveInt = 3
    """Probes shown where none are named. Every probe is on the checkpoint's own page."""
    channels: PositiveInt = 32
    """Channels shown of a layer that has more: those with the largest mean activation, the same before and after its
    activation function and pooling."""
    checkpoints: PositiveInt = 50
    """Checkpoints the maps of report.html move through, at most: evenly, the first, the best and the last always.
    Fewer where report.html would become larger than `report.megabytes`."""
    limits: Literal["layer", "map"] = "layer"
    """layer: one range for all channels of a layer, by probe. map: each map its own range; flagged in the caption."""


@dataclass(frozen=True)
class Dead:
    """How many channels of a layer do nothing, at one checkpoint."""

    layer: str
    class_name: str
    checkpoint: str
    epoch: int | None
    dead: tuple[int, ...]
    constant: tuple[int, ...]
    of: int
    rectified: bool
    """Whether the layer's output is rectified, so that dead has a meaning."""
    own: bool
    """Whether it is the rectifier itself, and no layer behind it that keeps zeros zero."""

    @property
    def counts(self) -> bool:
        """Whether its channels count as the network's: layers behind a rectifier only repeat its channels."""
        return self.rectified and self.own


@dataclass(frozen=True)
class Seen:
    """One probe and the figures that belong to it."""

    probe: str
    label: str
    target: float | None
    image: str
    """Figure of the probe itself."""
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """One architecture at its best checkpoint."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    epoch: int | None
    role: str
    dead: tuple[Dead, ...]
    """Layer by layer, at the first, the best and the last checkpoint."""
    seen: tuple[Seen, ...]
    answering: tuple[Answering, ...]
    """What the probes shown do to the last layer with maps; none without one."""
    not_drawn: tuple[str, ...]
    """Measured layers that are not drawn: normalisations, and those whose output is no image."""
    moments: int = 1
    """Checkpoints the figures move through in report.html."""
    of_moments: int = 1
    """Checkpoints that were measured; all have a page of their own."""
    kept_small: bool = False
    """Whether moments are left out to keep report.html small."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    probes: int
    """Probes measured."""
    stored: int
    """Probes whose feature maps are kept: those alone can be shown."""
    no_room: bool
    """Whether they are fewer than probes.shown asks for, because the maps are large."""
    each: int
    """Size of the feature maps of one probe [byte]."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Tile the feature maps of each layer for a few probes at the best checkpoint, and count the dead channels."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    for group in measured:
        e = group.best.extraction
        probes = picked_probes(run, shown_by(group.members), options.probes, options.show)
        tiled, seen = feature_maps(run, e, probes, options) if maps_of(e) else ((), ())
        at, small = _moments(run, group, tiled, options, len(measured))
        figures += _moving(run, e, at, tiled, probes, options)
        networks.append(
            Network(
                group.letter, e.about.file, e.epoch, group.roles[e.name],
                tuple(row for x in group.shown for row in dead_channels(x)), seen,
                answering(run, e, probes),
                tuple(name for name in e.measured if name not in {layer.name for layer in drawn(e)}),
                len(at), len(group.members), small,
            )
        )  # fmt: skip
    if not figures:
        return Section(None, absent="No layer of this run's networks gives a map: there is nothing to tile.")
    return Section(
        Content(tuple(networks), len(run.probes), *kept_maps(run, [group.best.extraction for group in measured])),
        tuple(figures),
    )


def _moments(
    run: ExtractedRun, group: Group, drawn_at_best: Sequence[Figure], options: SectionOptions, networks: int
) -> tuple[tuple[Extraction, ...], bool]:
    """Return the checkpoints the maps move through, and whether the size of report.html is what limits them.

    Maps of another checkpoint are about as large as those of the best.
    """
    budget = SHARE * run.config.report.megabytes * 1e6 / networks
    once = sum(4 / 3 * len(placed.picture.data) for figure in drawn_at_best for placed in figure.placed)
    fitting = max(1, int(budget / max(once, 1)))
    wanted = min(options.checkpoints, len(group.members))
    if fitting == 1 < wanted:
        return (group.best.extraction,), True
    keep = group.shown if fitting >= len(group.shown) else (group.best.extraction,)
    return spread(group.members, min(wanted, fitting), keep), fitting < wanted


def _moving(
    run: ExtractedRun,
    best: Extraction,
    at: Sequence[Extraction],
    tiled: Sequence[Figure],
    probes: Sequence[int],
    options: SectionOptions,
) -> list[Figure]:
    """Return the figures of the best checkpoint, those of layers moving through the checkpoints `at`."""
    series = {e.name: tiled if e is best else feature_maps(run, e, probes, options)[0] for e in at}
    if any(len(figures) != len(tiled) for figures in series.values()):
        return list(tiled)  # a checkpoint whose measurement lacks a layer
    return [
        moving({name: figures[i] for name, figures in series.items()}, best.name) if "layer" in figure.facts else figure
        for i, figure in enumerate(tiled)
    ]  # fmt: skip


def maps_of(extraction: Extraction) -> tuple[str, ...]:
    """Return the names of the measured layers whose output is a stack of maps."""
    return tuple(name for name in extraction.measured if len(extraction.shape(name)) == 4)


def drawn(extraction: Extraction) -> tuple[Layer, ...]:
    """Return the layers whose maps are shown: all but normalisations, which only rescale the maps before them."""
    layers = (extraction.layer(name) for name in maps_of(extraction))
    return tuple(layer for layer in layers if "Normalization" not in layer.class_name)


def states(extraction: Extraction, layer: Layer) -> list[State]:
    """Return the state of each channel of a layer over the whole probe set."""
    channels = extraction.channels(layer.name)
    return channel_states(channels.minimum, channels.maximum, rectified(extraction, layer))


def dead_channels(extraction: Extraction) -> tuple[Dead, ...]:
    """Count dead and constant channels of every layer with maps."""
    rows = []
    for layer in drawn(extraction):
        name = layer.name
        state = states(extraction, layer)
        rows.append(
            Dead(
                name, layer.class_name, extraction.about.file, extraction.epoch,
                tuple(i for i, s in enumerate(state) if s == "dead"),
                tuple(i for i, s in enumerate(state) if s == "constant"), len(state),
                rectified(extraction, layer), layer.activation in NON_NEGATIVE,
            )
        )  # fmt: skip
    return tuple(rows)


def rectified(extraction: Extraction, layer: Layer) -> bool:
    """Whether the output is that of a rectifier, seen through layers that keep zeros zero."""
    if layer.activation in NON_NEGATIVE:
        return True
    through = "Pooling" in layer.class_name or layer.class_name.startswith(("UpSampling", "ZeroPadding", "Cropping"))
    through = through or "Dropout" in layer.class_name
    return through and len(layer.inputs) == 1 and rectified(extraction, extraction.layer(layer.inputs[0]))


def feature_maps(
    run: ExtractedRun, extraction: Extraction, probes: Sequence[int], options: SectionOptions
) -> tuple[tuple[Figure, ...], tuple[Seen, ...]]:
    """Return the mosaics of every layer with maps for the chosen probes, and each probe's picture before them."""
    figures: list[Figure] = []
    seen: list[Seen] = []
    targets = asks_for_target(run)
    layers = drawn(extraction)
    marks = {layer.name: states(extraction, layer) for layer in layers}
    kept = picked_channels(extraction, layers, options.channels)
    pictures = thumbnails(run.probes, run.config.probes.display, probes)
    for p, picture in zip(probes, pictures, strict=True):
        probe = run.probes.probes[p]
        inputs = as_inputs(run.probes, p)
        sheet = [picture, *inputs.values()][:4]
        width, height, placed, labels = contact_sheet(sheet, [()] * len(sheet), columns=4)
        facts = {
            "probe": probe.id, "channel": run.probes.channels[0], "channels": len(run.probes.channels),
            "inputs": list(inputs)[1 : len(sheet) - 1],
        }  # fmt: skip
        image = Figure(f"probe-{extraction.name}-{p}", facts, width * len(sheet) / 4, height - LABEL, placed, labels)
        own = [_mosaic(run, extraction, layer, p, marks[layer.name], kept[layer.name], options) for layer in layers]
        figures += [image, *own]
        seen.append(
            Seen(probe.id, probe.label or "", probe.target if targets else None, image.id, tuple(f.id for f in own))
        )
    return tuple(figures), tuple(seen)


def _mosaic(
    run: ExtractedRun,
    extraction: Extraction,
    layer: Layer,
    probe: int,
    state: list[State],
    kept: Sequence[int],
    options: SectionOptions,
) -> Figure:
    maps = as_displayed(run.probes.probes[probe], extraction.maps(layer.name, probe))
    count = maps.shape[-1]
    channels = extraction.channels(layer.name)
    order = np.array(kept) if count > len(kept) else np.arange(count)
    maps = maps[..., order]
    # Signed or not is a property of the layer; the range is that of this probe, or a bright star would hide all others.
    limits = Limits.of(maps, "signed" if np.nanmin(channels.minimum) < 0 else "magnitude")
    if options.limits == "map":
        peak = np.maximum(np.abs(maps).max(axis=(0, 1), keepdims=True), np.finfo(np.float32).tiny)
        maps, limits = maps / peak, Limits(limits.scale, -1.0 if limits.scale == "signed" else 0.0, 1.0)
    flat = np.ptp(maps, axis=(0, 1)) == 0
    labels, marks = [], []
    for tile, channel in enumerate(order.tolist()):
        mark: Mark = state[channel]
        word = mark or ("zero" if flat[tile] and maps[0, 0, tile] == 0 else "flat" if flat[tile] else "")
        labels.append(f"{channel} {word}".strip())
        marks.append(mark)
    width, height, placed, words = mosaic(
        maps, limits, labels, marks, names=[f"channel {channel}" for channel in order.tolist()]
    )
    facts = {
        "layer": layer.name, "class_name": layer.class_name, "activation": layer.activation,
        "checkpoint": extraction.about.file, "epoch": extraction.epoch, "probe": run.probes.probes[probe].id,
        "shown": len(order), "of": count, "size": maps.shape[:2], "low": limits.low, "high": limits.high,
        "limits": options.limits, "dead": sum(s == "dead" for s in state),
        "constant": sum(s == "constant" for s in state), "probes": len(run.probes),
    }  # fmt: skip
    place = extraction.layers.index(layer)
    return Figure(f"maps-{extraction.name}-{probe}-{place}", facts, width, height, placed, words, limits.bar())
