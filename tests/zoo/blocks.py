"""One use of each of Keras' layers, side by side; what one Keras only has is left out under the other."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

KERAS_3 = keras.__version__.startswith("3")


def convolutions(image: Any) -> list[Any]:
    """Return convolutions of every kind over one, two and three axes of `(12, 12, 2)`."""
    line = layers.Reshape((24, 12), name="line")(image)
    cube = layers.Reshape((6, 6, 4, 2), name="cube")(image)
    x = layers.Conv2D(4, 3, name="stem")(image)
    return [
        layers.Conv2D(4, (3, 5), strides=(2, 1), groups=2, use_bias=False, activation="gelu", name="grouped")(x),
        layers.Conv2D(3, 3, dilation_rate=2, padding="same", activation="relu", name="dilated")(x),
        layers.Conv2DTranspose(3, 4, strides=2, output_padding=1, name="transposed")(x),
        layers.Conv2DTranspose(2, 3, strides=3, padding="same", activation="tanh", name="transposed_same")(x),
        layers.SeparableConv2D(5, 3, strides=2, activation="sigmoid", name="separable")(x),
        layers.SeparableConv2D(3, 3, depth_multiplier=2, padding="same", use_bias=False, name="separable_2")(x),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depthwise")(x),
        layers.DepthwiseConv2D(3, dilation_rate=2, activation="relu", name="depthwise_dilated")(x),
        layers.Conv1D(3, 5, padding="causal", dilation_rate=2, name="causal")(line),
        layers.Conv1D(4, 3, strides=2, groups=3 - 1, name="grouped_line")(line),
        layers.SeparableConv1D(4, 3, padding="same", depth_multiplier=2, name="separable_line")(line),
        layers.DepthwiseConv1D(3, strides=2, depth_multiplier=2, name="depthwise_line")(line),
        layers.Conv1DTranspose(3, 3, strides=2, padding="same", name="transposed_line")(line),
        layers.Conv3D(3, 2, strides=2, activation="relu", name="solid")(cube),
        layers.Conv3D(2, 2, padding="same", use_bias=False, name="solid_same")(cube),
        layers.Conv3DTranspose(2, 2, strides=2, name="transposed_solid")(cube),
    ]


def normalisations(image: Any) -> list[Any]:
    """Return every normalisation of `(12, 12, 4)`."""
    x = layers.Conv2D(4, 3, name="stem")(image)
    adapted = layers.Normalization(name="adapted")
    adapted.adapt(np.random.default_rng(9).normal(1, 2, (20, 12, 12, 4)).astype("float32"))
    sides = [
        adapted(image),
        layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[2.0, 1.0, 0.5, 3.0], name="given")(image),
        layers.Normalization(mean=0.5, variance=3.0, invert=True, axis=None, name="inverse")(image),
        layers.BatchNormalization(name="batch")(x),
        layers.BatchNormalization(scale=False, epsilon=0.01, name="batch_unscaled")(x),
        layers.BatchNormalization(center=False, name="batch_uncentred")(x),
        layers.BatchNormalization(center=False, scale=False, name="batch_bare")(x),
        layers.BatchNormalization(axis=1, name="batch_rows")(x),
        layers.LayerNormalization(name="layer")(x), layers.LayerNormalization(axis=[1, 2], name="layer_axes")(x),
        layers.LayerNormalization(center=False, scale=False, name="layer_bare")(x),
        layers.GroupNormalization(2, name="group")(x), layers.GroupNormalization(-1, name="instance")(x),
        layers.UnitNormalization(name="unit")(x),
        layers.SpectralNormalization(layers.Conv2D(3, 3, name="inner"), name="spectral")(x),
        layers.SpectralNormalization(layers.Dense(3, name="inner_dense"), power_iterations=2, name="spectral_dense")(x),
    ]  # fmt: skip
    if KERAS_3:
        sides.append(layers.RMSNormalization(name="rms")(x))
    return sides


def poolings(image: Any) -> list[Any]:
    """Return every pooling over one, two and three axes of `(12, 12, 2)`."""
    line = layers.Reshape((24, 12), name="line")(image)
    cube = layers.Reshape((6, 6, 4, 2), name="cube")(image)
    sides = []
    for word, x in (("1D", line), ("2D", image), ("3D", cube)):
        for kind in ("Max", "Average"):
            sides.append(getattr(layers, f"{kind}Pooling{word}")(2, name=f"{kind}_{word}")(x))
            same = {"pool_size": 3, "strides": 2, "padding": "same"}
            sides.append(getattr(layers, f"{kind}Pooling{word}")(**same, name=f"{kind}_{word}_same")(x))
            sides.append(getattr(layers, f"Global{kind}Pooling{word}")(name=f"Global_{kind}_{word}")(x))
            kept = getattr(layers, f"Global{kind}Pooling{word}")(keepdims=True, name=f"kept_{kind}_{word}")
            sides.append(kept(x))
            if KERAS_3:
                adaptive = getattr(layers, f"Adaptive{kind}Pooling{word}")
                sides.append(adaptive(2, name=f"Adaptive_{kind}_{word}")(x))
    return sides


ACTIVATIONS = (
    "elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus",
    "softsign", "swish", "tanh",
)  # fmt: skip
ACTIVATIONS_3 = (
    "celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "relu6", "silu",
    "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold",
)  # fmt: skip


def activations(image: Any) -> list[Any]:
    """Return every activation, as a name and as a layer, of `(6, 6, 4)`."""
    x = layers.Conv2D(4, 1, name="stem")(image)
    names = ACTIVATIONS + (ACTIVATIONS_3 if KERAS_3 else ())
    skipped = {"threshold", "glu"}  # take arguments
    sides = [layers.Activation(name, name=f"act_{name}")(x) for name in names if name not in skipped]
    slope = {"negative_slope": 0.25} if KERAS_3 else {"alpha": 0.25}
    sides += [
        layers.ReLU(name="relu")(x), layers.ReLU(1.5, 0.1, 0.2, name="relu_options")(x),
        layers.LeakyReLU(name="leaky")(x), layers.LeakyReLU(**slope, name="leaky_slope")(x),
        layers.PReLU(name="prelu")(x), layers.PReLU(shared_axes=[1, 2], name="prelu_shared")(x),
        layers.ELU(0.5, name="elu")(x), layers.Softmax(name="soft")(x), layers.Softmax(axis=[1, 2], name="soft_2")(x),
        layers.Dense(3, activation=layers.LeakyReLU(0.3), name="layer_in_layer")(x),
    ]  # fmt: skip
    if not KERAS_3:  # whose RandomBrightness cannot be saved as .h5
        sides.append(layers.RandomBrightness(0.2, name="bright")(x))
        sides.append(layers.ThresholdedReLU(0.4, name="thresholded")(x))
    return sides


def merges(image: Any) -> list[Any]:
    """Return every merge of two results of `(6, 6, 4)`."""
    a, b = layers.Conv2D(4, 1, name="left")(image), layers.Conv2D(4, 3, padding="same", name="right")(image)
    row = layers.GlobalAveragePooling2D(keepdims=True, name="row")(a)
    s, t = layers.Reshape((9, 16), name="a_steps")(a), layers.Reshape((9, 16), name="b_steps")(b)
    kinds = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    sides = [getattr(layers, kind)(name=kind.lower())([a, b, a]) for kind in kinds]
    return [
        *sides, layers.Subtract(name="subtract")([a, b]), layers.Multiply(name="broadcast")([a, row]),
        layers.Add(name="broadcast_sum")([row, b]), layers.Concatenate(axis=1, name="rows")([a, b]),
        layers.Dot(axes=2, name="dot")([s, t]), layers.Dot(axes=(1, 1), normalize=True, name="cosine")([s, t]),
        layers.add([a, b], name="sum_function"), layers.concatenate([a, b], axis=2, name="joined_function"),
    ]  # fmt: skip


def shapes(image: Any) -> list[Any]:
    """Return what arranges, repeats, cuts and looks up, of `(6, 6, 4)`."""
    x = layers.Conv2D(4, 1, name="stem")(image)
    line, cube = layers.Reshape((12, 12), name="line")(x), layers.Reshape((3, 6, 4, 2), name="cube")(x)
    bins = layers.Discretization([-1.0, -0.2, 0.0, 0.4], name="bins")(layers.Flatten(name="flat")(image))
    mean = layers.GlobalAveragePooling2D(name="mean")(x)
    return [
        layers.ZeroPadding2D(((1, 2), (3, 0)), name="pad")(x), layers.ZeroPadding1D((2, 1), name="pad_line")(line),
        layers.ZeroPadding3D(1, name="pad_cube")(cube), layers.Cropping2D(((1, 0), (2, 3)), name="crop")(x),
        layers.Cropping1D((2, 1), name="crop_line")(line), layers.Cropping3D((1, 2, 1), name="crop_cube")(cube),
        layers.UpSampling2D(2, name="up")(x), layers.UpSampling2D((2, 3), interpolation="bilinear", name="up_2")(x),
        layers.UpSampling1D(3, name="up_line")(line), layers.UpSampling3D(2, name="up_cube")(cube),
        layers.Permute((2, 1, 3), name="permute")(x), layers.RepeatVector(3, name="repeat")(mean),
        layers.Embedding(5, 3, name="embedding")(bins), layers.Masking(0.0, name="masking")(line),
        layers.EinsumDense("abc,cd->abd", output_shape=(12, 5), bias_axes="d", name="einsum")(line),
        layers.Dense(3, use_bias=False, name="dense_on_image")(x),
        layers.ActivityRegularization(0.1, name="regularised")(mean), layers.SpatialDropout1D(0.5, name="drop_1")(line),
        layers.SpatialDropout2D(0.5, name="drop_2")(x), layers.SpatialDropout3D(0.5, name="drop_3")(cube),
        layers.AlphaDropout(0.5, name="drop_alpha")(mean), layers.GaussianDropout(0.5, name="drop_gauss")(mean),
        layers.GaussianNoise(0.5, name="noise")(mean),
    ]  # fmt: skip


def preprocessing(image: Any) -> list[Any]:
    """Return what prepares images inside a network, of `(12, 12, 3)`."""
    x = layers.Rescaling(0.5, offset=0.5, name="rescale")(image)
    sides = [
        layers.Rescaling([1.0, 2.0, 3.0], offset=[0.1, 0.2, 0.3], name="rescale_bands")(image),
        layers.Resizing(7, 9, name="resize")(x),
        layers.Resizing(8, 8, interpolation="nearest", name="nearest")(x),
        layers.Resizing(9, 6, crop_to_aspect_ratio=True, name="resize_crop")(x),
        layers.CenterCrop(6, 5, name="centre")(x),
        layers.CenterCrop(14, 14, name="centre_larger")(x),
        layers.RandomFlip(name="flip")(x),
        layers.RandomRotation(0.2, name="rotate")(x),
        layers.RandomZoom(0.2, name="zoom")(x),
        layers.RandomTranslation(0.1, 0.1, name="shift")(x),
        layers.RandomContrast(0.2, name="contrast")(x),
        # Keras 3 gives another shape than it announces: without training it does not crop.
        layers.GlobalAveragePooling2D(name="cropped_mean")(layers.RandomCrop(6, 6, name="random_crop")(x)),
        layers.Rescaling(0.5, name="bins_as_numbers")(layers.Discretization([-1.0, 0.0, 0.4], name="bins")(image)),
        layers.CategoryEncoding(4, output_mode="multi_hot", name="many_hot")(
            layers.Discretization([-1.0, 0.0, 0.4], name="bins_2")(layers.Flatten(name="flat")(image))
        ),
    ]
    if not KERAS_3:
        sides.append(layers.RandomCrop(16, 14, name="random_crop_larger")(x))
        sides += [layers.RandomHeight(0.2, name="height")(x), layers.RandomWidth(0.2, name="width")(x)]
        sides[-2:] = [layers.GlobalAveragePooling2D(name=f"mean_{i}")(side) for i, side in enumerate(sides[-2:])]
    return sides


def augmentation(image: Any) -> list[Any]:
    """Return what Keras 3 alone has to vary images with, of `(12, 12, 3)`; inactive outside of training."""
    x = layers.Rescaling(0.2, offset=0.5, name="rescale")(image)
    sides = []
    for word in ("Shear", "Hue", "Saturation", "Sharpness", "ColorDegeneration", "Grayscale", "Invert",
                 "Perspective", "Posterization", "Erasing", "GaussianBlur", "ElasticTransform"):  # fmt: skip
        options = {"Posterization": {"factor": 4}}.get(word, {"value_range": (0, 1)}) if word in {
            "Hue", "Saturation", "Sharpness", "Posterization"} else {}  # fmt: skip
        given = {"factor": 0.2} if word in {"Hue", "Saturation", "Sharpness", "ColorDegeneration"} else {}
        sides.append(getattr(layers, f"Random{word}")(**{**given, **options}, name=f"random_{word.lower()}")(x))
    sides += [
        layers.RandomBrightness(0.2, value_range=(0, 1), name="bright")(x),
        layers.Solarization(0.1, 0.5, value_range=(0, 1), name="solarise")(x),
        layers.AutoContrast(value_range=(0, 1), name="auto_contrast")(x),
        layers.MixUp(name="mix_up")(x),
        layers.CutMix(name="cut_mix")(x),
        layers.AugMix(value_range=(0, 1), name="aug_mix")(x),
        layers.RandAugment(value_range=(0, 1), name="rand_augment")(x),
    ]
    return sides


def attention(steps: Any) -> list[Any]:
    """Return every attention over `(6, 8)`."""
    key = layers.Dense(8, name="key")(steps)
    sides = [
        layers.Attention(name="attention")([steps, key]),
        layers.Attention(use_scale=True, name="attention_scaled")([steps, key, steps]),
        layers.Attention(score_mode="concat", name="attention_concat")([steps, key]),
        layers.AdditiveAttention(name="additive")([steps, key]),
        layers.MultiHeadAttention(2, 3, name="heads")(steps, key),
        layers.MultiHeadAttention(2, 3, value_dim=5, output_shape=7, use_bias=False, name="heads_sizes")(
            steps, key, key=steps
        ),
        layers.MultiHeadAttention(2, 4, name="causal")(steps, steps, use_causal_mask=True),
    ]
    if KERAS_3:
        sides.append(layers.GroupQueryAttention(4, 4, 2, name="grouped")(steps, key))
    return sides


def recurrent(image: Any, steps: Any) -> list[Any]:
    """Return every recurrent layer over `(6, 8)`, and over images of a series."""
    film = layers.Reshape((2, 3, 4, 2), name="film")(image)
    own = layers.GRU(2, go_backwards=True, name="own_back")
    return [
        layers.LSTM(3, name="lstm")(steps),
        layers.LSTM(3, return_sequences=True, use_bias=False, name="lstm_all")(steps),
        layers.GRU(3, name="gru")(steps), layers.GRU(3, reset_after=False, go_backwards=True, name="gru_old")(steps),
        layers.SimpleRNN(3, activation="relu", name="rnn")(steps),
        layers.LSTM(3, activation="relu", recurrent_activation="hard_sigmoid", name="lstm_hard")(steps),
        layers.Bidirectional(layers.LSTM(2, name="inner"), name="both_ways")(steps),
        layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum", name="both_sum")(steps),
        layers.Bidirectional(layers.GRU(2, name="own"), backward_layer=own, name="both_own")(steps),
        layers.TimeDistributed(layers.Dense(2), name="each")(steps),
        layers.TimeDistributed(layers.Conv2D(2, 2, name="each_inner"), name="each_image")(film),
        layers.RNN(layers.LSTMCell(3, name="cell"), name="of_cell")(steps),
        layers.ConvLSTM2D(2, 2, name="conv_lstm")(film),
        layers.ConvLSTM1D(2, 2, return_sequences=True, name="conv_lstm_line")(layers.Reshape((3, 4, 4))(image)),
    ]  # fmt: skip


def operations_3(image: Any) -> list[Any]:
    """Return bare functions of Keras 3 between layers."""
    ops = keras.ops
    x = layers.Conv2D(4, 3, name="stem")(image * 2 + 1)
    return [
        x[:, 1:-1, ::2], x[..., 0], x[:, 2], 1.0 - x, x / 3.0, 2.0 / (ops.abs(x) + 1.0), -x, abs(x), x**2, x - x * x,
        ops.tanh(x), ops.relu(x), ops.relu6(x), ops.sigmoid(x), ops.silu(x), ops.softmax(x), ops.gelu(x),
        ops.mean(x, axis=[1, 2]), ops.max(x, axis=-1, keepdims=True), ops.sum(x, axis=1), ops.min(x, axis=(1, 2)),
        ops.concatenate([x, x * 0.5], axis=-1), ops.stack([x, -x], axis=1), ops.reshape(x, (-1, 36, 4)),
        ops.transpose(x, (0, 3, 1, 2)), ops.expand_dims(x, 1), ops.squeeze(ops.mean(x, axis=1, keepdims=True), 1),
        ops.sqrt(ops.square(x) + 1.0), ops.exp(x * 0.1), ops.log(ops.abs(x) + 1.0), ops.clip(x, -0.5, 0.5),
        ops.maximum(x, 0.1), ops.minimum(x, x * 2), ops.flip(x, axis=1), ops.cast(x, "float32"), ops.arcsinh(x),
        ops.power(ops.abs(x), 0.7), ops.log1p(ops.abs(x)), ops.leaky_relu(x, 0.1), ops.matmul(x, ops.swapaxes(x, 2, 3)),
        ops.where(x > 0, x, x * 0.1), ops.normalize(x, axis=-1), ops.einsum("bijc,bijd->bcd", x, x),
        ops.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]]), ops.var(x, axis=[1, 2]), ops.std(x, axis=-1), ops.sin(x),
        *ops.split(x, 2, axis=-1),
    ]  # fmt: skip


def operations_2(image: Any) -> list[Any]:
    """Return bare functions of TensorFlow between layers of Keras 2."""
    import tensorflow as tf

    x = layers.Conv2D(4, 3, name="stem")(image * 2 + 1)
    return [
        x[:, 1:-1, ::2], x[:, :, 0], x[:, 2], 1.0 - x, x / 3.0, 2.0 / (tf.abs(x) + 1.0), -x, x**2, x - x * x,
        tf.tanh(x), tf.nn.relu(x), tf.nn.relu6(x), tf.sigmoid(x), tf.nn.silu(x), tf.nn.softmax(x), tf.nn.gelu(x),
        tf.reduce_mean(x, [1, 2]), tf.reduce_max(x, axis=-1, keepdims=True), tf.reduce_sum(x, 1),
        tf.reduce_min(x, axis=(1, 2)), tf.concat([x, x * 0.5], axis=-1), tf.stack([x, -x], axis=1),
        tf.reshape(x, (-1, 36, 4)), tf.transpose(x, (0, 3, 1, 2)), tf.expand_dims(x, 1),
        tf.squeeze(tf.reduce_mean(x, 1, keepdims=True), 1), tf.sqrt(tf.square(x) + 1.0), tf.exp(x * 0.1),
        tf.math.log(tf.abs(x) + 1.0), tf.clip_by_value(x, -0.5, 0.5), tf.maximum(x, 0.1), tf.minimum(x, x * 2),
        tf.reverse(x, [1]), tf.cast(x, tf.float32), tf.asinh(x), tf.pow(tf.abs(x), 0.7), tf.nn.leaky_relu(x, 0.1),
        tf.matmul(x, x, transpose_b=True), tf.where(x > 0, x, x * 0.1), tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]]),
        tf.sin(x), tf.math.reduce_variance(x, [1, 2]), tf.math.reduce_std(x, -1), tf.identity(x),
        *tf.split(x, 2, axis=-1),
        keras.activations.relu(x), keras.backend.sum(x, axis=1),
    ]  # fmt: skip
