"""What was the network asked?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from reportgen.config import Options
from reportgen.extraction import ExtractedRun
from reportgen.figures import Figure, Label, Limits, mosaic
from reportgen.figures.diagram import Arrow
from reportgen.figures.mosaic import LABEL
from reportgen.probes.probeset import Probe, ProbeSet
from reportgen.probes.shown import shown_probes
from reportgen.sections.section import Judged, Section, told
from reportgen.sections.task import asks_for_target
from reportgen.sections.thumbnails import as_displayed, contact_sheet, thumbnails
from reportgen.sections.verdicts.inputs import input_range, inputs_not_finite

TITLE = "The probe set"
QUESTION = "What was the network asked?"

BARS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)
"""Lengths of scale bars [arcsec]; the longest within half a picture is drawn."""

NORMALISING = frozenset({"Rescaling", "Normalization", "BatchNormalization", "LayerNormalization"})
"""Layers after which the size of an input does not matter."""


class SectionOptions(Options):
    """Options of the probes section."""

    show: PositiveInt = 32
    """Probes shown as pictures; all of them are measured."""


@dataclass(frozen=True)
class ChannelRow:
    """The numbers the network sees in one channel, over all probes and pixels."""

    channel: str
    minimum: float
    mean: float
    maximum: float
    spread: float
    """Standard deviation."""
    not_finite: int
    """Values that are NaN or infinite."""


@dataclass(frozen=True)
class ProbeRow:
    """One probe as a line of the table."""

    id: str
    label: str
    target: float | None
    group: str
    source: str
    minimum: float
    mean: float
    maximum: float
    sha256: str


@dataclass(frozen=True)
class InputRow:
    """What one input of a network with several gets."""

    name: str
    """Empty for the one that is not named in the configuration."""
    source: str
    """In words; empty for the prepared image."""
    steps: tuple[str, ...]
    shape: tuple[int, ...]
    """Of one probe."""
    minimum: float
    mean: float
    maximum: float
    not_finite: int


@dataclass(frozen=True)
class Content:
    """What the template shows."""

    n: int
    shown: int
    sha256: str
    shape: tuple[int, ...]
    """Of one input."""
    dtype: str
    channels: tuple[ChannelRow, ...]
    steps: tuple[str, ...]
    """The preparation, one step each, in words."""
    display: str
    rows: tuple[ProbeRow, ...]
    has_labels: bool
    has_targets: bool
    """Whether there are targets, and a network answers them."""
    has_groups: bool
    inputs: tuple[InputRow, ...]
    """Of a network with several inputs; else none."""


def build(run: ExtractedRun, options: SectionOptions) -> Section:
    """Show the probes as people and as the network see them, and the range of the numbers."""
    probes = run.probes
    shown = _shown(run, options.show)
    images = probes.inputs.reshape(len(probes), *probes.input_shape).astype(np.float32, copy=False)
    channels = tuple(_channel(name, images[..., c]) for c, name in enumerate(probes.channels))
    rows = tuple(
        ProbeRow(
            p.id, p.label or "", p.target, p.group or "", p.source,
            float(np.nanmin(x)), float(np.nanmean(x, dtype=np.float64)), float(np.nanmax(x)), p.sha256,
        )
        for p, x in zip(probes.probes, images, strict=True)
    )  # fmt: skip
    content = Content(
        len(probes), len(shown), probes.sha256, tuple(probes.inputs.shape[1:]), str(probes.inputs.dtype), channels,
        probes.steps, probes.display, rows, probes.has_labels,
        probes.has_targets and asks_for_target(run), any(p.group for p in probes.probes),
        _inputs(probes),
    )  # fmt: skip
    sheet = _sheet(run, shown)
    seen = _as_seen(probes, "", images, shown)
    inputs = {"": channels}
    for name, other in probes.others.items():
        inputs[name] = (_channel(name, other.values),)
        if len(other.shape) == 3:
            values = other.values.reshape(len(probes), *other.shape).astype(np.float32, copy=False)
            seen += _as_seen(probes, name, values, shown)
    return Section(content, (sheet, *seen), **told(_judged(run, inputs)))


def _inputs(probes: ProbeSet) -> tuple[InputRow, ...]:
    if not (probes.others or probes.image_inputs):
        return ()
    rows = []
    for name, values in probes.given.items():
        other = probes.others.get(name)
        numbers = _channel(name, values)
        rows.append(
            InputRow(
                name, other.source if other else "", other.steps if other else probes.steps, values.shape[1:],
                numbers.minimum, numbers.mean, numbers.maximum, numbers.not_finite,
            )
        )  # fmt: skip
    return tuple(rows)


def _channel(name: str, values: NDArray[np.generic]) -> ChannelRow:
    def some() -> Iterator[NDArray[np.float64]]:
        for start in range(0, len(values), 64):  # thousands of probes at once would take their size several times over
            part = values[start : start + 64]
            yield part[np.isfinite(part)].astype(np.float64)

    count = sum(part.size for part in some())
    if not count:
        return ChannelRow(name, np.nan, np.nan, np.nan, np.nan, values.size)
    mean = sum(float(part.sum()) for part in some()) / count
    spread = np.sqrt(sum(float(((part - mean) ** 2).sum()) for part in some()) / count)
    ends = [float(end) for part in some() if part.size for end in (part.min(), part.max())]
    return ChannelRow(name, min(ends), mean, max(ends), float(spread), int(values.size - count))


def _shown(run: ExtractedRun, most: int) -> list[int]:
    """Return the probes shown as pictures, rising: those whose feature maps are shown, and more of all kinds."""
    large = [run.probes.probes[i].id for i in (run.measured[0].shown if run.measured else ())]
    return sorted(shown_probes(run.probes, most, large)[:most])


def _sheet(run: ExtractedRun, shown: Sequence[int]) -> Figure:
    probes, targets = run.probes, asks_for_target(run)
    lines = []
    for i in shown:
        probe = probes.probes[i]
        known = [probe.label] if probe.label else []
        if probe.target is not None and targets:
            known.append(f"{probe.target:.3g}")
        room = ("",) if _pixel_scale(probe) else ()
        lines.append((f"{i}  {probe.id}", *([" · ".join(known)] if known else []), *room))
    pictures = thumbnails(probes, run.config.probes.display, shown)
    width, height, placed, labels = contact_sheet(pictures, lines)
    bars: list[Arrow] = []
    for i, line, picture in zip(shown, lines, placed, strict=True):
        if scale := _pixel_scale(probes.probes[i]):
            unit = picture.width / (probes.images[i].shape[1] * scale)
            length = max((s for s in BARS if s * unit <= picture.width / 2), default=BARS[0])
            y = picture.y + picture.height + len(line) * LABEL - 8
            bars.append(Arrow(((picture.x + 2, y), (picture.x + 2 + length * unit, y))))
            labels = (*labels, Label(picture.x + 10 + length * unit, y + 7, f"{length:g}″"))
    facts = {"shown": len(shown), "of": len(probes), "display": probes.display, "bars": len(bars)}
    return Figure("probes-sheet", facts, width, height, placed, labels, boxes=tuple(bars))


def _pixel_scale(probe: Probe) -> float | None:
    """Return the scale of a probe's picture as read [arcsec / pixel], where its catalogue, WCS or config says it."""
    try:
        scale = float(probe.metadata.get("pixel_scale", ""))
    except ValueError:
        return None
    return scale if np.isfinite(scale) and scale > 0 else None


