"""What the index shows of a report at a glance: a small picture and the course of the monitored quantity."""

from __future__ import annotations

import base64
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reportgen.errors import ReportgenError
from reportgen.extraction.read import read_run
from reportgen.report import Report

if TYPE_CHECKING:
    from PIL.Image import Image

    from reportgen.figures import Figure

SIDE = 48
"""Of a thumbnail's halves [pixel]."""
COLOURS = 48
POINTS = 48
"""Epochs of a course; of more, that many evenly from the first to the last."""

log = logging.getLogger(__name__)


def course(extraction: Path, monitor: str) -> dict[str, Any]:
    """Return name, epochs and values of the monitored column of the history; nothing where there is none."""
    if not monitor or not extraction.is_dir():
        return {}
    try:
        history = read_run(extraction)[0].history
    except ReportgenError as error:
        log.warning("no course of %s in the manifest: %s", monitor, error.problem)
        return {}
    if history is None or monitor not in history.columns:
        return {}
    last = len(history.epochs) - 1
    places = np.unique(np.linspace(0, last, POINTS).round().astype(int)).tolist() if last >= 0 else []
    values = history.columns[monitor]
    return {
        "name": monitor,
        "epochs": [int(history.epochs[i]) for i in places],
        "values": [float(f"{values[i]:.5g}") if np.isfinite(values[i]) else None for i in places],
    }


def thumbnail(report: Report) -> str:
    """Return a small PNG as base64: a probe, and beside it what the first layer makes of one; empty without pictures.

    The probe is the same in every report on a probe set, the map is the network's own. What goes wrong here costs the
    picture, never the report.
    """
    try:
        return _thumbnail(report)
    except Exception:
        log.exception("no thumbnail of %s", report.run)
        return ""


def _thumbnail(report: Report) -> str:
    summary, maps = report.section("summary"), report.section("activations")
    probe = summary.figures[0] if summary and summary.figures else None
    seen = next((f for f in maps.figures if f.id.startswith("maps-")), None) if maps else None
    found = (_tile(probe, 1) if probe else None, _liveliest(seen) if seen else None)
    halves = [half for half in found if half is not None]
    if not halves:
        return ""
    from PIL import Image

    made = Image.new("RGB", (SIDE * len(halves), SIDE))
    for i, half in enumerate(halves):
        made.paste(half.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), (i * SIDE, 0))
    buffer = io.BytesIO()
    made.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _tile(figure: Figure, tiles: int, index: int = 0) -> Image | None:
    """Return one of the tiles that lie side by side in the first picture of a figure."""
    from PIL import Image

    if not figure.placed or figure.placed[0].picture.suffix != "png":
        return None
    picture = Image.open(io.BytesIO(figure.placed[0].picture.data))
    width = picture.width // tiles
    return picture.crop((index * width, 0, (index + 1) * width, picture.height))


def _liveliest(figure: Figure) -> Image | None:
    """Return the tile of the first row with the most contrast: a dead channel says nothing of a network."""
    row = [label for label in figure.labels if label.y == figure.labels[0].y] if figure.labels else []
    tiles = [tile for i in range(len(row)) if (tile := _tile(figure, len(row), i)) is not None]
    return max(tiles, key=lambda tile: float(np.asarray(tile.convert("L"), float).std()), default=None)
