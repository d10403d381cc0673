"""Every channel of a network tested against the class or the target, and against what might stand in for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.selectivity import ALPHA, Tests, class_auc, false_discovery, rank_correlation
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.sections.confounders import Column
from reportgen.sections.responses import Responses
from reportgen.sections.task import task_of


@dataclass(frozen=True)
class Channel:
    """What is known of one channel."""

    layer: str
    channel: int
    spread: float
    """Largest minus smallest response over all probes; 0 for a channel that does not vary or is not finite."""
    effect: float | None
    """AUC for `prefers`, at least 0.5; of a regression Spearman's ρ with the target. None where not tested."""
    prefers: str
    """The class that excites it more; empty for a regression."""
    p: float | None
    q: float | None
    """After correction over all channels of the checkpoint, and all classes where there are more than two."""
    confounder: str
    """The column it follows most closely; empty without any."""
    rho: float | None
    """Spearman's ρ with it."""
    rho_q: float | None
    """After correction over all channels and columns."""
    rho_n: int

    @property
    def strength(self) -> float | None:
        """Effect on one scale: |2 AUC − 1| or |ρ|."""
        if self.effect is None:
            return None
        return abs(2 * self.effect - 1) if self.prefers else abs(self.effect)

    @property
    def selective(self) -> bool:
        """Whether it tells the class or the target, at a false-discovery rate of ALPHA."""
        return self.q is not None and self.q <= ALPHA

    @property
    def confounded(self) -> bool:
        """Whether it follows a column, at that rate, and more closely than the class or the target."""
        return self.rho_q is not None and self.rho_q <= ALPHA and abs(self.rho or 0) > (self.strength or 0)


@dataclass(frozen=True)
class Tested:
    """All channels of a checkpoint."""

    test: Literal["", "class", "target"]
    classes: tuple[str, ...]
    n: int
    least_p: float | None
    tests: int
    problem: str
    compared: int
    channels: tuple[Channel, ...]


def tested(run: ExtractedRun, extraction: Extraction, layers: Sequence[Responses], columns: Sequence[Column]) -> Tested:
    """Test all channels of the layers together, so that the correction is for all of them."""
    task = task_of(run, extraction)
    probes = run.probes.probes
    values = np.concatenate([one.values for one in layers], axis=1).astype(np.float64)
    classes: tuple[str, ...] = task.classes
    if task.kind == "regression":
        target = np.array([np.nan if p.target is None else p.target for p in probes], float)
        known = np.isfinite(target)
        tests = [rank_correlation(values, target)] if known.any() else []
    else:
        known = np.array([p.label in classes for p in probes], bool)
        members = np.array([p.label for p in probes], object)[known]
        asked = classes[1:] if len(classes) == 2 else classes
        tests = [class_auc(values[known], members == name) for name in asked] if known.any() else []
    problem = _problem(tests, task.kind == "regression", int(known.sum()))
    compared = known if known.any() else np.ones(len(probes), bool)
    shape = (len(tests), values.shape[1])
    effects, p = (np.array(x, float).reshape(shape) for x in ([t.effect for t in tests], [t.p for t in tests]))
    if problem:
        effects, p = np.full_like(effects, np.nan), np.full_like(p, np.nan)
    q = false_discovery(p)
    rho, rho_q, sizes = _correlations(values[compared], [c.values[compared] for c in columns])
    channels, place = [], 0
    for one in layers:
        for channel in range(one.values.shape[1]):
            at = place + channel
            told = _told(effects[:, at], p[:, at], q[:, at], classes)
            followed = _followed(rho[:, at], rho_q[:, at], sizes, columns)
            spread = float(np.ptp(values[:, at])) if np.isfinite(values[:, at]).all() else 0.0
            channels.append(Channel(one.layer.name, channel, spread, *told, *followed))
        place += one.values.shape[1]
    test: Literal["", "class", "target"] = "" if not tests else "target" if task.kind == "regression" else "class"
    return Tested(
        test, classes, int(known.sum()), min((t.least_p for t in tests), default=None), int(np.isfinite(p).sum()),
        problem, int(compared.sum()), tuple(channels),
    )  # fmt: skip


def _problem(tests: Sequence[Tests], regression: bool, n: int) -> str:
    """Return why no channel could show anything; empty where one could."""
    if not tests:
        return "no probe has a target" if regression else "no probe has a label that is one of the classes"
    if min(t.least_p for t in tests) > ALPHA:
        what = "with a target" if regression else "with a label, as they spread over the classes,"
        return f"{n} {'probe' if n == 1 else 'probes'} {what} cannot give a p-value below {ALPHA}, whatever they show"
    return ""


def _told(
    effects: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64], classes: tuple[str, ...]
) -> tuple[float | None, str, float | None, float | None]:
    """Return effect, preferred class, p and q of the class that one channel tells best."""
    if not np.isfinite(p).any():
        return None, "", None, None
    if not classes:
        return float(effects[0]), "", float(p[0]), float(q[0])
    best = int(np.nanargmax(np.abs(effects - 0.5)))
    name, other = (classes[1], classes[0]) if len(classes) == 2 else (classes[best], f"all but {classes[best]}")
    auc = float(effects[best])
    return max(auc, 1 - auc), name if auc >= 0.5 else other, float(p[best]), float(q[best])


def _correlations(
    values: NDArray[np.float64], columns: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """Return ρ and q, `(column, channel)`, and the probes each column is known of."""
    tests = [rank_correlation(values, column) for column in columns]
    shape = (len(tests), values.shape[1])
    rho, p = (np.array(x, float).reshape(shape) for x in ([t.effect for t in tests], [t.p for t in tests]))
    return rho, false_discovery(p), [t.n for t in tests]


def _followed(
    rho: NDArray[np.float64], q: NDArray[np.float64], sizes: Sequence[int], columns: Sequence[Column]
) -> tuple[str, float | None, float | None, int]:
    """Return the column a channel follows most surely: by q, then by |ρ|."""
    usable = [i for i in range(len(rho)) if np.isfinite(rho[i])]
    if not usable:
        return "", None, None, 0
    best = min(usable, key=lambda i: (float(q[i]), -abs(float(rho[i])), i))
    return columns[best].name, float(rho[best]), float(q[best]), sizes[best]
