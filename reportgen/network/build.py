"""From a Graph to one flat functional Keras model whose outputs are the results of all its calls."""

from __future__ import annotations

import math
from dataclasses import dataclass

import keras
from tensorflow.errors import OpError

from reportgen.checkpoints.graph import Call, Graph, Ref
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer, Option, Tensor
from reportgen.network.functions import call_function
from reportgen.network.head import Head
from reportgen.network.inputs import Fit
from reportgen.network.layers import make_activation, make_layer

ACTIVATION_LIMIT = 2**27
"""Numbers in one layer's result for one image."""
PARAMETER_LIMIT = 200_000_000
"""Numbers in the arrays of one layer."""


_FOREIGN = (
    ValueError, TypeError, AttributeError, IndexError, KeyError, RuntimeError, ArithmeticError, MemoryError, OpError,
)  # fmt: skip
"""What Keras and TensorFlow raise on inputs and options that do not fit."""


@dataclass(frozen=True)
class Built:
    """A network in Keras, with the way back to the calls of its Graph."""

    layers: dict[str, KerasLayer]
    """Layer's display name → the Keras layer, for each that was built."""
    results: tuple[list[Tensor], ...]
    """Symbolic results of each call."""
    scores: Tensor
    """Symbolic value before the last activation function, or None."""
    inputs: tuple[Tensor, ...]


def build(graph: Graph, stored: StoredModel, fit: Fit, head: Head) -> Built:
    """Return the network of a graph, every layer under a neutral name.

    Sizes are held against the stored arrays before anything is allocated. Raises NetworkError naming the layer.
    """
    check_sizes(graph, stored)
    layers: dict[str, KerasLayer] = {}
    results: list[list[Tensor]] = []
    inputs: list[Tensor] = []
    scores = None
    for number, call in enumerate(graph.calls):
        if call.kind == "input":
            tensor = _input(call, number, fit)
            inputs.append(tensor)
            results.append([tensor])
            continue
        linear = number == head.call and head.split
        result = _call(call, number, graph.era, layers, results, linear=linear)
        if number == head.call:
            scores = result if linear else results[head.before.call][head.before.output] if head.before else result
        if linear:
            result = make_activation(call.config["activation"], call.name, graph.era)(result)
        listed = list(result) if isinstance(result, list | tuple) else [result]
        for tensor in listed:
            if math.prod(size or 1 for size in tensor.shape[1:]) > ACTIVATION_LIMIT:
                raise NetworkError(
                    f"layer {call.name} gives {tuple(tensor.shape[1:])} numbers for one image",
                    where=call.name,
                    expected=f"at most {ACTIVATION_LIMIT:,}",
                )
        results.append(listed)
    return Built(layers, tuple(results), scores, tuple(inputs))


def _input(call: Call, number: int, fit: Fit) -> Tensor:
    """Return the symbolic input."""
    try:
        return keras.Input(shape=fit.shape, dtype=call.config["dtype"], name=f"L{number:05d}")
    except (ValueError, TypeError) as error:
        raise NetworkError(f"the input {call.name} cannot be made", where=call.name, received=str(error)) from error


def check_sizes(graph: Graph, stored: StoredModel) -> None:
    """Raise NetworkError where a layer's units or filters are no dimension of its stored arrays."""
    shapes = {layer.name: {n for v in layer.variables for n in v.value.shape} for layer in stored.layers}
    for call in graph.calls:
        for key in ("units", "filters"):
            units = call.config.get(key)
            if call.kind != "layer" or not isinstance(units, int) or ("kernel_size" in call.config and key == "units"):
                continue
            known = shapes.get(call.layer)
            if known is None:
                raise NetworkError(
                    f"layer {call.name} ({call.class_name}) has no arrays in the file",
                    where=call.name,
                    expected=f"arrays of its {units} {key}",
                    advice="The file is not complete; was it saved whole?",
                )
            multiples = {known_size // n for known_size in known for n in (1, 3, 4) if known_size % n == 0}
            if units not in multiples:  # recurrent layers hold three or four gates side by side
                raise NetworkError(
                    f"layer {call.name}: {units} {key} in the architecture fit none of its arrays",
                    where=call.name,
                    expected=f"one of {sorted(known)}",
                    received=str(units),
                    advice="The file's weights are not those of its architecture.",
                )


def _call(
    call: Call, number: int, era: int, layers: dict[str, KerasLayer], results: list[list[Tensor]], *, linear: bool
) -> Tensor:
    """Return the symbolic result of one call; the layer is made at its first."""
    args, kwargs = _tensors(call.args, results), _tensors(call.kwargs, results)
    try:
        if call.kind == "function":
            return call_function(call.class_name, args, kwargs, call.config, call.name)
        if call.layer not in layers:
            config = {**call.config, "activation": "linear"} if linear else call.config
            layers[call.layer] = make_layer(call.class_name, config, name=f"L{number:05d}", shown=call.layer, era=era)
        result = layers[call.layer](*args, **kwargs)
    except _FOREIGN as error:
        shapes = ", ".join(str(tuple(results[r.call][r.output].shape[1:])) for r in call.inputs)
        raise NetworkError(
            f"layer {call.name} ({call.class_name}) does not take an input of {shapes or 'this kind'}",
            where=call.name,
            received=str(error),
            advice="Is the input size that of the training? Otherwise the architecture in the file is damaged.",
        ) from error
    count = layers[call.layer].count_params() if layers[call.layer].built else 0
    if count > PARAMETER_LIMIT:
        raise NetworkError(f"layer {call.name} has {count:,} parameters", expected=f"at most {PARAMETER_LIMIT:,}")
    return result


def _tensors(value: Option, results: list[list[Tensor]]) -> Option:
    """Return arguments with the symbolic results in the place of the Refs."""
    if isinstance(value, Ref):
        return results[value.call][value.output]
    if isinstance(value, dict):
        return {key: _tensors(item, results) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_tensors(item, results) for item in value)
    return value
