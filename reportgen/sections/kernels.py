"""What does the network look for?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.composition import Composition, by_chance, composition
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.figures import Figure, Limits, Mark, mosaic, moving
from reportgen.sections.activations import states
from reportgen.sections.chosen import Group, groups, spread
from reportgen.sections.section import Section

TITLE = "Weights: what it looks for"
QUESTION = "What does the network look for?"


BEYOND = (2.0, 0.02)
"""Times what random weights have of a part, and how much more, from which on a layer is said to look for it."""


class SectionOptions(Options):
    """Options of the kernels section."""

    strongest: PositiveInt = 48
    """Kernels shown of a layer that has more, those with the largest L2 norm."""
    layers: PositiveInt = 6
    """Layers shown; the rest are counted."""
    checkpoints: PositiveInt = 50
    """Checkpoints the figures of report.html move through, evenly; the first, the best and the last always."""


@dataclass(frozen=True)
class Kernels:
    """One figure's place in the text."""

    layer: str
    figure: str


@dataclass(frozen=True)
class MadeOf:
    """What the kernels of one layer that looks at the image are made of."""

    layer: str
    kernels: int
    bands: int
    found: Composition
    chance: Composition
    """What random weights are made of."""
    beyond: tuple[str, ...]
    """Parts that are more than what random weights have by BEYOND, the largest excess first."""


@dataclass(frozen=True)
class Network:
    """The kernels of one architecture."""

    letter: str
    """A, B, …; empty with only one."""
    checkpoint: str
    epoch: int | None
    made_of: tuple[MadeOf, ...]
    """The layers that look at the image itself, at the best checkpoint."""
    first: tuple[Kernels, ...]
    """The layers that look at the image itself; on paper at the first, the best and the last checkpoint."""
    deeper: tuple[Kernels, ...]
    """The others; on paper at the best checkpoint."""
    not_shown: tuple[str, ...]
    """Layers with kernels that are not drawn: beyond the limit, or without a picture (dense layers on features)."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Draw the kernels as signed maps, with a range shared within a layer."""
    figures: list[Figure] = []
    networks = [_network(run, group, options, figures) for group in groups(run) if group.best.extraction.layers]
    if not networks:
        absent = "No network could be rebuilt, so it is not known what each weight belongs to."
        return Section(None, absent=absent)
    if not figures:
        return Section(None, absent="No layer here has a kernel that can be drawn as an image.")
    return Section(Content(tuple(networks)), tuple(figures))


def _network(run: ExtractedRun, group: Group, options: SectionOptions, figures: list[Figure]) -> Network:
    """Return one architecture's layers with kernels, adding their figures to `figures`."""
    reference = group.best.extraction
    first: list[Kernels] = []
    deeper: list[Kernels] = []
    left: list[str] = []
    made_of: list[MadeOf] = []
    drawn: set[str] = set()
    for layer in reference.layers:
        if layer.weights in drawn or not any("kernel" in v for v in reference.variables(layer.weights)):
            continue
        drawn.add(layer.weights)
        at_image = sees_image(reference, layer)
        if at_image and (found := _made_of(run, reference, layer)):
            made_of.append(found)
        made: dict[str, Figure] = {}
        if len({k.layer for k in [*first, *deeper]}) < options.layers:
            for e in spread(group.members, options.checkpoints, group.shown):
                role = group.roles.get(e.name, "")
                figure = _figure(run, e, layer, at_image, options.strongest, role) if layer in e.layers else None
                made |= {e.name: figure} if figure else {}
        if reference.name not in made:
            left.append(layer.name)
            continue
        figures.append(moving(made, reference.name, list(group.roles) if at_image else ()))
        (first if at_image else deeper).append(Kernels(layer.name, figures[-1].id))
    about = reference.about
    return Network(
        group.letter, about.file, reference.epoch, tuple(made_of), tuple(first), tuple(deeper), tuple(left)
    )  # fmt: skip


def _made_of(run: ExtractedRun, extraction: Extraction, layer: Layer) -> MadeOf | None:
    """Return what a layer's kernels are made of, seen as images; None where they are none."""
    stored = extraction.arrays(layer.weights).get("kernel")
    if stored is None:
        return None
    kernel = outputs_last(stored.astype(np.float32), layer)
    shape, _ = comes_in(run, extraction, layer)
    if kernel.ndim == 2 and len(shape) == 3 and kernel.shape[0] == np.prod(shape):
        kernel = kernel.reshape(*shape, kernel.shape[1])
    found = composition(kernel) if kernel.ndim == 4 and kernel.shape[0] * kernel.shape[1] > 1 else None
    if found is None:
        return None
    chance = by_chance(kernel.shape[0] * kernel.shape[1], kernel.shape[2])
    times, more = BEYOND
    random = asdict(chance)
    excess = {
        name: share / random[name]
        for name, share in asdict(found).items()
        if random[name] > 0 and share >= times * random[name] and share - random[name] >= more
    }
    beyond = tuple(sorted(excess, key=lambda name: -excess[name]))
    return MadeOf(layer.name, kernel.shape[3], kernel.shape[2], found, chance, beyond)


def sees_image(extraction: Extraction, layer: Layer) -> bool:
    """Whether nothing with weights, and no pooling, lies between the image and this layer."""
    names = list(layer.inputs)
    while names:
        before = extraction.layer(names.pop())
        weighted = before.parameters and before.class_name != "Normalization"
        if weighted or "Pool" in before.class_name or len(before.inputs) > 1:
            return False
        names += before.inputs
    return True


