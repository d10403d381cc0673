"""Changed pictures, what planted networks make of them, and what the two sections say."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from keras import Input, Model, Sequential, layers

import networks
from extractions import write_folder
from reportgen.checkpoints.run import Checkpoint, History, Run
from reportgen.config import Config, SectionConfig
from reportgen.diagnostics.regions import border, take_apart
from reportgen.diagnostics.symmetry import respond, spread
from reportgen.diagnostics.transforms import Variant, variants, vary
from reportgen.extraction import Measurement, open_run
from reportgen.extraction.explained import Attribution, Stress
from reportgen.extraction.explained_file import read_group, write_group
from reportgen.network import open_network
from reportgen.network.explain import explained, stressed
from reportgen.network.plan import Plan, attributed, plan_for
from reportgen.network.viewed import view_of
from reportgen.report.html import as_html
from reportgen.sections import SECTIONS, build_section
from test_sections import report_of

SHAPE = (24, 24, 2)
N = 6


def galaxies() -> np.ndarray:
    """Return blobs off the centre with an elongation each, on a noisy sky."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:24, :24]
    found = []
    for i in range(N):
        a, b = (2.0, 3.5) if i % 2 else (3.5, 2.0)
        blob = np.exp(-(((y - 12) / a) ** 2 + ((x - 11) / b) ** 2))
        found.append(0.1 + blob[..., None] * np.array([1.0, 0.6]) + rng.normal(0, 0.02, SHAPE))
    return np.stack(found).astype("f4")


def plan(depth: str = "standard", **changes: Any) -> Plan:
    nothing = {"labels": ("",) * N, "targets": (float("nan"),) * N}
    return Plan(depth, SHAPE, ("g", "r"), ("",), **(nothing | changes))


def measured(
    model: Any, folder: Path, depth: str = "standard", **changes: Any
) -> tuple[Attribution, Stress, Measurement]:
    """Measure a network as the network process does."""
    x = galaxies()
    model.save(folder / "m.keras")
    stored = networks.stored(folder / "m.keras")
    network = open_network(stored, SHAPE)
    measurement = network.measure(stored, x)
    view, asked = view_of(network, {"": x}, ("",), SHAPE), plan(depth, **changes)

    def scene(i: int) -> Any:
        return take_apart(x[i])

    stress = stressed(view, x, measurement, asked, scene)
    return explained(view, x, measurement, asked, "", scene, "whole"), stress, measurement


def changes(stress: Stress) -> dict[tuple[str, str], float]:
    answers = stress.predictions[..., 0]
    found = respond(answers, None, stress.kinds, stress.amounts, stress.found)
    return {(r.kind, r.amount): r.largest for r in found}


def head(*body: Any) -> Any:
    return networks.fill(Sequential([Input(SHAPE), *body, layers.Dense(1, name="out")]))


def test_a_network_without_orientation_has_no_spread_and_an_edge_detector_a_large_one(tmp_path: Path) -> None:
    blind = head(layers.Conv2D(4, 1, activation="tanh"), layers.GlobalAveragePooling2D())
    _, stress, measurement = measured(blind, tmp_path, "quick")
    assert stress.kinds == ("orientation",) * 8
    np.testing.assert_array_equal(stress.predictions[0], measurement.predictions)
    assert spread(stress.predictions[..., 0]).max() < 1e-5 * np.abs(measurement.predictions).max()
    edges = head(layers.Conv2D(1, 3, activation="relu", name="c"), layers.GlobalAveragePooling2D())
    kernel = np.zeros((3, 3, 2, 1), "f4")
    kernel[0], kernel[2] = -1, 1  # a step from up to down
    edges.set_weights([kernel, np.zeros(1, "f4"), np.ones((1, 1), "f4"), np.zeros(1, "f4")])
    _, stress, measurement = measured(edges, tmp_path, "quick")
    assert spread(stress.predictions[..., 0]).min() > 0.2 * measurement.predictions.mean()


def reader(weights: np.ndarray) -> Any:
    model = Sequential([Input(SHAPE), layers.Flatten(), layers.Dense(1)])
    model.set_weights([weights.reshape(-1, 1).astype("f4"), np.zeros(1, "f4")])
    return model


def test_a_network_that_reads_one_band_changes_with_that_band_alone(tmp_path: Path) -> None:
    weights = np.zeros(SHAPE)
    weights[..., 1] = 1
    found, stress, _ = measured(reader(weights), tmp_path)
    moved = changes(stress)
    assert moved["band", "g"] < 1e-4 < 5 < moved["band", "r"]
    assert found.bands[:, 0].max() == 0 and found.bands[:, 1].min() > 0