def _as_seen(probes: ProbeSet, name: str, images: NDArray[np.floating], shown: Sequence[int]) -> tuple[Figure, ...]:
    """Return a figure a channel of what the network sees: of the prepared images, or of the input `name`."""
    other = probes.others.get(name)
    channels = other.channels if other else probes.channels
    figures, ratio = [], squeezed(probes)
    for c, channel in enumerate(channels[:5]):
        maps_ = [images[i, ..., c] for i in shown]
        if other:
            turned = [x[::-1] for x in maps_] if other.bottom_up else maps_
        else:
            turned = [as_displayed(p, x) for p, x in zip((probes.probes[i] for i in shown), maps_, strict=True)]
        maps = np.stack(turned, axis=-1)
        limits = Limits.of(images[..., c], "magnitude")
        width, height, placed, labels = mosaic(maps, limits, [str(i) for i in shown], columns=16)
        facts = {
            "channel": channel, "number": c, "channels": len(channels), "shown": len(shown), "of": len(probes),
            "shape": images.shape[1:3], "squeezed": "" if other else ratio, "input": name,
            "source": other.source if other else "",
        }  # fmt: skip
        place = f"{list(probes.others).index(name)}-" if other else ""
        figures.append(Figure(f"probes-seen-{place}{c}", facts, width, height, placed, labels, limits.bar()))
    return tuple(figures)


def _judged(run: ExtractedRun, inputs: dict[str, tuple[ChannelRow, ...]]) -> list[Judged]:
    """Judge the numbers of each input; the name of the only one is empty."""
    limits = run.config.verdicts.input_range
    named = [(name, sum(c.not_finite for c in rows)) for name, rows in inputs.items()]
    found = [inputs_not_finite(named)]
    for name, rows in inputs.items():
        low = min((c.minimum for c in rows if np.isfinite(c.minimum)), default=np.nan)
        high = max((c.maximum for c in rows if np.isfinite(c.maximum)), default=np.nan)
        image = name not in run.probes.others or len(run.probes.others[name].shape) == 3
        found.append(input_range(name, low, high, image, _normalised_by(run, name), limits))
    return found


def _normalised_by(run: ExtractedRun, name: str) -> str:
    """Return the layer that rescales an input before anything else does, if every network has one; else ""."""
    words = set()
    for signature in run.architectures:
        layers = run.of_architecture(signature)[0].layers
        starts = [layer.name for layer in layers if not layer.inputs and (not name or layer.name == name)]
        reading = [layer for layer in layers if set(layer.inputs) & set(starts)]
        scaled = bool(reading) and all(layer.class_name in NORMALISING for layer in reading)
        words.add(reading[0].name if scaled else "")
    return words.pop() if len(words) == 1 else ""


def squeezed(probes: ProbeSet) -> str:
    """Return "1200 × 800 to 100 × 100 (width × height)" where preparation changed an image's proportions, else ""."""
    y, x, _ = probes.input_shape
    cropped = any("crop" in step for step in probes.steps)
    for i, probe in enumerate(probes.probes):
        known = [probe.metadata.get(name, "") for name in ("height", "width")]
        height, width = map(int, known) if all(map(str.isdigit, known)) else probes.images[i].shape[:2]
        if not cropped and abs(width * y - height * x) > max(width, height):
            return f"{width} × {height} to {x} × {y} (width × height)"
    return ""
