"""Planted illnesses of weights and channels, as the report tells them."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from extractions import probe_set, write_folder
from reportgen.config import SectionConfig
from reportgen.extraction import open_run
from reportgen.extraction.statistics import channel_statistics
from reportgen.figures.style import palette
from reportgen.report import build_report
from reportgen.report.html import as_html
from reportgen.sections import SECTIONS, build_section, check_options
from reportgen.sections.chosen import spread
from test_figures import pixels

OURS = ("weight_health", "weight_evolution", "activation_health", "activation_evolution")


def built(folder, id, **options):
    section, failure = build_section(open_run(folder), SectionConfig(id=id), SECTIONS[id].SectionOptions(**options))
    assert failure is None, failure
    return section


def page(folder):
    run = open_run(folder)
    report = build_report(run, check_options(run.config.sections), lambda *_: None)
    assert not [f for f in report.failures if f.kind == "section"]
    return " ".join(as_html(report, {}).split())


def files(folder):
    return sorted(folder.glob("epoch-*.h5"))


def plant_weights(path, change, array="weights/0000/0"):
    with h5py.File(path, "r+") as file:
        values = file[array][()]
        change(values)
        file[array][...] = values


def plant_maps(path, layer, change):
    """Change the stored maps of a layer, and its statistics with them."""
    with h5py.File(path, "r+") as file:
        group = next(g for g in file["activations"].values() if g.attrs["layer"] == layer)
        maps = group["maps"][()]
        change(maps)
        group["maps"][...] = maps
        for name, values in channel_statistics(maps, "relu").items():
            group[name][...] = values


def say_trainable(path, layer, word):
    with h5py.File(path, "r+") as file:
        rows = json.loads(file["layers"].asstr()[()])
        next(row for row in rows if row["name"] == layer)["trainable"] = word
        del file["layers"]
        file.create_dataset("layers", data=json.dumps(rows))


def test_a_nan_in_one_tensor_is_named_and_its_numbers_are_not_claimed(tmp_path):
    folder = write_folder(tmp_path / "e")
    plant_weights(files(folder)[1], lambda kernel: kernel.reshape(-1).__setitem__(slice(0, 3), np.nan))
    network = built(folder, "weight_health").content.networks[0]
    assert [(s.checkpoint, s.layer, s.variable, s.reason) for s in network.sick] == [
        ("epoch-002.keras", "conv", "kernel", "3 values are NaN")
    ]
    row = next(r for r in network.rows if r.weighed.layer == "conv")
    assert network.checkpoint == "epoch-002.keras" and row.weighed.spectrum.stable_rank is None
    conv, out = built(folder, "weight_evolution").content.networks[0].layers
    assert [d.relative is None for d in conv.from_first] == [False, True, False]
    assert conv.from_previous[0].problem == "after, 3 values are NaN" and out.from_first[1].problem == ""
    html = page(folder)
    assert "conv kernel at epoch-002.keras, epoch 2: 3 values are NaN" in html
    assert "cannot be computed: 3 values are NaN" in html


def test_copied_and_empty_kernels_are_named(tmp_path):
    folder = write_folder(tmp_path / "e")

    def copy(kernel):
        kernel[..., 3] = kernel[..., 1]
        kernel[..., 4] = 0

    plant_weights(files(folder)[1], copy)  # the best one
    row = built(folder, "weight_health").content.networks[0].rows[0]
    assert row.weighed.redundancy.duplicates == ((1, 3),) and row.weighed.redundancy.zero == (4,)
    html = page(folder)
    assert "equal to the last bit: 1 = 3." in html and "1 of 5 filters of conv are all zero: 4." in html


def test_the_numbers_of_the_table_are_those_of_the_stored_kernel(tmp_path):
    folder = write_folder(tmp_path / "e")
    run = open_run(folder)
    row = built(folder, "weight_health").content.networks[0].rows[0]
    first, best = (e.arrays("conv")["kernel"].astype(float) for e in run.extractions[:2])
    assert row.weighed.health.norm == pytest.approx(np.linalg.norm(best.ravel()))
    assert row.growth == pytest.approx(np.linalg.norm(best.ravel()) / np.linalg.norm(first.ravel()))
    sigma = np.linalg.svd(best.reshape(75, 5), compute_uv=False)
    assert row.weighed.spectrum.stable_rank == pytest.approx((sigma**2).sum() / sigma[0] ** 2)
    figure = next(f for f in built(folder, "weight_health").figures if f.facts["quantity"] == "rank")
    assert figure.data["rows"] == ["conv"]  # a layer of one unit has no rank to lose
    assert figure.data["values"][0][1] == pytest.approx(row.weighed.spectrum.effective_rank / 5)


def test_a_kernel_too_large_for_its_spectrum_says_so(tmp_path):
    folder = write_folder(tmp_path / "e")
    row = built(folder, "weight_health", largest=100).content.networks[0].rows[0]
    assert row.weighed.spectrum.problem == "it has 375 numbers, more than 100"
    assert row.weighed.redundancy.highest is not None


@pytest.mark.parametrize(
    ("trainable", "motion", "words"),
    [
        (False, "frozen", "conv (frozen, as the file says)"),
        (True, "not learning", 'conv (<b class="marked">not learning</b>: the file says it is trainable)'),
        (None, "still", "conv (whether it is frozen the file does not say)"),
    ],
)
def test_a_layer_that_never_moved_is_told_apart(tmp_path, trainable, motion, words):
    folder = write_folder(tmp_path / "e")
    with h5py.File(files(folder)[0]) as file:
        kernel = file["weights/0000/0"][()]
    for path in files(folder):
        plant_weights(path, lambda values: np.copyto(values, kernel))
        say_trainable(path, "conv", trainable)
    network = built(folder, "weight_evolution").content.networks[0]
    assert [(m.layer, m.motion) for m in network.layers] == [("conv", motion), ("out", "moved")]
    assert [m.layer for m in network.never_moved] == ["conv"]
    assert words in page(folder)


def test_drift_over_checkpoints_is_that_of_the_stored_arrays(tmp_path):
    folder = write_folder(tmp_path / "e", epochs=4)
    run = open_run(folder)
    section = built(folder, "weight_evolution")
    flat = [np.concatenate([a.ravel().astype(float) for a in e.arrays("out").values()]) for e in run.extractions]
    out = section.content.networks[0].layers[1]
    expected = [np.linalg.norm(w - flat[0]) / np.linalg.norm(flat[0]) for w in flat]
    assert [d.relative for d in out.from_first] == pytest.approx(expected)
    assert out.from_previous[-1].relative == pytest.approx(np.linalg.norm(flat[3] - flat[2]) / np.linalg.norm(flat[2]))
    figure = next(f for f in section.figures if f.id == "moved-first")
    assert figure.data["out"] == pytest.approx(expected)


def test_a_film_strip_holds_each_kernel_of_each_checkpoint_in_one_range(tmp_path):
    folder = write_folder(tmp_path / "e")
    run = open_run(folder)
    strip = next(f for f in built(folder, "weight_evolution").figures if f.id.startswith("strip"))
    kernels = [e.arrays("conv")["kernel"] for e in run.extractions]
    order = np.argsort(-np.sqrt((kernels[1].astype(float) ** 2).sum(axis=(0, 1, 2))), kind="stable")
    limit = max(np.abs(k).max() for k in kernels)
    assert strip.bar.high == -strip.bar.low == pytest.approx(limit)
    assert len(strip.placed) == 5 * 3 * 3  # kernels, checkpoints, bands
    for n, placed in enumerate(strip.placed):
        row, rest = divmod(n, 9)
        checkpoint, band = divmod(rest, 3)
        tile = kernels[checkpoint][:, :, band, order[row]]
        expected = palette("signed")[((tile / limit + 1) / 2 * 254 + 0.5).astype(np.uint8)]
        assert np.abs(pixels(placed)[::5, ::5].astype(int) - expected).max() <= 6
    assert [label.text for label in strip.labels][:3] == ["epoch 1", "epoch 2", "epoch 3"]
    assert all(label.x < strip.width for label in strip.labels)


def test_planted_deaths_are_dated(tmp_path):
    folder = write_folder(tmp_path / "e", epochs=4, dead=(2,))

    def kill(maps):
        maps[..., 4] = 0

    for path in files(folder)[2:]:
        plant_maps(path, "conv", kill)
    section = built(folder, "activation_health")
    (dying,) = section.content.networks[0].dying
    assert (dying.layer, dying.dead, dying.of) == ("conv", 2, 5)
    assert [(d.epoch, d.always, d.channels) for d in dying.died] == [(1, True, (2,)), (3, False, (4,))]
    figure = next(f for f in section.figures if f.facts["state"] == "dead")
    assert figure.data == {
        "rows": ["conv"], "columns": [f"epoch-00{i}" for i in range(1, 5)], "values": [[1, 1, 2, 2]]
    }  # fmt: skip
    html = page(folder)
    assert "already at the first checkpoint: 2; epoch 3: 4" in html
    assert html.count("Channels that do nothing on any of the probes") == 0  # not said twice


def test_a_channel_that_fires_only_on_mergers_is_said_with_the_number_of_probes(tmp_path):
    folder = write_folder(tmp_path / "e")

    def only_mergers(maps):
        maps[::2, ..., 1] = 0

    plant_maps(files(folder)[1], "conv", only_mergers)
    isolated, merger = built(folder, "activation_health").content.networks[0].only
    assert (merger.name, merger.probes, isolated.layers) == ("merger", 3, ())
    assert [(h.layer, h.of, h.channels) for h in merger.layers] == [("conv", 5, (1,))]
    assert "Only on merger (3 probes): 1 of 5 of conv (1)." in page(folder)


def test_dormant_is_not_dead_and_pooling_and_predictions_are_not_counted(tmp_path):
    folder = write_folder(tmp_path / "e", dead=())

    def weaken(maps):
        maps[..., 0] *= 1e-3

    plant_maps(files(folder)[1], "conv", weaken)
    network = built(folder, "activation_health").content.networks[0]
    assert [a.layer for a in network.layers] == ["conv"]
    state = network.layers[0].activity
    assert (state.dead, state.dormant, state.constant) == ((), (0,), ())
    assert set(network.never) == {"dead", "constant"}
    assert "No channel is dead or constant at any of the 3 checkpoints looked at." in page(folder)


def test_the_evolution_follows_the_probe_that_changed_most_with_shared_limits(tmp_path):
    folder = write_folder(tmp_path / "e", dead=())
    run = open_run(folder)
    change = np.abs(run.extractions[-1].predictions - run.extractions[0].predictions)[:, 0]
    section = built(folder, "activation_evolution")
    network = section.content.networks[0]
    place = int(change.argmax())
    assert network.probe == f"galaxy-{place}"
    assert network.said == pytest.approx([float(e.predictions[place, 0]) for e in run.extractions])
    strip = next(f for f in section.figures if f.id.startswith("seen-1-"))
    maps = [e.maps("conv", place) for e in run.extractions]
    order = np.argsort(-maps[1].mean(axis=(0, 1)), kind="stable")
    assert (strip.bar.low, strip.bar.high) == (0, pytest.approx(max(m.max() for m in maps)))
    assert [label.text for label in strip.labels if label.text.startswith("channel")] == [f"channel {c}" for c in order]
    course = next(f for f in section.figures if f.id == "seen-course")
    expected = [np.corrcoef(m.ravel(), maps[-1].ravel())[0, 1] for m in maps]
    assert course.data["conv"] == pytest.approx(expected, abs=1e-6)


def test_an_unknown_probe_or_layer_is_answered_with_those_there_are(tmp_path):
    run = open_run(write_folder(tmp_path / "e"))
    for options in ({"probe": "galaxi-1"}, {"layers": ("cnov",)}):
        chosen = SECTIONS["activation_evolution"].SectionOptions(**options)
        section, failure = build_section(run, SectionConfig(id="activation_evolution"), chosen)
        assert section.absent and ("galaxy-1" in failure.expected or "conv" in failure.expected)


def test_with_one_checkpoint_health_is_told_and_evolution_says_why_not(tmp_path):
    folder = write_folder(tmp_path / "e", epochs=1)
    assert "one checkpoint only" in built(folder, "weight_evolution").absent
    assert "one measured checkpoint only" in built(folder, "activation_evolution").absent
    assert built(folder, "weight_health").content.networks[0].rows and not built(folder, "weight_health").figures
    assert built(folder, "activation_health").content.networks[0].layers
    assert "No course over checkpoints: there is only one" in page(folder)


def test_weights_alone_have_health_and_drift_without_a_network(tmp_path):
    folder = write_folder(tmp_path / "e")
    for path in files(folder):
        with h5py.File(path, "r+") as file:
            for name in ("activations", "predictions", "layers"):
                del file[name]
            file.create_dataset("layers", data="[]")
            about = json.loads(file.attrs["about"]) | {"architecture": "", "problem": "no architecture"}
            file.attrs["about"] = json.dumps(about)
    rows = built(folder, "weight_health").content.networks[0].rows
    assert [(r.weighed.name, r.weighed.kind) for r in rows] == [("conv", "convolution"), ("out", "dense")]
    assert [m.motion for m in built(folder, "weight_evolution").content.networks[0].layers] == ["moved", "moved"]
    assert built(folder, "activation_health").absent and built(folder, "activation_evolution").absent
    page(folder)


def test_probes_without_labels_leave_the_classes_out(tmp_path):
    probes = probe_set()
    probes = dataclasses.replace(probes, probes=tuple(dataclasses.replace(p, label=None) for p in probes.probes))
    folder = write_folder(tmp_path / "e", probes=probes)
    assert built(folder, "activation_health").content.networks[0].only == ()
    assert "fire on one class alone" not in page(folder)


@pytest.mark.parametrize(("count", "most", "keep"), [(30, 8, 17), (9, 8, 4), (8, 8, 0), (40, 3, 20), (5, 2, 3)])
def test_a_choice_of_checkpoints_has_the_first_the_last_and_the_best(count, most, keep):
    all_of_them = [SimpleNamespace(name=str(i), place=i) for i in range(count)]
    places = [e.place for e in spread(all_of_them, most, [all_of_them[keep]])]
    assert {0, count - 1, keep} <= set(places) and places == sorted(set(places))
    assert len(places) == max(min(count, most), len({0, count - 1, keep}))


@pytest.mark.parametrize("id", OURS)
def test_long_names_and_many_checkpoints_keep_within_the_canvas(id, tmp_path):
    section = built(write_folder(tmp_path / "e", epochs=14), id)
    for figure in section.figures:
        for placed in figure.placed:
            assert placed.x >= 0 and placed.x + placed.width <= figure.width + 1e-6
            assert placed.y + placed.height <= figure.height + 1e-6
        assert not figure.plain or b"<image" not in figure.placed[0].picture.data
