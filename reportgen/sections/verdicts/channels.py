"""What the activations say against the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportgen.config.verdicts import DeadChannels
from reportgen.sections.section import Check, Judged, Unjudged
from reportgen.sections.verdicts.grade import ORDER, above


@dataclass(frozen=True)
class Rectified:
    """The channels of one rectified layer."""

    layer: str
    dead: int
    of: int
    values: int
    """Values of a channel over all probes."""


def dead_channels(layers: Sequence[Rectified], checkpoint: str, letter: str, limits: DeadChannels) -> Judged:
    """Judge the fraction of channels whose largest activation over probes and pixels is zero.

    Lu et al. 2019 (arXiv:1903.06733). Layers with too few values a channel are left out, not counted as healthy.
    """
    if not layers:
        return Unjudged("dead_channels", "the network has no rectified layer")
    counted = [row for row in layers if row.values >= limits.least and row.of]
    if not counted:
        few = ", ".join(f"{row.layer}: {row.dead} of {row.of} zero on every probe" for row in layers[:4] if row.of)
        return Unjudged("dead_channels", f"no channel has {limits.least} values on so few probes ({few})")
    dead, total = sum(row.dead for row in counted), sum(row.of for row in counted)
    worst = max(counted, key=lambda row: row.dead / row.of)
    whole = (*above(dead / total, limits.warn, limits.fail), dead / total, "")
    single = (*above(worst.dead / worst.of, limits.layer), worst.dead / worst.of, worst.layer)
    # A layer of three channels with one dead is no news; only the layer's own rule makes it one.
    status, threshold, value, layer = min((whole, single), key=lambda found: ORDER[found[0]])
    facts = {
        "dead": dead, "of": total, "checkpoint": checkpoint, "letter": letter, "layer": layer,
        "layers": [f"{row.layer}: {row.dead} of {row.of}" for row in counted if row.dead],
        "left_out": [f"{row.layer} {row.dead} of {row.of}" for row in layers if row.values < limits.least and row.dead],
        "least": limits.least,
    }  # fmt: skip
    return Check("dead_channels", status, value, threshold, facts)
