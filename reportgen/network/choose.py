"""Which of the ways a network is opened: rebuilt from its description, by the user's code, or on trust by Keras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError, NotBuiltIn
from reportgen.network.engine import WAYS_OUT, start_tensorflow
from reportgen.network.network import Network, open_network
from reportgen.network.trusted import load_trusted
from reportgen.network.user_model import user_model

if TYPE_CHECKING:
    from reportgen.network.live import LiveNetwork


def network_for(
    graph: Graph | None,
    stored: StoredModel,
    input_shape: tuple[int, ...],
    model_spec: str | None,
    base: Path,
    trust: bool,
    path: Path,
    format: str,
) -> Network | LiveNetwork:
    """Return the network of a checkpoint: rebuilt safely where it can be, else by the user's code, else on trust.

    `graph` is that of `read_graph(stored)`, None where it raises CheckpointError; `model_spec` and `trust` are
    run.model and run.trust, `path` and `format` those of the checkpoint. Raises NetworkError; one that
    says what stopped the safe way, and the ways out, where none but that was open.
    """
    try:
        if graph is None and stored.config is None and model_spec is not None:
            raise NotBuiltIn("the file holds weights alone")
        return open_network(stored, input_shape)
    except NotBuiltIn as error:
        stopped: NetworkError = error
    except NetworkError as error:
        if graph is not None:  # it could be rebuilt, but does not fit: no other way would
            raise
        stopped = error
    start_tensorflow()
    from reportgen.network.live import open_live

    if model_spec is not None:
        return open_live(user_model(model_spec, base), stored, input_shape)
    if trust and stored.config is not None:
        return open_live(load_trusted(path, format), stored, input_shape)
    advice = WAYS_OUT if stored.config is not None else f"{stopped.advice} Or give run.model: your_file.py:build_model."
    raise NotBuiltIn(
        stopped.problem, where=stopped.where, expected=stopped.expected, received=stopped.received, advice=advice
    ) from stopped
