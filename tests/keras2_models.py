"""Write what Keras 2.15 writes, as a script under the Python of `.keras2`: python keras2_models.py FOLDER.

For each network NAME: NAME.index and .data (save_weights), the folder NAME (save), and NAME.npz with an input `x`, the
predictions `y0`, … and every weight under `layer|variable`, layers of nested models as `backbone/conv1`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow import keras

L = keras.layers


def sequential():
    """A Sequential without Input: its first layer carries no shape, the data gave it."""
    return keras.Sequential([
        L.Conv2D(4, 3, name="conv_a", activation="relu"), L.BatchNormalization(name="bn"), L.Dropout(0.2),
        L.DepthwiseConv2D(3, name="dw"), L.GlobalAveragePooling2D(), L.Dense(3, name="out"),
    ])  # fmt: skip


def nested():
    """A functional model around a functional and a Sequential one, whose layers have the same names."""
    inner = keras.Input((8, 8, 3))
    backbone = keras.Model(
        inner, L.SeparableConv2D(3, 3, name="sep")(L.Conv2D(3, 1, name="c1")(inner)), name="backbone"
    )
    head = keras.Sequential([L.Conv2D(2, 3, name="c1"), L.BatchNormalization(name="b1"), L.Flatten()], name="head")
    image = keras.Input((8, 8, 3), name="image")
    x = head(backbone(image * 2.0 - 1.0))
    return keras.Model(image, L.Dense(2, name="out", activation="softmax")(x))


def shared():
    """One convolution and one tower used twice each, and two outputs."""
    image = keras.Input((8, 8, 3), name="image")
    conv = L.Conv2D(3, 3, padding="same", name="twice")
    tower = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(2, 3, name="t1"), L.GlobalMaxPooling2D()], name="tower")
    x = L.Concatenate()([tower(conv(image)), tower(conv(conv(image)))])
    return keras.Model(image, [L.Dense(2, name="kind")(x), L.Dense(1, name="size")(x)])


def two_inputs():
    """An image and catalogue numbers, with recurrent layers inside a layer."""
    image, numbers = keras.Input((8, 8, 3), name="image"), keras.Input((6,), name="numbers")
    sequence = L.Bidirectional(L.LSTM(3), name="both")(L.Reshape((6, 1))(numbers))
    x = L.Concatenate()([L.Flatten()(L.Conv2D(2, 3, name="conv")(image)), sequence])
    return keras.Model([image, numbers], L.Dense(1, name="out")(x))


class Own(keras.Model):
    """A subclassed model: layers are known by the attributes that hold them."""

    def __init__(self):
        super().__init__()
        self.first = L.Conv2D(2, 3)
        self.blocks = [L.Dense(3), L.Dense(4)]
        self.stem = keras.Sequential([L.Conv2D(2, 1, name="mix")])
        self.warmth = self.add_weight(name="temperature", shape=(), initializer="ones")

    def call(self, x):
        x = self.stem(self.first(x))
        for block in self.blocks:
            x = block(x)
        return x * self.warmth


def weights(model, prefix=""):
    """Yield (layer|variable, value) of each weight of a model made of layers."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from weights(layer, f"{prefix}{layer.name}/")
            continue
        for variable in layer.weights:
            name = variable.name.partition(":")[0]
            # Keras scopes names by the layer's own, perhaps behind that of a model.
            yield f"{prefix}{layer.name}|{name.partition(layer.name + '/')[2]}", variable.numpy()


def write(folder, name, model, optimizer):
    """Train a model for a step and write it in every way."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(4, 8, 8, 3)).astype("f4")
    inputs = [x, rng.normal(size=(4, 6)).astype("f4")] if name == "two_inputs" else x
    y = model(inputs)
    targets = [np.zeros(part.shape) for part in y] if isinstance(y, list) else np.zeros(y.shape)
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(inputs, targets, verbose=0)
    y = model.predict(inputs, verbose=0)
    model.save_weights(f"{folder}/{name}")
    model.save(f"{folder}/{name}_folder", save_traces=name in {"sequential", "own"})  # tracing a graph takes long
    held = {} if isinstance(model, Own) else dict(weights(model))
    np.savez(
        folder / f"{name}.npz", x=x, **{f"y{i}": p for i, p in enumerate(y if isinstance(y, list) else [y])}, **held
    )


def main():
    """Write every file."""
    folder = Path(sys.argv[1])
    keras.utils.set_random_seed(7)
    for make in (sequential, nested, shared, two_inputs, Own):
        legacy = make is shared
        write(folder, make.__name__.lower(), make(), keras.optimizers.legacy.Adam() if legacy else "adam")
    model = keras.Sequential([L.Dense(2, name="only", input_shape=(3,))])
    model.compile("adam", "mse")
    x, y = np.ones((4, 3)), np.ones((4, 2))
    bare = keras.callbacks.ModelCheckpoint(f"{folder}/highest_weight", monitor="loss", save_weights_only=True)
    whole = keras.callbacks.ModelCheckpoint(f"{folder}/highest_model", monitor="loss")
    model.fit(x, y, verbose=0, callbacks=[bare, whole])
    tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(f"{folder}/managed")


if __name__ == "__main__":
    main()
