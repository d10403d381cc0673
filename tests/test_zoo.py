"""Every topology in every format, written by the real Keras of two eras, equals what that Keras computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from zoo.cells import FORMATS, HALF, TOPOLOGIES, WEIGHTS_ONLY, Cell
from zoo.judge import Judge, Reference, compare
from zoo.table import README, found_in, table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")]

ROOT = Path(__file__).resolve().parents[1]
KERAS2_PYTHON = Path(os.environ.get("KERAS2_PYTHON") or ROOT / ".keras2/bin/python")
CELLS = [Cell(era, name, topology) for era in FORMATS for topology in TOPOLOGIES for name in FORMATS[era]]
TEAM = ("2020-04-07_atm4wCurModel_conv12-12-12", "2020-04-23_atm4wCurSingleModel_SingleModelPaper")
"""The team's whole models of Keras 2.3.1."""


@pytest.fixture(scope="session")
def era(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folder of the files of one Keras, written in one process when the first of them is asked for."""

    @cache
    def written(major: str) -> Path:
        python = Path(sys.executable) if major == "3" else KERAS2_PYTHON
        if not python.is_file():
            pytest.skip(f"Keras 2.15 is not set up ({python}): make keras2, or set KERAS2_PYTHON")
        folder = tmp_path_factory.mktemp(f"keras-{major}")
        data = ROOT.parent / "shared/data/s20team2/checkpoints"
        files = [str(data / f"{name}.h5") for name in TEAM] if major == "2" and data.is_dir() else []
        done = subprocess.run(
            [python, "-m", "zoo.write", folder, "--files", *files], cwd=ROOT / "tests", capture_output=True, text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": ""},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return folder

    return written


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()


@pytest.fixture(scope="session")
def outcomes() -> dict[Cell, str]:
    """What each cell turned out to be."""
    return {}


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_file_equals_the_keras_that_wrote_it(
    cell: Cell, era: Callable[[str], Path], judge: Judge, outcomes: dict[Cell, str]
) -> None:
    folder = era(cell.era)
    outcomes[cell] = "no"
    refused = json.loads((folder / "written.json").read_text())["refused"][cell.topology]
    if not cell.written:
        assert "*" in refused or cell.format in refused, "it can be written after all"
        outcomes[cell] = "not written"
        return
    assert cell.format not in refused and "*" not in refused, refused
    reference = Reference.load(folder / cell.topology / "reference.npz")
    place = folder / cell.topology / cell.format
    stored = judge.read(place, reference)
    alone = cell.format == "export" or (cell.topology == "subclassed" and stored.config is None)
    if alone or cell.topology in WEIGHTS_ONLY:
        reason = judge.why_not(stored, reference.inputs)
        assert ("weights alone" if alone else WEIGHTS_ONLY[cell.topology]) in reason, reason
        outcomes[cell] = "weights"
        return
    turned = cell.topology == "channels_first"
    measured = judge.measure(stored, reference.inputs, turned=turned)
    compare(measured, reference, HALF.get(cell.topology, 1e-6), turned=turned)
    outcomes[cell] = "yes"


@pytest.mark.parametrize("name", TEAM)
def test_the_teams_files_of_keras_2_3_equal_keras_2(
    name: str, era: Callable[[str], Path], judge: Judge, team_data: Path, tmp_path: Path
) -> None:
    reference = Reference.load(era("2") / "files" / name / "reference.npz")
    (tmp_path / "highest_weight").write_bytes((team_data / f"s20team2/checkpoints/{name}.h5").read_bytes())
    compare(judge.measure(judge.read(tmp_path, reference), reference.inputs), reference, 1e-6, turned=False)


def test_the_table_in_the_readme_is_what_was_found(outcomes: dict[Cell, str]) -> None:
    if len(outcomes) < len(CELLS):
        pytest.skip(f"{len(outcomes)} of {len(CELLS)} cells were tried: the table needs them all")
    if target := os.environ.get("ZOO_TABLE"):
        Path(target).write_text(table(outcomes))
        return
    assert found_in(README.read_text()) == table(outcomes), "make zoo writes the table anew"
