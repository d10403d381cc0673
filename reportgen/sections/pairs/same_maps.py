"""Do the two see the same in a galaxy?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reportgen.extraction import Layer
from reportgen.figures import Figure
from reportgen.sections.activations import drawn
from reportgen.sections.pairs.beside import COLUMNS, beside
from reportgen.sections.pairs.pair import Pair, why_not_measured
from reportgen.sections.picked import shown_by
from reportgen.sections.responses import own_layers
from reportgen.sections.section import Section
from reportgen.sections.thumbnails import as_displayed, contact_sheet, thumbnails

TITLE = "The same maps"
QUESTION = "Do the two see the same in a galaxy?"
PROBES, LAYERS = 2, 4


@dataclass(frozen=True)
class Seen:
    """One probe and its figures."""

    number: int
    probe: str
    label: str
    target: float | None
    image: str
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    seen: tuple[Seen, ...]
    layers: tuple[str, ...]
    """Drawn."""
    of: int
    """Layers with maps that both have in the same shape."""
    only_a: tuple[str, ...]
    """Layers with maps that the other has not, or in another shape."""
    only_b: tuple[str, ...]
    relatives: bool
    """Whether both are of one run, so that a channel is the same channel in both."""


def build(pair: Pair) -> Section:
    """Draw the same channels of the same layers for the probes on which the answers differ most."""
    if reason := why_not_measured(pair):
        return Section(None, absent=reason)
    a, b = pair.a.extraction, pair.b.extraction
    names = [{layer.name: a.shape(layer.name) for layer in drawn(a)}, {x.name: b.shape(x.name) for x in drawn(b)}]
    both = [layer for layer in drawn(a) if names[1].get(layer.name) == names[0][layer.name]]
    only = [tuple(name for name in names[i] if name not in {layer.name for layer in both}) for i in (0, 1)]
    if not both:
        return Section(
            None, absent="No layer with maps is in both networks under the same name and in the same shape: there is "
            "no channel to set beside another.",
        )  # fmt: skip
    own = {layer.name for layer in own_layers(a)}
    # Poolings and the like only hand on the channels of a layer that is drawn already.
    layers = _evenly([layer for layer in both if layer.name in own] or both, LAYERS)
    figures: list[Figure] = []
    seen = tuple(_seen(pair, probe, layers, figures) for probe in _probes(pair))
    return Section(
        Content(seen, tuple(x.name for x in layers), len(both), only[0], only[1], pair.one_report), tuple(figures)
    )


def _evenly(layers: list[Layer], most: int) -> list[Layer]:
    places = np.linspace(0, len(layers) - 1, min(most, len(layers))).round().astype(int).tolist()
    return [layers[i] for i in dict.fromkeys(places)]


def _probes(pair: Pair) -> list[int]:
    """Return the probes whose answers differ most; where the questions differ, the first of each label."""
    probes, (a, b) = pair.a.run.probes, (side.extraction.predictions for side in pair.sides)
    assert a is not None and b is not None  # noqa: S101 - the caller asked
    shown = shown_by([side.extraction for side in pair.sides])
    if a.shape == b.shape and pair.same_task:
        apart = np.nan_to_num(np.abs(b - a).reshape(len(a), -1).max(axis=1), nan=-1.0, posinf=-1.0)
        return sorted(sorted(shown, key=lambda i: (-apart[i], i))[:PROBES])
    firsts: dict[str, int] = {}
    for i in shown:
        firsts.setdefault(probes.probes[i].label or "", i)
    return sorted(firsts.values())[-PROBES:]


def _seen(pair: Pair, probe: int, layers: list[Layer], figures: list[Figure]) -> Seen:
    run = pair.a.run
    about = run.probes.probes[probe]
    picture = thumbnails(run.probes, run.config.probes.display, [probe])
    width, height, placed, labels = contact_sheet(picture, [()], columns=4)
    image = Figure(f"pair-probe-{probe}", {"probe": about.id}, width / 4, height, placed, labels)
    own = [_maps(pair, layer, probe) for layer in layers]
    figures += [image, *own]
    return Seen(probe, about.id, about.label or "", about.target, image.id, tuple(f.id for f in own))


def _maps(pair: Pair, layer: Layer, probe: int) -> Figure:
    about = pair.a.run.probes.probes[probe]
    a, b = (as_displayed(about, side.extraction.maps(layer.name, probe)) for side in pair.sides)
    with np.errstate(invalid="ignore"):
        strength = np.nan_to_num(np.abs(np.stack([a, b])).mean(axis=(0, 1, 2)))
    order = np.sort(np.argsort(-strength, kind="stable")[:COLUMNS]).tolist()
    signed = bool(min(np.nanmin(a), np.nanmin(b)) < 0) if np.isfinite(a).any() and np.isfinite(b).any() else True
    facts: dict[str, object] = {
        "layer": layer.name, "class_name": layer.class_name, "probe": about.id, "of": a.shape[-1], "size": a.shape[:2],
    }  # fmt: skip
    place = pair.a.extraction.layers.index(layer)
    words = [f"channel {i}" for i in order]
    return beside(f"pair-maps-{probe}-{place}", a[..., order], b[..., order], words, facts, signed=signed)
