"""What the outputs of the network mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.errors import SectionError
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
    logits: bool = False
    """Whether the output is linear and its loss a cross-entropy, so that sigmoid or softmax make it a probability."""

    def answers(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return one number a probe, `(probe,)`: the value, the positive class's probability, or the largest."""
        p = self.probabilities(predictions)
        if p.shape[1] == 1 or self.kind == "regression":
            return p[:, 0]
        return p[:, 1] if self.kind == "binary" else p.max(axis=1)

    def chosen(self, predictions: NDArray[np.floating]) -> list[int | None]:
        """Return the predicted class of each probe; one unit is cut at 0.5, NaN chooses none."""
        p = self.probabilities(predictions)
        best = (p[:, 0] >= 0.5).astype(int) if p.shape[1] == 1 else p.argmax(axis=1)
        finite = np.isfinite(p.sum(axis=1))
        return [int(c) if fine else None for c, fine in zip(best, finite, strict=True)]

    def by_class(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probability of each class, `(probe, class)`; one unit is that of the second of two."""
        p = self.probabilities(predictions)
        return np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p

    def probabilities(self, predictions: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the outputs as `(probe, unit)`, logits turned into probabilities."""
        p = predictions.reshape(len(predictions), -1).astype(np.float64)
        if not self.logits:
            return p
        if p.shape[1] == 1:
            return np.exp(-np.logaddexp(0, -p))
        return np.exp(p - np.logaddexp.reduce(p, axis=1, keepdims=True))


def asks_for_target(run: ExtractedRun) -> bool:
    """Whether the targets of the catalogue are what some network of the run answers; so too where none could be run."""
    measured = run.measured
    return not measured or any(task_of(run, e).kind == "regression" for e in measured)


def task_of(run: ExtractedRun, extraction: Extraction) -> Task:
    """Return the task as the configuration says it, or as outputs, loss and probes suggest.

    Raises SectionError where the configuration does not fit the network's outputs.
    """
    asked, predictions = run.config.task, extraction.predictions
    units = 1 if predictions is None else int(np.prod(predictions.shape[1:]))
    entropy = "crossentropy" in extraction.about.loss.lower().replace("_", "")
    classifies = extraction.output_activation in {"sigmoid", "softmax", "hard_sigmoid"} or entropy
    kind = asked.kind
    if kind == "auto":
        if not classifies or (units == 1 and run.probes.has_targets):
            kind = "regression"
        else:
            kind = "binary" if units <= 2 else "classes"
    if kind == "regression":
        return Task("regression", (), asked.output or "value", asked.unit)
    wanted = max(units, 2)
    if (kind == "binary" and units > 2) or (kind == "classes" and units == 1):
        raise SectionError(
            f"task.kind is {kind} and the network has {units} output {'unit' if units == 1 else 'units'}",
            expected="binary with one or two units, classes with two or more", received=extraction.about.file,
            advice="Set task.kind, or leave it at auto.",
        )  # fmt: skip
    if asked.classes and len(asked.classes) != wanted:
        raise SectionError(
            f"task.classes has {len(asked.classes)} names for a network of {wanted} classes",
            expected=f"{wanted} names, in the order of the outputs", received=", ".join(asked.classes),
            advice="Correct task.classes; a network with one unit has two classes: (negative, positive).",
        )  # fmt: skip
    classes = asked.classes or tuple(str(i) for i in range(wanted))
    name = asked.output or (f"probability of {classes[1]}" if kind == "binary" else "probability")
    return Task(kind, classes, name, asked.unit, logits=extraction.output_activation == "linear")
