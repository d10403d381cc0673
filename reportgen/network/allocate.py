"""Memory for weights: only for arrays that the file really has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

from reportgen.checkpoints.stored import StoredLayer
from reportgen.errors import NetworkError
from reportgen.network.engine import Tensor


class FromFile(keras.initializers.Initializer):  # type: ignore[misc]
    """Zeros in the shapes of a stored layer's arrays; any other shape is refused before it is allocated.

    An architecture that asks for more than the file holds is damaged, or meant to exhaust the memory.
    """

    def __init__(self, stored: StoredLayer | None) -> None:
        self.stored = stored
        self.shapes = [] if stored is None else [tuple(v.value.shape) for v in stored.variables]
        self.refused: tuple[int, ...] | None = None

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """Return zeros; raises ValueError, and remembers the shape, where the file has none of it."""
        if tuple(shape) not in self.shapes:
            self.refused = tuple(shape)
            raise ValueError(f"no array of shape {tuple(shape)} in the file")
        return keras.ops.zeros(shape, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what a copy is made from; layers made of layers copy their initialisers."""
        return {"stored": self.stored}

    def error(self, shown: str) -> NetworkError | None:
        """Return the error that tells of a refused shape, if there was one."""
        if self.refused is None:
            return None
        held = ", ".join(map(str, self.shapes))
        return NetworkError(
            f"layer {shown} has {f'arrays of {held}' if held else 'no arrays'} in the file, "
            f"the network needs {self.refused}",
            where=shown,
            expected=str(self.refused),
            received=held or "none",
            advice="The file's weights are not those of its architecture, or the input has another size.",
        )


@contextmanager
def only_what_is_stored(stored: StoredLayer | None) -> Iterator[None]:
    """Let no layer made inside take more memory for a weight than the largest array of the file has.

    Layers inside a layer are made by Keras itself from their options, without the initialisers above; and options
    that fit the arrays one by one may together ask for a hundred times as much.
    """
    largest = max((v.value.size for v in stored.variables), default=0) if stored is not None else 0
    add_weight = keras.layers.Layer.add_weight

    def guarded(layer: Any, shape: Any = None, *args: Any, **kwargs: Any) -> Any:
        numbers = math.prod(shape) if isinstance(shape, list | tuple) else int(shape or 1)
        if numbers > largest:
            raise ValueError(f"it needs an array of {numbers:,} numbers, the largest in the file has {largest:,}")
        return add_weight(layer, shape, *args, **kwargs)

    keras.layers.Layer.add_weight = guarded
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = add_weight
