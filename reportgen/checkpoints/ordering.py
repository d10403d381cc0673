"""In which order the uses of layers can be computed, and how many of them there may be."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reportgen.checkpoints.connections import Link, Use, links_in
from reportgen.checkpoints.outline import LAYER_LIMIT
from reportgen.errors import CheckpointError

CONNECTION_LIMIT = 20 * LAYER_LIMIT
"""Layers listed and tensors taken, summed over all uses of nested models: what the reading of a network costs."""

Waiting = tuple[str, int, Use]
"""(layer, number of its use as others refer to it, use)."""


@dataclass
class Budget:
    """How much of a network was read already; nested models count at each of their uses, for they are made flat."""

    uses: int = field(default=0, init=False)
    connections: int = field(default=0, init=False)

    def spend(self, *, uses: int = 0, connections: int = 0) -> None:
        """Count before anything is made of it; raises CheckpointError where it is too much."""
        self.uses += uses
        self.connections += connections
        if self.uses > LAYER_LIMIT:
            raise CheckpointError("the network has too many layers", expected=f"at most {LAYER_LIMIT} uses of layers")
        if self.connections > CONNECTION_LIMIT:
            raise CheckpointError("the network has too many connections", expected=f"at most {CONNECTION_LIMIT}")


def in_order(waiting: Sequence[Waiting], given: Iterable[Link]) -> list[Waiting]:
    """Return uses such that each comes behind those whose results it takes, else as the file lists them.

    `given` are the tensors that are there already. The time is linear in the number of connections. Raises
    CheckpointError where a use waits for a tensor that never comes.
    """
    there = set(given)
    makers = {(name, number): place for place, (name, number, _) in enumerate(waiting)}
    takers: dict[int, list[int]] = defaultdict(list)
    open_ends = [0] * len(waiting)
    for place, (name, _, use) in enumerate(waiting):
        for link in links_in((use.args, use.kwargs)):
            if link in there or Link(link.layer, link.node, 0) in there:
                continue
            maker = makers.get((link.layer, link.node))
            if maker is None:
                raise _never(name)
            takers[maker].append(place)
            open_ends[place] += 1
    # How often the list would have to be gone through from its start until the use is reached.
    rounds = [0] * len(waiting)
    ready = deque(place for place, count in enumerate(open_ends) if not count)
    done = []
    while ready:
        maker = ready.popleft()
        done.append(maker)
        for place in takers[maker]:
            rounds[place] = max(rounds[place], rounds[maker] + (maker > place))
            open_ends[place] -= 1
            if not open_ends[place]:
                ready.append(place)
    if len(done) < len(waiting):
        raise _never(next(name for (name, _, _), count in zip(waiting, open_ends, strict=True) if count))
    return [waiting[place] for place in sorted(done, key=lambda place: (rounds[place], place))]


def _never(name: str) -> CheckpointError:
    return CheckpointError(f"layer {name} waits for a tensor that never comes", expected="connections without a circle")
