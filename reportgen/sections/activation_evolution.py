"""When did it learn to see it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.config.suggest import did_you_mean
from reportgen.errors import SectionError
from reportgen.extraction import ExtractedRun, Extraction, Layer
from reportgen.figures import Figure, Limits, Row, chart_figure, filmstrip
from reportgen.figures.charts import lines
from reportgen.sections.activations import maps_of, states
from reportgen.sections.active import counted
from reportgen.sections.chosen import Group, labels, measured_groups, spread
from reportgen.sections.picked import picked_probes, shown_by
from reportgen.sections.section import Section
from reportgen.sections.settling import SETTLED, Settled, answered, settled
from reportgen.sections.task import Task, task_of
from reportgen.sections.thumbnails import as_displayed, contact_sheet, thumbnails
from reportgen.templating import fixed

TITLE = "Evolution of the activations"
QUESTION = "When did it learn to see it?"


class SectionOptions(Options):
    """Options of the section on the evolution of activations."""

    probe: str = ""
    """Id of the probe; by default the one whose prediction changed most between the first and the last checkpoint."""
    layers: tuple[str, ...] = ()
    """Layers with a film strip; by default the first and the last whose output is a map."""
    channels: PositiveInt = 5
    """Channels of a film strip: those with the largest mean activation on this probe at the best checkpoint."""
    columns: PositiveInt = 8
    """Checkpoints of a film strip, evenly; the first, the best and the last are always among them."""
    lines: PositiveInt = 6
    """Layers with a line in the chart, evenly through the network."""


@dataclass(frozen=True)
class Network:
    """One architecture and one probe."""

    letter: str
    """A, B, …; empty with only one."""
    probe: str
    label: str
    chosen: bool
    """Whether the configuration names the probe."""
    among: int
    """Probes it was chosen from, where feature maps are not kept of all; else 0."""
    output: str
    """What the prediction is called."""
    said: tuple[float, ...]
    """The prediction at each checkpoint of the strips."""
    first: str
    last: str
    last_epoch: int | None
    settled: tuple[Settled, ...]
    """Layer by layer, of those with a line in the chart whose answer can be compared."""
    answered: Settled | None
    """From when on the prediction stays within a tenth of its whole range of the last; None where it never varies."""
    figures: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    networks: tuple[Network, ...]
    alone: tuple[str, ...]
    """Files of networks with a single measured checkpoint."""
    settled: float
    """The correlation from which on a layer sees what it sees in the end."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Draw the same channels for one probe at one checkpoint after another, with one range a layer."""
    networks: list[Network] = []
    figures: list[Figure] = []
    alone: list[str] = []
    groups = measured_groups(run)
    for group in groups:
        signature = group.best.extraction.about.architecture
        members = tuple(e for e in run.of_architecture(signature) if e.predictions is not None)
        if len(members) < 2:
            alone.append(members[0].about.file)
        elif maps_of(group.best.extraction):
            network, drawn = _network(run, group, members, options)
            networks.append(network)
            figures += drawn
    if networks:
        return Section(Content(tuple(networks), tuple(alone), SETTLED), tuple(figures))
    if not groups:
        return Section(None, absent="No network of this run could be run on the probe set.")
    if len(alone) == len(groups):
        one = "There is one measured checkpoint only" if len(alone) == 1 else "No two checkpoints share an architecture"
        return Section(None, absent=f"{one}: nothing can be compared.")
    return Section(None, absent="No layer of this run's networks gives a map: there is nothing to follow.")


def _network(
    run: ExtractedRun, group: Group, members: Sequence[Extraction], options: SectionOptions
) -> tuple[Network, list[Figure]]:
    best, last = group.best.extraction, members[-1]
    task = task_of(run, best)
    probe = _probe(run, members, task, options)
    shown = spread(members, options.columns, group.shown)
    said = tuple(_said(e, task, probe, last) for e in shown)
    layers = _layers(best, options)
    compared = spread(members, 24)
    courses = _courses(best, compared, probe, options.lines)
    figures = [
        _course(run, best, members, compared, courses, probe, group.letter),
        _picture(run, probe, group.letter),
    ]
    figures += [_strip(run, best, shown, len(members), layer, probe, said, options.channels) for layer in layers]
    about = run.probes.probes[probe]
    return Network(
        group.letter, about.id, about.label or "", bool(options.probe),
        0 if best.whole else len(best.shown), _output(task, last, probe), said,
        members[0].about.file, last.about.file, last.epoch,
        tuple(settled(name, line, SETTLED, compared) for name, line in courses.items() if np.isfinite(line[-1])),
        answered([_said(e, task, probe, last) for e in compared], compared), tuple(f.id for f in figures),
    ), figures  # fmt: skip


def _probe(run: ExtractedRun, members: Sequence[Extraction], task: Task, options: SectionOptions) -> int:
    ids = [probe.id for probe in run.probes.probes]
    if options.probe:
        if options.probe not in ids:
            raise SectionError(
                f"there is no probe {options.probe}", where="sections.activation_evolution.probe",
                expected=f"one of {', '.join(ids[:12])}", advice=did_you_mean(options.probe, ids),
            )  # fmt: skip
        (place,) = picked_probes(run, shown_by(members), [options.probe], 1)
        return place
    first, last = (task.probabilities(np.asarray(e.predictions)) for e in (members[0], members[-1]))
    moved = np.nan_to_num(np.abs(last - first)).max(axis=1)
    return max(shown_by(members), key=lambda i: (moved[i], -i))


