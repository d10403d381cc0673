"""What the outputs of the network mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.extraction import ExtractedRun, Extraction


@dataclass(frozen=True)
class Task:
    """The question the network was trained to answer."""

    kind: Literal["regression", "binary", "classes"]
    classes: tuple[str, ...]
    """Names in the order of the outputs; (negative, positive) for one unit; empty for a regression."""
    output: str
    """What a single output is called."""
    unit: str

    def answers(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return one number a probe, `(probe,)`: the value, the positive class's probability, or the largest."""
        p = predictions.reshape(len(predictions), -1).astype(np.float64)
        if p.shape[1] == 1:
            return p[:, 0]
        return p[:, 1] if self.kind == "binary" else p.max(axis=1)

    def chosen(self, predictions: NDArray[np.floating]) -> list[int]:
        """Return the predicted class of each probe; one unit is cut at 0.5."""
        p = predictions.reshape(len(predictions), -1)
        chosen = (p[:, 0] >= 0.5) if p.shape[1] == 1 else p.argmax(axis=1)
        return [int(c) for c in chosen]


def task_of(run: ExtractedRun, extraction: Extraction) -> Task:
    """Return the task as the configuration says it, or as outputs and probes suggest."""
    asked = run.config.task
    predictions = extraction.predictions
    units = 1 if predictions is None else int(np.prod(predictions.shape[1:]))
    kind = asked.kind
    if kind == "auto":
        if units > 2:
            kind = "classes"
        elif units == 2:
            kind = "binary"
        else:
            bounded = extraction.output_activation in {"sigmoid", "hard_sigmoid"}
            kind = "regression" if run.probes.has_targets or not bounded else "binary"
    classes = asked.classes
    if kind == "regression":
        return Task("regression", (), asked.output or "value", asked.unit)
    wanted = 2 if kind == "binary" else units
    if len(classes) != wanted:
        classes = tuple(f"class {i}" for i in range(wanted))
    name = asked.output or (f"probability of {classes[1]}" if kind == "binary" else "probability")
    return Task(kind, classes, name, asked.unit)
