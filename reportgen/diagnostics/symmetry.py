"""How much an answer changes when the picture is turned, moved, degraded or cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Response:
    """What became of the answers under one kind and amount of change."""

    kind: str
    amount: str
    n: int
    """Probes."""
    median: float
    """Median over probes of the largest |change| among the variants of this kind and amount."""
    largest: float
    shift: float
    """Median over probes of the change itself, the mean over the variants."""
    flips: int | None
    """Probes whose answer becomes another class in any of them; None for a regression."""


def spread(answers: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return largest − smallest answer of each probe from `(orientation, probe)`; NaN where one is not finite."""
    a = np.asarray(answers, np.float64)
    return np.asarray(a.max(axis=0) - a.min(axis=0))


def respond(
    answers: NDArray[np.floating], classes: NDArray[np.int_] | None, kinds: Sequence[str], amounts: Sequence[str],
    found: NDArray[np.bool_],
) -> tuple[Response, ...]:  # fmt: skip
    """Return a Response for each kind and amount from `(variant, probe)` answers, of which the first are unchanged.

    All orientations count as one. `found` says which probes have a galaxy: the kinds sky and galaxy count these only.
    Probes whose answers are not finite are left out.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for i, (kind, amount) in enumerate(zip(kinds, amounts, strict=True)):
        if i:
            groups.setdefault((kind, "" if kind == "orientation" else amount), []).append(i)
    change = np.asarray(answers, np.float64) - np.asarray(answers[0], np.float64)
    responses = []
    for (kind, amount), places in groups.items():
        good = np.isfinite(change[places]).all(axis=0)
        if kind in {"sky", "galaxy"} and len(found):
            good &= found
        moved = change[places][:, good]
        largest = np.abs(moved).max(axis=0) if good.any() else np.zeros(0)
        flips = None if classes is None else int((classes[places][:, good] != classes[0][good]).any(axis=0).sum())
        responses.append(
            Response(
                kind, amount, int(good.sum()), float(np.median(largest)) if len(largest) else float("nan"),
                float(largest.max()) if len(largest) else float("nan"),
                float(np.median(moved.mean(axis=0))) if len(largest) else float("nan"), flips,
            )
        )  # fmt: skip
    return tuple(responses)
