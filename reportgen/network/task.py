"""What the network process is asked: the probes once, then one checkpoint after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.reading import Reading
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.extraction.measurement import Measurement
from reportgen.network.choose import Ways, network_for
from reportgen.network.engine import start_tensorflow
from reportgen.network.network import Network
from reportgen.network.user_model import described, user_model

if TYPE_CHECKING:
    from reportgen.network.live import LiveNetwork

_networks: dict[str, Network | LiveNetwork] = {}
"""Those built in this process, by signature."""
_inputs: dict[str, NDArray[np.generic]] = {}
_ways: list[Ways] = []


@dataclass(frozen=True)
class Measured:
    """A checkpoint's measurement, and its weights as they are to be written."""

    measurement: Measurement
    shown: StoredModel | None
    """Under the names of a live network's layers; None where those of the reading hold."""


def prepare(inputs: dict[str, NDArray[np.generic]], ways: Ways) -> None:
    """Start TensorFlow and keep the prepared probes, `(probe, …)` for each input, and how networks are opened."""
    start_tensorflow()
    _inputs.update(inputs)
    _ways[:] = [ways]


def measure(reading: Reading, checkpoint: Checkpoint) -> Measured:
    """Return activations and predictions of the probes under a checkpoint's weights.

    Raises NetworkError where its network cannot be built or run.
    """
    network = _networks.get(reading.signature)
    if network is None:
        shapes = {name: array.shape[1:] for name, array in _inputs.items()}
        network = network_for(reading.stored, shapes, _ways[0], checkpoint.path, checkpoint.format, reading.graph)
        _networks[reading.signature] = network
    if isinstance(network, Network):
        return Measured(network.measure(reading.stored, _inputs), None)
    (alone,) = _inputs.values()
    return Measured(network.measure(reading.stored, alone), network.named(reading.stored))


def describe() -> dict[str, Any] | None:
    """Return the description of the user's own model, as a file would hold it; None for one that has none."""
    model = _ways[0].model
    return None if model is None else described(user_model(model, _ways[0].base))
