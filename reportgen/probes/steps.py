"""The arithmetic between the pixels and the network, as NumPy does it and in words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.config.probes import StepConfig
from reportgen.config.suggest import did_you_mean
from reportgen.errors import ConfigError, ProbeError

Numbers = NDArray[np.floating]
"""Floating point of any width."""

Mode = Literal["tf", "torch", "caffe", "identity"]

KERAS_MODES: dict[str, Mode] = {
    "convnext": "identity",
    "densenet": "torch",
    "efficientnet": "identity",
    "efficientnet_v2": "identity",
    "inception_resnet_v2": "tf",
    "inception_v3": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "mobilenet_v3": "identity",
    "nasnet": "tf",
    "resnet": "caffe",
    "resnet50": "caffe",
    "resnet_v2": "tf",
    "vgg16": "caffe",
    "vgg19": "caffe",
    "xception": "tf",
}
"""What `keras.applications.<name>.preprocess_input` does; `identity` where the network itself scales."""

TORCH_MEAN, TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Mean colours of ImageNet: red, green, blue in [0, 1], and blue, green, red in [0, 255]."""

IN_WORDS: dict[Mode, str] = {
    "tf": "x / 127.5 − 1",
    "torch": "x / 255, minus ImageNet mean, divided by its standard deviation",
    "caffe": "red and blue exchanged, minus ImageNet mean",
    "identity": "x unchanged",
}


def apply_step(step: StepConfig, x: Numbers) -> Numbers:
    """Return `(y, x, channel)` after one step, in the same floating point type.

    Raises ProbeError where the step needs another number of channels.
    """
    if step.scale is not None:
        return x * x.dtype.type(step.scale)
    if step.offset is not None:
        return x + x.dtype.type(step.offset)
    if step.clip is not None:
        low, high = (x.dtype.type(limit) for limit in step.clip)
        return np.asarray(np.clip(x, low, high))
    if step.asinh is not None:
        return np.arcsinh(x / x.dtype.type(step.asinh))
    if step.standardise is not None:
        axes = _axes(step.standardise)
        wide = x.astype(np.float64)
        return _divide(wide - wide.mean(axis=axes, keepdims=True), wide.std(axis=axes, keepdims=True), x)
    if step.min_max is not None:
        axes = _axes(step.min_max)
        wide = x.astype(np.float64)
        lowest = wide.min(axis=axes, keepdims=True)
        return _divide(wide - lowest, wide.max(axis=axes, keepdims=True) - lowest, x)
    if step.mean_std is not None:
        mean, std = step.mean_std
        _need_channels(x, len(mean), "mean_std")
        return (x - np.asarray(mean, x.dtype)) / np.asarray(std, x.dtype)
    return _keras(step.keras or "", x)


def _axes(over: Literal["image", "band"]) -> tuple[int, ...]:
    return (0, 1) if over == "band" else (0, 1, 2)


def _divide(above: NDArray[np.floating], below: NDArray[np.floating], like: Numbers) -> Numbers:
    """Divide, where a constant image or band, which has no contrast to normalise, stays 0."""
    return np.asarray(above / np.where(below == 0, 1, below), like.dtype)


def _keras(name: str, x: Numbers) -> Numbers:
    """Return what `keras.applications.<name>.preprocess_input` returns, to the last bit, without Keras."""
    mode = keras_mode(name)
    if mode == "identity":
        return x
    if mode == "tf":
        return x / x.dtype.type(127.5) - x.dtype.type(1)
    _need_channels(x, 3, f"keras: {name}")
    if mode == "caffe":
        return x[..., ::-1] - np.asarray(CAFFE_MEAN, x.dtype)
    return (x / x.dtype.type(255) - np.asarray(TORCH_MEAN, x.dtype)) / np.asarray(TORCH_STD, x.dtype)


def keras_mode(name: str) -> Mode:
    """Return what the preprocessing of a Keras application does; raises ConfigError for an unknown name."""
    if name not in KERAS_MODES:
        raise ConfigError(
            f"There is no Keras application called {name!r}",
            where="probes.prepare.steps",
            expected=f"one of {', '.join(KERAS_MODES)}",
            received=name,
            advice=did_you_mean(name, KERAS_MODES),
        )
    return KERAS_MODES[name]


def _need_channels(x: Numbers, count: int, step: str) -> None:
    if x.shape[-1] != count:
        raise ProbeError(
            f"The step `{step}` is for {count} channels",
            expected=f"{count} channels",
            received=f"{x.shape[-1]}",
            advice="Choose them with probes.prepare.bands; a band may come more than once: [0, 0, 0].",
        )


def reorder_names(steps: Sequence[StepConfig], channels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the channels after the steps: caffe's preprocessing turns them round."""
    turns = sum(step.keras is not None and keras_mode(step.keras) == "caffe" for step in steps)
    return channels[::-1] if turns % 2 else channels


def step_in_words(step: StepConfig) -> str:
    """Return one step as it reads in a caption; raises ConfigError for an unknown Keras application."""
    if step.scale is not None:
        return f"× {step.scale:.4g}{_as_fraction(step.scale)}"
    if step.offset is not None:
        return f"{'−' if step.offset < 0 else '+'} {abs(step.offset):.6g}"
    if step.clip is not None:
        return f"clip to [{step.clip[0]:.6g}, {step.clip[1]:.6g}]"
    if step.asinh is not None:
        return "arcsinh(x)" if step.asinh == 1 else f"arcsinh(x / {step.asinh:.6g})"
    if step.standardise is not None:
        return f"each {step.standardise} to mean 0, standard deviation 1"
    if step.min_max is not None:
        return f"each {step.min_max} to [0, 1]"
    if step.mean_std is not None:
        mean, std = (", ".join(f"{value:.6g}" for value in values) for values in step.mean_std)
        return f"minus ({mean}), divided by ({std})"
    return f"{IN_WORDS[keras_mode(step.keras or '')]} (Keras {step.keras})"


def _as_fraction(scale: float) -> str:
    """Return ` (1/255)` for a number that is meant as one over a whole number."""
    if not 0 < scale < 1:
        return ""
    fraction = Fraction(1, max(1, round(1 / scale)))
    return f" (1/{fraction.denominator})" if abs(float(fraction) / scale - 1) < 1e-6 and scale < 0.1 else ""
