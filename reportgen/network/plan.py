"""What is to be measured beside activations: decided before any network is opened, the same for all checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from reportgen.checkpoints.run import Run
from reportgen.config import Config
from reportgen.diagnostics.history import best_index, larger_is_better
from reportgen.probes.probeset import ProbeSet
from reportgen.probes.shown import shown_probes

Depth = Literal["quick", "standard", "full"]
Amount = Literal["", "light", "whole"]
"""How much is attributed at a checkpoint. light: half of the probes, without SmoothGrad and occlusion."""


@dataclass(frozen=True)
class Sizes:
    """How much of each is done."""

    probes: int
    """Probes whose answers are attributed."""
    stressed: int
    """Probes that are changed."""
    smooth: int
    """Noisy copies of SmoothGrad."""
    steps: int
    """Gauss-Legendre steps of integrated gradients."""
    cells: int
    """Patches of occlusion along the longer side."""
    overlap: bool
    """Whether neighbouring patches overlap by half."""
    checked: int
    """Probes of the sanity check."""
    stages: int
    """Stages of the sanity check; the last has all layers randomised."""


SIZES: dict[Depth, Sizes] = {
    "quick": Sizes(0, 64, 0, 0, 0, False, 0, 0),
    "standard": Sizes(16, 64, 8, 16, 8, False, 2, 2),
    "full": Sizes(64, 256, 32, 32, 8, True, 8, 99),
}


@dataclass(frozen=True)
class Plan:
    """What every checkpoint is asked beside activations and predictions."""

    depth: Depth
    shape: tuple[int, int, int]
    """`(y, x, channel)` of a prepared image."""
    channels: tuple[str, ...]
    image: tuple[str, ...]
    """Names of the network's inputs that get the prepared image."""
    labels: tuple[str, ...]
    """Of each probe; empty where unknown."""
    targets: tuple[float, ...]
    """Of each probe; NaN where unknown."""
    kind: Literal["auto", "regression", "binary", "classes"] = "auto"
    layer: str | None = None
    """task.cam_layer"""
    seconds: float = 900
    """Time for a checkpoint [s]; a third of it is for attribution and a third for the changed probes."""
    shown: tuple[int, ...] = ()
    """Places of the probes whose feature maps are kept in full, the most wanted first; none: all of them."""

    @property
    def sizes(self) -> Sizes:
        """How much is done at this depth."""
        return SIZES[self.depth]

    def sizes_of(self, amount: Amount) -> Sizes:
        """Return how much is done at one checkpoint."""
        sizes = self.sizes
        return replace(sizes, probes=sizes.probes // 2, smooth=0, cells=0) if amount == "light" else sizes


def plan_for(probes: ProbeSet, config: Config) -> Plan:
    """Return the plan of a run."""
    return Plan(
        config.depth, probes.input_shape, probes.channels, probes.image_inputs or ("",),
        tuple(p.label or "" for p in probes.probes),
        tuple(float("nan") if p.target is None else p.target for p in probes.probes),
        config.task.kind, config.task.cam_layer, config.limits.seconds,
        shown_probes(probes, config.probes.shown, _named(config)),
    )  # fmt: skip


def _named(config: Config) -> tuple[str, ...]:
    """Return the ids of probes that options of sections name: their feature maps are wanted."""
    named: list[str] = []
    for section in config.sections:
        of_activations = section.options.get("probes", ()) if section.id == "activations" else ()
        one = section.options.get("probe", "") if section.id == "activation_evolution" else ""
        named += [*of_activations, one] if isinstance(of_activations, list | tuple) else [one]
    return tuple(str(id) for id in named if id)


def attributed(run: Run, config: Config) -> dict[str, Amount]:
    """Return the names of the checkpoints that get attributions, and how much of them.

    None when quick, the whole of all when full. Else the whole of the best of the history and of the last; a light
    form of the first, second, fourth, eighth, …: which of them does not change when the run grows.
    """
    names = [checkpoint.name for checkpoint in run.checkpoints]
    if config.depth == "quick" or not names:
        return {}
    if config.depth == "full":
        return dict.fromkeys(names, "whole")
    places = [2**i - 1 for i in range(len(names).bit_length())]
    whole: tuple[str, ...] = (*_best(run, config), names[-1])
    return {names[i]: "whole" if names[i] in whole else "light" for i in places} | dict.fromkeys(whole, "whole")


def _best(run: Run, config: Config) -> frozenset[str]:
    """Return the checkpoint at the best epoch of the history that was kept; none without a history."""
    history = run.history
    if history is None:
        return frozenset()
    asked = config.run.monitor or run.record.get("monitor")
    names = [asked] if asked in history.columns else [n for n in ("val_loss", "loss") if n in history.columns]
    by_epoch = {c.epoch: c.name for c in run.checkpoints if c.epoch is not None}
    kept = np.array([epoch in by_epoch for epoch in history.epochs.tolist()], bool)
    for name in names[:1]:
        mode = config.run.mode if config.run.mode != "auto" else run.record.get("mode", "auto")
        index = best_index(np.where(kept, history.columns[name], np.nan), larger_is_better(name, mode))
        if index is not None:
            return frozenset({by_epoch[int(history.epochs[index])]})
    return frozenset()
