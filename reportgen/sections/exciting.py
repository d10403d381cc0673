"""The probes that excite a channel most and least, with the patch it looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reportgen.diagnostics.selectivity import extremes
from reportgen.extraction import ExtractedRun, Extraction
from reportgen.figures import Figure, Frame, Label, Placed
from reportgen.figures.mosaic import LABEL, WIDTH
from reportgen.sections.responses import Pooling, Responses, on_picture, patch_of, place_of_maximum
from reportgen.sections.tested import Channel, Tested
from reportgen.sections.thumbnails import thumbnails
from reportgen.templating import fixed, number

MOST, LEAST = 5, 3
"""Probes of each kind in a row."""
ALIKE = 0.05
"""Spread of a channel's responses, as a fraction of the largest, below which they are all but the same."""
WORDS, GAP, APART = 352.0, 10.0, 34.0
"""Width of the words of a row, between pictures, and between the two kinds [unit of the canvas]."""


def rows_of_probes(
    run: ExtractedRun, extraction: Extraction, one: Responses, channels: Sequence[Channel], result: Tested,
    pooling: Pooling,
) -> Figure:  # fmt: skip
    """Draw one row a channel: words, the probes that excite it most with the patch framed, and those least."""
    cell = (WIDTH - WORDS - APART) / (MOST + LEAST)
    side = cell - GAP
    second = WORDS + MOST * cell + APART
    placed: list[Placed] = []
    frames: list[Frame] = []
    labels = [Label(WORDS, 20, "excite it most", strong=True), Label(second, 20, "least", strong=True)]
    data: dict[str, list[object]] = {"channel": [], "most": [], "least": [], "patch": []}
    whole = one.maps
    y = 34.0
    for c in channels:
        values = one.values[:, c.channel]
        top, low = extremes(values, MOST, LEAST)
        pictures = thumbnails(run.probes, run.config.probes.display, [*top, *low])
        lines = _words(c, result, values)
        digits = _digits(values)
        labels += [Label(0, y + 20 + k * 27, text, strong=k == 0) for k, text in enumerate(lines)]
        tallest = 0.0
        patches: list[object] = []
        for k, (i, picture) in enumerate(zip([*top, *low], pictures, strict=True)):
            x = WORDS + k * cell if k < len(top) else second + (k - len(top)) * cell
            scale = side / max(picture.width, picture.height)
            width, height = picture.width * scale, picture.height * scale
            placed.append(Placed(picture, x, y, width, height))
            tallest = max(tallest, height)
            said = number(float(values[i]), digits)
            labels += [Label(x, y + height + 24, f"{i}: {said}")]
            if k < len(top) and one.maps:
                unit = place_of_maximum(extraction, one.layer.name, i, c.channel)
                seen = patch_of(run, extraction, one.layer.name, unit)
                patches.append(seen and (seen.top, seen.left, seen.height, seen.width))
                if seen is not None and (seen.height, seen.width) != run.probes.input_shape[:2]:
                    whole = False
                    left, upper, wide, high = on_picture(run, i, seen)
                    frames.append(Frame(x + left * width, y + upper * height, wide * width, high * height))
        data["channel"].append(c.channel)
        data["most"].append([run.probes.probes[i].id for i in top])
        data["least"].append([run.probes.probes[i].id for i in low])
        data["patch"].append(patches)
        y += max(tallest + LABEL + 12, 27.0 * len(lines) + 14)
    facts = {
        "layer": one.layer.name, "class_name": one.layer.class_name, "checkpoint": extraction.about.file,
        "epoch": extraction.epoch, "shown": len(channels), "of": one.values.shape[1], "probes": len(run.probes),
        "vary": int((np.nan_to_num(np.ptp(one.values, axis=0)) > 0).sum()), "maps": one.maps, "whole": whole,
        "framed": len(frames), "pooling": pooling, "tested": bool(result.test and not result.problem),
        "test": result.test, "n": result.n, "display": run.probes.display,
    }  # fmt: skip
    place = extraction.layers.index(one.layer)
    id = f"selectivity-{place}-{extraction.name}"
    return Figure(id, facts, WIDTH, y - 6, tuple(placed), tuple(labels), boxes=tuple(frames), data=dict(data))


def _digits(values: NDArray[np.floating]) -> int:
    """Return how many significant digits it takes to tell the responses of a channel apart, from 3 to 5."""
    finite = np.abs(values[np.isfinite(values)].astype(np.float64))
    span = float(np.ptp(values[np.isfinite(values)])) if finite.size else 0.0
    if span <= 0 or finite.max() <= 0:
        return 3
    return int(np.clip(2 + np.ceil(np.log10(float(finite.max()) / span)), 3, 5))


def _words(c: Channel, result: Tested, values: NDArray[np.floating]) -> tuple[str, ...]:
    """Return what stands beside a channel's probes."""
    lines = [f"channel {c.channel}"]
    largest = float(np.abs(values).max())
    if np.isfinite(largest) and 0 < c.spread < ALIKE * largest:
        lines.append(f"varies by {number(100 * c.spread / largest, 2)} % only")
    if c.effect is not None:
        sure = f"q {_is(c.q)}" + ("" if c.selective else ", not significant")
        if c.prefers:
            lines += [f"AUC {fixed(c.effect)} for {_cut(c.prefers, 18)}", sure]
        else:
            lines += [f"ρ = {fixed(c.effect)} with the target", sure]
    if c.confounder:
        lines.append(f"nearest: {_cut(c.confounder, 20)}")
        lines.append(f"ρ = {fixed(c.rho)}, q {_is(c.rho_q)}")
        if c.confounded and result.test and not result.problem:
            lines.append(f"closer than the {result.test}")
    return tuple(lines)


def _is(value: float | None) -> str:
    return _small(value) if value is not None and value < 0.001 else f"= {_small(value)}"


def _small(value: float | None) -> str:
    return "< 0.001" if value is not None and value < 0.001 else number(value, 2)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
