"""Where the prediction is made: the last activation function and the value it is applied to."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.checkpoints.graph import Call, Graph, Ref
from reportgen.network.words import activation_of, hands_on

_ENDS_IN_ACTIVATION = ("Dense", "EinsumDense", "Conv", "SeparableConv", "DepthwiseConv", "Convolution")
"""Beginnings of classes that apply their activation function last of all."""
_PURE = frozenset({
    "Activation", "Softmax", "ReLU", "LeakyReLU", "ELU", "Sigmoid", "Relu", "Tanh",
    "nn.softmax", "math.sigmoid", "math.tanh", "nn.relu",
})  # fmt: skip
"""Classes that are an activation function and nothing else."""


@dataclass(frozen=True)
class Head:
    """The call that makes the prediction, and how its pre-activation value is had."""

    call: int
    activation: str
    split: bool = False
    """Build the layer linear and apply its activation after it."""
    before: Ref | None = None
    """The input of a call that is an activation function alone."""
    known: bool = True
    """Whether the value before the activation can be had at all."""


def find_head(graph: Graph, output: int = 0) -> Head:
    """Return the head of one of a network's outputs; layers that hand on their input are looked through."""
    ref = graph.outputs[output]
    call = graph.calls[ref.call]
    while hands_on(call) and len(call.inputs) == 1:
        ref = call.inputs[0]
        call = graph.calls[ref.call]
    activation = activation_of(call)
    if activation == "linear":
        return Head(ref.call, "linear")
    if call.class_name in _PURE and len(call.inputs) == 1:
        return Head(ref.call, activation, before=call.inputs[0])
    if _ends_in_activation(call) and sum(other.layer == call.layer for other in graph.calls) == 1:
        return Head(ref.call, activation, split=True)
    return Head(ref.call, activation, known=False)


def _ends_in_activation(call: Call) -> bool:
    """Return whether a layer is linear but for an activation function at its end."""
    return call.kind == "layer" and call.class_name.startswith(_ENDS_IN_ACTIVATION)
