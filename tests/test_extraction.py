"""The waist: what goes in comes out."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from extractions import probe_set, write_folder
from reportgen.checkpoints.stored import StoredLayer, StoredModel, Variable
from reportgen.errors import ArchiveError, ExtractionError
from reportgen.extraction import Measurement, open_run, write_extraction
from reportgen.extraction.schema import SCHEMA
from reportgen.extraction.statistics import channel_statistics
from reportgen.sections import architecture


def test_probes_run_and_history_come_back_as_they_were(tmp_path):
    before = probe_set(targets=True)
    run = open_run(write_folder(tmp_path / "e", probes=before))
    after = run.probes
    assert after.probes == before.probes
    assert (after.inputs == before.inputs).all() and after.inputs.dtype == before.inputs.dtype
    assert all((a == b).all() for a, b in zip(after.images, before.images, strict=True))
    assert (after.bands, after.channels, after.input_shape) == (before.bands, before.channels, before.input_shape)
    assert [c.epoch for c in run.run.checkpoints] == [1, 2, 3]
    assert run.run.history.columns["loss"].tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert [e.about.problem for e in run.extractions] == ["", "", ""]


def test_maps_and_their_statistics_are_stored_exactly(tmp_path):
    run = open_run(write_folder(tmp_path / "e"))
    e = run.extractions[0]
    maps = e.maps("conv")
    assert maps.shape == e.shape("conv") == (6, 16, 16, 5) and maps.dtype == np.float32
    assert (e.maps("conv", 3) == maps[3]).all()
    channels = e.channels("conv")
    assert (channels.maximum == maps.max(axis=(1, 2))).all() and (channels.minimum == maps.min(axis=(1, 2))).all()
    assert channels.zeros == pytest.approx((maps == 0).mean(axis=(1, 2)))
    assert channels.mean == pytest.approx(maps.mean(axis=(1, 2)), rel=1e-5)
    assert e.arrays("conv")["kernel"].shape == (5, 5, 3, 5)


def test_notes_on_how_a_network_was_opened_come_back(tmp_path):
    e = open_run(write_folder(tmp_path / "e")).extractions[0]
    assert e.notes == ()
    note = "Arrays were given to b by order <alone>."
    measured = Measurement(e.layers, {"conv": e.maps("conv")}, e.predictions, None, "sigmoid", notes=(note,))
    stored = StoredModel((StoredLayer("out", (Variable("bias", np.zeros(1, "f4")),)),), None)
    write_extraction(tmp_path / "e", e.about, stored, measured)
    run = open_run(tmp_path / "e")
    assert run.extractions[0].notes == (note,)
    assert architecture.build(run, architecture.SectionOptions()).content.groups[0].notes == (note,)


def test_statistics_of_vectors_have_one_value_a_unit():
    values = np.array([[1.0, 0.0], [3.0, -1.0]], "f4")
    statistics = channel_statistics(values)
    assert (statistics["maximum"] == values).all() and statistics["zeros"].tolist() == [[0, 1], [0, 0]]


def test_maps_without_values_have_no_statistics_and_are_no_error():
    for shape, expected in (((2, 0, 3, 4), (2, 4)), ((2, 3, 0), (2, 0)), ((2, 0, 0), (2, 0))):
        statistics = channel_statistics(np.zeros(shape, "f4"), "tanh")
        assert {"minimum", "zeros", "saturated"} <= set(statistics)
        assert all(values.shape == expected and np.isnan(values).all() for values in statistics.values())


def test_a_bounded_function_gets_its_saturated_share_and_others_none():
    values = np.array([[0.99, -0.2, 0.5], [-0.96, 0.94, 0.04]], "f4").reshape(1, 2, 1, 3)
    assert channel_statistics(values, "tanh")["saturated"].tolist() == [[1, 0, 0]]
    assert channel_statistics(values, "sigmoid")["saturated"].tolist() == [[1, 0.5, 0.5]]
    assert "saturated" not in channel_statistics(values, "relu")
    assert channel_statistics(values)["magnitude"] == pytest.approx(np.abs(values).mean(axis=(1, 2)))


def test_a_file_without_the_newer_statistics_is_read_and_has_them(tmp_path):
    folder = write_folder(tmp_path / "e")
    before = open_run(folder).extractions[0]
    expected = {name: before.channels(name) for name in before.measured}
    with h5py.File(folder / "epoch-001.h5", "r+") as file:
        for group in file["activations"].values():
            for name in {"magnitude", "saturated"} & set(group):
                del group[name]
    after = open_run(folder).extractions[0]
    for name, channels in expected.items():
        assert after.channels(name).magnitude == pytest.approx(channels.magnitude)
        assert (after.channels(name).saturated is None) == (channels.saturated is None) == (name != "out")
    assert after.channels("out").saturated == pytest.approx(expected["out"].saturated)


def test_another_schema_is_refused_with_what_to_do(tmp_path):
    folder = write_folder(tmp_path / "e")
    record = json.loads((folder / "_run.json").read_text())
    (folder / "_run.json").write_text(json.dumps(record | {"schema": SCHEMA + 1}))
    with pytest.raises(ExtractionError, match="another schema") as error:
        open_run(folder)
    assert "newer" in error.value.problem and "update" in error.value.advice


def test_a_damaged_extraction_costs_only_itself(tmp_path):
    folder = write_folder(tmp_path / "e")
    (folder / "epoch-002.h5").write_bytes(b"no HDF5")
    with h5py.File(folder / "epoch-003.h5", "r+") as file:
        file.attrs["schema"] = SCHEMA + 1
    run = open_run(folder)
    assert [e.name for e in run.extractions] == ["epoch-001"]
    assert [f.name for f in run.failures] == ["epoch-002.keras", "epoch-003.keras"]


def test_an_extraction_that_cannot_be_written_is_an_error_of_its_own_and_leaves_nothing(tmp_path):
    e = open_run(write_folder(tmp_path / "e")).extractions[0]
    words = StoredLayer("out", (Variable("bias", np.array(["no", "numbers"])),))  # HDF5 has no such type
    with pytest.raises(ExtractionError, match="cannot be written") as error:
        write_extraction(tmp_path, e.about, StoredModel((words,), None), None)
    assert error.value.where == e.about.file and "TypeError" in error.value.received
    assert [entry.name for entry in tmp_path.iterdir()] == ["e"]
    with pytest.raises(ArchiveError, match="the folder has gone"):  # not the checkpoint's fault: it ends the run
        write_extraction(tmp_path / "nowhere", e.about, StoredModel((), None), None)


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    from reportgen.extraction import write as room

    probes = probe_set()
    monkeypatch.setattr(room, "PACKED", {"compression": "no such filter"})
    with pytest.raises(ValueError):
        room.write_probes(tmp_path, probes)
    assert list(tmp_path.iterdir()) == []
