"""From a Graph to one flat functional Keras model whose outputs are the results of all its calls."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
from tensorflow.errors import OpError

from reportgen.checkpoints.graph import Call, Graph, Ref
from reportgen.checkpoints.stored import StoredModel
from reportgen.errors import NetworkError
from reportgen.network.allocate import FromFile, only_what_is_stored
from reportgen.network.engine import KerasLayer, Option, Tensor
from reportgen.network.functions import call_function
from reportgen.network.head import Head
from reportgen.network.inputs import Fit
from reportgen.network.layers import COPYING, make_activation, make_layer
from reportgen.network.wording import in_words

ACTIVATION_LIMIT = 2**27
"""Numbers in the results of all layers for one image: 512 MiB."""


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


def build(graph: Graph, stored: StoredModel, fits: Sequence[Fit], head: Head) -> Built:
    """Return the network of a graph, every layer under a neutral name; `fits` are those of its inputs in order.

    Nothing is allocated that the stored arrays do not have the size of. Raises NetworkError naming the layer.
    """
    check_copies(graph, stored)
    arrays = {layer.name: layer for layer in stored.layers}
    initials = {call.layer: FromFile(arrays.get(call.layer)) for call in graph.calls}
    layers: dict[str, KerasLayer] = {}
    results: list[list[Tensor]] = []
    inputs: list[Tensor] = []
    scores = None
    numbers = 0
    for number, call in enumerate(graph.calls):
        if call.kind == "input":
            tensor = _input(call, number, fits[len(inputs)])
            inputs.append(tensor)
            results.append([tensor])
            continue
        linear = number == head.call and head.split
        result = _call(call, number, graph.era, layers, initials, results, linear=linear)
        if number == head.call:
            scores = result if linear else results[head.before.call][head.before.output] if head.before else result
        if linear:
            result = make_activation(call.config["activation"], call.name, graph.era)(result)
        listed = list(result) if isinstance(result, list | tuple) else [result]
        shape = next((tuple(tensor.shape[1:]) for tensor in listed if 0 in tensor.shape[1:]), None)
        if shape is not None:
            raise NetworkError(
                f"layer {call.name} ({call.class_name}) gives {shape}: no number at all",
                where=call.name,
                expected="at least one number for each image",
                advice="Is the input size that of the training? Otherwise the architecture in the file is damaged.",
            )
        numbers += sum(math.prod(size or 1 for size in tensor.shape[1:]) for tensor in listed)
        if numbers > ACTIVATION_LIMIT:
            raise NetworkError(
                f"with layer {call.name}, which gives {tuple(listed[0].shape[1:])}, the results for one image "
                f"come to {numbers:,} numbers",
                where=call.name,
                expected=f"at most {ACTIVATION_LIMIT:,} in all layers together",
                advice="Is the input size that of the training? Otherwise the architecture in the file is damaged.",
            )
        results.append(listed)
    return Built(layers, tuple(results), scores, tuple(inputs))


def _input(call: Call, number: int, fit: Fit) -> Tensor:
    """Return the symbolic input."""
    try:
        return keras.Input(shape=fit.shape, dtype=call.config["dtype"], name=f"L{number:05d}")
    except (ValueError, TypeError) as error:
        raise NetworkError(
            f"the input {call.name} cannot be made", where=call.name, received=in_words(error)
        ) from error


def check_copies(graph: Graph, stored: StoredModel) -> None:
    """Raise NetworkError where a layer made of layers asks for sizes that none of its arrays has.

    Their inner layers are made by Keras itself, so that their sizes are held against the file beforehand.
    """
    dims = {layer.name: {n for v in layer.variables for n in v.value.shape} for layer in stored.layers}
    for call in graph.calls:
        if call.kind != "layer" or call.class_name not in COPYING:
            continue
        known = dims.get(call.layer, set())
        # Recurrent layers hold three or four gates side by side.
        fitting = {size // gates for size in known for gates in (1, 3, 4) if size % gates == 0}
        for key, number in _sizes(call.config):
            if number not in fitting:
                raise NetworkError(
                    f"layer {call.name} ({call.class_name}): {number} {key} in the architecture fit none of its arrays",
                    where=call.name,
                    expected=f"one of {sorted(known)}",
                    received=str(number),
                    advice="The file's weights are not those of its architecture.",
                )


def _sizes(config: dict[str, Option]) -> Iterator[tuple[str, int]]:
    """Yield the sizes a layer and those inside it are told to have."""
    for key, value in config.items():
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            yield from _sizes(value["config"])
        elif key == "cells" and isinstance(value, list):
            for number, cell in enumerate(value):
                yield from _sizes({str(number): cell})
        elif key in {"units", "filters", "num_heads", "key_dim", "value_dim", "output_dim"} and type(value) is int:
            yield key, value


def _call(
    call: Call,
    number: int,
    era: int,
    layers: dict[str, KerasLayer],
    initials: dict[str, FromFile],
    results: list[list[Tensor]],
    *,
    linear: bool,
) -> Tensor:
    """Return the symbolic result of one call; the layer is made at its first."""
    args, kwargs = _tensors(call.args, results), _tensors(call.kwargs, results)
    try:
        if call.kind == "function":
            return call_function(call.class_name, args, kwargs, call.config, call.name)
        if call.layer not in layers:
            config = {**call.config, "activation": "linear"} if linear else call.config
            layers[call.layer] = make_layer(
                call.class_name, config, name=f"L{number:05d}", shown=call.layer, era=era, initial=initials[call.layer]
            )
        if call.class_name not in COPYING:
            return layers[call.layer](*args, **kwargs)
        with only_what_is_stored(initials[call.layer].stored):
            return layers[call.layer](*args, **kwargs)
    except _FOREIGN as error:
        if refused := initials[call.layer].error(call.name):
            raise refused from error
        shapes = ", ".join(str(tuple(results[r.call][r.output].shape[1:])) for r in call.inputs)
        raise NetworkError(
            f"layer {call.name} ({call.class_name}) does not take an input of {shapes or 'this kind'}",
            where=call.name,
            received=in_words(error),
            advice="Is the input size that of the training? Otherwise the architecture in the file is damaged.",
        ) from error


def _tensors(value: Option, results: list[list[Tensor]]) -> Option:
    """Return arguments with the symbolic results in the place of the Refs."""
    if isinstance(value, Ref):
        return results[value.call][value.output]
    if isinstance(value, dict):
        return {key: _tensors(item, results) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_tensors(item, results) for item in value)
    return value