def _figure(
    run: ExtractedRun, extraction: Extraction, layer: Layer, sees_image: bool, strongest: int, role: str
) -> Figure | None:
    """Return the kernels of a layer as an image, or None where they are none."""
    stored = extraction.arrays(layer.weights).get("kernel")
    if stored is None:
        return None  # separable: two arrays, neither of which is what the layer looks for
    kernel = outputs_last(stored.astype(np.float32), layer)
    shape, channels = comes_in(run, extraction, layer)
    if kernel.ndim == 2 and sees_image and len(shape) == 3 and kernel.shape[0] == np.prod(shape):
        maps, labels, facts = _dense_as_image(kernel, shape, channels, strongest)
        columns: int | None = min(4, max(2, maps.shape[-1]))
    elif kernel.ndim == 4 and kernel.shape[0] * kernel.shape[1] > 1:
        names = channels if sees_image and kernel.shape[2] == len(channels) else ()
        maps, labels, facts = _slices(kernel, names, strongest)
        bands = kernel.shape[2]
        columns = (16 // bands) * bands if names and 1 < bands <= 8 else None
    else:
        return None
    if all(probe.metadata.get("row_0") == "bottom" for probe in run.probes.probes):
        maps = maps[::-1]  # turned as the pictures are
    limits = Limits.of(kernel, "signed")
    marks = _dead_marks(extraction, layer, facts.pop("output_of"))
    facts["dead"] = marks.count("dead")
    width, height, placed, words = mosaic(
        maps, limits, labels, marks, columns, [label if "unit" in label else f"kernel {label}" for label in labels]
    )
    facts |= {
        "layer": layer.name, "checkpoint": extraction.about.file, "epoch": extraction.epoch, "role": role,
        "limit": limits.high, "size": kernel.shape[:2] if kernel.ndim == 4 else shape[:2],
    }  # fmt: skip
    place = extraction.layers.index(layer)
    return Figure(f"kernels-{place}-{extraction.name}", facts, width, height, placed, words, limits.bar())


def outputs_last(kernel: NDArray[np.float32], layer: Layer) -> NDArray[np.float32]:
    """Return a kernel over pixels as `(y, x, input, output)`, a depthwise one with a single input.

    A transposed convolution is stored with its outputs first, a depthwise one with (channel, multiplier).
    """
    if kernel.ndim == 4 and layer.class_name.endswith("Transpose"):
        return np.moveaxis(kernel, -2, -1)
    if kernel.ndim == 4 and layer.class_name.startswith("Depthwise"):
        return kernel.reshape(*kernel.shape[:2], 1, -1)
    return kernel


def slice_name(place: int, inputs: int) -> str:
    """Return input channel→output channel of a slice, counted output by output; →output where there is one input."""
    return f"{place % inputs}→{place // inputs}" if inputs > 1 else f"→{place}"


def comes_in(run: ExtractedRun, extraction: Extraction, layer: Layer) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the shape and the channels of what comes into a network at the input a layer's first tensor comes from."""
    while layer.inputs:
        layer = extraction.layer(layer.inputs[0])
    other = run.probes.others.get(layer.name)
    return (other.shape, other.channels) if other else (run.probes.input_shape, run.probes.channels)


def _dense_as_image(
    kernel: NDArray[np.float32], shape: tuple[int, ...], channels: tuple[str, ...], most: int
) -> tuple[NDArray[np.float32], list[str], dict[str, Any]]:
    units = kernel.shape[1]
    images = kernel.reshape(*shape, units)
    maps = images.transpose(0, 1, 3, 2).reshape(*shape[:2], -1)
    several = len(channels) > 1
    labels = [f"unit {u} {c}" if several else f"unit {u}" for u in range(units) for c in channels]
    facts = {
        "output_of": [u for u in range(units) for _ in channels][:most],
        "kind": "dense",
        "of": maps.shape[-1],
        "shown": min(maps.shape[-1], most),
        "units": units,
    }
    return maps[..., :most], labels[:most], facts


def _slices(
    kernel: NDArray[np.float32], bands: tuple[str, ...], strongest: int
) -> tuple[NDArray[np.float32], list[str], dict[str, Any]]:
    """Return slices `(y, x, slice)` of a kernel `(y, x, in, out)`: every kernel band by band, or the strongest."""
    y, x, inputs, outputs = kernel.shape
    maps = kernel.transpose(0, 1, 3, 2).reshape(y, x, -1)
    count = maps.shape[-1]
    facts = {"kind": "bands" if bands else "slices", "inputs": inputs, "outputs": outputs, "of": count}
    facts["bands"] = list(bands)
    if bands and count <= 4 * strongest:
        labels = [f"{o} {b}" if len(bands) > 1 else f"{o}" for o in range(outputs) for b in bands]
        return maps, labels, facts | {"shown": count, "output_of": [o for o in range(outputs) for _ in bands]}
    norms = np.sqrt((maps.astype(np.float64) ** 2).sum(axis=(0, 1)))
    order = np.argsort(-np.nan_to_num(norms), kind="stable")[:strongest]
    labels = [slice_name(i, inputs) for i in order.tolist()]
    return maps[..., order], labels, facts | {"shown": len(order), "output_of": (order // inputs).tolist()}


def _dead_marks(extraction: Extraction, layer: Layer, outputs: list[int]) -> list[Mark]:
    """Return which tiles belong to an output channel that is dead on all probes: nothing reads what they find."""
    if layer.name not in extraction.measured or len(extraction.shape(layer.name)) != 4:
        return [""] * len(outputs)
    state = states(extraction, layer)
    return ["dead" if state[output] == "dead" else "" for output in outputs]
