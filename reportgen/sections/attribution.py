"""Which pixels decide?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field, PositiveInt

from reportgen.config import Options
from reportgen.diagnostics.attribution import share
from reportgen.extraction import Attribution, ExtractedRun, Extraction
from reportgen.figures import Figure, Limits, Tile, moving
from reportgen.figures.overlay import Panel, gallery, overlay
from reportgen.sections.attributed import (
    NAMES,
    SIGNED,
    Attributed,
    Cells,
    attributed,
    cells_of,
    drawn_methods,
    on_pixels,
)
from reportgen.sections.attribution_course import inside_over_epochs
from reportgen.sections.changed import of_attribution
from reportgen.sections.chosen import measured_groups
from reportgen.sections.scoring import Scored, score
from reportgen.sections.section import Judged, Section, Unjudged, of_network, told
from reportgen.sections.telling import telling_probes
from reportgen.sections.thumbnails import as_displayed, framed_thumbnails
from reportgen.templating import fixed

TITLE = "Attribution: which pixels decide"
QUESTION = "Which pixels decide?"

OVER_TIME = ("grad_cam", "integrated")
CLIP = 99.5
"""Percentile of the magnitudes of a column at which its colours end."""


class SectionOptions(Options):
    """Options of the attribution section."""

    sanity: float = Field(default=0.5, gt=0, lt=1)
    """Similarity to the maps of a network with random weights from which on a method fails the sanity check."""
    epochs: PositiveInt = 6
    """Checkpoints at which the same probe is shown, at most."""


@dataclass(frozen=True)
class Row:
    """One probe's attributions in numbers."""

    probe: str
    why: str
    """right, wrong, most certain, least certain, …: why it is drawn; empty where it is not."""
    label: str
    answer: float
    score: float
    """s, what is explained."""
    inside: dict[str, float | None]
    """By method, the fraction of |attribution| inside the galaxy; None where there is no map."""
    area: float
    """Fraction of the picture that is the galaxy."""
    error: float | None
    """Completeness error of integrated gradients, in units of s."""


@dataclass(frozen=True)
class Network:
    """One architecture."""

    letter: str
    checkpoint: str
    epoch: int | None
    role: str
    absent: str
    """Why there are none; the rest is empty then."""
    explained: str
    output: str
    classes: tuple[str, ...]
    cells: Cells | None
    """Of Grad-CAM and LayerCAM; None without them."""
    fixed: int
    settings: dict[str, float]
    bands: tuple[str, ...]
    numbers: Attributed | None
    over: tuple[Attributed, ...]
    """The same of every checkpoint that has attributions, in training order; not all have all methods."""
    rows: tuple[Row, ...]
    figures: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    threshold: float
    """Of the sanity check."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Draw the attributions of telling probes, and say in numbers where all of them fall."""
    measured = measured_groups(run)
    if not measured:
        return Section(None, absent="No network of this run could be run on the probe set.")
    networks: list[Network] = []
    figures: list[Figure] = []
    judged: list[Judged] = []
    for group in measured:
        e = group.best.extraction
        own = [(x, a) for x in run.of_architecture(e.about.architecture) if (a := x.attribution()) is not None]
        here = next((a for x, a in own if x.name == e.name), None)
        if here is None:
            judged.append(Unjudged("attribution_off_galaxy", "no attributions of it were measured", group.letter))
            continue
        drawn: list[Figure] = []
        scored = score(run, e)
        good = [(x, a) for x, a in own if not a.absent]
        over = tuple(attributed(x, a, options.sanity) for x, a in good)
        numbers = next((o for o in over if o.checkpoint == e.about.file), None)
        checked = {m.id: m.sanity.verdict for m in numbers.methods} if numbers else {}
        judged += of_network([of_attribution(e, here, checked, scored.task, run.config.verdicts)], group.letter)
        rows: tuple[Row, ...] = ()
        if numbers is not None:
            telling = telling_probes(run, scored, here)
            rows = _rows(run, e, scored, here, telling)
            # Without a finite answer there is nothing to tell by.
            galleries = {
                x.name: figure for (x, a), o in zip(good, over, strict=True) if (figure := _gallery(run, x, a, o))
            }
            drawn = [moving(galleries, e.name)] if telling else []
            drawn += _strip(run, good, telling, options)
            drawn += inside_over_epochs(e, over)
        figures += drawn
        networks.append(
            Network(
                group.letter, e.about.file, e.epoch, group.roles[e.name], here.absent, here.explained,
                scored.task.output, scored.task.classes, cells_of(e, here), here.fixed, here.settings,
                run.probes.channels, numbers, over, rows, tuple(f.id for f in drawn), here.notes,
            )
        )  # fmt: skip
    if not networks:
        why = "depth is quick" if run.config.depth == "quick" else "they are not in the extraction files"
        return Section(None, absent=f"No attributions were measured: {why}. Run again with depth: standard.")
    return Section(Content(tuple(networks), options.sanity), tuple(figures), **told(judged))


def _rows(
    run: ExtractedRun, e: Extraction, scored: Scored, found: Attribution, telling: dict[int, str]
) -> tuple[Row, ...]:  # fmt: skip
    rows = []
    pixels = {m: on_pixels(e, found, m) for m in NAMES if m in found.maps}
    for k, p in enumerate(found.probes.tolist()):
        galaxy = found.regions[k] == 1
        inside = {m: share(maps[k], galaxy) for m, maps in pixels.items()}
        probe = run.probes.probes[p]
        rows.append(
            Row(
                probe.id, telling.get(k, ""), probe.label or "", float(scored.answers[p]), float(found.score[k]),
                {m: v if np.isfinite(v) and galaxy.any() else None for m, v in inside.items()}, float(galaxy.mean()),
                float(found.completeness[k]) if len(found.completeness) else None,
            )
        )  # fmt: skip
    return tuple(rows)


