"""The layers and activation functions a network may be made of: nothing outside these lists is ever built."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras

from reportgen.errors import NetworkError, NotBuiltIn
from reportgen.network.allocate import FromFile
from reportgen.network.engine import WAYS_OUT, KerasLayer, Option, Tensor
from reportgen.network.quantized import is_quantized, quantization_config, sized
from reportgen.network.stand_ins import AdaptedNormalization, LayerScale, ThresholdedReLU
from reportgen.network.wording import in_words

_NAMES = """
Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose
Convolution1D Convolution2D Convolution3D Convolution1DTranspose Convolution2DTranspose Convolution3DTranspose
DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D
MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
MaxPool1D MaxPool2D MaxPool3D AvgPool1D AvgPool2D AvgPool3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D
AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D
ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
UpSampling1D UpSampling2D UpSampling3D
Dense EinsumDense Embedding
BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization Normalization
SpectralNormalization
Flatten Reshape Permute RepeatVector Masking
Activation ReLU LeakyReLU PReLU ELU Softmax
Add Subtract Multiply Average Maximum Minimum Concatenate Dot
Rescaling Resizing CenterCrop RandomCrop Discretization CategoryEncoding
AutoContrast Equalization ContrastLimitedAdaptiveHistogramEqualization
Attention AdditiveAttention MultiHeadAttention GroupQueryAttention
LSTM GRU SimpleRNN LSTMCell GRUCell SimpleRNNCell RNN StackedRNNCells Bidirectional TimeDistributed
ConvLSTM1D ConvLSTM2D ConvLSTM3D
"""

LAYERS: dict[str, Callable[..., Any]] = {name: getattr(keras.layers, name) for name in _NAMES.split()} | {
    "BatchNormalizationV1": keras.layers.BatchNormalization,
    "BatchNormalizationV2": keras.layers.BatchNormalization,
    "SyncBatchNormalization": keras.layers.BatchNormalization,
    "GroupedQueryAttention": keras.layers.GroupQueryAttention,
    "Normalization": AdaptedNormalization,
    "LayerScale": LayerScale,
    "ThresholdedReLU": ThresholdedReLU,
}
"""Class name in a file → what is built for it."""

IDENTITIES = frozenset({
    "Identity", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
    "GaussianNoise", "GaussianDropout", "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomShear", "RandomHue", "RandomSaturation",
    "RandomSharpness", "RandomColorJitter", "RandomColorDegeneration", "RandomErasing", "StochasticDepth",
    "RandomGaussianBlur", "RandomElasticTransform", "RandomHeight", "RandomWidth", "MixUp", "CutMix", "AugMix",
    "RandAugment", "Solarization", "RandomGrayscale", "RandomInvert", "RandomPerspective", "RandomPosterization",
})  # fmt: skip
"""Layers that hand on what they get in inference mode."""

ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
})  # fmt: skip
"""Activation functions by name."""

_RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "Reshape": {"dims": "target_shape"}}
"""Options that Keras 3 calls otherwise."""
COPYING = frozenset({
    "MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention", "Bidirectional", "TimeDistributed",
    "LSTM", "GRU", "SimpleRNN", "RNN", "StackedRNNCells", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D",
    "SpectralNormalization",
})  # fmt: skip
"""Layers that make layers inside themselves from their own options, or an array from several."""
_BY_KWARGS = {
    "LSTM": ("zero_output_for_mask",), "GRU": ("zero_output_for_mask",), "SimpleRNN": ("zero_output_for_mask",),
    "AutoContrast": ("data_format",), "Equalization": ("data_format",),
}  # fmt: skip
"""Options that a constructor hands on to its parent's."""
_HARMLESS = frozenset({
    "groups", "kernel_size", "dilation_rate", "filters", "rate", "scope", "dtype_policy",
    "drop_path_rate", "query_shape", "key_shape", "value_shape",
})  # fmt: skip
"""Options Keras 2 wrote for layers that never used them."""


