"""Small networks that between them hold whatever Keras can build; the same code runs under Keras 2.15 and Keras 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import Input, Model, Sequential, layers

from zoo import blocks, cells

KERAS_3 = keras.__version__.startswith("3")


def close(image: Any, sides: list[Any], name: str) -> Any:
    """Return the model that joins results of any rank into one small prediction."""
    flat = [side if len(side.shape) == 2 else layers.Flatten(name=f"flat_{i}")(side) for i, side in enumerate(sides)]
    joined = layers.Concatenate(name="joined")(flat) if len(flat) > 1 else flat[0]
    return Model(image, layers.Dense(2, activation="softmax", name="classes")(joined), name=name)


def sequential() -> Any:
    return Sequential([
        Input((12, 12, 2)),
        layers.Conv2D(4, 3, activation="relu", name="conv_a"), layers.MaxPooling2D(2, name="pool"),
        layers.Dropout(0.5, name="drop"), layers.Conv2D(3, 3, padding="same", name="conv2d"),
        layers.BatchNormalization(name="norm"), layers.ReLU(name="act"), layers.Flatten(name="flat"),
        layers.Dense(5, activation="tanh", name="hidden"), layers.Dense(1, activation="sigmoid", name="score"),
    ])  # fmt: skip


def sequential_without_input() -> Any:
    model = Sequential([
        layers.Conv2D(3, 5, strides=2, activation="elu", name="first"), layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(3, activation="softmax", name="classes"),
    ])  # fmt: skip
    model.build((None, 12, 12, 2))
    return model


def branches() -> Any:
    image = Input((12, 12, 2), name="image")
    a = layers.Conv2D(4, 3, padding="same", activation="relu", name="left")(image)
    b = layers.Conv2D(4, 1, name="right")(image)
    both = layers.Add(name="sum")([a, b])
    joined = layers.Concatenate(name="joined")([both, layers.Conv2D(3, 3, padding="same", name="conv2d_9")(both)])
    out = layers.Dense(2, name="logits")(layers.GlobalMaxPooling2D(name="peak")(joined))
    return Model(image, layers.Softmax(name="softmax")(out), name="branches")


def backbone() -> Any:
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    base.trainable = False
    return Sequential([
        Input((32, 32, 3)), base, layers.GlobalAveragePooling2D(name="mean"), layers.Dense(8, name="out"),
    ])  # fmt: skip


def nested() -> Any:
    inner = Input((12, 12, 2))
    x = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv1")(inner))
    stem = Sequential([layers.ReLU(name="relu"), layers.Conv2D(3, 3, name="conv2")], name="stem")
    body = Model(inner, stem(x), name="body")
    top = Sequential([layers.Flatten(name="flat"), layers.Dense(2, name="dense")], name="top")
    return Sequential([Input((12, 12, 2)), body, top, layers.Dense(1, name="dense")])


def shared() -> Any:
    image = Input((12, 12, 2), name="image")
    tower = Sequential([Input((12, 12, 2)), layers.Conv2D(3, 3, activation="relu", name="conv")], name="tower")
    conv = layers.Conv2D(2, 3, name="shared")
    a = layers.ReLU(name="later")(conv(tower(image)))  # one path longer: Keras computes in order of depth
    b = conv(tower(layers.Rescaling(-1.0, name="negative")(image)))
    x = layers.Subtract(name="difference")([a, b])
    return Model(image, layers.Dense(1, activation="sigmoid", name="score")(layers.Flatten(name="flat")(x)))


def two_inputs() -> Any:
    image, numbers = Input((12, 12, 2), name="image"), Input((4,), name="catalogue")
    x = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(3, 3, name="conv")(image))
    joined = layers.Concatenate(name="joined")([x, layers.Dense(3, activation="relu", name="hidden")(numbers)])
    kind = layers.Dense(3, activation="softmax", name="kind")(joined)
    return Model([image, numbers], [kind, layers.Dense(1, name="redshift")(joined)], name="two")


def convolutions() -> Any:
    image = Input((12, 12, 2), name="image")
    return close(image, blocks.convolutions(image), "convolutions")


def normalisation() -> Any:
    image = Input((12, 12, 4), name="image")
    return close(image, blocks.normalisations(image), "normalisation")


def pooling() -> Any:
    image = Input((12, 12, 2), name="image")
    return close(image, blocks.poolings(image), "pooling")


def activations() -> Any:
    image = Input((6, 6, 4), name="image")
    return close(image, blocks.activations(image), "activations")


def merging() -> Any:
    image = Input((6, 6, 4), name="image")
    return close(image, blocks.merges(image), "merging")


def shapes() -> Any:
    image = Input((6, 6, 4), name="image")
    return close(image, blocks.shapes(image), "shapes")


def preprocessing() -> Any:
    image = Input((12, 12, 3), name="image")
    return close(image, blocks.preprocessing(image), "preprocessing")


def attention() -> Any:
    image = Input((6, 4, 2), name="image")
    return close(image, blocks.attention(layers.Reshape((6, 8), name="steps")(image)), "attention")


def recurrent() -> Any:
    image = Input((6, 4, 2), name="image")
    return close(image, blocks.recurrent(image, layers.Reshape((6, 8), name="steps")(image)), "recurrent")


def stacked() -> Any:
    image = Input((6, 4, 2), name="image")
    cells = layers.StackedRNNCells([layers.LSTMCell(3, name="one"), layers.GRUCell(2, name="two")], name="stack")
    x = layers.RNN(cells, return_sequences=True, name="stacked")(layers.Reshape((6, 8), name="steps")(image))
    return close(image, [x], "stacked")


def operations() -> Any:
    image = Input((8, 8, 2), name="image")
    return close(image, blocks.operations_3(image) if KERAS_3 else blocks.operations_2(image), "operations")


def half(policy: str) -> Any:
    setter = keras.config.set_dtype_policy if KERAS_3 else keras.mixed_precision.set_global_policy
    setter(policy)
    try:
        return sequential()
    finally:
        setter("float32")


def mixed_float16() -> Any:
    return half("mixed_float16")


def mixed_bfloat16() -> Any:
    return half("mixed_bfloat16")


def bfloat16() -> Any:
    return half("bfloat16")


def channels_first() -> Any:
    order = {"data_format": "channels_first"}
    return Sequential([
        Input((2, 12, 12)), layers.Conv2D(4, 3, **order, activation="relu", name="conv"),
        layers.BatchNormalization(axis=1, name="norm"), layers.MaxPooling2D(2, **order, name="pool"),
        layers.GlobalAveragePooling2D(**order, name="mean"), layers.Dense(2, name="out"),
    ])  # fmt: skip


def slashes() -> Any:
    image = Input((12, 12, 2), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="stage/conv")(image)
    x = layers.BatchNormalization(name="stage/conv/norm")(x)
    return Model(image, layers.Dense(2, name="top/out")(layers.Flatten(name="top/flat")(x)), name="slashes")


def locally_connected() -> Any:
    image = Input((8, 8, 2), name="image")
    x = layers.LocallyConnected2D(3, 3, name="local")(layers.Conv2D(2, 1, name="conv")(image))
    return Model(image, layers.Dense(2, name="out")(layers.Flatten(name="flat")(x)), name="local")


def lambdas() -> Any:
    image = Input((8, 8, 2), name="image")
    x = layers.Lambda(lambda y: y * 2, output_shape=(6, 6, 3), name="twice")(layers.Conv2D(3, 3, name="conv")(image))
    return Model(image, layers.Dense(2, name="out")(layers.Flatten(name="flat")(x)), name="lambdas")


class Squeeze(layers.Layer):  # type: ignore[misc]
    """A layer of the user's own, made of others: squeeze and excitation (Hu et al. 2018, arXiv:1709.01507)."""

    def __init__(self, units: int, channels: int, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.channels = units, channels
        self.mean = layers.GlobalAveragePooling2D(keepdims=True)
        self.inner = layers.Dense(units, activation="relu", name="inner")
        self.outer = layers.Dense(channels, activation="sigmoid", name="outer")

    def call(self, x: Any) -> Any:
        return x * self.outer(self.inner(self.mean(x)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "channels": self.channels}


def custom_layer() -> Any:
    image = Input((8, 8, 2), name="image")
    x = Squeeze(2, 3, name="squeeze")(layers.Conv2D(3, 3, name="conv")(image))
    return Model(image, layers.Dense(2, name="out")(layers.Flatten(name="flat")(x)), name="custom")


class Small(Model):  # type: ignore[misc]
    """A model that is a Python class of the user's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.conv = layers.Conv2D(3, 3, activation="relu")
        self.mean = layers.GlobalAveragePooling2D()
        self.out = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.out(self.mean(self.conv(x)))

    def get_config(self) -> dict[str, Any]:
        return {}


def subclassed() -> Any:
    model = Small()
    model(np.zeros((1, 8, 8, 2), "float32"))
    return model


def augmentation() -> Any:
    image = Input((12, 12, 3), name="image")
    return close(image, blocks.augmentation(image), "augmentation")


def int8() -> Any:
    model = Sequential([
        Input((12, 12, 2)), layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.GlobalAveragePooling2D(name="mean"), layers.Dense(8, activation="relu", name="hidden"),
        layers.Dense(2, name="out"),
    ])  # fmt: skip
    fill(model).quantize("int8")
    return model


TOPOLOGIES: dict[str, Callable[[], Any]] = {name: globals()[name] for name in cells.TOPOLOGIES}

SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "subclassed": {"input": (8, 8, 2)},
    "sequential_without_input": {"input": (12, 12, 2)},
}
"""Inputs of the models that do not say it themselves, without the batch axis."""


def inputs(name: str, model: Any, count: int = 3) -> dict[str, np.ndarray]:
    """Return the inputs of a model by name, `(probe, …)` each, the same under every Keras."""
    shapes = SHAPES.get(name) or {
        tensor.name.partition(":")[0]: tuple(int(n) for n in tensor.shape[1:]) for tensor in model.inputs
    }
    rng = np.random.default_rng(7)
    return {key: rng.normal(size=(count, *shape)).astype("float32") for key, shape in shapes.items()}


def fill(model: Any) -> Any:
    """Give a model fixed weights and moving statistics that leave no term of its arithmetic at zero or one."""
    rng = np.random.default_rng(3)
    if any("int8" in str(weight.dtype) for weight in model.weights):
        return model  # it was filled before
    for weight in model.weights:
        if "float" not in str(weight.dtype):
            continue
        shape = tuple(int(n) for n in weight.shape)
        values = rng.normal(0, 0.5, shape) / max(1.0, np.sqrt(np.prod(shape[:-1])))
        spread = "variance" in weight.name or "gamma" in weight.name
        weight.assign(keras.ops.cast(np.abs(values) + 0.7, weight.dtype) if spread and KERAS_3 else
                      np.abs(values) + 0.7 if spread else values)  # fmt: skip
    for layer in model.layers:
        if hasattr(layer, "finalize_state") and hasattr(layer, "adapt_mean"):
            layer.finalize_state()  # an adapted Normalization works with copies of its arrays
    return model
