"""The channels of a checkpoint over the whole probe set, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.diagnostics.activity import (
    Activity,
    ClassActivity,
    Participation,
    activity,
    by_class,
    participation,
)
from reportgen.extraction import Extraction, Layer
from reportgen.sections.activations import rectified


@dataclass(frozen=True)
class Active:
    """One layer at one checkpoint."""

    layer: str
    class_name: str
    function: str
    """Its activation function; linear for none."""
    unit: str
    """channel or unit: what it has several of."""
    activity: Activity
    participation: Participation
    classes: tuple[ClassActivity, ...]
    """By label; empty where the layer is not rectified, or no probe has one."""


def counted(extraction: Extraction) -> tuple[Layer, ...]:
    """Return the layers whose channels are counted, each channel once.

    Those with an activation function, and those with a kernel whose result goes on as it is. Normalisations, pooling
    and what hands on would count a channel again; outputs of the network are predictions.
    """
    readers: dict[str, list[Layer]] = {}
    for layer in extraction.layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    measured = set(extraction.measured)
    found = []
    for layer in extraction.layers:
        if layer.name not in measured or not _leads_on(layer.name, readers):
            continue
        kernel = any("kernel" in v for v in extraction.variables(layer.weights))
        finished = any("Normalization" in r.class_name or (r.activation != "linear" and not r.parameters)
                       for r in readers.get(layer.name, ()))  # fmt: skip
        if layer.activation not in ("linear", "softmax") or (kernel and not finished):
            found.append(layer)
    return tuple(found)


def _leads_on(name: str, readers: dict[str, list[Layer]]) -> bool:
    """Whether anything is computed from a layer that is no mere function of the output: else it is a prediction."""
    return any(r.parameters or r.class_name not in ("Activation", "Softmax", "ReLU") or _leads_on(r.name, readers)
               for r in readers.get(name, ()))  # fmt: skip


def active(extraction: Extraction, labels: Sequence[str | None]) -> tuple[Active, ...]:
    """Return the state of the channels of every counted layer; `labels` are those of the probes."""
    found = []
    for layer in counted(extraction):
        channels = extraction.channels(layer.name)
        positive = rectified(extraction, layer)
        found.append(
            Active(
                layer.name, layer.class_name, layer.activation,
                "channel" if len(extraction.shape(layer.name)) > 2 else "unit",
                activity(
                    channels.minimum, channels.maximum, channels.magnitude, channels.zeros, channels.saturated, positive
                ),
                participation(channels.mean),
                by_class(channels.maximum, labels) if positive else (),
            )
        )  # fmt: skip
    return tuple(found)
