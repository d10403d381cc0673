"""The arrays of checkpoints into the variables of a network: paired by name once, by place while files are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportgen.checkpoints.architecture import architecture_signature, read_graph
from reportgen.checkpoints.arrays import ALIGNMENT
from reportgen.checkpoints.graph import Call, Graph
from reportgen.checkpoints.numbering import unnumbered
from reportgen.checkpoints.renaming import renamed
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError
from reportgen.network.assign import pair
from reportgen.network.engine import KerasLayer

LARGE = 4096
"""From this size on an array is not copied [byte]."""
AUTOMATIC = {"input", "input_layer"}
"""Names Keras gives to inputs, without their numbers."""


@dataclass(frozen=True)
class Paired:
    """A checkpoint whose arrays were paired by name."""

    like: tuple[Any, ...]
    """Its `_likeness`."""
    inputs: tuple[Call, ...]
    """The inputs under the names that are meant."""
    variables: tuple[Any, ...]
    """A Keras variable for each of its arrays, in the order of the file."""


class Pairing:
    """The variables of one network, and what the last checkpoint showed of whose array goes into which."""

    def __init__(self, signature: str, graph: Graph, layers: dict[str, KerasLayer]) -> None:
        self.signature, self.graph, self.layers = signature, graph, layers
        self.last: Paired | None = None

    def swap(self, stored: StoredModel) -> tuple[Call, ...]:
        """Put a checkpoint's arrays into the network, and return its inputs under the names that are meant.

        Raises NetworkError where the weights are not this network's: another architecture, a layer whose arrays do
        not fit, or arrays left over.
        """
        if self.last is None or self.last.like != _likeness(stored):
            self.last = None
            paired, whole = self._by_name(stored)
            if not whole:
                return paired.inputs
            self.last = paired
        arrays = (variable.value for layer in stored.layers for variable in layer.variables)
        for variable, array in zip(self.last.variables, arrays, strict=True):
            _put(variable, array)
        return self.last.inputs

    def _by_name(self, stored: StoredModel) -> tuple[Paired, bool]:
        """Return how a checkpoint's arrays are paired, every layer checked, and whether the places alone say it.

        They do not where one array goes into two variables; such arrays are put there at once.
        """
        if architecture_signature(stored) != self.signature:
            raise NetworkError("the checkpoint has another architecture", expected="open_network for it first")
        graph = read_graph(stored)
        arrays = {layer.name: layer.variables for layer in renamed(stored, graph, self.graph).layers}
        pairs = [found for name, layer in self.layers.items() for found in pair(layer, arrays.get(name, ()), name)]
        if extra := sorted(set(arrays) - set(self.layers)):
            raise NetworkError(
                f"the file has arrays of {', '.join(extra[:5])}, which the architecture does not use",
                expected="arrays of the layers of the architecture",
                advice="The file's weights are not those of its architecture; was it saved whole?",
            )
        listed = [id(variable.value) for layer in stored.layers for variable in layer.variables]
        owners = {id(array): variable for variable, array in pairs}
        whole = len(owners) == len(pairs) == len(listed) == len(set(listed))
        if not whole:
            for variable, array in pairs:
                _put(variable, array)
        variables = tuple(owners[number] for number in listed) if whole else ()
        return Paired(_likeness(stored), tuple(meant_inputs(graph, self.graph)), variables), whole


def meant_inputs(own: Graph, first: Graph) -> list[Call]:
    """Return the inputs under the names that are meant: the file's own, or where Keras made those the first file's.

    Names of inputs do not count as architecture.
    """
    return [
        theirs if unnumbered(mine.layer) in AUTOMATIC else mine
        for mine, theirs in zip(own.inputs, first.inputs, strict=True)
    ]


def _likeness(stored: StoredModel) -> tuple[Any, ...]:
    """Return what two files agree in whose arrays are paired alike: description, names and shapes, in their order."""
    names = [(layer.name, [(v.name, v.value.shape) for v in layer.variables]) for layer in stored.layers]
    return stored.config, stored.keras_version, names


def _put(variable: Any, array: Any) -> None:
    """Give a Keras variable its numbers; where no type has to be changed, past Keras, which copies them twice.

    A large array becomes the variable as it lies, without a copy: nothing writes to it from here on, and it stays
    alive with the variable.
    """
    if variable.dtype != array.dtype.name:
        variable.assign(array)
    elif array.nbytes >= LARGE and _as_it_lies(array):
        import tensorflow as tf

        value = tf.experimental.dlpack.from_dlpack(array.__dlpack__())
        tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=value)
    else:
        variable.value.assign(array, read_value=False)


def _as_it_lies(array: Any) -> bool:
    """Return whether TensorFlow can use an array where it is; it ends the process over one that begins elsewhere."""
    return bool(
        array.dtype.kind in "fiu"
        and array.flags.c_contiguous
        and array.flags.writeable
        and array.dtype.isnative
        and array.ctypes.data % ALIGNMENT == 0
    )
