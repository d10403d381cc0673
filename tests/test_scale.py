"""Many probes and many checkpoints: numbers of all, maps of some, whatever the size of a batch."""

from __future__ import annotations

import time

import numpy as np
import pytest

import networks
from extractions import probe_set
from extremes import write_extreme
from reportgen.config import load
from reportgen.diagnostics.similarity import cka
from reportgen.errors import ConfigError
from reportgen.extraction import About, Extraction, open_run, write_extraction
from reportgen.extraction.statistics import channel_statistics, places_of_maxima
from reportgen.network import open_network, streaming
from reportgen.network.streaming import Keep
from reportgen.pipeline import run as make
from reportgen.probes.shown import shown_probes
from reportgen.report.report import build_report
from reportgen.sections import check_options
from reportgen.sections.arranged import comparable, features, gram
from test_pipeline import network, project, quiet

COUNT = 300
SECTIONS = "sections: [probes, activations, activation_evolution, predictions, representation]\n"
SHOWN = (299, 0, 17, 150, 40)
ABOUT = About("one", "one.keras", "Keras", 1, 1, "a" * 64, "3", "", "", "", "b" * 64, "c" * 64)


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(2)
    return (rng.random((COUNT, 24, 24, 3)) * rng.uniform(0.2, 1, (COUNT, 1, 1, 1))).astype("f4")