def test_a_network_that_reads_the_total_flux_changes_with_it_and_not_with_the_place(tmp_path: Path) -> None:
    _, stress, _ = measured(reader(np.ones(SHAPE)), tmp_path)
    moved = changes(stress)
    answers = stress.predictions[..., 0]
    own, half = answers[0], answers[stress.kinds.index("flux")]
    sky = np.array([(take_apart(x).sky * 24 * 24).sum() for x in galaxies()])
    np.testing.assert_allclose(half, sky + 0.5 * (own - sky), rtol=1e-4)
    assert moved["galaxy", "sky"] > 10 * max(moved["orientation", ""], moved["shift", "1"], moved["sky", "flat"])
    assert moved["orientation", ""] < 1e-3 and moved["blur", "1"] < 0.3


def test_a_network_that_reads_a_mark_in_the_corner_shows_it(tmp_path: Path) -> None:
    weights = np.zeros(SHAPE)
    weights[:2, :2] = 1
    found, stress, _ = measured(reader(weights), tmp_path)
    moved = changes(stress)
    assert moved["galaxy", "sky"] == 0 and moved["sky", "flat"] > 0
    edge = border((24, 24))
    total = np.abs(found.maps["integrated"])
    assert total[:, edge].sum() == pytest.approx(total.sum())
    assert (found.maps["occlusion"][:, 1:, 1:] == 0).all() and (found.regions[:, :2, :2] == 0).all()
    assert np.abs(found.completeness).max() < 1e-5


def test_what_is_stored_is_read_back_and_a_file_without_it_gives_none(tmp_path: Path) -> None:
    found, stress, _ = measured(head(layers.Conv2D(3, 3, activation="relu"), layers.Flatten()), tmp_path)
    assert set(found.maps) == {"gradient", "grad_cam", "layer_cam", "integrated", "smooth_grad", "occlusion"}
    assert found.stages == (1, 2) and found.spearman["occlusion"].shape == (2, 2)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        write_group(file, "attribution", found)
        write_group(file, "stress", stress)
    with h5py.File(tmp_path / "x.h5") as file:
        for value, kind, name in ((found, Attribution, "attribution"), (stress, Stress, "stress")):
            again = read_group(file, name, kind)
            for part in dataclasses.fields(kind):
                a, b = getattr(value, part.name), getattr(again, part.name)
                if part.name in {"maps", "spearman", "ssim", "signed"}:
                    assert a.keys() == b.keys() and all((a[k] == b[k]).all() for k in a), part.name
                else:
                    assert type(a) is type(b) and np.array_equal(a, b), part.name
        assert read_group(file, "nothing", Stress) is None


def test_the_same_is_measured_twice(tmp_path: Path) -> None:
    model = head(layers.Conv2D(3, 3, activation="relu"), layers.Flatten())
    first, second = measured(model, tmp_path), measured(model, tmp_path)
    assert all(first[0].maps[k].tobytes() == second[0].maps[k].tobytes() for k in first[0].maps)
    assert first[1].predictions.tobytes() == second[1].predictions.tobytes()


def test_a_network_that_takes_too_long_gets_less_and_says_so(tmp_path: Path) -> None:
    model = head(layers.Conv2D(3, 3, activation="relu"), layers.Flatten())
    found, stress, _ = measured(model, tmp_path, seconds=0.0)
    assert set(found.maps) == {"gradient", "grad_cam", "layer_cam"} and "left out" in found.notes[0]
    assert "third of the time" in stress.absent


def test_a_hidden_score_is_said_and_costs_no_stress(tmp_path: Path) -> None:
    shared = layers.Dense(1, activation="sigmoid")
    image = Input(SHAPE)
    flat = layers.Flatten()(layers.GlobalAveragePooling2D(keepdims=True)(image))
    first = shared(layers.Dense(1)(flat))
    twice = Model(image, shared(first))  # its last layer is used twice, so that it cannot be taken apart
    found, stress, measurement = measured(networks.fill(twice), tmp_path)
    assert measurement.scores is None and "cannot be had" in found.absent
    assert not stress.absent and len(stress.kinds) > 8


