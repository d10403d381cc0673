"""A small network trained as anybody would: Adam, the callback, a history with validation data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def train(
    model: Any, learn: Pair, check: Pair, folder: Path, epochs: int = 5, rate: float = 0.004, batch: int = 32,
    callbacks: Sequence[Any] = (), fall: bool = True,
) -> Any:  # fmt: skip
    """Train, keep every epoch in `folder` and return the model; `callbacks` act before an epoch is kept.

    The loss follows from the last layer and the answers. With `fall` the rate falls to a fiftieth along a cosine.
    """
    import keras

    from reportgen.callbacks import GetWeights

    units = model.output_shape[-1]
    regression = units == 1 and model.layers[-1].activation is keras.activations.linear
    loss = "mse" if regression else "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    steps = epochs * -(-len(learn[0]) // batch)
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.02) if fall else rate
    # Eight steps a call: of so small a network the calls cost more than the steps.
    model.compile(
        keras.optimizers.Adam(schedule), loss, metrics=["mae" if regression else "accuracy"], steps_per_execution=8
    )
    model.fit(
        *learn, validation_data=check, validation_batch_size=256, epochs=epochs, batch_size=batch, verbose=0,
        callbacks=[*callbacks, GetWeights(folder)],
    )  # fmt: skip
    return model
