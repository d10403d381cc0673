"""What the network room hands over for one checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.extraction.explained import Attribution, Stress


@dataclass(frozen=True)
class Layer:
    """One call of one layer, in the order of computation; nested models are flattened."""

    name: str
    """Unique; `backbone/conv1` inside a nested model, `conv1 (call 2)` for a second call of a shared layer."""
    weights: str
    """Name of the StoredLayer its arrays come from (the same for every call), or "" without arrays."""
    class_name: str
    """Conv2D, MaxPooling2D, …"""
    inputs: tuple[str, ...]
    """Names of the layers it takes its input from; an InputLayer takes none."""
    output_shape: tuple[int | None, ...]
    """Without the batch axis, channels last: `(y, x, channel)` or `(unit,)`."""
    parameters: int
    """Numbers in its arrays; 0 for a second call."""
    trainable: bool | None
    """What the file says; None where it does not."""
    activation: str
    """Function the layer applies to its result: relu, sigmoid, …; "linear" for none."""
    config: dict[str, Any] = field(default_factory=dict)
    """What bears on its arithmetic: kernel_size, strides, dilation_rate, padding, pool_size, groups, units, filters."""


@dataclass(frozen=True)
class Measurement:
    """One network on the whole probe set, in inference mode: dropout off, moving statistics of BatchNorm used."""

    layers: tuple[Layer, ...]
    activations: dict[str, NDArray[np.float32]]
    """Output of each layer that changes its input: `(probe, y, x, channel)`, `(probe, step, channel)` or
    `(probe, unit)`, always channels last; keys are names of `layers`. Of all probes, or of those in `shown`."""
    predictions: NDArray[np.float32]
    """Output of the network, `(probe, unit)`."""
    scores: NDArray[np.float32] | None
    """The same before the last activation function, `(probe, unit)`; None where it cannot be had."""
    output_activation: str
    """The last activation function: sigmoid, softmax, linear, …"""
    other_outputs: tuple[str, ...] = ()
    """Names of the outputs that `predictions` does not hold, where a network has several."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how the network was opened, a sentence each."""
    attribution: Attribution | None = None
    """None where it was not asked for at this checkpoint."""
    stress: Stress | None = None
    shown: NDArray[np.int64] | None = None
    """Places in the probe set of the probes whose activations these are, rising; None for all of them."""
    statistics: dict[str, dict[str, NDArray[np.generic]]] = field(default_factory=dict)
    """By layer, `channel_statistics` of all probes, and `place` (of the maxima) where not all maps are here; empty
    where they are still to be counted from the activations."""
    compared: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Places of the probes by which layers are compared, where not all maps are here."""
    grams: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    """By layer with maps, the Gram matrix of these, `(compared, compared)`, each feature centred."""
