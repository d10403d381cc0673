"""Memory for weights: only for arrays that the file really has."""

from __future__ import annotations

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
