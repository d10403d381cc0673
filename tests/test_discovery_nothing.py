"""What is not there, or is no checkpoint: said so that one knows what was looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

import valid_checkpoints
from checkpoint_files import look
from reportgen.checkpoints.walk import size_of_folder
from reportgen.cli import inspection
from reportgen.errors import ConfigError, NothingToReport


def test_sizes_of_what_vanishes_while_training_count_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that renames its temporary files may do so between the listing and the look."""
    folder = valid_checkpoints.unzipped(tmp_path)
    expected = size_of_folder(folder)
    (folder / "model.tmp").write_bytes(b"x" * 100)
    listed = list(folder.rglob("*"))
    (folder / "model.tmp").unlink()
    monkeypatch.setattr(Path, "rglob", lambda *_: iter(listed))
    assert size_of_folder(folder) == expected == inspection._size(folder) > 0


def test_nothing_to_report_says_what_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b.csv").write_bytes(b"x")
    with pytest.raises(NothingToReport) as caught:
        look(tmp_path)
    assert caught.value.exit_code == 4
    assert "2 files (.csv, .png)" in caught.value.received
    (tmp_path / "c.h5").write_bytes(b"")
    with pytest.raises(NothingToReport, match="no checkpoint") as caught:
        look(tmp_path)
    assert "c.h5" in caught.value.received and "empty" in caught.value.received
    with pytest.raises(NothingToReport):
        look(tmp_path / "a.png")


def test_a_missing_path_offers_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "run_2026").mkdir()
    with pytest.raises(ConfigError) as caught:
        look(tmp_path / "run_206")
    assert caught.value.exit_code == 2 and "run_2026" in caught.value.advice


def test_the_teams_folder(team_data: Path) -> None:
    run = look(team_data / "s20team2/checkpoints")
    assert [c.format for c in run.checkpoints] == ["hdf5", "hdf5-weights", "hdf5"]
    assert [c.file[:10] for c in run.checkpoints] == ["2020-04-07", "2020-04-08", "2020-04-23"]
    assert run.checkpoints[1].architecture == team_data / "s20team2/checkpoints/2020-04-08_model2.json"
    assert run.failures == ()
