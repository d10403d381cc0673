"""What is this network?"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reportgen.diagnostics.drift import learned
from reportgen.diagnostics.geometry import Reach, multiply_adds, receptive_field
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.figures import Figure
from reportgen.figures.diagram import MANY, diagram
from reportgen.sections.chosen import groups
from reportgen.sections.section import NoOptions, Section

TITLE = "The network"
QUESTION = "What is this network?"
SectionOptions = NoOptions


@dataclass(frozen=True)
class Row:
    """One layer as a line of the table."""

    name: str
    class_name: str
    activation: str
    """Empty for none."""
    geometry: str
    """Kernel or pool size, strides, dilation, padding, where it has any."""
    output_shape: tuple[int | None, ...]
    parameters: int
    multiply_adds: int | None
    """Of one image; None where the output size is not fixed."""
    receptive_field: tuple[int, int] | None
    """(y, x) [pixel]; None behind inputs that are no images."""
    trainable: bool | None
    inputs: tuple[str, ...]
    """The layers before it, where these are not just the line above."""


@dataclass(frozen=True)
class Group:
    """The checkpoints that share one architecture."""

    letter: str
    """A, B, …; empty with only one group."""
    signature: str
    checkpoints: tuple[str, ...]
    rows: tuple[Row, ...]
    parameters: int
    trainable: int | None
    """Parameters that gradients move, in layers the file calls trainable; None where it does not say."""
    moving: int
    """Parameters that no gradient moves: moving means and variances."""
    multiply_adds: int | None
    figure: str
    """Id of its diagram."""
    problem: str
    """Why the network could not be run, so that output sizes are not known; empty where it was."""
    notes: tuple[str, ...]
    """What to know of how its checkpoints were opened."""


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    groups: tuple[Group, ...]


def build(run: ExtractedRun, options: NoOptions) -> Section:
    """List the layers of each architecture in the run and draw it."""
    found, figures = [], []
    for i, family in enumerate(groups(run)):
        signature = family.best.extraction.about.architecture
        members = run.of_architecture(signature)
        measured = next((e for e in members if e.predictions is not None), next(iter(members), None))
        if measured is None:
            continue
        rows = _rows(run, measured)
        costs = [r.multiply_adds for r in rows]
        flags = [layer.trainable for layer in measured.layers if layer.parameters]
        trainable = None
        if flags and all(flag is not None for flag in flags):
            trainable = sum(layer.parameters - _moving(measured, layer) for layer in measured.layers if layer.trainable)
        id = f"architecture-{i}"
        found.append(
            Group(
                family.letter, signature, tuple(e.name for e in members), rows,
                sum(r.parameters for r in rows), trainable, sum(_moving(measured, x) for x in measured.layers),
                None if any(c is None for c in costs) else sum(c or 0 for c in costs), id,
                "" if measured.predictions is not None else measured.about.problem,
                tuple(dict.fromkeys(note for e in members for note in e.notes)),
            )
        )  # fmt: skip
        width, height, boxes, labels = diagram(
            [(r.name, r.class_name, r.output_shape) for r in rows],
            [layer.inputs for layer in measured.layers],
        )
        facts = {"layers": len(rows), "letter": family.letter, "numbered": len(rows) > MANY}
        figures.append(Figure(id, facts, width, height, (), labels, boxes=boxes))
    if not found:
        return Section(None, absent="No checkpoint of this run holds a network that could be rebuilt.")
    return Section(Content(tuple(found)), tuple(figures))


def _moving(extraction: Extraction, layer: Layer) -> int:
    """Return how many of a layer's parameters no gradient moves."""
    if not layer.parameters or layer.weights not in extraction.weighted:
        return 0
    arrays = extraction.arrays(layer.weights)
    held = {name: a for name, a in arrays.items() if a.dtype.kind == "f"}
    return min(layer.parameters, sum(a.size for a in held.values()) - learned(held).size)


def _rows(run: ExtractedRun, extraction: Extraction) -> tuple[Row, ...]:
    y, x, _ = run.probes.input_shape
    wholes: dict[str, tuple[int, int]] = {}
    reaches: dict[str, Reach] = {}
    rows = []
    before, ran = "", extraction.predictions is not None
    for layer in extraction.layers:
        sees = [reaches[name] for name in layer.inputs if name in reaches]
        of_inputs = [wholes[name] for name in layer.inputs if name in wholes]
        if layer.class_name == "InputLayer" and len(layer.output_shape) == 3:  # one of several may have its own size
            of_inputs = [(layer.output_shape[0] or y, layer.output_shape[1] or x)]
        wholes[layer.name] = max(of_inputs, default=(y, x))
        reach = receptive_field(layer.class_name, layer.config, sees, wholes[layer.name])
        reaches[layer.name] = reach
        arrays = extraction.arrays(layer.weights) if layer.weights in extraction.weighted else {}
        before_shape = extraction.layer(layer.inputs[0]).output_shape if layer.inputs else ()
        kernels = [int(math.prod(a.shape)) for name, a in arrays.items() if "kernel" in name]
        rows.append(
            Row(
                layer.name, layer.class_name, "" if layer.activation == "linear" else layer.activation,
                _geometry(layer.config), layer.output_shape, layer.parameters,
                multiply_adds(layer.class_name, layer.output_shape, kernels, before_shape) if ran else None,
                reach.field if len(layer.output_shape) == 3 or (not ran and "Conv" in layer.class_name) else None,
                layer.trainable,
                () if layer.inputs in ((), (before,)) else layer.inputs,
            )
        )  # fmt: skip
        before = layer.name
    return tuple(rows)


def _geometry(config: dict[str, object]) -> str:
    words = []
    if size := config.get("kernel_size") or config.get("pool_size"):
        words.append(_times(size))
    for key, word in (("strides", "stride"), ("dilation_rate", "dilation")):
        value = config.get(key)
        if value and _times(value) not in {"1", "1 × 1"} and value != config.get("pool_size"):
            words.append(f"{word} {_times(value)}")
    if words and config.get("padding"):
        words.append(str(config["padding"]))
    return ", ".join(words)


def _times(value: object) -> str:
    return " × ".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
