"""What the checkpoints of a run say about the network: its input, its output, how it was trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reportgen.checkpoints import find_run, read_checkpoint, read_graph
from reportgen.checkpoints.graph import Call, Graph
from reportgen.checkpoints.run import Checkpoint, Run
from reportgen.checkpoints.stored import StoredModel
from reportgen.config import RunConfig
from reportgen.errors import ReportgenError
from reportgen.isolation import Children

RESCALING = {"Rescaling", "Normalization"}
"""Layers that do the scaling inside the network, where they come first."""
Shape = tuple[int | None, ...] | None
ACTIVATIONS = {"Softmax": "softmax", "ReLU": "relu"}


@dataclass(frozen=True)
class Network:
    """One network, as far as its file describes it."""

    file: str
    """The checkpoint that was read."""
    inputs: dict[str, Shape]
    """Shape of each input, without the batch axis; None where it is not known."""
    picture: str
    """The input that gets the image: the first that takes a picture, else the first."""
    outputs: tuple[str, ...]
    units: int | None
    """Numbers the network returns for one image."""
    activation: str
    """Of the output; empty where it is not known."""
    loss: str
    scaled_by: str
    """The first layer, where that is one that scales its input."""

    @property
    def shape(self) -> Shape:
        """Return the shape of the input that gets the image."""
        return self.inputs.get(self.picture)


def read_run(path: Path) -> tuple[Run, Network | None]:
    """Find the checkpoints of a run and describe the network of the last that can be read.

    Raises NothingToReport where there is no checkpoint; returns no network where no file describes one.
    """
    with Children() as children:
        run = find_run(RunConfig(path=path), Path(), children.reader.call)
        for checkpoint in reversed(run.checkpoints):
            try:
                return run, children.reader.call(describe_file, checkpoint, size=checkpoint.size)
            except ReportgenError:
                continue
    return run, None


def describe_file(checkpoint: Checkpoint) -> Network:
    """Return what a checkpoint says of its network; raises CheckpointError where it says nothing."""
    stored = read_checkpoint(checkpoint)
    return describe(read_graph(stored), stored, checkpoint.file)


def describe(graph: Graph, stored: StoredModel, file: str) -> Network:
    """Return what matters for the preparation and for the meaning of the outputs."""
    shapes = {call.layer: call.config.get("shape") for call in graph.inputs}
    inputs = {name: None if shape is None else tuple(shape) for name, shape in shapes.items()}
    first = next((call for call in graph.calls if call.kind != "input"), None)
    last = graph.calls[graph.outputs[0].call] if len(graph.outputs) == 1 else None
    activation = _activation(last) if last else ""
    while last is not None and "units" not in last.config and "filters" not in last.config and last.inputs:
        last = graph.calls[last.inputs[0].call]
    units = last.config.get("units", last.config.get("filters")) if last else None
    return Network(
        file=file,
        inputs=inputs,
        picture=next((name for name, shape in inputs.items() if shape and len(shape) > 1), next(iter(inputs), "")),
        outputs=graph.output_names,
        units=units if isinstance(units, int) else None,
        activation=activation,
        loss=stored.loss,
        scaled_by=first.class_name if first and first.class_name in RESCALING else "",
    )


def shape_in_words(shape: Shape) -> str:
    """Return 100 × 100 × 1."""
    return "unknown" if shape is None else " × ".join(str(n or "any") for n in shape) or "one number"


def _activation(call: Call) -> str:
    written = call.config.get("activation")
    return written if isinstance(written, str) else ACTIVATIONS.get(call.class_name, "linear")
