"""Which probes and which channels have their maps drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reportgen.config.suggest import did_you_mean
from reportgen.errors import SectionError
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.sections.responses import NOT_OWN, RECTIFIERS


def shown_by(extractions: Sequence[Extraction]) -> list[int]:
    """Return the probes whose feature maps all of these have, rising."""
    return sorted(set.intersection(*(set(e.shown) for e in extractions))) if extractions else []


def kept_maps(run: ExtractedRun, extractions: Sequence[Extraction]) -> tuple[int, bool, int]:
    """Return of how many probes maps are kept, whether for want of room, and the size of those of one [byte]."""
    scarce = min(extractions, key=lambda e: len(e.shown))
    wanted = run.config.probes.shown
    most = min(wanted if isinstance(wanted, int) else len(wanted), len(run.probes))
    each = sum(4 * int(np.prod(scarce.shape(name)[1:])) for name in scarce.measured)
    return len(scarce.shown), len(scarce.shown) < most, each


def picked_probes(run: ExtractedRun, among: Sequence[int], names: Sequence[str], show: int) -> list[int]:
    """Return the probes shown: those asked for, else the first of each label, else of each group, else the first.

    All are `among` those whose feature maps are stored.
    """
    place = {probe.id: i for i, probe in enumerate(run.probes.probes)}
    if names:
        if unknown := [id for id in names if id not in place]:
            raise SectionError(
                f"there is no probe {', '.join(unknown)}", where="sections.activations.probes",
                expected=f"some of {', '.join(list(place)[:12])}", advice=did_you_mean(unknown[0], place),
            )  # fmt: skip
        if lost := [id for id in names if place[id] not in among]:
            raise SectionError(
                f"the feature maps of {', '.join(lost)} are not stored", where="sections.activations.probes",
                expected="probes of probes.shown", advice="Run the report again, or name fewer where there is no room.",
            )  # fmt: skip
        return [place[id] for id in names]
    kinds: dict[str, int] = {}
    for i in among:
        probe = run.probes.probes[i]
        if probe.label or not run.probes.has_labels:
            kinds.setdefault(probe.label or probe.group or str(i), i)
    return sorted(kinds.values())[:show]


def picked_channels(extraction: Extraction, layers: Sequence[Layer], most: int) -> dict[str, list[int]]:
    """Return the channels drawn of each layer, in order: those with the largest mean |activation| over all probes.

    A convolution, its activation function and its pooling hand on the same channels; one choice is made for all of
    them, by what the activation function leaves, so that a place in their figures is one channel.
    """
    families: dict[str, list[Layer]] = {}
    for layer in layers:
        families.setdefault(_origin(extraction, layer), []).append(layer)
    kept: dict[str, list[int]] = {}
    for members in families.values():
        chosen = next((layer for layer in members if layer.class_name in RECTIFIERS), members[0])
        strength = np.nan_to_num(np.abs(extraction.channels(chosen.name).mean).mean(axis=0))
        order = sorted(np.argsort(-strength, kind="stable")[:most].tolist())
        kept |= {layer.name: order for layer in members}
    return kept


def _origin(extraction: Extraction, layer: Layer) -> str:
    """Return the name of the layer whose channels a layer hands on, one by one; its own where they are its own."""
    channels = extraction.shape(layer.name)[-1]
    while len(layer.inputs) == 1 and (
        layer.class_name in RECTIFIERS or any(word in layer.class_name for word in NOT_OWN)
    ):
        before = extraction.layer(layer.inputs[0])
        measured = before.name in extraction.measured
        if measured and (len(extraction.shape(before.name)) != 4 or extraction.shape(before.name)[-1] != channels):
            break
        if not before.inputs:
            break
        layer = before
    return layer.name
