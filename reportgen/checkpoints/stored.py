"""What a checkpoint file holds, as plain arrays and JSON: no Keras object, nothing executed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Variable:
    """One array of a layer."""

    name: str
    """kernel, bias, gamma, …; the file's own word, without a scope or `:0`."""
    value: NDArray[np.generic]


@dataclass(frozen=True)
class StoredLayer:
    """The arrays of one layer."""

    name: str
    """The user's name; a layer of a nested model is `backbone/conv1`."""
    variables: tuple[Variable, ...]
    group: str = ""
    """Where the arrays lie in a file of groups: the attributes that lead to a layer of a subclassed model."""


@dataclass(frozen=True)
class StoredModel:
    """Everything a report needs out of one checkpoint file."""

    layers: tuple[StoredLayer, ...]
    """Layers that have weights, in the order of the file."""
    config: dict[str, Any] | None
    """The architecture as the file describes it: {class_name, config}; None for weights alone."""
    keras_version: str = ""
    """The Keras that wrote the file, where it says so."""
    saved: str = ""
    """When, where the file says so."""
    optimizer: str = ""
    """Class of the optimiser whose state is in the file, if any; its state is not shown as weights."""
    loss: str = ""
    """The training loss, where the file says so."""
    other: dict[str, int] = field(default_factory=dict)
    """What is in the file beside weights, and in how many arrays: optimizer, metrics, seed generators."""
