"""What the arrays of the checkpoints say against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportgen.config.verdicts import DuplicateKernels, LayerUnmoved, WeightsCollapsed, WeightsExploded
from reportgen.sections.moved import LayerMoves
from reportgen.sections.section import Check, Judged, Status, Unjudged
from reportgen.sections.verdicts.grade import ORDER, above, below

NAMED = ("best", "last", "final", "latest")
"""Words in the name of a file that is a copy of an epoch's on purpose."""


ALONE = "there is neither an earlier checkpoint nor another kernel to compare with"


@dataclass(frozen=True)
class Copies:
    """How many filters of a kernel are copies of another one."""

    layer: str
    copies: int
    of: int
    groups: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Size:
    """One kernel at one checkpoint."""

    layer: str
    checkpoint: str
    growth: float | None
    """Its norm over that at the first checkpoint; None where this is the first, or that was zero."""
    length: float
    """Root mean square of the lengths of its filters; 1 to 1.4 at the usual initialisations."""
    others: float | None
    """That over the median of the other kernels; None with fewer than two others."""


@dataclass(frozen=True)
class Copy:
    """The weights of one checkpoint, to be compared with those of the others."""

    file: str
    epoch: int | None
    digest: str


def weights_not_finite(bad: Sequence[tuple[str, int]], checkpoints: int) -> Judged:
    """Judge `(array, numbers that are not finite)` of all checkpoints: any is one too many."""
    total = sum(count for _, count in bad)
    facts = {"where": [name for name, _ in bad[:3]], "more": max(0, len(bad) - 3), "checkpoints": checkpoints}
    return Check("weights_not_finite", "fail" if total else "pass", float(total), 0.0, facts)


def identical_checkpoints(copies: Sequence[Copy]) -> Judged:
    """Judge whether two checkpoints of different epochs hold the same weights.

    A file that is called best or last, or has the epoch of its twin, is a copy on purpose; it is said and no warning.
    """
    if len(copies) < 2:
        return Unjudged("identical_checkpoints", "there are not two checkpoints to compare")
    same: dict[str, list[Copy]] = {}
    for copy in copies:
        same.setdefault(copy.digest, []).append(copy)
    twins = [group for group in same.values() if len(group) > 1]
    wrong = [own for group in twins if len(own := [c for c in group if not _on_purpose(c)]) > 1 and _differ(own)]
    surplus = sum(len(group) - 1 for group in wrong)
    facts = {
        "groups": [[c.file for c in group] for group in wrong], "checkpoints": len(copies),
        "on_purpose": [[c.file for c in group] for group in twins if not any(c in own for own in wrong for c in group)],
    }  # fmt: skip
    return Check("identical_checkpoints", "warn" if surplus else "pass", float(surplus), 0.0, facts)


def _on_purpose(copy: Copy) -> bool:
    return copy.epoch is None and any(word in copy.file.lower() for word in NAMED)


def _differ(copies: Sequence[Copy]) -> bool:
    return len({c.epoch for c in copies}) > 1 or all(c.epoch is None for c in copies)


def duplicate_kernels(kernels: Sequence[Copies], checkpoint: str, limits: DuplicateKernels) -> Judged:
    """Judge the largest fraction of a layer's filters that equal another one to the last bit and are not zero."""
    if not kernels:
        return Unjudged("duplicate_kernels", "no trainable kernel has filters that can be compared")
    worst = max(kernels, key=lambda k: k.copies / k.of)
    value = worst.copies / worst.of
    status, threshold = above(value, limits.warn, limits.fail)
    facts = {
        "layer": worst.layer, "copies": worst.copies, "of": worst.of, "groups": [list(g) for g in worst.groups[:3]],
        "layers": sum(k.copies > 0 for k in kernels), "kernels": len(kernels), "checkpoint": checkpoint,
    }  # fmt: skip
    return Check("duplicate_kernels", status, value, threshold, facts)


