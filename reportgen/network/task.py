"""What the network process is asked: the probes once, then one checkpoint after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reportgen.checkpoints.reading import Reading
from reportgen.extraction.measurement import Measurement
from reportgen.network.engine import start_tensorflow
from reportgen.network.network import Network, open_network

_networks: dict[str, Network] = {}
"""Those built in this process, by signature."""
_inputs: list[NDArray[np.generic]] = []


def prepare(inputs: NDArray[np.generic]) -> None:
    """Start TensorFlow and keep the prepared probes, `(probe, …)`."""
    start_tensorflow()
    _inputs[:] = [inputs]


def measure(reading: Reading) -> Measurement:
    """Return activations and predictions of the probes under a checkpoint's weights.

    Raises NetworkError where its network cannot be built or run.
    """
    if reading.signature not in _networks:
        _networks[reading.signature] = open_network(reading.stored, _inputs[0].shape[1:], reading.graph)
    return _networks[reading.signature].measure(reading.stored, _inputs[0])