@pytest.fixture(scope="module")
def opened(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("scale") / "one.keras"
    network(3).save(path)
    stored = networks.stored(path)
    return open_network(stored, images.shape[1:]), stored


@pytest.fixture(scope="module")
def both(opened, images, tmp_path_factory):
    """The same network with all maps kept, and with those of five probes."""
    net, stored = opened
    folder = tmp_path_factory.mktemp("both")
    found = []
    for name, keep in (("whole", None), ("some", Keep(SHOWN, 2**30))):
        (folder / name).mkdir()
        found.append(Extraction(write_extraction(folder / name, ABOUT, stored, net.measure(stored, images, keep))))
    return found


def test_numbers_are_those_of_all_probes_and_maps_those_of_the_shown(both):
    whole, some = both
    assert whole.whole and not some.whole and some.shown == tuple(sorted(SHOWN)) and len(some.compared) == 256
    for layer in whole.measured:
        assert some.shape(layer) == whole.shape(layer)
        for field, values in vars(whole.channels(layer)).items():
            if values is not None:
                np.testing.assert_allclose(getattr(some.channels(layer), field), values, rtol=1e-6, atol=1e-7)
        for probe in SHOWN:
            np.testing.assert_allclose(some.maps(layer, probe), whole.maps(layer, probe), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(some.predictions, whole.predictions, atol=1e-6)
    assert all(some.place("conv", p, c) == whole.place("conv", p, c) for p in range(0, COUNT, 7) for c in range(4))
    with pytest.raises(Exception, match="feature maps of probe 1 are not stored"):
        some.maps("conv", 1)


def test_layers_and_checkpoints_are_compared_as_if_all_maps_were_there(both):
    whole, some = both
    rows = np.array(comparable(both))[3:200:2]  # any of them: each Gram matrix is centred anew
    for a, b in (("conv", "pool"), ("pool", "out"), ("conv", "conv")):
        expected = cka(gram(whole, a, rows), gram(whole, b, rows))
        assert cka(gram(some, a, rows), gram(some, b, rows)) == pytest.approx(expected, abs=1e-6)
    at, known = features(whole, "pool")
    places, coordinates = features(some, "pool")
    far = np.linalg.norm(known[np.searchsorted(at, places)] - known[places[0]], axis=1)
    np.testing.assert_allclose(np.linalg.norm(coordinates - coordinates[0], axis=1), far, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("at_once", [1, 7, 64, COUNT])
def test_the_size_of_a_batch_changes_nothing(opened, images, both, at_once, monkeypatch):
    net, stored = opened
    monkeypatch.setattr(streaming, "BATCH_BYTES", at_once * net.bytes_per_probe)
    found = net.measure(stored, images, Keep(SHOWN, 2**30))
    for layer, statistics in found.statistics.items():
        for name, values in vars(both[1].channels(layer)).items():
            if values is not None:
                np.testing.assert_allclose(statistics[name], values, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.predictions, both[1].predictions, atol=1e-6)
    for layer, matrix in found.grams.items():
        assert np.abs(matrix - both[1].gram(layer)).max() <= 1e-6 * np.trace(matrix)


def test_large_maps_are_kept_of_fewer_probes_the_most_wanted_first(opened, images, monkeypatch):
    net, stored = opened
    monkeypatch.setattr(streaming, "SHOWN_BYTES", 2 * net.bytes_per_probe)
    monkeypatch.setattr(streaming, "COMPARED_BYTES", 150 * net.bytes_per_probe)
    found = net.measure(stored, images, Keep(SHOWN, 2**30))
    assert found.shown.tolist() == [0, 299] and found.activations["conv"].shape[0] == 2
    assert 150 < len(found.compared) < 256  # as many as have room layer by layer, in several passes
    monkeypatch.setattr(streaming, "COMPARED_BYTES", net.bytes_per_probe)
    few = net.measure(stored, images, Keep(SHOWN, 2**30))
    assert len(few.compared) == 0 and few.grams == {}  # of fewer than four nothing could be said


def test_statistics_are_what_they_are_called():
    rng = np.random.default_rng(4)
    for shape in ((3, 64, 64, 12), (2, 7, 11, 5), (4, 9), (2, 3, 3, 2000), (3, 0, 4, 2)):
        maps = rng.normal(0.3, 1, shape).astype("f4") * (rng.random(shape) > 0.5)
        found = channel_statistics(maps.astype("f4"), "tanh")
        flat = maps.reshape(shape[0], int(np.prod(shape[1:-1])), shape[-1]).astype("f8")
        if flat.shape[1]:
            expected = [flat.min(1), flat.max(1), flat.mean(1), abs(flat).mean(1), (flat == 0).mean(1),
                        (abs(flat.astype("f4")) > np.float32(0.95)).mean(1)]  # fmt: skip
            for name, values in zip(("minimum", "maximum", "mean", "magnitude", "zeros", "saturated"), expected,
                                    strict=True):  # fmt: skip
                np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-7, err_msg=f"{name} {shape}")
            assert (places_of_maxima(maps.astype("f4")) == flat.argmax(1)).all()
        else:
            assert all(np.isnan(values).all() for values in found.values())


def test_probes_are_shown_from_all_labels_and_those_that_are_named():
    probes = probe_set(100, targets=True)
    chosen = shown_probes(probes, 16)
    assert len(set(chosen)) == 16 and chosen == shown_probes(probes, 16)
    assert sorted(probes.probes[i].label for i in chosen) == ["isolated"] * 8 + ["merger"] * 8
    targets = sorted(probes.probes[i].target for i in chosen)
    assert targets[0] < 0.05 and targets[-1] > 0.95 and max(np.diff(targets)) < 0.16
    assert {probes.probes[i].label for i in chosen[:2]} == {"isolated", "merger"}  # where there is room for two alone
    assert shown_probes(probes, 4, ["galaxy-50"])[0] == 50 and len(shown_probes(probes, 4, ["galaxy-50"])) == 4
    assert shown_probes(probes, ("galaxy-3", "galaxy-1")) == (3, 1)
    assert sorted(shown_probes(probe_set(6), 16)) == list(range(6))
    with pytest.raises(ConfigError, match="There is no probe galaxy-100") as wrong:
        shown_probes(probes, ("galaxy-100",))
    assert wrong.value.where == "probes.shown"


def test_a_report_on_300_probes_says_of_how_many_there_are_maps(tmp_path, images):
    config = project(tmp_path / "p", epochs=2, depth="quick")
    np.save(config.parent / "many.npy", images)
    lines = [f"g-{i},{'merger' if i % 3 == 0 else 'isolated'}" for i in range(COUNT)]
    (config.parent / "many.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    text = config.read_text().replace("probes/*.png", "many.npy").replace("probes/probes.csv", "many.csv")
    text = text.replace("steps: [{scale: 0.00392156862745098}]", "steps: []")
    config.write_text(text + "report: {formats: [html, json]}\n" + SECTIONS)
    outcome = make(load(config, sets=["probes.shown=6"]), quiet)
    assert outcome.failures == ()
    html = (outcome.folder / "report.html").read_text()
    assert "The feature maps of 6 of 300 probes are kept" in html and "Every map of 6 of 300 probes" in html
    assert ", of the 6 probes whose maps are kept, whose prediction" in html and "256 of 300 probes" in html
    page = next((outcome.folder / "checkpoints").iterdir()).read_text()
    assert "Every feature map of 6 of 300 probes" in page and page.count("<section>") == 7
    run = open_run(outcome.folder / "extraction")
    assert all(len(e.shown) == 6 and e.predictions.shape == (COUNT, 1) for e in run.extractions)
    assert len(run.probes.images) == COUNT and run.probes.images[7].shape == (24, 24, 3)


def test_a_report_does_not_grow_with_its_checkpoints(tmp_path):
    """Sections show some of many: four times the checkpoints cost less than twice the pictures, and little time."""
    cost, size = [], []
    shown = ["run", "weight_evolution", "activation_health", "activation_evolution", "symmetry", "representation"]
    for epochs in (15, 60):
        write_extreme(tmp_path / str(epochs), epochs=epochs, convolutions=1, side=8, config={"sections": shown})
        run, start = open_run(tmp_path / str(epochs)), time.process_time()
        report = build_report(run, check_options(run.config.sections), quiet)
        cost.append(time.process_time() - start)
        figures = [m for s in report.sections for f in s.figures for m in (f.moments or (f,))]
        size.append(sum(len(placed.picture.data) for figure in figures for placed in figure.placed))
        assert report.failures == () and len(run.extractions) == epochs
    assert cost[1] < 2.5 * cost[0] + 2 and size[1] < 2 * size[0]
