"""What the framework itself computes: the result of every use of every layer, taken while the model runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

Arrays = dict[str, np.ndarray]


def record(model: Any, given: Any, *, traced: bool, compiled: bool) -> tuple[list[np.ndarray], Arrays]:
    """Return outputs and the first result of every use of a layer, under the names a report gives them.

    `traced` runs the model as `predict` does, where half precision rounds at other places; `compiled` runs it
    through XLA: a CPU has no convolutions over (channel, y, x) of its own.
    """
    import tensorflow as tf

    def run(values: Any) -> tuple[Any, dict[str, Any]]:
        with _listening(model) as heard:
            return model(values, training=False), heard

    outputs, heard = tf.function(run, jit_compile=compiled)(given) if traced or compiled else run(given)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [_array(output) for output in outputs], {name: _array(value) for name, value in heard.items()}


def _array(value: Any) -> np.ndarray:
    """Return a tensor as numbers NumPy knows."""
    import tensorflow as tf

    value = tf.convert_to_tensor(value)
    return np.asarray(tf.cast(value, tf.float32) if value.dtype in (tf.float16, tf.bfloat16) else value)


@contextmanager
def _listening(model: Any) -> Iterator[dict[str, Any]]:
    """Note the result of every layer that is called within `model`, layers inside of layers left out."""
    heard: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    path: list[str] = []
    inside = [False]
    models: list[Any] = [model]

    def listen(call: Callable[..., Any]) -> Callable[..., Any]:
        def heard_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if inside[0] or layer is models[-1]:  # Keras 3 goes through the call of two classes
                return call(layer, *args, **kwargs)
            if isinstance(layer, keras.Model):
                path.append(layer.name + "/")
                models.append(layer)
                try:
                    return call(layer, *args, **kwargs)
                finally:
                    path.pop()
                    models.pop()
            inside[0] = True
            try:
                result = call(layer, *args, **kwargs)
            finally:
                inside[0] = False
            name = "".join(path) + layer.name
            counts[name] += 1
            heard[f"{name} (call {counts[name]})" if counts[name] > 1 else name] = (
                result[0] if isinstance(result, list | tuple) else result
            )
            return result

        return heard_call

    kinds = [keras.layers.Layer]
    if hasattr(keras, "Operation"):
        kinds.append(keras.Operation)
    originals = [kind.__call__ for kind in kinds]
    for kind, original in zip(kinds, originals, strict=True):
        kind.__call__ = listen(original)
    try:
        yield heard
    finally:
        for kind, original in zip(kinds, originals, strict=True):
            kind.__call__ = original
