"""Read one file of the zoo as the pipeline does and hold all that comes out against what its Keras computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reportgen.checkpoints import architecture_signature, find_run, read_checkpoint
from reportgen.checkpoints.stored import StoredModel
from reportgen.config.model import RunConfig
from reportgen.errors import NetworkError
from reportgen.extraction.measurement import Measurement
from reportgen.network import Network, open_network
from reportgen.network.words import IDENTITY_PREFIXES

ARRANGING = frozenset({
    "InputLayer", "Identity", "Dropout", "AlphaDropout", "ActivityRegularization", "Masking", "Flatten", "Reshape",
    "Cast", "Squeeze", "ExpandDims", "cast", "reshape", "squeeze", "expand_dims", "identity", "MixUp", "CutMix",
    "AugMix", "RandAugment", "Solarization",
})  # fmt: skip
"""Classes that hand on their numbers and are not shown again."""


@dataclass(frozen=True)
class Reference:
    """What the writing framework computed."""

    inputs: dict[str, np.ndarray]
    outputs: list[np.ndarray]
    activations: dict[str, np.ndarray]
    weights: list[np.ndarray]

    @classmethod
    def load(cls, path: Path) -> Reference:
        """Return the arrays of a reference.npz."""
        with np.load(path) as file:
            found = {kind: _under(file, kind) for kind in ("inputs", "outputs", "activations", "weights")}
        return cls(
            found["inputs"], list(found["outputs"].values()), found["activations"], list(found["weights"].values())
        )


def _under(file: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """Return the arrays of one kind, in the order they were written."""
    return {key.partition("/")[2]: file[key] for key in file if key.startswith(kind + "/")}


@dataclass
class Judge:
    """Networks opened so far, one an architecture: what the pipeline does with a run."""

    networks: dict[Any, Network] = field(default_factory=dict)

    def read(self, folder: Path, reference: Reference) -> StoredModel:
        """Return what the one checkpoint of a folder holds; all its weights, and nothing else, are the framework's."""
        run = find_run(RunConfig(path=folder), folder)
        assert not run.failures, run.failures
        (checkpoint,) = run.checkpoints
        stored = read_checkpoint(checkpoint)
        arrays = [variable.value for layer in stored.layers for variable in layer.variables]
        assert _counted(arrays) == _counted(reference.weights), "the weights are not those of the framework"
        return stored

    def measure(self, stored: StoredModel, inputs: dict[str, np.ndarray], *, turned: bool = False) -> Measurement:
        """Return what the network makes of the inputs."""
        if turned:  # probes are always (y, x, channel)
            inputs = {name: np.moveaxis(value, 1, -1) for name, value in inputs.items()}
        # An only input gets the images whatever its name: a Sequential has none in some formats.
        given = inputs if len(inputs) > 1 else {"": next(iter(inputs.values()))}
        shapes = {name: value.shape[1:] for name, value in given.items()}
        key = (architecture_signature(stored), tuple(shapes.items()))
        if key not in self.networks:
            self.networks[key] = open_network(stored, shapes)
        return self.networks[key].measure(stored, given)

    def why_not(self, stored: StoredModel, inputs: dict[str, np.ndarray]) -> str:
        """Return the reason a network cannot be rebuilt."""
        try:
            self.measure(stored, inputs)
        except NetworkError as error:
            return f"{error} {error.advice}"
        raise AssertionError("the network was rebuilt, though nobody can know how")


def _counted(arrays: list[np.ndarray]) -> Counter[tuple[tuple[int, ...], bytes]]:
    """Return how often each array is there, as float32."""
    return Counter((array.shape, np.ascontiguousarray(array, np.float32).tobytes()) for array in arrays)


def compare(measured: Measurement, reference: Reference, tolerance: float, *, turned: bool) -> None:
    """Hold predictions and every layer's activations against the reference; `turned` puts channels last there."""
    names = {layer.name for layer in measured.layers if layer.class_name != "InputLayer"}
    assert names == set(reference.activations), names ^ set(reference.activations)
    shown = {
        layer.name
        for layer in measured.layers
        if layer.class_name not in ARRANGING
        and (not layer.class_name.startswith(IDENTITY_PREFIXES) or layer.class_name == "RandomCrop")
    }
    linear = {layer.name for layer in measured.layers if layer.class_name == "Activation"}
    assert shown - linear <= set(measured.activations) <= shown, shown ^ set(measured.activations)
    wrong = []
    for name, got in measured.activations.items():
        wanted = reference.activations[name].astype(np.float32)
        wanted = np.moveaxis(wanted, 1, -1) if turned and wanted.ndim > 2 else wanted
        wrong += _difference(name, got, wanted[:, None] if wanted.ndim == 1 else wanted, tolerance)
    output = reference.outputs[0].astype(np.float32)
    wrong += _difference("prediction", measured.predictions, output.reshape(len(output), -1), tolerance)
    assert not wrong, "; ".join(wrong)


def _difference(name: str, got: np.ndarray, wanted: np.ndarray, tolerance: float) -> list[str]:
    """Return what is wrong with one result: the largest difference over the largest number of the reference."""
    if got.shape != wanted.shape:
        return [f"{name} has shape {got.shape}, the framework's {wanted.shape}"]
    assert got.dtype == np.float32
    assert np.isfinite(wanted).all(), f"{name}: the reference itself is not finite"
    relative = float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-30))
    return [] if relative <= tolerance else [f"{name} differs by {relative:.1e}"]
