"""The fixed set of images every checkpoint is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import Failure


@dataclass(frozen=True)
class Probe:
    """One image of the probe set, without its pixels."""

    id: str
    """Unique in the set; printed on every figure."""
    label: str | None = None
    """Its class, where known."""
    target: float | None = None
    """The value a regression should return, where known."""
    group: str | None = None
    """Any grouping by the user: isolated, pair, encounter 7 …"""
    metadata: dict[str, str] = field(default_factory=dict)
    """Every other column of the catalogue, as text."""
    source: str = ""
    """File, and HDU or row, the pixels came from; relative to the config file."""
    sha256: str = ""
    """Of the bytes of what the network sees: dtype, shape and values of the prepared array; for a network with
    several inputs that of all of them."""


@dataclass(frozen=True)
class OtherInput:
    """What one more input of a network gets of each probe."""

    values: NDArray[np.generic]
    """As the network sees them: `(probe, y, x, channel)` or `(probe, feature)`."""
    source: str
    """Where they come from, in words."""
    steps: tuple[str, ...]
    """The preparation in words, one step each."""
    channels: tuple[str, ...]
    """Names of the channels, or of the columns."""
    shape: tuple[int, ...]
    """`(y, x, channel)` of one picture before flattening, or `(feature,)`."""
    bottom_up: bool = False
    """Row 0 is the bottom of the picture, as in FITS."""


@dataclass(frozen=True)
class ProbeSet:
    """Images in a fixed order: as a person sees them and as the network sees them."""

    probes: tuple[Probe, ...]
    images: Sequence[NDArray[np.generic]]
    """As read, for display: `(y, x, band)` each, any size, row 0 at the top, unstretched."""
    inputs: NDArray[np.generic]
    """As the network sees them, prepared: `(probe, y, x, channel)`, or `(probe, feature)` when flattened."""
    bands: tuple[str, ...]
    """Names of the bands of `images`, e.g. g, r, i."""
    channels: tuple[str, ...]
    """Names of the channels of `inputs`, after choice and reordering of bands."""
    input_shape: tuple[int, int, int]
    """`(y, x, channel)` of one prepared image before flattening."""
    steps: tuple[str, ...]
    """The preparation in words, one step each, for captions."""
    display: str
    """The display stretch in words, for captions."""
    sha256: str
    """Of the set: ids and sha256 of its probes in order."""
    failures: tuple[Failure, ...] = ()
    """Probes that are missing, and why."""
    others: dict[str, OtherInput] = field(default_factory=dict)
    """What further inputs of the network get, by the name of the input."""
    image_inputs: tuple[str, ...] = ()
    """Names of the inputs that were said to get `inputs`; where none was, the one that is not named gets them."""

    def __len__(self) -> int:
        return len(self.probes)

    @property
    def given(self) -> dict[str, NDArray[np.generic]]:
        """What the network gets, by the name of its input; without a name, for the one that has no other, the image."""
        return dict.fromkeys(self.image_inputs or ("",), self.inputs) | {
            name: other.values for name, other in self.others.items()
        }

    @property
    def has_targets(self) -> bool:
        """Whether any probe has a numeric target."""
        return any(probe.target is not None for probe in self.probes)

    @property
    def has_labels(self) -> bool:
        """Whether any probe has a class label."""
        return any(probe.label is not None for probe in self.probes)