def test_changed_pictures_are_what_they_are_called() -> None:
    x = galaxies()
    scenes = [take_apart(i) for i in x]

    def of(kind: str, *value: float, amount: str = "") -> np.ndarray:
        return vary(Variant(kind, amount, value), x, scenes)

    np.testing.assert_array_equal(of("orientation", 1), np.rot90(x, axes=(1, 2)))
    np.testing.assert_array_equal(of("orientation", 4), x[:, :, ::-1])
    assert len({of("orientation", k).tobytes() for k in range(8)}) == 8
    moved = of("shift", 2, 0)
    np.testing.assert_array_equal(moved[:, 2:], x[:, :-2])
    assert np.abs(moved[:, :2] - 0.1).max() < 0.02
    one, three = of("noise", 1, 0) - x, of("noise", 3, 0) - x
    np.testing.assert_allclose(three, 3 * one, atol=1e-5)
    assert one.std() == pytest.approx(0.02, rel=0.15)
    assert np.abs(of("flux", 2) - (2 * x - np.stack([s.sky for s in scenes])[:, None, None])).max() < 1e-5
    for scene, image, gone, flat in zip(scenes, x, of("galaxy", amount="sky"), of("sky", amount="flat"), strict=True):
        own = scene.galaxy | scene.outskirts
        assert (gone[~own] == image[~own]).all() and gone[own].max() < 0.3
        assert (flat[own] == image[own]).all() and (np.ptp(flat[~own], axis=0) == 0).all()
    whole = np.round(x * 100).astype(np.uint8)
    changed = vary(Variant("flux", "", (4.0,)), whole, scenes)
    assert changed.dtype == np.uint8 and changed.max() == 255
    assert [v.amount for v in variants((20, 30, 1), ("g",), "quick")] == [
        "as it is",
        "rot180",
        "mirrored",
        "mirrored, rot180",
    ]
    assert "band" not in {v.kind for v in variants((20, 30, 1), ("g",), "full")}


def test_the_segmentation_finds_a_planted_galaxy_its_companion_and_a_star() -> None:
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:80, :80]
    image = rng.normal(10, 0.05, (80, 80))
    for (cy, cx), size in (((40, 30), 6.0), ((40, 62), 4.5)):
        image += 3 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))
    image += 5 * np.exp(-((y - 8) ** 2 + (x - 8) ** 2) / (2 * 1.2**2))
    scene = take_apart(image[..., None])
    assert scene.sky[0] == pytest.approx(10, abs=0.05) and scene.noise[0] == pytest.approx(0.05, rel=0.3)
    assert scene.galaxy[40, 30] and scene.galaxy[40, 62] and scene.other[8, 8] and not scene.galaxy[8, 8]
    assert scene.outskirts.any() and not (scene.outskirts & scene.galaxy).any() and scene.empty[75, 5]
    nothing = take_apart(rng.normal(0, 1, (40, 40, 3)))
    assert nothing.galaxy.mean() < 0.1
    assert not take_apart(np.zeros((20, 20, 1))).found


def test_responses_by_hand() -> None:
    answers = np.array([[0.2, 0.6, 0.9], [0.4, 0.5, 0.9], [0.1, 0.4, np.nan], [0.2, 0.9, 0.1]])
    classes = (answers > 0.5).astype(int)
    kinds, amounts = ("orientation",) * 3 + ("sky",), ("a", "b", "c", "flat")
    turned, sky = respond(answers, classes, kinds, amounts, np.array([True, False, True]))
    assert (turned.n, turned.median, turned.largest, turned.flips) == (2, pytest.approx(0.2), pytest.approx(0.2), 1)
    assert (sky.n, sky.largest, sky.flips) == (2, pytest.approx(0.8), 1)
    assert spread(answers[:3])[:2].tolist() == [pytest.approx(0.3), pytest.approx(0.2)]


def test_which_checkpoints_are_attributed() -> None:
    checkpoints = tuple(Checkpoint(f"e{i}", f"e{i}", Path(), "keras", i, 1, "") for i in range(20))
    history = History("h.csv", np.arange(20), {"val_loss": np.abs(np.arange(20) - 7.0)})
    run = Run("r", Path(), checkpoints, history, {})

    def chosen(depth: str) -> dict[str, str]:
        return attributed(run, Config.model_validate({"run": {"path": "r"}, "probes": {"images": "i"}, "depth": depth}))

    assert chosen("quick") == {} and set(chosen("full").values()) == {"whole"} and len(chosen("full")) == 20
    standard = chosen("standard")
    assert {n for n, amount in standard.items() if amount == "whole"} == {"e7", "e19"}
    assert standard["e0"] == "light" and len(standard) == 6


def test_the_plan_knows_what_the_configuration_says() -> None:
    from extractions import probe_set

    config = Config.model_validate(
        {"run": {"path": "r"}, "probes": {"images": "i"}, "depth": "full", "task": {"cam_layer": "c"}}
    )
    made = plan_for(probe_set(targets=True), config)
    assert (made.depth, made.layer, made.channels, made.image) == ("full", "c", ("g", "r", "i"), ("",))
    assert made.labels[:2] == ("isolated", "merger") and made.targets[0] == pytest.approx(1 / 7)


@pytest.mark.parametrize("id", ["attribution", "symmetry"])
def test_older_extractions_have_a_section_that_says_what_is_missing(id: str, tmp_path: Path) -> None:
    run = open_run(write_folder(tmp_path / "e", explained=False))
    section, failure = build_section(run, SectionConfig(id=id), SECTIONS[id].SectionOptions())
    assert failure is None and "extraction files" in section.absent
    assert "extraction files" in as_html(report_of(tmp_path / "e"), {})
