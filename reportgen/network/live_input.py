"""How probes go into a live model, which may not know its own input before it has seen an image."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer, Tensor
from reportgen.network.inputs import Fit, fit_input
from reportgen.network.network import INPUT_LIMIT
from reportgen.network.sublayers import open_up, walk
from reportgen.network.trace import run


def leaves(model: KerasLayer) -> list[KerasLayer]:
    """Return the layers of a model that are not looked into."""
    return [live.layer for live in walk(open_up(model)) if live.leaf]


def fit_live(model: KerasLayer, given: tuple[int, ...], *, channels_first: bool) -> Fit:
    """Return how probes go in; a subclassed model takes what its code takes."""
    inputs = getattr(model, "inputs", None)
    if inputs is None:
        turn = channels_first and len(given) == 3
        return Fit((given[2], *given[:2]) if turn else given, turn)
    inputs = keras.tree.flatten(inputs)
    if len(inputs) != 1:
        raise NetworkError(
            f"the network has {len(inputs)} inputs", expected="one input, the prepared image",
            advice="A probe set gives one image each; networks with several inputs cannot be run yet.",
        )  # fmt: skip
    return fit_input(tuple(inputs[0].shape[1:]), given, channels_first=channels_first, limit=INPUT_LIMIT)


def build_live(model: KerasLayer, fit: Fit, *, compiled: bool) -> None:
    """Let a model make its variables, which one of the user's own class does when it first sees an image."""
    if getattr(model, "inputs", None) is not None:
        return

    def call(x: Tensor) -> list[Tensor]:
        model(x, training=False)
        return []

    run(tf.function(call, jit_compile=True, autograph=False) if compiled else call, np.zeros((1, *fit.shape), "f4"))


def input_dtype(model: KerasLayer) -> Any:
    """Return TensorFlow's type of a model's input."""
    inputs = getattr(model, "inputs", None)
    return tf.as_dtype(inputs[0].dtype) if inputs else tf.float32
