"""What is said of a checkpoint beside its arrays."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class About:
    """A checkpoint's identity, and how its measurement went."""

    name: str
    """Unique in the run and safe as a file name."""
    file: str
    """As the user knows it, relative to the run folder."""
    format: str
    """Title of the file format."""
    epoch: int | None
    size: int
    """[byte]"""
    sha256: str
    keras_version: str
    """The Keras that wrote the file; empty where it does not say."""
    saved: str
    """When, as the file says it; empty where it does not."""
    optimizer: str
    loss: str
    architecture: str
    """Signature of the architecture: checkpoints with equal ones are comparable layer by layer; empty when unknown."""
    probes: str
    """sha256 of the probe set."""
    problem: str = ""
    """Why there are weights and no activations; empty when all went well."""
    architecture_from: str = ""
    """File that describes the network, where the checkpoint holds weights alone; empty where it does itself."""
    other: dict[str, int] = field(default_factory=dict)
    """What is in the file beside weights, and in how many arrays: optimizer, metrics, seed generators."""