def make_layer(
    class_name: str, config: dict[str, Any], *, name: str | None, shown: str, era: int, initial: FromFile | None = None
) -> KerasLayer:
    """Return a layer from the list above, with the options the file gives; `shown` is its name in messages.

    `initial` makes its weights, but for those of layers inside it: Keras copies these by their configuration.

    Raises NetworkError for a class, an option or an activation that is not in the lists.
    """
    dtype = config.get("dtype") or "float32"
    if class_name == "Discretization":
        dtype = "float32"  # Keras 2 wrote that of its results, which Keras 3 would cast the inputs to
    if class_name in IDENTITIES:
        return keras.layers.Identity(name=name, dtype=dtype)
    if class_name == "RandomCrop" and era < 3:  # Keras 3 does not crop in inference mode, Keras 2 shrank the image
        class_name, config = "Resizing", {**config, "crop_to_aspect_ratio": True}
    make = LAYERS.get(class_name)
    if make is None:
        raise NotBuiltIn(
            f"layer {shown} is of class {class_name}, which is not built in",
            where=shown,
            expected="layers that Keras itself has, without Lambda",
            received=class_name,
            advice=WAYS_OUT,
        )
    quantized = is_quantized(class_name, config)
    # Of the constructor: what a class itself shows depends on the patch release of Python.
    accepted = {
        *inspect.signature(make.__init__ if inspect.isclass(make) else make).parameters,
        *_BY_KWARGS.get(class_name, ()),
    }
    options: dict[str, Any] = {"name": name, "dtype": dtype}
    for key, value in config.items():
        key = _RENAMED.get(class_name, {}).get(key, key)
        if key == "quantization_config":
            if quantized:
                options[key] = quantization_config(config, shown)
        elif key in accepted and key != "dtype":
            options[key] = _option(key, value, shown, era)
        elif key != "dtype" and key not in _HARMLESS and value not in (None, False, [], {}, "default"):
            raise NetworkError(
                f"layer {shown} ({class_name}) has an option {key}, unknown to Keras {keras.__version__}",
                where=shown,
                received=f"{key}: {value}",
                advice="Save the model with a current Keras, or tell us about this layer.",
            )
    if initial is not None and class_name not in COPYING:
        options |= {key: initial for key in accepted if key.endswith("_initializer")}
    if "data_format" in accepted and not options.get("data_format"):
        options["data_format"] = "channels_last"  # a user's keras.json must not decide this
    try:
        return (sized(make, initial) if quantized else make)(**options)
    except (TypeError, ValueError, AttributeError) as error:
        raise NetworkError(
            f"layer {shown} ({class_name}) cannot be built from its options", where=shown, received=in_words(error)
        ) from error


def make_activation(value: Option, shown: str, era: int) -> Option:
    """Return an activation from the list above, or a layer used as one."""
    if isinstance(value, dict):
        return make_layer(str(value["class_name"]), value["config"], name=None, shown=shown, era=era)
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise NotBuiltIn(
            f"layer {shown} uses the activation function {value}, which is not built in",
            where=shown,
            expected="an activation function of Keras itself",
            received=str(value),
            advice=WAYS_OUT,
        )
    if value == "hard_sigmoid" and era < 3:
        return _hard_sigmoid_of_keras_2
    return keras.activations.get(value)


def _hard_sigmoid_of_keras_2(x: Tensor) -> Tensor:
    """Clip 0.2 x + 0.5 to [0, 1]; Keras 3 clips x / 6 + 0.5."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def _option(key: str, value: Option, shown: str, era: int) -> Option:
    """Return one option as the constructor takes it."""
    if "activation" in key:
        return make_activation(value, shown, era)
    if key in {"layer", "cell", "backward_layer"} and isinstance(value, dict):
        return make_layer(str(value["class_name"]), value["config"], name=value.get("name"), shown=shown, era=era)
    if key == "cells" and isinstance(value, list):
        return [_option("cell", item, shown, era) for item in value]
    return value
