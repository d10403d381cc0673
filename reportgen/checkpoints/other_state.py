"""What lies in a file beside weights: the optimiser's state, metrics, generators of random numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable

from reportgen.checkpoints.groups import Groups

OTHER: dict[str, re.Pattern[str]] = {
    "optimizer": re.compile(r"_?optimizer"),
    "metrics": re.compile(r"_?metrics|_?compile_metrics|_?loss_tracker"),
    "seed generators": re.compile(r"_?(seed_generator|state_var)(_\d+)?"),
}
"""What it is → groups of `.weights.h5` that hold it."""
SEEDS = frozenset({"StateVar", "seed_generator_state", "seed_generator"})
"""Last words of the names of variables that are no weights, in files that name them."""
_LOOKED_AT = 5000
"""Groups in which state is counted; more is no state of Keras'."""


def kind_of(group: str) -> str:
    """Return what a group of this name holds instead of weights; empty for weights."""
    return next((kind for kind, pattern in OTHER.items() if pattern.fullmatch(group)), "")


def count(groups: Groups, path: str) -> int:
    """Return how many arrays there are in a group and in those inside it."""
    total, pending = 0, [path]
    seen: set[Hashable] = set()
    while pending and len(seen) < _LOOKED_AT:
        here = pending.pop()
        children = groups.children(here)
        if children is None or groups.identity(here) in seen:
            continue
        seen.add(groups.identity(here))
        for child in children:
            inside = f"{here}/{child}"
            if groups.children(inside) is None:
                total += 1
            else:
                pending.append(inside)
    return total


def at_the_root(groups: Groups) -> Counter[str]:
    """Return how many arrays of other state lie in the groups beside those of the layers."""
    found: Counter[str] = Counter()
    for child in (groups.children("") or [])[:100]:
        if kind := kind_of(child):
            found[kind] += count(groups, child)
    return found
