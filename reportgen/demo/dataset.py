"""Labelled pictures of encounters and of undisturbed galaxies, matched between the classes and split by encounter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from reportgen.demo.camera import Image, draw_exposure, expose
from reportgen.demo.discs import draw_galaxy, make_stars, wind_spiral
from reportgen.demo.encounter import draw_encounter, fly, tail_strength
from reportgen.demo.light import Light, draw_colour, draw_view, join, light_encounter, light_galaxy

VIEWS = 2
"""Pictures of an encounter at each time, from different sides."""
STRONG_TAILS = 0.25
"""Fraction of disc stars torn out that counts as tail strength 1."""


@dataclass(frozen=True)
class Picture:
    """One simulated picture and what is true of it."""

    image: Image
    kind: str
    """merger, isolated or chance pair."""
    encounter: int
    """Number of the encounter it shows or is matched with; pictures of one number are never split."""
    time: float | None
    """Since closest approach."""
    target: float
    """Tail strength in [0, 1]; 0 for undisturbed galaxies."""
    width: float
    """Field of view in disc edges of the primary."""


def picture_encounter(number: int, seed: int) -> list[Picture]:
    """Fly encounter `number` and take its pictures, each with one of undisturbed galaxies to hold against it.

    In turn a chance pair and an isolated disc, of the same masses; the pair as far apart on the sky as the nuclei of
    the merger. Light, colours, noise and foreground stars follow one law for all; the field is set by the
    extent of what it shows.
    """
    rng = np.random.default_rng([seed, number])
    encounter = draw_encounter(rng)
    stars = (make_stars(encounter.galaxies[0], rng), make_stars(encounter.galaxies[1], rng))
    masses = [galaxy.mass for galaxy in encounter.galaxies]
    pictures = []
    for snapshot in fly(encounter, stars):
        target = min(1.0, tail_strength(encounter, snapshot) / STRONG_TAILS)
        for turn in range(VIEWS):
            view = draw_view(rng)
            light = light_encounter(encounter, stars, snapshot, view, (draw_colour(rng), draw_colour(rng)))
            pictures.append(take(light, "merger", number, rng, snapshot.time, target))
            if turn % 2:
                pictures.append(take(light_undisturbed(masses[:1], 0.0, rng), "isolated", number, rng))
            else:
                apart = float(np.hypot(*(view @ (snapshot.nuclei[1] - snapshot.nuclei[0]))[:2]))
                pictures.append(take(light_undisturbed(masses, apart, rng), "chance pair", number, rng))
    return pictures


def take(
    light: Light, kind: str, number: int, rng: np.random.Generator, time: float | None = None, target: float = 0.0
) -> Picture:
    """Take one picture."""
    exposure = draw_exposure(light, rng)
    return Picture(expose(light, exposure, rng), kind, number, time, target, exposure.width)


def light_undisturbed(masses: Sequence[float], apart: float, rng: np.random.Generator) -> Light:
    """Light new spirals of these masses, each from its own side, `apart` from one another on the sky."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    lights = []
    for index, mass in enumerate(masses):
        galaxy = draw_galaxy(mass, rng)
        stars = make_stars(galaxy, rng)
        arms, pitch = int(rng.choice([2, 2, 2, 3])), np.radians(rng.uniform(12, 28))
        disc = wind_spiral(stars, arms, rng.uniform(0.1, 0.9), pitch, rng.uniform(0, 2 * np.pi))
        light = light_galaxy(galaxy, stars, disc, np.zeros(3), draw_view(rng), draw_colour(rng))
        lights.append(Light(light.points + index * apart * direction[:, None], light.light))
    return join(lights)


@dataclass(frozen=True)
class Dataset:
    """Pictures as the network sees them, with what is known of them; all arrays share their first axis."""

    inputs: NDArray[np.float32]
    """`(picture, y, x, channel)`, prepared as the demo's configuration says."""
    merger: NDArray[np.float32]
    """1 for a merger, 0 for undisturbed galaxies."""
    target: NDArray[np.float32]
    """Tail strength in [0, 1]."""
    kind: NDArray[np.str_]
    encounter: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.inputs)

    def split(self, held_out: int) -> tuple[Dataset, Dataset]:
        """Return the pictures of all but the last `held_out` encounters, and those of the last."""
        last = self.encounter >= np.unique(self.encounter)[-held_out]
        return self.choose(~last), self.choose(last)

    def choose(self, chosen: NDArray[np.bool_]) -> Dataset:
        """Return some of the pictures."""
        return Dataset(*(getattr(self, field.name)[chosen] for field in fields(self)))


def make_dataset(
    numbers: Sequence[int],
    seed: int,
    prepare: Callable[[Image], NDArray[np.float32]],
    progress: Callable[[int], None] = lambda done: None,
) -> Dataset:
    """Picture these encounters and prepare the pictures; `progress` hears how many encounters are done."""
    pictures = []
    for done, number in enumerate(numbers, 1):
        # Prepared at once: 2,500 raw pictures would fill half a gigabyte.
        pictures += [replace(one, image=prepare(one.image)) for one in picture_encounter(number, seed)]
        progress(done)
    return Dataset(
        np.stack([one.image for one in pictures]),
        np.array([one.kind == "merger" for one in pictures], np.float32),
        np.array([one.target for one in pictures], np.float32),
        np.array([one.kind for one in pictures]),
        np.array([one.encounter for one in pictures]),
    )
