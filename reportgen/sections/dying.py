"""When channels died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.diagnostics.activity import deaths
from reportgen.extraction import Extraction
from reportgen.sections.active import Active


@dataclass(frozen=True)
class Died:
    """Channels that died at the same checkpoint and stayed dead."""

    checkpoint: str
    epoch: int | None
    always: bool
    """Whether they were dead already at the first checkpoint."""
    channels: tuple[int, ...]


@dataclass(frozen=True)
class Dying:
    """The channels of a layer that are dead at the last checkpoint."""

    layer: str
    dead: int
    of: int
    died: tuple[Died, ...]
    """In training order."""


def dying(seen: Sequence[Sequence[Active]], shown: Sequence[Extraction]) -> tuple[Dying, ...]:
    """Return, of each layer with dead channels at the last checkpoint, since when they are, from all in order."""
    found = []
    for last in seen[-1]:
        states = [next((a.activity.dead or () for a in layers if a.layer == last.layer), ()) for layers in seen]
        dead = deaths(states)
        if not dead:
            continue
        since = sorted({d.since for d in dead})
        died = tuple(
            Died(shown[i].about.file, shown[i].epoch, i == 0, tuple(d.channel for d in dead if d.since == i))
            for i in since
        )
        found.append(Dying(last.layer, len(dead), last.activity.channels, died))
    return tuple(found)
