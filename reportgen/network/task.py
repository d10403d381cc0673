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
_inputs: dict[str, NDArray[np.generic]] = {}
_prediction: list[str | None] = [None]
"""Name of the output that is the prediction, where it was said."""


def prepare(inputs: dict[str, NDArray[np.generic]], prediction: str | None) -> None:
    """Start TensorFlow and keep the prepared probes, `(probe, …)` for each input, and which output is the answer."""
    start_tensorflow()
    _inputs.update(inputs)
    _prediction[:] = [prediction]


def measure(reading: Reading) -> Measurement:
    """Return activations and predictions of the probes under a checkpoint's weights.

    Raises NetworkError where its network cannot be built or run.
    """
    if reading.signature not in _networks:
        shapes = {name: array.shape[1:] for name, array in _inputs.items()}
        _networks[reading.signature] = open_network(reading.stored, shapes, reading.graph, _prediction[0])
    return _networks[reading.signature].measure(reading.stored, _inputs)
