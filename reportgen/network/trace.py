"""One forward pass of a live model, traced: results of all its layers, its answer, and the lines that failed."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer, Tensor
from reportgen.network.network import _answer
from reportgen.network.sublayers import Live
from reportgen.network.taps import Tapped, Taps, find_scores


class Trace:
    """The forward pass, and what was seen of it the one time it was traced."""

    def __init__(self, model: KerasLayer, tree: Live, lives: list[Live], names: dict[int, str]) -> None:
        self.model, self.tree, self.lives, self.names = model, tree, lives, names

    def __call__(self, x: Tensor) -> list[Tensor]:
        """Return the results of all calls in the order of `tapped`, the prediction, and the scores if known."""
        self.entry = x
        taps = Taps(self.names)
        struct = getattr(self.model, "_inputs_struct", None)
        with taps.listening(self.lives):
            outputs = self.model(x if struct is None else keras.tree.map_structure(lambda _: x, struct), training=False)
        if isinstance(outputs, dict):
            ends = [(str(key), value) for key, value in outputs.items()]
        else:
            listed = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
            own = getattr(self.model, "output_names", ())
            known = list(own) if len(own) == len(listed) else [f"output {i + 1}" for i in range(len(listed))]
            ends = list(zip(known, listed, strict=True))
        ends = [(name, value) for name, value in ends if isinstance(value, tf.Tensor)]
        if not ends:
            raise TypeError("the model returns no tensor")
        chosen = _answer([value for _, value in ends])
        prediction = ends[chosen][1]
        self.tapped: list[tuple[str, Tapped, Tensor]] = [
            (f"{call.name} (output {i + 1})" if i else call.name, call, tensor)
            for call in taps.calls
            for i, tensor in enumerate(call.results)
        ]
        shown = {id(call.live) for call in taps.calls}
        self.hidden = tuple(self.names[key] for key in taps.hidden if key not in shown)
        self.activation, scores = find_scores(prediction, taps.calls)
        self.scored = scores is not None
        self.others = tuple(name for i, (name, _) in enumerate(ends) if i != chosen)
        results = [tensor for _, _, tensor in self.tapped] + [prediction] + ([scores] if self.scored else [])
        return [tf.cast(result, tf.float32) for result in results]


def run(function: Callable[[Tensor], list[Tensor]], batch: NDArray[np.generic]) -> list[NDArray[np.float32]]:
    """Return what a traced function makes of a batch; raises NetworkError naming the line of the user's that failed."""
    try:
        return [np.asarray(result) for result in function(tf.constant(np.asarray(batch)))]
    except Exception as error:  # the user's own code runs here
        raise NetworkError(
            "the model cannot be run on the probes", where=_place(error), received=f"{type(error).__name__}: {error}",
            advice="Are the probes prepared as in training (size, bands)? Else correct the model's code.",
        ) from error  # fmt: skip


def _place(error: BaseException) -> str:
    """Return file and line where an error came from, libraries left out; empty where only they are in it."""
    lines = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and "/reportgen/" not in frame.filename
        and not frame.filename.startswith("<")
    ]  # fmt: skip
    return lines[-1] if lines else ""
