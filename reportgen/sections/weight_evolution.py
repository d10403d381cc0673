"""What did training change?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.drift import drift
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.figures import Figure, Limits, Row, chart_figure, filmstrip
from reportgen.figures.charts import lines
from reportgen.sections.chosen import Group, groups, labels, spread
from reportgen.sections.kernels import comes_in, outputs_last, sees_image, slice_name
from reportgen.sections.moved import LayerMoves, moves
from reportgen.sections.section import Section, Unjudged, of_network, told
from reportgen.sections.verdicts.weights import layer_unmoved

TITLE = "Evolution of the weights"
QUESTION = "What did training change?"


class SectionOptions(Options):
    """Options of the section on the evolution of weights."""

    checkpoints: PositiveInt = 24
    """Checkpoints compared, evenly; the first, the best and the last are always among them."""
    lines: PositiveInt = 6
    """Layers with a line in the charts: those whose kernels moved most. The table has all."""
    strips: PositiveInt = 2
    """Layers with a film strip: the first ones whose kernels can be drawn."""
    kernels: PositiveInt = 6
    """Kernels of a film strip, those with the largest L2 norm at the best checkpoint."""
    columns: PositiveInt = 8
    """Checkpoints of a film strip, evenly; the first, the best and the last are always among them."""


@dataclass(frozen=True)
class Network:
    """The way of one architecture's weights."""

    letter: str
    """A, B, …; empty with only one."""
    first: str
    first_epoch: int | None
    last: str
    last_epoch: int | None
    before_last: str
    """The checkpoint compared before the last one."""
    before_last_epoch: int | None
    layers: tuple[LayerMoves, ...]
    never_moved: tuple[LayerMoves, ...]
    most: LayerMoves | None
    """The layer that moved most for its size, of those with kernels where any has one; None where none moved."""
    least: LayerMoves | None
    """The one that moved least; None with fewer than two."""
    last_step: tuple[float, float] | None
    """The smallest and the largest relative distance of these layers in the last step."""
    figures: tuple[str, ...]
    compared: int
    """Checkpoints compared."""
    checkpoints: int
    """Checkpoints there are."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    alone: tuple[str, ...]
    """Files of networks with a single checkpoint, of which nothing can be said here."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Measure how far every layer moved, and draw the same kernels at one checkpoint after another."""
    networks: list[Network] = []
    figures: list[Figure] = []
    alone: list[str] = []
    for group in groups(run):
        members = run.of_architecture(group.best.extraction.about.architecture)
        if len(members) < 2:
            alone.append(members[0].about.file)
            continue
        network, drawn = _network(run, group, members, options)
        networks.append(network)
        figures += drawn
    if not networks:
        one = "There is one checkpoint only" if len(alone) == 1 else "No two checkpoints share an architecture"
        return Section(None, absent=f"{one if alone else 'No checkpoint could be read'}: nothing can be compared.")
    limits = run.config.verdicts.layer_unmoved
    judged = [one for n in networks for one in of_network([layer_unmoved(n.layers, n.first, n.last, limits)], n.letter)]
    judged += [
        Unjudged("layer_unmoved", "it has one checkpoint only", group.letter)
        for group in groups(run)
        if len(run.of_architecture(group.best.extraction.about.architecture)) < 2
    ]
    return Section(Content(tuple(networks), tuple(alone)), tuple(figures), **told(judged))


def _network(
    run: ExtractedRun, group: Group, members: Sequence[Extraction], options: SectionOptions
) -> tuple[Network, list[Figure]]:
    compared = spread(members, options.checkpoints, group.shown)
    layers = moves(compared)
    figures = _curves(layers, compared, len(members), group.letter, options.lines)
    figures += _strips(run, group, members, options)
    first, before, last = compared[0], compared[-2], compared[-1]
    return Network(
        group.letter, first.about.file, first.epoch, last.about.file, last.epoch, before.about.file, before.epoch,
        layers, tuple(m for m in layers if m.motion in ("frozen", "not learning", "still")), *_extremes(layers),
        tuple(f.id for f in figures), len(compared), len(members),
    ), figures  # fmt: skip


def _extremes(
    layers: Sequence[LayerMoves],
) -> tuple[LayerMoves | None, LayerMoves | None, tuple[float, float] | None]:
    """Return the layers that moved most and least, and how far these layers moved in the last step."""
    moved = [m for m in layers if m.motion == "moved" and m.from_first[-1].relative is not None]
    compared = [m for m in moved if m.kernel] or moved
    order = sorted(compared, key=lambda m: m.from_first[-1].relative or 0)
    steps = [d.relative for m in order for d in m.from_previous[-1:] if d.relative is not None]
    return (
        order[-1] if order else None,
        order[0] if len(order) > 1 else None,
        (min(steps), max(steps)) if steps else None,
    )


