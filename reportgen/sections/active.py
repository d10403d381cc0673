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


@dataclass(frozen=True)
class Silent:
    """How many channels and units are zero on every probe, of those that could be: the rectified ones."""

    dead: int
    of: int
    """Channels of layers with maps."""
    dead_units: int
    units: int
    """Of layers that give vectors."""

    @property
    def fraction(self) -> float | None:
        """Of both together; None where there is none to count."""
        total = self.of + self.units
        return (self.dead + self.dead_units) / total if total else None


def silent(extraction: Extraction) -> Silent:
    """Count the dead of the same layers as `active` does, so that every section says the same number."""
    counts = [0, 0, 0, 0]
    for layer in counted(extraction):
        if not rectified(extraction, layer):
            continue
        channels = extraction.channels(layer.name)
        found = activity(
            channels.minimum, channels.maximum, channels.magnitude, channels.zeros, channels.saturated, True
        )
        place = 0 if len(extraction.shape(layer.name)) > 2 else 2
        counts[place] += len(found.dead or ())
        counts[place + 1] += found.channels
    return Silent(*counts)
