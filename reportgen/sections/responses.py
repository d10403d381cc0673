"""What the channels of a network respond, layer by layer, and where in the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.patches import Centres, Patch, centres, patch
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.probes.prepare import pair

Pooling = Literal["max", "mean"]

NOT_OWN = (
    "Pool", "Normalization", "Padding", "Cropping", "Crop", "UpSampling", "Dropout", "Rescaling", "Resizing",
    "Flatten", "Reshape", "Permute", "Input", "Random", "Gaussian",
)  # fmt: skip
"""Words in the names of layers that hand on, rescale or rearrange the channels of the layer before."""

RECTIFIERS = frozenset({"Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax"})


@dataclass(frozen=True)
class Responses:
    """One number a channel and probe."""

    layer: Layer
    values: NDArray[np.float32]
    """`(probe, channel)`: the largest or the mean activation over the map; of a vector its value."""
    maps: bool
    """Whether the layer gives maps."""


def own_layers(extraction: Extraction) -> tuple[Layer, ...]:
    """Return the measured layers with channels of their own, each after its activation function; not the output."""
    found: list[Layer] = []
    last = extraction.layers[-1].name if extraction.layers else ""
    for name in extraction.measured:
        layer = extraction.layer(name)
        if name == last or any(word in layer.class_name for word in NOT_OWN):
            continue
        if layer.class_name in RECTIFIERS:
            source = _source(extraction, layer)
            found = [f for f in found if f.name != source]
        found.append(layer)
    output = _output(extraction)
    return tuple(f for f in found if f.name != output)


def _source(extraction: Extraction, layer: Layer) -> str:
    """Return the layer whose channels an activation layer hands on, seen through normalisations."""
    before = extraction.layer(layer.inputs[0])
    while "Normalization" in before.class_name and before.inputs:
        before = extraction.layer(before.inputs[0])
    return before.name


def _output(extraction: Extraction) -> str:
    """Return the layer with arrays that gives the answer: the last, or the one before a last activation."""
    return next((layer.name for layer in reversed(extraction.layers) if layer.parameters), "")


def penultimate(extraction: Extraction) -> str:
    """Return the measured layer the answer is computed from; empty where that is the image itself."""
    output = _output(extraction)
    if not output:
        return ""
    names = list(extraction.layer(output).inputs)
    while names:
        name = names[0]
        if name in extraction.measured:
            return name
        names = list(extraction.layer(name).inputs)
    return ""


def responses(extraction: Extraction, layer: Layer, pooling: Pooling) -> Responses:
    """Return what each channel of a layer responds to each probe."""
    channels = extraction.channels(layer.name)
    values = channels.maximum if pooling == "max" else channels.mean
    return Responses(layer, values, len(extraction.shape(layer.name)) == 4)


def place_of_maximum(extraction: Extraction, layer: str, probe: int, channel: int) -> tuple[int, int]:
    """Return where `(y, x)` in its map a channel is excited most by a probe, the first of equals."""
    return extraction.place(layer, probe, channel)


def patch_of(run: ExtractedRun, extraction: Extraction, layer: str, unit: tuple[int, int]) -> Patch | None:
    """Return the pixels of the prepared image that a unit sees."""
    return patch(extraction.layers, _sizes(extraction, run.probes.input_shape), layer, unit)


def centres_of(extraction: Extraction, layer: str, picture: tuple[int, int]) -> Centres | None:
    """Return where on the prepared image `(y, x)` the units of a layer look; None where that cannot be said."""
    return centres(extraction.layers, _sizes(extraction, picture), layer, picture)


def field_of(
    extraction: Extraction, layer: str, unit: tuple[int, int], picture: tuple[int, int]
) -> tuple[int, int] | None:
    """Return how many pixels a unit sees, `(y, x)`, on a prepared image of a size; None where that cannot be said."""
    seen = patch(extraction.layers, _sizes(extraction, picture), layer, unit)
    return None if seen is None else (seen.height, seen.width)


def _sizes(extraction: Extraction, picture: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return the `(y, x)` of each layer's output, as far as it is known; of a vector (1, 1)."""
    sizes = {}
    for row in extraction.layers:
        shape: tuple[int | None, ...] = row.output_shape
        if row.name in extraction.measured:
            shape = extraction.shape(row.name)[1:]
        elif not row.inputs and len(shape) == 3:
            shape = (*picture[:2], None)
        if len(shape) != 3:
            sizes[row.name] = (1, 1)
        elif shape[0] is not None and shape[1] is not None:
            sizes[row.name] = (shape[0], shape[1])
    return sizes


def on_picture(run: ExtractedRun, probe: int, seen: Patch) -> tuple[float, float, float, float]:
    """Return a patch as fractions (left, top, width, height) of the probe's picture, which may be larger than the crop.

    Pictures of FITS files are turned: the network sees their lowest row first.
    """
    height, width = run.probes.images[probe].shape[:2]
    cut_y, cut_x = height, width
    if run.config.probes.prepare.crop is not None:
        cut_y, cut_x = pair(run.config.probes.prepare.crop)
    y, x, _ = run.probes.input_shape
    left = ((width - cut_x) // 2 + seen.left * cut_x / x) / width
    wide = seen.width * cut_x / x / width
    high = seen.height * cut_y / y / height
    off = (height - cut_y) // 2
    if run.probes.probes[probe].metadata.get("row_0") == "bottom":
        low = (off + seen.top * cut_y / y) / height  # counted from the bottom
        return left, 1 - low - high, wide, high
    return left, (off + seen.top * cut_y / y) / height, wide, high
