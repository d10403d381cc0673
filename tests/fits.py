"""A small Keras network, a real fit of it under the callback, and the history that leaves."""

from __future__ import annotations

import csv
from pathlib import Path

import keras
import numpy as np

from reportgen.callbacks import GetWeights


def network(units: int = 1, extra: bool = False, compiled: bool = True) -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(3, 3, activation="relu", name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Flatten(name="flat"),
    ]
    layers += [keras.layers.Dense(4, name="hidden")] if extra else []
    layers += [keras.layers.Dropout(0.5, name="drop"), keras.layers.Dense(units, activation="sigmoid", name="out")]
    model = keras.Sequential(layers)
    if compiled:
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(model: keras.Model, callback: GetWeights, epochs: int = 3, first: int = 0, validation: bool = True, every=1):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(24, 8, 8, 1)), rng.integers(0, 2, 24)
    more = {"validation_data": (x, y), "validation_freq": every} if validation else {}
    model.fit(x, y, epochs=epochs, initial_epoch=first, verbose=0, callbacks=[callback], **more)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))
