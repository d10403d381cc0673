"""One checkpoint read whole: what the two halves of the pipeline need of it, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reportgen.checkpoints.architecture import read_graph
from reportgen.checkpoints.examine import last_change
from reportgen.checkpoints.formats import parts_of, read_checkpoint
from reportgen.checkpoints.graph import Graph, graph_signature
from reportgen.checkpoints.renaming import renamed
from reportgen.checkpoints.run import Checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import CheckpointError


@dataclass(frozen=True)
class Reading:
    """A checkpoint as read."""

    stored: StoredModel
    """Under the names in the file."""
    shown: StoredModel
    """Under the names of the first checkpoint of the same architecture; the arrays are the same."""
    signature: str
    """`architecture_signature`: equal ones are comparable layer by layer."""
    graph: Graph | None
    """The architecture whose names `shown` has; None where there is none."""
    own: tuple[str, ...] = ()
    """Names of the calls in the file itself."""


def read_whole(checkpoint: Checkpoint, firsts: Mapping[str, Graph]) -> Reading:
    """Read a checkpoint; `firsts` holds the graph of the first one of each signature.

    Raises CheckpointError where it cannot be read, or is no longer the file that was found.
    """
    try:
        stored = read_checkpoint(checkpoint)
    finally:
        _still_the_same(checkpoint)
    try:
        graph = read_graph(stored)
    except CheckpointError:  # weights alone: there are only the names in the file
        return Reading(stored, stored, graph_signature(None, stored), None)
    signature = graph_signature(graph, stored)
    first = firsts.get(signature, graph)
    return Reading(stored, renamed(stored, graph, first), signature, first, tuple(call.name for call in graph.calls))


def _still_the_same(checkpoint: Checkpoint) -> None:
    """Refuse a file that was changed since it was hashed: what was read of it is neither the old nor the new one."""
    if checkpoint.modified and last_change(parts_of(checkpoint.path, checkpoint.format)) != checkpoint.modified:
        raise CheckpointError(
            "the file was changed while the report was made",
            where=checkpoint.file,
            expected="a finished checkpoint",
            advice="Is the training still running? Run again when it has written this file.",
        )
