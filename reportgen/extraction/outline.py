"""A layer table for checkpoints whose network could not be run: what the file says, without output shapes."""

from __future__ import annotations

from collections.abc import Iterator

from reportgen.checkpoints.graph import Graph
from reportgen.checkpoints.stored import StoredLayer, StoredModel
from reportgen.extraction.measurement import Layer

_BY_KERNEL = {2: "Dense", 3: "Conv1D", 4: "Conv2D", 5: "Conv3D"}
"""Class of a layer by the number of axes of its kernel."""


def outline(stored: StoredModel, graph: Graph | None) -> tuple[Layer, ...]:
    """Return one Layer a call of the graph; without a graph one a stored layer, its class told from its arrays.

    Output shapes are empty, and options those in the file.
    """
    sizes = {layer.name: sum(v.value.size for v in layer.variables) for layer in stored.layers}
    if graph is None:
        return tuple(_guessed(stored, sizes))
    seen: set[str] = set()
    table = []
    for call in graph.calls:
        activation = call.config.get("activation", "linear")
        table.append(
            Layer(
                name=call.name,
                weights=call.layer if call.layer in sizes else "",
                class_name=call.class_name,
                inputs=tuple(dict.fromkeys(graph.calls[ref.call].name for ref in call.inputs)),
                output_shape=(),
                parameters=0 if call.layer in seen else sizes.get(call.layer, 0),
                trainable=call.trainable,
                activation=activation if isinstance(activation, str) else "linear",
                config={key: call.config[key] for key in _SHOWN if call.config.get(key) is not None},
            )
        )
        seen.add(call.layer)
    return tuple(table)


_SHOWN = ("units", "filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "pool_size")


def _guessed(stored: StoredModel, sizes: dict[str, int]) -> Iterator[Layer]:
    """Yield a Layer for each stored one, each fed by the one before in the file as far as anybody knows."""
    before: tuple[str, ...] = ()
    for layer in stored.layers:
        kernel = next((v.value for v in layer.variables if v.name.rsplit("/", 1)[-1] == "kernel"), None)
        size = {} if kernel is None or kernel.ndim < 3 else {"kernel_size": list(kernel.shape[:-2])}
        yield Layer(layer.name, layer.name, _class_of(layer), before, (), sizes[layer.name], None, "linear", size)
        before = (layer.name,)


def _class_of(layer: StoredLayer) -> str:
    """Return the class of Keras that has such arrays; "arrays" where none is plain."""
    names = {variable.name.rsplit("/", 1)[-1]: variable.value for variable in layer.variables}
    if {"moving_mean", "moving_variance"} <= names.keys():
        return "BatchNormalization"
    if set(names) <= {"kernel", "bias"} and "kernel" in names:
        return _BY_KERNEL.get(names["kernel"].ndim, "arrays")
    return "arrays"
