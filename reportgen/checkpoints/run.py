"""A training run and its checkpoints, as found on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import Failure


@dataclass(frozen=True)
class Checkpoint:
    """One file, or folder, of weights."""

    name: str
    """Unique in the run and safe as a file name."""
    file: str
    """Path relative to the run folder, as the user knows it."""
    path: Path
    format: str
    """A key of FORMATS."""
    epoch: int | None
    """Counted from 1; None where neither name nor file says it."""
    size: int
    """[byte]"""
    sha256: str
    architecture: Path | None = None
    """File whose architecture it borrows, where it holds weights alone."""
    lender: str = ""
    """The same as the user knows it; empty where there is none."""
    unclear: str = ""
    """Files of different architectures that fit it, so that none is borrowed; empty where that was clear."""
    modified: int = 0
    """When the newest of its files was changed, as found [ns since 1970]; 0 where nobody looked."""


@dataclass(frozen=True)
class History:
    """What training wrote down, one row an epoch."""

    file: str
    epochs: NDArray[np.int64]
    """Counted from 1, `(epoch,)`."""
    columns: dict[str, NDArray[np.float64]]
    """loss, val_loss, …: `(epoch,)` each; NaN where a row has no value."""


@dataclass(frozen=True)
class Run:
    """One training run: its checkpoints in training order and what is known about it."""

    name: str
    path: Path
    checkpoints: tuple[Checkpoint, ...]
    history: History | None = None
    record: dict[str, Any] = field(default_factory=dict)
    """Contents of run.json, empty without one."""
    failures: tuple[Failure, ...] = ()
    """Files that look like checkpoints and cannot be used, or a history that cannot be read."""