def weights_exploded(sizes: Sequence[Size], limits: WeightsExploded) -> Judged:
    """Judge the kernel that grew most, and the one that is largest beside the others, over the checkpoints."""
    grown = [s for s in sizes if s.growth is not None and s.length > limits.length]
    beside = [s for s in sizes if s.others is not None]
    if not beside and all(s.growth is None for s in sizes):
        return Unjudged("weights_exploded", ALONE)
    found: list[tuple[Status, float | None, float, str, Size]] = []
    if grown:
        top = max(grown, key=lambda s: s.growth or 0)
        found.append((*above(top.growth or 0, limits.warn, limits.fail), top.growth or 0, "first", top))
    if beside:
        top = max(beside, key=lambda s: s.others or 0)
        found.append((*above(top.others or 0, limits.others), top.others or 0, "others", top))
    return _size("weights_exploded", found, limits.warn)


def weights_collapsed(sizes: Sequence[Size], limits: WeightsCollapsed) -> Judged:
    """Judge the kernel that shrank most, and the one that is smallest beside the others."""
    shrunk = [s for s in sizes if s.growth is not None and s.length < limits.length]
    beside = [s for s in sizes if s.others is not None]
    if not beside and all(s.growth is None for s in sizes):
        return Unjudged("weights_collapsed", ALONE)
    found: list[tuple[Status, float | None, float, str, Size]] = []
    if shrunk:
        low = min(shrunk, key=lambda s: s.growth or 0)
        found.append((*below(low.growth or 0, limits.warn, limits.fail), low.growth or 0, "first", low))
    if beside:
        low = min(beside, key=lambda s: s.others or 0)
        found.append((*below(low.others or 0, limits.others), low.others or 0, "others", low))
    return _size("weights_collapsed", found, limits.warn)


def _size(id: str, found: Sequence[tuple[Status, float | None, float, str, Size]], threshold: float | None) -> Check:
    """Return the worst of the ways to judge a size; growth first among equals."""
    if not found:
        return Check(id, "pass", None, threshold, {"against": ""})
    status, threshold, value, against, size = min(found, key=lambda f: ORDER[f[0]])
    facts: dict[str, Any] = {
        "against": against, "layer": size.layer, "checkpoint": size.checkpoint, "length": size.length,
    }  # fmt: skip
    return Check(id, status, value, threshold, facts)


def layer_unmoved(layers: Sequence[LayerMoves], first: str, last: str, limits: LayerUnmoved) -> Judged:
    """Judge the layer that may learn and moved least, relative to its norm at the first checkpoint."""
    learning = [m for m in layers if m.trainable is not False and m.motion not in ("not known", "still")]
    frozen = [m.layer for m in layers if m.trainable is False]
    still = [m.layer for m in layers if m.motion == "still"]
    far = [(_farthest(m), m.layer) for m in learning]
    facts = {"frozen": len(frozen), "of": len(layers), "first": first, "last": last}
    least = limits.warn if limits.warn is not None else -1.0
    unmoved = [name for distance, name in far if distance is not None and distance <= least]
    known = [distance for distance, _ in far if distance is not None]
    if not unmoved and still:
        reason = f"{still[0]} never moved, and the file does not say whether it should"
        return Unjudged("layer_unmoved", reason)
    if not learning:
        return Unjudged(
            "layer_unmoved", "no layer is trainable" if frozen else "no layer has weights at two checkpoints"
        )
    facts |= {"layers": unmoved[:5], "unmoved": len(unmoved), "learning": len(learning)}
    return Check("layer_unmoved", "warn" if unmoved else "pass", min(known, default=None), limits.warn, facts)


def _farthest(layer: LayerMoves) -> float | None:
    """Return how far a layer ever was from the first checkpoint; None where that cannot be said and it moved."""
    if layer.motion == "not learning":
        return 0.0
    known = [d.relative for d in layer.from_first if d.relative is not None]
    return max(known) if len(known) == len(layer.from_first) else None