def _gallery(run: ExtractedRun, e: Extraction, found: Attribution, numbers: Attributed) -> Figure | None:
    """Return the telling probes of one checkpoint beside their maps; None where no answer is finite."""
    scored = score(run, e)
    telling = telling_probes(run, scored, found)
    if not telling:
        return None
    methods, empty = drawn_methods(found, numbers, list(telling))
    pixels = {m: on_pixels(e, found, m) for m in methods}
    limits = {m: _limits(m, pixels[m][list(telling)]) for m in methods}
    verdicts = {m.id: m.sanity.verdict for m in numbers.methods}
    pictures = framed_thumbnails(run, [int(found.probes[k]) for k in telling])
    rows = []
    for (k, word), picture in zip(telling.items(), pictures, strict=True):
        p = int(found.probes[k])
        panels = [Panel(picture)]
        panels += [_panel(run, found, m, pixels[m][k], limits[m], k, p) for m in methods]
        said = scored.task.classes[scored.chosen[p] or 0] if scored.task.classes else ""
        probe = run.probes.probes[p]
        lines_ = [
            f"{word}:",
            probe.id,
            f"answer {fixed(float(scored.answers[p]), 3)}",
            *([f"says {said}"] if said else []),
        ]
        if probe.label or (scored.task.kind == "regression" and probe.target is not None):
            regression = scored.task.kind == "regression" and probe.target is not None
            lines_.append(f"actual {fixed(probe.target, 3)}" if regression else f"is {probe.label}")
        rows.append((tuple(_cut(line) for line in lines_), panels))
    heads = [("galaxy",), *((NAMES[m], _range(limits[m]), _badge(verdicts[m])) for m in methods)]
    width, height, placed, labels = gallery(rows, heads, side=218)
    facts = {
        "kind": "gallery", "checkpoint": e.about.file, "epoch": e.epoch, "shown": len(rows), "n": len(found.probes),
        "layer": found.layer, "clip": CLIP, "display": run.probes.display, "methods": methods,
        "empty": [NAMES[m] for m in empty],
        "probes": [run.probes.probes[int(found.probes[k])].id for k in telling], "settings": found.settings,
        "failed": [NAMES[m] for m in methods if verdicts[m] == "fails"],
    }  # fmt: skip
    return Figure(f"attribution-{e.name}", facts, width, height, placed, labels)


def _panel(
    run: ExtractedRun, found: Attribution, method: str, values: np.ndarray, limits: Limits, k: int, p: int
) -> Panel:  # fmt: skip
    if not np.isfinite(values).all():
        return Panel(None, ("not finite",))
    if not np.abs(values).max() > 0:
        return Panel(None, ("no positive evidence",) if method not in SIGNED else ("no evidence",))
    probe, galaxy = run.probes.probes[p], found.regions[k] == 1
    inside = share(values, galaxy)
    words = f"{100 * inside:.0f} % in {100 * galaxy.mean():.0f} % of area" if galaxy.any() else "no galaxy found"
    picture = overlay(as_displayed(probe, values), limits, as_displayed(probe, galaxy))
    return Panel(picture, (words,), Tile.of(f"{NAMES[method]}, {probe.id}", values))


def _strip(
    run: ExtractedRun, good: list[tuple[Extraction, Attribution]], telling: dict[int, str], options: SectionOptions
) -> list[Figure]:
    """Draw one probe at several checkpoints: of those drawn already, the first that all of these have."""
    shown = [good[i] for i in sorted({int(i) for i in np.linspace(0, len(good) - 1, options.epochs).round()})]
    common = set.intersection(*(set(a.probes.tolist()) for _, a in shown))
    at_best = {int(a.probes[k]) for _, a in good for k in telling if k < len(a.probes)}
    probes = [p for p in sorted(common) if p in at_best] or sorted(common)
    methods = [m for m in OVER_TIME if all(m in a.maps for _, a in shown)]
    if len(shown) < 2 or not probes or not methods:
        return []
    p = probes[0]
    own = [(x, a, int(np.flatnonzero(a.probes == p)[0])) for x, a in shown]
    rows = []
    for m in methods:
        maps = [on_pixels(x, a, m)[k] for x, a, k in own]
        limits = _limits(m, np.stack(maps))
        panels = [_panel(run, a, m, maps[i], limits, k, p) for i, (_, a, k) in enumerate(own)]
        rows.append(((NAMES[m], _range(limits)), panels))
    heads = [
        (f"epoch {x.epoch}" if x.epoch is not None else _cut(x.name), f"s = {fixed(float(a.score[k]))}")
        for x, a, k in own
    ]
    width, height, placed, labels = gallery(rows, heads, side=180)
    facts = {
        "kind": "strip", "probe": run.probes.probes[p].id, "shown": len(own), "of": len(run.extractions),
        "clip": CLIP, "checkpoints": [x.about.file for x, _, _ in own], "layer": own[-1][1].layer,
    }  # fmt: skip
    return [Figure(f"attribution-epochs-{own[-1][0].name}", facts, width, height, placed, labels)]


def _limits(method: str, values: np.ndarray) -> Limits:
    finite = np.abs(values[np.isfinite(values)])
    top = float(np.percentile(finite, CLIP)) if finite.size else 0.0
    top = top or float(finite.max(initial=0.0)) or 1.0
    return Limits("signed", -top, top) if method in SIGNED else Limits("magnitude", 0.0, top)


def _range(limits: Limits) -> str:
    return f"±{limits.high:.2g}" if limits.scale == "signed" else f"0 to {limits.high:.2g}"


def _badge(verdict: str) -> str:
    return "do not interpret" if verdict == "fails" else f"sanity check: {verdict}"


def _cut(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