def _unit(task: Task, last: Extraction, probe: int) -> int:
    """Return which output is followed: the positive one, or the class the last checkpoint chooses."""
    answers = task.probabilities(np.asarray(last.predictions))[probe]
    if len(answers) == 1 or task.kind == "regression":
        return 0
    return 1 if task.kind == "binary" else int(np.nan_to_num(answers).argmax())


def _output(task: Task, last: Extraction, probe: int) -> str:
    return f"{task.output} of {task.classes[_unit(task, last, probe)]}" if task.kind == "classes" else task.output


def _said(extraction: Extraction, task: Task, probe: int, last: Extraction) -> float:
    return float(task.probabilities(np.asarray(extraction.predictions))[probe, _unit(task, last, probe)])


def _layers(best: Extraction, options: SectionOptions) -> list[Layer]:
    names = maps_of(best)
    if options.layers:
        if unknown := [name for name in options.layers if name not in names]:
            raise SectionError(
                f"there is no layer {', '.join(unknown)} with maps", where="sections.activation_evolution.layers",
                expected=f"some of {', '.join(names[:16])}", advice=did_you_mean(unknown[0], names),
            )  # fmt: skip
        return [best.layer(name) for name in options.layers]
    own = [layer for layer in counted(best) if layer.name in names] or [best.layer(names[0])]
    return own[:1] + own[1:][-1:]


def _picture(run: ExtractedRun, probe: int, letter: str) -> Figure:
    about = run.probes.probes[probe]
    (picture,) = thumbnails(run.probes, run.config.probes.display, [probe])
    width, height, placed, words = contact_sheet([picture], [()], columns=4)
    facts = {"probe": about.id, "display": run.probes.display}
    return Figure(f"seen-probe{'-' + letter if letter else ''}", facts, width / 4, height, placed, words)


def _courses(best: Extraction, shown: Sequence[Extraction], probe: int, most: int) -> dict[str, list[float]]:
    """Return how alike each layer's answer to the probe is to its answer at the last checkpoint."""
    layers = _followed(best)
    count = min(most, len(layers))
    kept = [layers[round(i * (len(layers) - 1) / max(1, count - 1))] for i in range(count)]
    return {
        layer.name: [alike(e.maps(layer.name, probe), shown[-1].maps(layer.name, probe)) for e in shown]
        for layer in kept
    }


def _followed(best: Extraction) -> list[Layer]:
    return list(counted(best)) or [best.layer(name) for name in maps_of(best)]


def _course(
    run: ExtractedRun, best: Extraction, members: Sequence[Extraction], shown: Sequence[Extraction],
    courses: dict[str, list[float]], probe: int, letter: str,
) -> Figure:  # fmt: skip
    """Draw the courses of the layers."""
    axis, _ = labels(shown)
    x = [float(e.epoch or 0) for e in shown] if axis == "epoch" else [float(i + 1) for i in range(len(shown))]
    series = {name if len(name) <= 18 else "…" + name[-17:]: line for name, line in courses.items()}
    x_label = axis if axis == "epoch" else "checkpoint, in the order of the run table"
    picture = lines(x, series, x_label, "correlation with the last", narrow=True)
    facts = {
        "lines": len(courses), "of_layers": len(_followed(best)), "shown": len(shown), "of": len(members),
        "letter": letter, "probe": run.probes.probes[probe].id,
    }  # fmt: skip
    data = {"checkpoint": [e.name for e in shown], **series}
    return chart_figure(f"seen-course{'-' + letter if letter else ''}", picture, facts, data)


def alike(maps: NDArray[np.float32], final: NDArray[np.float32]) -> float:
    """Return Pearson's correlation of two answers over all pixels and channels; NaN where one does not vary."""
    a, b = maps.ravel().astype(np.float64), final.ravel().astype(np.float64)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else float("nan")


def _strip(
    run: ExtractedRun,
    best: Extraction,
    shown: Sequence[Extraction],
    of: int,
    layer: Layer,
    probe: int,
    said: Sequence[float],
    most: int,
) -> Figure:
    about = run.probes.probes[probe]
    seen = [as_displayed(about, e.maps(layer.name, probe)) for e in shown]
    strength = np.nan_to_num(np.abs(seen[shown.index(best)]).mean(axis=(0, 1)))
    order = np.argsort(-strength, kind="stable")[:most].tolist()
    low = min(float(np.nan_to_num(e.channels(layer.name).minimum).min()) for e in shown)
    limits = Limits.of(np.stack([maps[..., order] for maps in seen]), "signed" if low < 0 else "magnitude")
    state = states(best, layer)
    rows = []
    for channel in order:
        match = alike(seen[0][..., channel], seen[-1][..., channel])
        words = "–" if np.isnan(match) else f"{match:.2f}".replace("-", "−")
        rows.append(Row(f"channel {channel}", [[maps[..., channel]] for maps in seen], words, state[channel]))
    axis, names = labels(shown)
    heads = [
        (f"epoch {name}" if axis == "epoch" else name, fixed(answer)) for name, answer in zip(names, said, strict=True)
    ]
    width, height, placed, written = filmstrip(rows, heads, limits, "first with last")
    facts = {
        "layer": layer.name, "class_name": layer.class_name, "probe": about.id, "size": seen[0].shape[:2],
        "shown": len(order), "of": seen[0].shape[-1], "checkpoints": len(shown), "of_checkpoints": of,
        "best": best.about.file, "low": limits.low, "high": limits.high,
    }  # fmt: skip
    place = best.layers.index(layer)
    return Figure(f"seen-{place}-{best.name}", facts, width, height, placed, written, limits.bar())
