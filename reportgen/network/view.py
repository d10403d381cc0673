"""A network as a function of the prepared image alone: what it answers, and how its score depends on the pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import NetworkError
from reportgen.extraction.measurement import Layer
from reportgen.network.engine import Tensor
from reportgen.network.inputs import Fit

Images = NDArray[np.generic]
Floats = NDArray[np.float32]
STEP_BYTES = 64 * 2**20
"""Activations and gradients of one batch may take this much memory [byte]."""


@dataclass(frozen=True)
class Slopes:
    """Score s of some images, and its derivatives."""

    score: Floats
    """`(image,)`"""
    image: Floats
    """ds/dx, `(image, y, x, channel)`"""
    maps: Floats | None
    """Activations A of the CAM layer, `(image, y, x, channel)`; None without one."""
    slopes: Floats | None
    """ds/dA, likewise."""


@dataclass(frozen=True)
class View:
    """The two functions of a network that attribution and stress ask; its weights are those of the moment."""

    shape: tuple[int, int, int]
    """`(y, x, channel)` of an image."""
    layer: str
    """The CAM layer; empty without one."""
    variables: tuple[tuple[Any, ...], ...]
    """Of each layer with weights, in the order of computation."""
    batch: int
    predicted: Callable[[Images, NDArray[np.int64]], tuple[Floats, Floats]]
    sloped: Callable[[Images, NDArray[np.int64], Floats], Slopes]
    why: str = ""
    """Why there is no score to explain, where there is none; the prediction stands for it then."""

    def predict(self, images: Images, probes: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return prediction and scores, `(image, unit)` each; `probes` say whose other inputs go with an image."""
        parts = [self.predicted(images[i], probes[i]) for i in self._slices(len(images))]
        return np.concatenate([p for p, _ in parts]), np.concatenate([s for _, s in parts])

    def slope(self, images: Images, probes: NDArray[np.int64], weighting: Floats) -> Slopes:
        """Return s = sum of weighting × scores, and its derivatives by the image and the CAM layer's maps."""
        parts = [self.sloped(images[i], probes[i], weighting[i]) for i in self._slices(len(images))]
        joined = [
            None if parts[0].maps is None and name in ("maps", "slopes")
            else np.concatenate([getattr(part, name) for part in parts])
            for name in ("score", "image", "maps", "slopes")
        ]  # fmt: skip
        return Slopes(*joined)  # type: ignore[arg-type]

    def _slices(self, count: int) -> list[slice]:
        return [slice(i, i + self.batch) for i in range(0, count, self.batch)]


def cam_layer(layers: Sequence[Layer], kept: Sequence[str], asked: str | None = None) -> str:
    """Return the name of the CAM layer: `asked`, or the last convolution behind its normalisation and activation.

    Empty where no convolution gives a map. Raises NetworkError where what was asked for gives none.
    """
    table = {layer.name: layer for layer in layers}
    maps = [name for name in kept if len(table[name].output_shape) == 3]
    if asked is not None:
        if asked not in maps:
            raise NetworkError(f"the network has no layer {asked} that gives a map", where="task.cam_layer",
                               expected=", ".join(maps[-8:]), advice="Correct task.cam_layer.")  # fmt: skip
        return asked
    wide = [n for n in maps if "Conv" in table[n].class_name and table[n].output_shape[:2] != (1, 1)]
    if not wide:
        return ""
    last = wide[-1]
    while True:
        behind = [layer for layer in layers if last in layer.inputs]
        if len(behind) != 1 or behind[0].name not in maps or len(behind[0].inputs) != 1:
            return last
        name = behind[0].class_name
        if "Normalization" not in name and (behind[0].activation == "linear" or "Conv" in name):
            return last
        last = behind[0].name


def unturned(array: Floats, fit: Fit, shape: tuple[int, int, int]) -> Floats:
    """Return a gradient by a network's input `(image, …)` as one by the image `(image, y, x, channel)`."""
    if fit.channels_first:
        return np.moveaxis(array, 1, -1)
    return array.reshape(len(array), *shape)


def batch_size(bytes_per_image: int) -> int:
    """Return how many images go in at once, for derivatives too."""
    return max(1, min(256, STEP_BYTES // max(1, 3 * bytes_per_image)))


def derivative(score: Tensor, by: Sequence[Tensor]) -> list[Tensor]:
    """Return the derivatives of the sum of scores, zero where it does not depend on one; inside a tf.function."""
    import tensorflow as tf

    found = tf.gradients(score, list(by), unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [tf.cast(tensor, tf.float32) for tensor in found]
