"""Networks as students build them, very small; each is new, with weights drawn from a fixed seed."""

from __future__ import annotations

from typing import Any

from ward.sky import SIDE

SHAPE = (SIDE, SIDE, 3)


def convolutional(
    activation: str = "relu", hidden: int = 16, seed: int = 1, first: tuple[Any, ...] = (), decay: float = 0.0
) -> Any:
    """Return two convolutions, a dense layer and one sigmoid unit; `first` are layers before them."""
    keras, layers = _keras(seed)
    more = {"kernel_regularizer": keras.regularizers.L2(decay)} if decay else {}
    return keras.Sequential([
        layers.Input(SHAPE), *first,
        layers.Conv2D(8, 5, activation=activation, name="conv1", **more), layers.MaxPooling2D(name="pool1"),
        layers.Conv2D(12, 3, activation=activation, name="conv2", **more), layers.MaxPooling2D(name="pool2"),
        layers.Flatten(name="flat"), layers.Dense(hidden, activation=activation, name="hidden", **more),
        layers.Dense(1, activation="sigmoid", name="out", **more),
    ])  # fmt: skip


def branches() -> Any:
    """Return small and wide kernels side by side, and two softmax units."""
    keras, layers = _keras(2)
    image = layers.Input(SHAPE, name="image")
    small = layers.Conv2D(6, 3, padding="same", activation="relu", name="small")(image)
    wide = layers.Conv2D(6, 7, padding="same", activation="relu", name="wide")(image)
    x = layers.MaxPooling2D(4, name="pool")(layers.Concatenate(name="both")([small, wide]))
    x = layers.Conv2D(12, 3, activation="relu", name="conv")(x)
    x = layers.Dense(12, activation="relu", name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(image, layers.Dense(2, activation="softmax", name="out")(x))


def nested(taught: Any) -> Any:
    """Return a new head on the frozen convolutions of a taught network, a model within the model."""
    keras, layers = _keras(3)
    body = [layer for layer in taught.layers if layer.name in ("conv1", "pool1", "conv2", "pool2")]
    backbone = keras.Sequential([layers.Input(SHAPE), *body], name="backbone")
    backbone.trainable = False
    image = layers.Input(SHAPE, name="image")
    x = layers.Flatten(name="flat")(backbone(image, training=False))
    x = layers.Dense(12, activation="relu", name="head")(x)
    return keras.Model(image, layers.Dense(1, activation="sigmoid", name="out")(x))


def normalised() -> Any:
    """Return convolutions without bias, batch normalisation and global pooling."""
    keras, layers = _keras(4)
    stack = [layers.Input(SHAPE)]
    for block, (filters, size) in enumerate(((8, 5), (16, 3), (16, 3)), 1):
        stack += [
            layers.Conv2D(filters, size, padding="same", use_bias=False, name=f"conv{block}"),
            layers.BatchNormalization(momentum=0.9, name=f"norm{block}"), layers.ReLU(name=f"relu{block}"),
            layers.MaxPooling2D(name=f"pool{block}"),
        ]  # fmt: skip
    return keras.Sequential([
        *stack, layers.GlobalAveragePooling2D(name="mean"), layers.Dense(1, activation="sigmoid", name="out"),
    ])  # fmt: skip


def dense() -> Any:
    """Return dense layers on a flattened image."""
    keras, layers = _keras(5)
    return keras.Sequential([
        layers.Input((SIDE * SIDE * 3,)), layers.Dense(16, activation="relu", name="hidden"),
        layers.Dropout(0.2, name="drop"), layers.Dense(1, activation="sigmoid", name="out"),
    ])  # fmt: skip


def regression() -> Any:
    """Return a network with one linear unit."""
    keras, layers = _keras(6)
    return keras.Sequential([
        layers.Input(SHAPE), layers.Conv2D(8, 5, strides=2, activation="relu", name="conv1"),
        layers.Conv2D(12, 3, strides=2, activation="relu", name="conv2"), layers.Flatten(name="flat"),
        layers.Dense(16, activation="relu", name="hidden"), layers.Dense(1, name="out"),
    ])  # fmt: skip


def classes(count: int) -> Any:
    """Return a network with a softmax over `count` classes, its activation function a layer of its own."""
    keras, layers = _keras(7)
    return keras.Sequential([
        layers.Input(SHAPE), layers.Conv2D(8, 5, activation="elu", name="conv1"),
        layers.AveragePooling2D(2, name="pool1"),
        layers.Conv2D(16, 3, activation="relu", name="conv2"), layers.MaxPooling2D(name="pool2"),
        layers.Flatten(name="flat"), layers.Dense(20, activation="relu", name="hidden"),
        layers.Dense(count, name="logits"), layers.Softmax(name="out"),
    ])  # fmt: skip


def leaky() -> Any:
    """Return a network whose activation functions never quite close: LeakyReLU, GELU."""
    keras, layers = _keras(8)
    return keras.Sequential([
        layers.Input(SHAPE), layers.Conv2D(8, 5, name="conv1"), layers.LeakyReLU(0.1, name="leaky"),
        layers.MaxPooling2D(name="pool1"), layers.Conv2D(12, 3, activation="gelu", name="conv2"),
        layers.MaxPooling2D(name="pool2"), layers.Flatten(name="flat"),
        layers.Dense(16, activation="gelu", name="hidden"), layers.Dense(2, activation="softmax", name="out"),
    ])  # fmt: skip


def separable() -> Any:
    """Return a separable and a depthwise convolution about a residual sum, and global pooling."""
    keras, layers = _keras(9)
    image = layers.Input(SHAPE, name="image")
    x = layers.Conv2D(12, 5, strides=2, padding="same", activation="relu", name="stem")(image)
    y = layers.SeparableConv2D(12, 3, padding="same", activation="relu", name="separable")(x)
    x = layers.MaxPooling2D(name="pool")(layers.Add(name="sum")([x, y]))
    x = layers.DepthwiseConv2D(3, padding="same", activation="silu", name="depthwise")(x)
    x = layers.Conv2D(16, 1, activation="relu", name="pointwise")(x)
    x = layers.GlobalMaxPooling2D(name="peak")(x)
    return keras.Model(image, layers.Dense(1, activation="sigmoid", name="out")(x))


def _keras(seed: int) -> tuple[Any, Any]:
    import keras

    keras.utils.set_random_seed(seed)
    return keras, keras.layers