def _curves(
    layers: Sequence[LayerMoves], compared: Sequence[Extraction], of: int, letter: str, most: int
) -> list[Figure]:
    """Return distance from the first and from the previous checkpoint over checkpoints, a line a layer."""
    kernels = [m for m in layers if m.kernel and m.motion == "moved" and m.from_first[-1].relative is not None]
    strongest = sorted(kernels, key=lambda m: -(m.from_first[-1].relative or 0))[:most]
    kept = [m for m in kernels if m in strongest]
    if not kept:
        return []
    axis, _ = labels(compared)
    x = [float(e.epoch) for e in compared if e.epoch is not None] if axis == "epoch" else []
    x = x or [float(i) for i in range(1, len(compared) + 1)]
    x_label = axis if axis == "epoch" else "checkpoint, in the order of the run table"
    facts = {"lines": len(kept), "of_layers": len(kernels), "shown": len(compared), "of": of, "letter": letter}
    figures = []
    for id, y_label in (("first", "distance from the first"), ("previous", "distance from the one before")):
        series = {
            (m.layer if len(m.layer) <= 18 else "…" + m.layer[-17:]): [
                np.nan if d.relative is None else d.relative
                for d in (m.from_first if id == "first" else (m.from_first[0], *m.from_previous))
            ]
            for m in kept
        }
        start = 0 if id == "first" else 1
        series = {name: y[start:] for name, y in series.items()}
        # Zero has no place on a logarithmic axis: a layer that rests for a while has a gap there.
        log = id == "previous" and any(v > 0 for y in series.values() for v in y)
        drawn = {name: [v if v > 0 or not log else np.nan for v in y] for name, y in series.items()}
        picture = lines(x[start:], drawn, x_label, y_label, narrow=True, log=log)
        data = {"checkpoint": [e.name for e in compared[start:]], **series}
        name = f"moved-{id}{'-' + letter if letter else ''}"
        figures.append(chart_figure(name, picture, facts | {"from": id, "log": log}, data))
    return figures


def _strips(run: ExtractedRun, group: Group, members: Sequence[Extraction], options: SectionOptions) -> list[Figure]:
    """Return the film strips of the first layers whose kernels can be drawn."""
    best = group.best.extraction
    figures: list[Figure] = []
    shown = spread(members, options.columns, group.shown)
    done: set[str] = set()
    for layer in best.layers:
        if layer.weights in done or "kernel" not in best.variables(layer.weights):
            continue
        done.add(layer.weights)
        if len(figures) < options.strips and (figure := _strip(run, best, shown, members, layer, options.kernels)):
            figures.append(figure)
    return figures


def _strip(
    run: ExtractedRun, best: Extraction, shown: Sequence[Extraction], members: Sequence[Extraction], layer: Layer,
    most: int,
) -> Figure | None:  # fmt: skip
    first_layer = sees_image(best, layer)
    shape, channels = comes_in(run, best, layer)
    bands = channels if first_layer else ()
    states = []
    for extraction in shown:
        stored = extraction.arrays(layer.weights).get("kernel") if layer.weights in extraction.weighted else None
        if stored is None:
            return None
        image = _as_images(outputs_last(stored.astype(np.float32), layer), shape, first_layer)
        if image is None:
            return None
        states.append(image)
    if len({image.shape for image in states}) > 1:
        return None
    if all(probe.metadata.get("row_0") == "bottom" for probe in run.probes.probes):
        states = [image[::-1] for image in states]  # turned as the pictures are
    inputs = states[0].shape[2]
    whole = inputs == len(bands) and inputs <= 4
    # A tile of a deeper layer is one slice of a kernel, from one input channel to one output channel.
    states = states if whole else [s.transpose(0, 1, 3, 2).reshape(*s.shape[:2], 1, -1) for s in states]
    strength = np.nan_to_num(np.sqrt((states[shown.index(best)].astype(np.float64) ** 2).sum(axis=(0, 1, 2))))
    order = np.argsort(-strength, kind="stable")[:most].tolist()
    rows = []
    for i in order:
        moved = drift(states[0][..., i], states[-1][..., i])
        words = moved.problem or f"{moved.relative:.2f}, {'–' if moved.cosine is None else f'{moved.cosine:.2f}'}"
        name = f"kernel {i}" if whole else slice_name(i, inputs)
        tiles = [[state[:, :, band, i] for band in range(state.shape[2])] for state in states]
        rows.append(Row(name, tiles, words.replace("-", "−")))
    limits = Limits.of(np.stack([state[..., order] for state in states]), "signed")
    axis, words_of = labels(shown)
    heads = [(f"epoch {word}" if axis == "epoch" else word,) for word in words_of]
    width, height, placed, written = filmstrip(rows, heads, limits, "distance, cosine")
    facts = {
        "layer": layer.name, "whole": whole, "bands": list(bands) if whole else [], "size": states[0].shape[:2],
        "shown": len(order), "of": states[0].shape[-1], "checkpoints": len(shown), "of_checkpoints": len(members),
        "best": best.about.file, "limit": limits.high, "dense": layer.class_name == "Dense",
    }  # fmt: skip
    place = best.layers.index(layer)
    return Figure(f"strip-{place}-{best.name}", facts, width, height, placed, written, limits.bar())


def _as_images(kernel: NDArray[np.float32], shape: tuple[int, ...], first_layer: bool) -> NDArray[np.float32] | None:
    """Return a kernel as `(y, x, input, output)`; None where it is no image."""
    if kernel.ndim == 2 and first_layer and len(shape) == 3 and kernel.shape[0] == np.prod(shape):
        return kernel.reshape(*shape, kernel.shape[1])
    return kernel if kernel.ndim == 4 and kernel.shape[0] * kernel.shape[1] > 1 else None
