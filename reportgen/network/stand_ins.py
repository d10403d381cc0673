"""Layers of Keras that are built otherwise here: gone from Keras 3, kept private by it, or frozen by a trace."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from reportgen.network.engine import Tensor


class AdaptedNormalization(keras.layers.Normalization):  # type: ignore[misc]
    """Normalization whose adapted mean and variance stay variables; Keras' own become constants of a trace."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return (x − mean) / max(√variance, ε), or its inverse."""
        if self.input_mean is not None:
            return super().call(inputs)
        x = ops.cast(inputs, self.compute_dtype)
        shape = self._broadcast_shape
        mean = ops.cast(ops.reshape(self.adapt_mean, shape), self.compute_dtype)
        variance = ops.cast(ops.reshape(self.adapt_variance, shape), self.compute_dtype)
        spread = ops.maximum(ops.sqrt(variance), keras.config.epsilon())
        return mean + x * spread if self.invert else (x - mean) / spread


class LayerScale(keras.layers.Layer):  # type: ignore[misc]
    """Scale each channel by a weight, as ConvNeXt does (Liu et al. 2022, arXiv:2201.03545)."""

    def __init__(
        self, projection_dim: int, init_values: float = 1.0, gamma_initializer: Any = "ones", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.projection_dim = projection_dim
        self.gamma_initializer = gamma_initializer

    def build(self, _: Any) -> None:
        """Make the weight."""
        self.gamma = self.add_weight(shape=(self.projection_dim,), initializer=self.gamma_initializer, name="gamma")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        """Return x γ."""
        return x * self.gamma


class ThresholdedReLU(keras.layers.Layer):  # type: ignore[misc]
    """Return x where x > θ, else 0; in Keras until 2.15."""

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = theta

    def call(self, x: Tensor) -> Tensor:
        """Return x · (x > θ)."""
        return x * ops.cast(ops.greater(x, self.theta), x.dtype)
