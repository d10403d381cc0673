"""Which of the ways a network is opened: rebuilt from its description, by the user's code, or on trust by Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.checkpoints.architecture import read_graph
from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError, NetworkError, NotBuiltIn
from reportgen.network.engine import WAYS_OUT, start_tensorflow
from reportgen.network.inputs import Shape
from reportgen.network.network import Network, open_network
from reportgen.network.trusted import load_trusted
from reportgen.network.user_model import user_model

if TYPE_CHECKING:
    from reportgen.network.live import LiveNetwork


@dataclass(frozen=True)
class Ways:
    """What the configuration says of how networks are opened."""

    model: str | None = None
    """run.model: the user's own code."""
    base: Path = Path()
    """Folder it is relative to."""
    trust: bool = False
    """run.trust: Keras may load a file itself."""
    prediction: str | None = None
    """task.prediction: the output that is the answer."""


def network_for(
    stored: StoredModel, shapes: Mapping[str, Shape], ways: Ways, path: Path, format: str, first: Graph | None = None
) -> Network | LiveNetwork:
    """Return the network of a checkpoint: rebuilt safely where it can be, else by the user's code, else on trust.

    `shapes` are those of the probes by input, `path` and `format` those of the checkpoint, `first` is the graph whose
    names count. Raises NetworkError; one that says what stopped the safe way, and the ways out, where none but that
    was open.
    """
    try:
        if stored.config is None and ways.model is not None:
            raise NotBuiltIn("the file holds weights alone")
        return open_network(stored, shapes, first, ways.prediction)
    except NotBuiltIn as error:
        stopped: NetworkError = error
    except NetworkError as error:
        if _is_described(stored):  # it could be rebuilt, but does not fit: no other way would
            raise
        stopped = error
    start_tensorflow()
    from reportgen.network.live import open_live

    alone = next(iter(shapes.values())) if len(shapes) == 1 else None
    trusted = ways.trust and stored.config is not None
    if alone is not None and ways.model is not None:
        try:
            return open_live(user_model(ways.model, ways.base), stored, alone)
        except NetworkError as error:  # in a mixed folder the user's code is that of other files
            if not trusted:
                raise _of_the_user(error, stopped, stored) from error
            wrong = _of_the_user(error, stopped, stored)
        try:
            return open_live(load_trusted(path, format), stored, alone)
        except NetworkError as error:
            problem = f"{wrong.problem}; and on trust: {error.problem}"
            raise NetworkError(
                problem, where=wrong.where, expected=wrong.expected, received=wrong.received, advice=wrong.advice
            ) from error
    if alone is not None and trusted:
        return open_live(load_trusted(path, format), stored, alone)
    advice = WAYS_OUT if stored.config is not None else f"{stopped.advice} Or give run.model: your_file.py:build_model."
    if alone is None:
        advice = "Networks of several inputs can only be rebuilt from their description."
    raise NotBuiltIn(
        stopped.problem, where=stopped.where, expected=stopped.expected, received=stopped.received, advice=advice
    ) from stopped


def _of_the_user(error: NetworkError, stopped: NetworkError, stored: StoredModel) -> NetworkError:
    """Return an error of the user's own network with the words whose network it was, and why it was tried."""
    why = "" if stored.config is None else f", because the file's own cannot be rebuilt: {stopped.problem}"
    told = f"{error.problem} (run.model was used{why})"
    return NetworkError(told, where=error.where, expected=error.expected, received=error.received, advice=error.advice)


def _is_described(stored: StoredModel) -> bool:
    """Return whether the file says how its network computes."""
    try:
        read_graph(stored)
    except CheckpointError:
        return False
    return True
