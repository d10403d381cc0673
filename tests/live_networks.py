"""Networks that no file describes: custom layers, models of the user's own class, shared and composite blocks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from keras import layers, ops

from reportgen.checkpoints import find_run, read_checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig


@keras.saving.register_keras_serializable("test_live")
class SEBlock(layers.Layer):
    """Squeeze and excitation (Hu et al. 2018, arXiv:1709.01507) with weights of its own beside two inner layers."""

    def __init__(self, ratio: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.ratio = ratio

    def build(self, shape: Any) -> None:
        count = shape[-1]
        self.mean = layers.GlobalAveragePooling2D()
        # The second to be used is the first in the alphabet, as files have it: nothing may go by that.
        self.wide = layers.Dense(count // self.ratio, activation="relu")
        self.out = layers.Dense(count, activation="sigmoid")
        self.wide.build((None, count))
        self.out.build((None, count // self.ratio))
        self.scale = self.add_weight(shape=(count,), name="scale")
        self.shift = self.add_weight(shape=(count,), name="shift")
        self.built = True

    def call(self, x: Any) -> Any:
        weights = self.out(self.wide(self.mean(x)))
        return x * weights[:, None, None, :] * self.scale + self.shift

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ratio": self.ratio}


class Block(layers.Layer):
    """Convolution and normalisation, and a block inside a block."""

    def __init__(self, filters: int, depth: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.conv = layers.Conv2D(filters, 3, padding="same")
        self.norm = layers.BatchNormalization()
        self.next = Block(filters, depth - 1) if depth else None

    def call(self, x: Any, training: bool = False) -> Any:
        x = ops.relu(self.norm(self.conv(x), training=training))
        return self.next(x, training=training) if self.next is not None else x


class Own(keras.Model):
    """A model of the user's own class: attributes, a list, a Sequential."""

    def __init__(self, side: int = 3) -> None:
        super().__init__()
        self.first = layers.Conv2D(4, side, activation="relu", name="edges")
        self.stages = [Block(4), Block(3)]
        self.tail = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(6, activation="relu")])
        self.drop = layers.Dropout(0.5)
        self.score = layers.Dense(1, activation="sigmoid")

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.first(x)
        for stage in self.stages:
            x = stage(x, training=training)
        return self.score(self.drop(self.tail(x), training=training))


class TwoAnswers(keras.Model):
    """Outputs as a dictionary; the last function is bare code."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(3, 3, name="conv")
        self.head = layers.Dense(2, name="head")

    def call(self, x: Any) -> Any:
        maps = self.conv(x)
        return {"maps": maps, "classes": ops.softmax(self.head(ops.mean(maps, axis=(1, 2))))}


def squeezing() -> Any:
    image = keras.Input((20, 20, 2), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="conv_a")(image)
    x = SEBlock(name="se_first")(x)
    x = layers.Conv2D(4, 3, name="conv2d")(x)
    x = SEBlock(name="se_second")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, layers.Dense(1, activation="sigmoid", name="score")(x))


def sharing() -> Any:
    image = keras.Input((20, 20, 2), name="image")
    conv, block = layers.Conv2D(2, 3, padding="same", name="conv"), SEBlock(name="twice")
    a = block(conv(image))
    b = block(conv(a))
    x = layers.Flatten(name="flat")(layers.Subtract(name="difference")([a, b]))
    return keras.Model(image, layers.Dense(3, activation="softmax", name="classes")(x))


def built(model: Any) -> Any:
    """Let a model of its own class see an image."""
    model(np.zeros((1, 20, 20, 2), np.float32))
    return model


def fill(model: Any, seed: int = 0) -> Any:
    """Give a model weights that leave no term of its arithmetic at zero or one."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = rng.normal(0, 0.3, weight.shape)
        weight.assign(np.abs(values) + 0.5 if "variance" in weight.name else values)
    return model


def save(model: Any, path: Path) -> StoredModel:
    """Write a file and read it as the pipeline does."""
    (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)
    return stored(path)


def stored(path: Path, architecture: Path | None = None) -> StoredModel:
    """Read a single file, with the architecture of another one where it has none."""
    checkpoint = find_run(RunConfig(path=path), path.parent).checkpoints[0]
    return read_checkpoint(replace(checkpoint, architecture=architecture) if architecture else checkpoint)


def unlabelled(path: Path) -> Path:
    """Take the layers' names out of a v3 file, as Keras before 3.15 wrote it."""
    with h5py.File(path, "r+") as file:
        groups: list[Any] = []
        file.visititems(lambda _, item: groups.append(item) if "name" in item.attrs else None)
        for group in groups:
            del group.attrs["name"]
    return path
