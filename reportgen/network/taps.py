"""Listening to every layer of a live model while its forward pass is traced; the model is left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from reportgen.checkpoints.cleaning import clean
from reportgen.checkpoints.graph import Call
from reportgen.errors import CheckpointError
from reportgen.network.engine import KerasLayer, Tensor
from reportgen.network.head import _ENDS_IN_ACTIVATION, _PURE
from reportgen.network.stand_ins import AdaptedNormalization
from reportgen.network.sublayers import Live
from reportgen.network.words import activation_of, hands_on

_PASSING = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "ExpandDims", "StopGradient"})
_FUNCTIONS = {
    "Sigmoid": "sigmoid", "Softmax": "softmax", "Tanh": "tanh", "Relu": "relu", "Relu6": "relu6", "Elu": "elu",
    "Selu": "selu", "Softplus": "softplus", "Softsign": "softsign",
}  # fmt: skip
"""TensorFlow's operations that are an activation function and nothing else."""
_LINEAR = frozenset({"BiasAdd", "MatMul", "BatchMatMulV2", "Conv1D", "Conv2D", "Conv3D", "Einsum", "Mean"})


@dataclass(frozen=True)
class Tapped:
    """One call of one layer, as it was traced."""

    name: str
    """`conv1 (call 2)` for a second call."""
    live: Live
    call: Call
    """Class and options, in the words of the layer table."""
    given: tuple[Tensor, ...]
    results: tuple[Tensor, ...]
    """Tensors only, in the order of the structure they stand in."""
    before: Tensor
    """What its activation function was applied to; None where there is none, or it cannot be had."""


@dataclass
class Taps:
    """The calls of a model's layers, in the order in which they ended."""

    names: Mapping[int, str]
    """id of a Live → display name, for the layers to listen to."""
    calls: list[Tapped] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    hidden: dict[int, None] = field(default_factory=dict)
    """ids of the layers whose results cannot be handed out: those inside loops and functions of TensorFlow."""

    @contextmanager
    def listening(self, lives: list[Live]) -> Iterator[None]:
        """Put a function in the place of each layer's `call`, on the instance alone; taken away again at the end."""
        placed: list[tuple[KerasLayer, Any]] = []  # with what the user may have put there
        graph = tf.compat.v1.get_default_graph()
        try:
            for live in lives:
                hook = self._hook(live, graph)
                placed.append((live.layer, vars(live.layer).get("call")))
                object.__setattr__(live.layer, "call", hook)
            yield
        finally:
            for layer, own in placed:
                if own is not None:
                    object.__setattr__(layer, "call", own)
                else:
                    object.__delattr__(layer, "call")

    def _hook(self, live: Live, graph: Any) -> Callable[..., Any]:
        """Return the function that stands for a layer's `call` and remembers what goes in and out."""
        layer, original = live.layer, live.layer.call
        if type(layer) is keras.layers.Normalization and layer.input_mean is None:
            # Keras' own becomes a constant of the trace, and would stay so under the next checkpoint's weights.
            original = AdaptedNormalization.call.__get__(layer)

        def call(*args: Any, **kwargs: Any) -> Any:
            before: list[Tensor] = []
            with _recorded_activation(layer, before):
                outputs = original(*args, **kwargs)
            # A tensor of its own for each call: layers that hand on what they get return their very input.
            outputs = keras.tree.map_structure(lambda t: _own(t) if _is_tensor(t, graph) else t, outputs)
            results = tuple(t for t in keras.tree.flatten(outputs) if _is_tensor(t, graph))
            if not results:
                self.hidden[id(live)] = None
            else:
                number = self.counts[id(live)] = self.counts.get(id(live), 0) + 1
                name = self.names[id(live)]
                self.calls.append(Tapped(
                    f"{name} (call {number})" if number > 1 else name, live, _described(layer, name),
                    tuple(t for t in keras.tree.flatten((args, kwargs)) if _is_tensor(t, graph)), results,
                    before[0] if len(before) == 1 and _is_tensor(before[0], graph) else None,
                ))  # fmt: skip
            return outputs

        return call


def origins(tensors: tuple[Tensor, ...], known: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the nearest known tensors that these were computed from, in order, each once."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(reversed(tensors))
    while waiting:
        tensor = waiting.pop()
        if tensor.name in known:
            found[known[tensor.name]] = None
        elif tensor.name not in seen:
            seen.add(tensor.name)
            waiting.extend(reversed(tensor.op.inputs))
    return tuple(found)


def find_scores(prediction: Tensor, calls: list[Tapped]) -> tuple[str, Tensor]:
    """Return the last activation function and the tensor before it, None where that cannot truthfully be had."""
    ended = {tensor.name: call for call in calls for tensor in call.results}
    tensor = prediction
    while True:
        call = ended.get(tensor.name)
        if call is not None and call.live.leaf and _built_in(call.live.layer) and not hands_on(call.call):
            function = activation_of(call.call)
            if function == "linear":
                return function, prediction
            if call.call.class_name in _PURE and len(call.given) == 1:
                return function, call.given[0]
            return function, call.before
        if tensor.op.type in _FUNCTIONS:
            return _FUNCTIONS[tensor.op.type], tensor.op.inputs[0]
        if tensor.op.type in _LINEAR:
            return "linear", prediction
        if tensor.op.type not in _PASSING:
            return "unknown", None
        tensor = tensor.op.inputs[0]


def _described(layer: KerasLayer, name: str) -> Call:
    """Return a layer's class and options as a Call; a custom layer need not know its own."""
    class_name = type(layer).__name__
    try:
        options = clean(class_name, keras.saving.serialize_keras_object(layer)["config"])
    except (NotImplementedError, CheckpointError, TypeError, ValueError, KeyError, AttributeError):
        options = {}
    if not _built_in(layer):  # what its options mean is known to its own code alone
        options = {key: value for key, value in options.items() if "activation" not in key}
    return Call(name, name, class_name, "layer", options, trainable=bool(layer.trainable))


@contextmanager
def _recorded_activation(layer: KerasLayer, before: list[Tensor]) -> Iterator[None]:
    """Remember what a layer that ends in an activation function applies it to."""
    own = vars(layer).get("activation")
    if not (_built_in(layer) and callable(own) and type(layer).__name__.startswith(_ENDS_IN_ACTIVATION)):
        yield
        return

    def recording(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        before.append(x)
        return own(x, *args, **kwargs)

    object.__setattr__(layer, "activation", recording)
    try:
        yield
    finally:
        object.__setattr__(layer, "activation", own)


def _built_in(layer: KerasLayer) -> bool:
    return type(layer).__module__.startswith("keras.")


def _is_tensor(value: Any, graph: Any) -> bool:
    """Return whether a value is a dense tensor of numbers in this graph."""
    if not isinstance(value, tf.Tensor) or getattr(value, "graph", None) is not graph:
        return False
    return bool(value.dtype.is_floating or value.dtype.is_integer or value.dtype.is_bool)


def _own(tensor: Tensor) -> Tensor:
    """Return the same as a tensor of its own, with the mask Keras ties to it."""
    own = tf.identity(tensor)
    mask = getattr(tensor, "_keras_mask", None)
    if mask is not None:
        own._keras_mask = mask
    return own
