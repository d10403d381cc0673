"""The scripts of `make bench` still run: on the smallest network, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.table import table

TESTS = Path(__file__).resolve().parent


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
def test_the_scripts_run_and_give_a_table(tmp_path: Path) -> None:
    pytest.importorskip("tf_keras_vis")
    found = tmp_path / "bench.json"
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", found, "--inputs", tmp_path]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    content = json.loads(found.read_text())
    assert {row["peer"] for row in content["rows"]} >= {"notebook way", "tf-keras-vis", "TensorBoard"}
    assert all(row["ratio"]["least"] > 0 for row in content["rows"])
    assert len(table(content).splitlines()) == 2 + len(content["rows"])
    drawn = next(row for row in content["rows"] if row["what"] == "feature maps drawn, a map")
    assert drawn["reached"]
