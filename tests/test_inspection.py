"""`reportgen inspect`, as typed."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import checkpoint_files as files
from reportgen.cli.inspection import _size


def inspect(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reportgen", "inspect", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(inspect("--json", *arguments).stdout)
    return found


def test_a_checkpoint_is_told_in_full(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "epoch-3.keras", iterations=12)
    (about,) = told(path)["checkpoints"]
    assert about["file"] == "epoch-3.keras" and about["epoch"] == 3
    assert about["keras_version"] == "3.15.1" and about["saved"] == "2026-11-22 18:02:45"
    assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() and about["size"] == path.stat().st_size
    assert about["inputs"] == [{"name": "image", "shape": [8, 8, 1]}] and about["outputs"] == ["out"]
    arrays = files.arrays()
    assert about["parameters"] == sum(v.size for layer in arrays.values() for v in layer.values())
    rows = {(row["layer"], row["array"]): row for row in about["arrays"]}
    assert rows["conv_b", "kernel"]["shape"] == [3, 3, 1, 4] and rows["conv_b", "kernel"]["class"] == "Conv2D"
    assert about["optimizer"].lower() == "adam"
    words = inspect(path).stdout
    for word in ("Keras 3.15.1", "2026-11-22", "conv_b", "3 × 3 × 1 × 4", about["sha256"], "all finite"):
        assert word in words


def test_numbers_that_are_none_are_counted(tmp_path: Path) -> None:
    path = files.write_hdf5(tmp_path / "old.h5")
    with h5py.File(path, "a") as file:
        kernel = file["model_weights/out/out/kernel:0"]
        kernel[:3] = np.nan
        kernel[5] = np.inf
    (about,) = told(path)["checkpoints"]
    assert (about["nan"], about["inf"]) == (3, 1)
    assert {(r["layer"], r["array"]): (r["nan"], r["inf"]) for r in about["arrays"]}["out", "kernel"] == (3, 1)
    words = inspect(path).stdout
    assert "3 NaN, 1 Inf" in words and "the file was last changed" in words and "Keras 2.3.1" in words


def test_a_folder_and_what_cannot_be_read(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "a.keras")
    (tmp_path / "b.h5").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    ended = inspect(tmp_path, tmp_path / "nowhere.h5")
    assert ended.returncode == 1 and "a.keras" in ended.stdout
    assert "git lfs pull" in ended.stderr and "there is no such file" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_name_with_brackets_is_a_name_and_no_pattern(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "run[1].keras")
    (tmp_path / "run1.keras").write_bytes(b"x" * 9)
    assert _size(path) == path.stat().st_size
    assert told(path)["checkpoints"][0]["file"] == "run[1].keras"


def test_names_in_files_cannot_reach_the_terminal(tmp_path: Path) -> None:
    config = json.loads(json.dumps(files.MODEL))
    config["config"]["layers"][4]["config"]["name"] = "\x1b[31mred\u202e" + "n" * 5000
    files.write_keras(tmp_path / "m.keras", config=config, named=False)
    ended = inspect(tmp_path / "m.keras")
    assert ended.returncode == 0 and "\x1b" not in ended.stdout and "\u202e" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) < 400


def test_it_needs_no_tensorflow_and_under_a_second(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "m.keras")
    code = (
        "import sys, reportgen.cli.inspection as i\n"
        f"a = i.inspect_files([__import__('pathlib').Path({str(path)!r})])\n"
        "assert a.data['checkpoints'] and not {'tensorflow', 'keras', 'h5py', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        inspect(path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 1  # [s] of processor; both processes; the clock shows less where nothing else runs


def test_a_single_file_gives_its_own_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.keras")
    (tmp_path / "e.keras").write_bytes(b"")
    pipe, empty = told(tmp_path / "p.keras", tmp_path / "e.keras")["failures"]
    assert pipe["problem"] == "cannot be used: no regular file"
    assert empty["problem"] == "cannot be used: empty (0 byte)"
