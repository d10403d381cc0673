"""The cells of the zoo and what is expected in each; no Keras is needed to read them."""

from __future__ import annotations

from dataclasses import dataclass

TOPOLOGIES: dict[str, str] = {
    "sequential": "Sequential",
    "sequential_without_input": "Sequential without Input",
    "branches": "functional with branches, optimiser state",
    "backbone": "frozen MobileNetV2 inside",
    "nested": "nested Sequential",
    "shared": "shared layers",
    "two_inputs": "two inputs, two outputs",
    "convolutions": "every convolution, 1D to 3D",
    "normalisation": "every normalisation",
    "pooling": "every pooling",
    "activations": "every activation",
    "merging": "every merge",
    "shapes": "padding, cropping, embedding, …",
    "preprocessing": "preprocessing layers",
    "augmentation": "augmentation layers of Keras 3",
    "attention": "every attention",
    "recurrent": "every recurrent layer",
    "stacked": "stacked recurrent cells",
    "operations": "bare functions, slices",
    "mixed_float16": "mixed float16",
    "mixed_bfloat16": "mixed bfloat16",
    "bfloat16": "bfloat16",
    "int8": "quantised to int8",
    "channels_first": "channels first",
    "slashes": "names with slashes",
    "locally_connected": "LocallyConnected2D",
    "lambdas": "Lambda",
    "custom_layer": "layer of the user's own",
    "subclassed": "model class of the user's own",
}
"""Name of the function that builds it → its row in the README."""

FORMATS: dict[str, dict[str, str]] = {
    "3": {
        "keras": ".keras",
        "folder": "unzipped",
        "npz": ".keras, npz",
        "hdf5": ".h5",
        "bare": "no suffix",
        "weights": ".weights.h5",
        "sharded": "sharded",
        "bundle": "TF checkpoint",
        "export": "export()",
    },
    "2": {
        "keras": ".keras",
        "npz": ".keras, npz",
        "hdf5": ".h5",
        "bare": "no suffix",
        "weights": ".weights.h5",
        "legacy": "weights .h5",
        "bundle": "TF checkpoint",
        "saved": "SavedModel",
        "2.3": "Keras 2.3",
        "2.1": "Keras 2.1",
        "1.2": "Keras 1.2",
    },
}
"""Era → format → its column in the README; without suffix is as with it, and stands for all foreign names."""

WEIGHTS_ONLY = {
    "locally_connected": "LocallyConnected2D",
    "lambdas": "Lambda",
    "custom_layer": "Squeeze",
    "subclassed": "Small",
}
"""Topologies that cannot be rebuilt → the class the reason has to name."""

HALF = {"mixed_float16": 5e-3, "mixed_bfloat16": 2**-7, "bfloat16": 2**-7, "int8": 5e-3}
"""Topologies whose arithmetic is coarse → relative tolerance.

In bfloat16 Keras itself differs by 5.9e-3 between a model run eagerly and the same run in a graph (measured with 3.15.1
and 2.15.0 on `sequential`), because a graph does not round between a layer's sum, bias and activation. We have to: what
comes before the last activation is a result of its own. In Keras 3.15.1 all layers but that one are equal to the last
bit; in Keras 2.15.0 `norm` and `act` differ too, by 5.9e-3.
"""

_NEVER = {
    "3": frozenset({"slashes", "locally_connected"}),
    "2": frozenset({"augmentation", "int8"}),
}
"""What an era does not have at all."""
_SEQUENTIALS = frozenset({"sequential", "sequential_without_input", "nested", "backbone", "channels_first"})
_OLD = _SEQUENTIALS | {
    "branches", "two_inputs", "activations", "stacked", "slashes", "locally_connected", "lambdas",
    "custom_layer",
}  # fmt: skip
_OLDER = frozenset({"sequential", "sequential_without_input", "branches", "two_inputs", "slashes"})
_ALL = frozenset(TOPOLOGIES)
_NOT: dict[tuple[str, str], frozenset[str]] = {
    ("3", "hdf5"): frozenset({"augmentation"}),
    ("3", "bare"): frozenset({"augmentation"}),
    ("3", "bundle"): frozenset({"stacked"}),
    ("3", "export"): _ALL - {"sequential", "branches", "two_inputs", "subclassed"},
    ("2", "hdf5"): frozenset({"subclassed"}),
    ("2", "bare"): frozenset({"subclassed"}),
    ("2", "2.3"): _ALL - _OLD,
    ("2", "2.1"): _ALL - _SEQUENTIALS,
    ("2", "1.2"): _ALL - _OLDER,
}
NOT_WRITTEN: dict[tuple[str, str], frozenset[str]] = {
    (era, name): _NEVER[era] | _NOT.get((era, name), frozenset()) for era, names in FORMATS.items() for name in names
}
"""(era, format) → what that Keras cannot write; of export(), what is left out because it takes long to trace."""


@dataclass(frozen=True)
class Cell:
    """One topology in one format of one era."""

    era: str
    format: str
    topology: str

    @property
    def written(self) -> bool:
        """Whether that Keras can write it."""
        return self.topology not in NOT_WRITTEN[self.era, self.format]

    def __str__(self) -> str:
        return f"keras {self.era}-{self.format}-{self.topology}"
