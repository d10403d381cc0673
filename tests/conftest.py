"""What every room's tests share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

TEAM_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def team_data() -> Path:
    """Folder of the student team's real checkpoints and images, and of real HST FITS files."""
    if not TEAM_DATA.is_dir():
        pytest.skip("team data not present at ../shared/data")
    return TEAM_DATA


@pytest.fixture(scope="session")
def keras2_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of files that Keras 2.15 wrote in its own environment, see tests/keras2_models.py."""
    root = Path(__file__).resolve().parents[1]
    python = Path(os.environ.get("KERAS2_PYTHON", root / ".keras2" / "bin" / "python"))
    if not python.is_file():
        pytest.skip(f"no Keras 2 environment at {python}: make keras2, or set KERAS2_PYTHON")
    if subprocess.run(
        [python, "-c", "import importlib.util as i, sys; sys.exit(not i.find_spec('tensorflow'))"], check=False
    ).returncode:
        pytest.skip(f"{python} has no TensorFlow that can be imported: make keras2 did not come to its end")
    folder = tmp_path_factory.mktemp("keras2")
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    script = root / "tests" / "keras2_models.py"
    done = subprocess.run([python, script, folder], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder
