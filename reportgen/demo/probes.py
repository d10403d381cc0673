"""The sixteen probes: what every checkpoint of the demo is asked about; none of them was trained on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reportgen.demo.camera import FLUX, PIXELS, SEEING, Exposure, Image, add_sky, blur, expose
from reportgen.demo.dataset import STRONG_TAILS, Picture, picture_encounter
from reportgen.demo.discs import Galaxy, make_stars
from reportgen.demo.encounter import Encounter, fly, tail_strength
from reportgen.demo.light import Colour, light_encounter

MERGER, UNDISTURBED = "merger", "undisturbed"
OTHERS = (
    ("merger", 5, -1), ("merger", 7, -3), ("merger", 8, -5),
    ("isolated", 1, -4), ("isolated", 5, -3), ("isolated", 4, -4),
    ("chance pair", 1, -4), ("chance pair", 2, -4), ("chance pair", 7, -3),
)  # fmt: skip
"""Kind, encounter and which of its pictures of that kind: chosen by eye at seed 7, for variety."""
APART = 1_000_000
"""The probes' encounters count from here; those trained on count from 0."""
EDGE = 15.0
"""Apparent radius of the primary's disc [arcsec]: about 15 kpc at redshift 0.05."""
HUBBLE_CORNER, HUBBLE_SIZE = (128, 420), 64
"""Row and column of a pair of galaxies with tails in scikit-image's Hubble field, and the size of the cut [pixel]."""


@dataclass(frozen=True)
class DemoProbe:
    """One probe and its row of the catalogue."""

    id: str
    image: Image
    kind: str
    note: str
    label: str = ""
    target: str = ""
    group: str = ""
    object: str = ""
    """What it shows, where several probes show the same."""
    trained: str = "no"
    time: str = ""
    pixel_scale: str = ""
    """[arcsec / pixel]"""


def make_probes(seed: int) -> list[DemoProbe]:
    """Return the probes in their order."""
    return [*_one_encounter(seed), *_others(seed), *_controls(seed), _hubble_pair()]


def write_probes(probes: list[DemoProbe], folder: Path) -> None:
    """Write `probes.npy`, float32 `(probe, y, x, band)` in the order g, r, i, and `probes.csv`."""
    folder.mkdir(parents=True)
    np.save(folder / "probes.npy", np.stack([probe.image for probe in probes]))
    columns = ("id", "label", "target", "group", "object", "trained", "kind", "time", "pixel_scale", "note")
    with (folder / "probes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([getattr(probe, column) for column in columns] for probe in probes)


def _one_encounter(seed: int) -> Iterator[DemoProbe]:
    """Show one prograde encounter at four times from one side: the same field, light, stars and noise."""
    galaxies = (Galaxy(1.0, 0.42, 0.35, 0.1), Galaxy(0.7, 0.42, 0.35, 0.1))
    tilts = (_tilt(0.3), _tilt(-0.45))
    encounter = Encounter(galaxies, 0.75, 0.85, tilts)
    rng = np.random.default_rng([seed, APART])
    stars = (make_stars(galaxies[0], rng), make_stars(galaxies[1], rng))
    snapshots = fly(encounter, stars)
    view, colours = _tilt(0.4), (Colour(0.1, 1.0), Colour(-0.1, 1.0))
    exposure = Exposure(np.zeros(2), 7.5, FLUX)
    for number, snapshot in enumerate(snapshots, 1):
        light = light_encounter(encounter, stars, snapshot, view, colours)
        image = expose(light, exposure, np.random.default_rng([seed, APART, 1]))
        yield DemoProbe(
            f"encounter-{number}", image, "encounter", "one encounter at four times, all else the same",
            MERGER, _target(min(1.0, tail_strength(encounter, snapshot) / STRONG_TAILS)), "one encounter",
            time=f"{snapshot.time:g}", pixel_scale=_pixel_scale(exposure.width), object="encounter",
        )  # fmt: skip


def _others(seed: int) -> Iterator[DemoProbe]:
    """Show three other mergers, each at another time, three isolated discs and three chance pairs."""
    taken = {number: picture_encounter(APART + number, seed) for number in sorted({number for _, number, _ in OTHERS})}
    notes = {
        "merger": "another encounter", "isolated": "a disc alone", "chance pair": "two discs that only look close",
    }  # fmt: skip
    seen = dict.fromkeys(notes, 0)
    for kind, number, which in OTHERS:
        seen[kind] += 1
        picture = [one for one in taken[number] if one.kind == kind][which]
        yield _probe(picture, f"{kind.replace(' ', '-')}-{seen[kind]}", notes[kind])


def _probe(picture: Picture, name: str, note: str) -> DemoProbe:
    return DemoProbe(
        name, picture.image, picture.kind, note, MERGER if picture.kind == "merger" else UNDISTURBED,
        _target(picture.target), picture.kind, time="" if picture.time is None else f"{picture.time:g}",
        pixel_scale=_pixel_scale(picture.width),
    )  # fmt: skip


def _controls(seed: int) -> Iterator[DemoProbe]:
    """Show the sky alone and a star alone: neither is of any class."""
    rng = np.random.default_rng([seed, APART, 2])
    nothing = np.zeros((3, PIXELS, PIXELS), np.float32)
    yield DemoProbe(
        "blank-sky", add_sky(nothing, rng), "blank sky", "noise of the sky and nothing else", group="control"
    )
    star = nothing.copy()
    star[:, PIXELS // 2, PIXELS // 2] = 0.2 * FLUX
    note = f"one bright star: the point-spread function, sigma {SEEING} pixels"
    yield DemoProbe("lone-star", add_sky(blur(star), rng), "lone star", note, group="control")


def _hubble_pair() -> DemoProbe:
    """Cut a real interacting pair out of NASA's public-domain picture; its JPEG lies inside scikit-image."""
    import skimage
    from PIL import Image as Pictures

    with Pictures.open(Path(skimage.__file__).parent / "data" / "hubble_deep_field.jpg") as picture:
        y, x = HUBBLE_CORNER
        cut = picture.convert("RGB").crop((x, y, x + HUBBLE_SIZE, y + HUBBLE_SIZE))
        large = np.asarray(cut.resize((PIXELS, PIXELS), Pictures.Resampling.BICUBIC), np.float32)
    linear = (large.clip(0, 255) / 255) ** 2.2
    bands = (linear - np.median(linear, axis=(0, 1)))[..., ::-1]
    note = (
        "real: Hubble eXtreme Deep Field (NASA, ESA), from an 8-bit colour JPEG, enlarged twice; blue, green, red for "
        "g, r, i, made linear (gamma 2.2), sky subtracted, as bright as the simulated; unlike all that was trained on"
    )
    image = np.ascontiguousarray(bands * (FLUX / bands[..., 1].clip(0).sum()), np.float32)
    return DemoProbe("hubble-pair", image, "real pair", note, group="real")


def _tilt(angle: float) -> np.ndarray[tuple[int, ...], np.dtype[np.floating]]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def _target(strength: float) -> str:
    return f"{strength:.4f}"


def _pixel_scale(width: float) -> str:
    return f"{width * EDGE / PIXELS:.4g}"
