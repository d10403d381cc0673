"""From a folder to a Run: training order, epochs, history, and one line for each file that cannot be used."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import checkpoint_files as files
import valid_checkpoints
from checkpoint_files import look
from reportgen.checkpoints import find_run
from reportgen.checkpoints.epochs import epochs_of, in_training_order
from reportgen.checkpoints.examine import examine
from reportgen.checkpoints.limits import FILE_LIMIT
from reportgen.checkpoints.naming import names_of
from reportgen.checkpoints.reading import read_whole
from reportgen.checkpoints.run import Run
from reportgen.checkpoints.walk import Found
from reportgen.config.model import RunConfig
from reportgen.errors import CheckpointError, Failure


def failures(run: Run) -> dict[str, Failure]:
    """Return the failures by name."""
    return {failure.name: failure for failure in run.failures}


SERIES: dict[str, tuple[list[str], list[int | None]]] = {
    "epoch": (["epoch-001.keras", "epoch-002.keras", "epoch-010.keras"], [1, 2, 10]),
    "unpadded": (["epoch_1.h5", "epoch_2.h5", "epoch_10.h5"], [1, 2, 10]),
    "Keras 2 with loss": (["weights.03-0.25.h5", "weights.12-0.19.h5", "weights.100-0.2.h5"], [3, 12, 100]),
    "improvement": (["weights-improvement-05-0.83.hdf5", "weights-improvement-11-0.9.hdf5"], [5, 11]),
    "cp": (["cp-0001.ckpt", "cp-0020.ckpt"], [1, 20]),
    "glued": (["cp1.h5", "cp9.h5", "cp10.h5"], [1, 9, 10]),
    "numbers alone": (["_3.checkpoint", "_12.checkpoint"], [3, 12]),
    "bare numbers": (["1.h5", "2.h5", "10.h5"], [1, 2, 10]),
    "model_epoch": (["model_epoch_7.h5", "model_epoch_11.h5"], [7, 11]),
    "two numbers, one of which tells": (["model_64_1.h5", "model_64_2.h5", "model_64_10.h5"], [1, 2, 10]),
    "date and epoch": (["2020-04-07_ep05.h5", "2020-04-07_ep06.h5"], [5, 6]),
    "folders": (["epoch_3/model.keras", "epoch_12/model.keras"], [3, 12]),
    "dates are no epochs": (["2020-04-07_conv12-12-12.h5", "2020-04-23_Single", "2021-01-02_x.h5"], [None] * 3),
    "steps are no epochs": (["step_500.h5", "step_2000.h5", "step_10000.h5"], [None] * 3),
    "losses are no epochs": (["model-0.25.h5", "model-0.93.h5"], [None] * 2),
    "numbers in words are none": (["vgg16_a.h5", "vgg19_b.h5"], [None] * 2),
    "a learning rate is none": (["lr1e-05.h5"], [None]),
    "an image size is none": (["galaxy_128.h5"], [None]),
    "the best comes last": (["epoch-1.keras", "epoch-2.keras", "best_model.keras"], [1, 2, None]),
}


@pytest.mark.parametrize("case", SERIES)
def test_epochs_and_order_come_from_the_names(case: str) -> None:
    names, expected = SERIES[case]
    for seed in range(5):
        shuffled = names.copy()
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - no secret
        epochs = epochs_of(shuffled)
        assert [epochs[name] for name in names] == expected
        assert in_training_order(shuffled, epochs, {}) == names


def test_without_epochs_the_optimisers_counter_decides(tmp_path: Path) -> None:
    for name, steps in (("late.keras", 900), ("early.keras", 30), ("middle.keras", 200)):
        files.write_keras(tmp_path / name, steps, iterations=steps)
    files.write_hdf5(tmp_path / "between", 5, iterations=100)
    assert [c.file for c in look(tmp_path).checkpoints] == ["early.keras", "between", "middle.keras", "late.keras"]


def test_a_checkpoint_is_identified(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "sub" / "x.keras") if (tmp_path / "sub").mkdir() is None else tmp_path
    (checkpoint,) = look(tmp_path).checkpoints
    assert (checkpoint.name, checkpoint.file, checkpoint.format) == ("sub-x", "sub/x.keras", "keras")
    assert checkpoint.size == path.stat().st_size
    import hashlib

    assert checkpoint.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_names_are_unique_and_safe() -> None:
    odd = ["a/b.keras", "a-b.h5", "A-b.keras", "_run.h5", "CON.h5", "x/<script>.h5", "😀.h5", "x" * 300 + ".h5",
           "epoch-1.keras", "epoch-1.weights.h5", ".. /..h5", "日本.keras", "-rf.h5"]  # fmt: skip
    names = names_of(odd)
    assert len({name.lower() for name in names.values()}) == len(odd)
    for name in names.values():
        assert name[0].isalnum() and name[0].isascii() and len(name) <= 90
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        assert name.split(".")[0].lower() != "con"


def test_a_single_file_is_a_run_of_one(tmp_path: Path) -> None:
    files.write_hdf5(tmp_path / "SingleModelPaper")
    files.write_keras(tmp_path / "other.keras", 1)
    run = look(tmp_path / "SingleModelPaper")
    assert run.name == "SingleModelPaper" and run.path == tmp_path
    assert [c.file for c in run.checkpoints] == ["SingleModelPaper"]


def test_patterns_choose_the_files(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for i, name in enumerate(("1.keras", "a/2.keras", "a/b/3.keras", "a/b/3.h5")):
        (files.write_keras if name.endswith("keras") else files.write_hdf5)(tmp_path / name, i)

    def chosen(*patterns: str) -> list[str]:
        return sorted(c.file for c in look(tmp_path, checkpoints=patterns).checkpoints)

    assert chosen("**/*") == ["1.keras", "a/2.keras", "a/b/3.h5", "a/b/3.keras"]
    assert chosen("*.keras") == ["1.keras"]
    assert chosen("**/*.keras") == ["1.keras", "a/2.keras", "a/b/3.keras"]
    assert chosen("a/?.keras", "**/*.h5") == ["a/2.keras", "a/b/3.h5"]


def test_what_training_keeps_beside_is_passed_over_in_silence(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    for name in (
        "log.txt",
        "plot.png",
        "args.json",
        "train.py",
        "x.npy",
        "notes",
        "run.log",
        "conf.yaml",
        "history.csv",
    ):
        (tmp_path / name).write_bytes(b"epoch,loss\n0,1\n" if name.endswith("csv") else b"{}")
    (tmp_path / ".hidden.h5").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/x.h5").write_bytes(b"")
    with h5py.File(tmp_path / "galaxies.h5", "w") as file:
        file["images"], file["ans"] = np.zeros((3, 8, 8, 3), "u1"), np.zeros(3)
    with h5py.File(tmp_path / "extraction.h5", "w") as file:
        file.attrs["schema"], file.attrs["about"] = 1, "{}"
        file.create_group("weights")
    (tmp_path / "history.pkl").write_bytes(pickle.dumps({"loss": [1, 2]}))
    (tmp_path / "latest.keras").symlink_to(tmp_path / "epoch-1.keras")
    run = look(tmp_path)
    assert [c.file for c in run.checkpoints] == ["epoch-1.keras"]
    assert run.failures == ()


def test_each_file_that_cannot_be_used_is_named_with_its_kind(tmp_path: Path) -> None:
    good = files.write_keras(tmp_path / "epoch-1.keras")
    whole = files.write_hdf5(tmp_path / "epoch-2.h5")
    bad: dict[str, bytes] = {
        "empty.h5": b"",
        "cut.h5": whole.read_bytes()[: whole.stat().st_size // 2],
        "cut.keras": good.read_bytes()[: good.stat().st_size // 2],
        "header.h5": whole.read_bytes()[:8] + b"\xff" * 200 + whole.read_bytes()[208:],
        "text.keras": b"my weights\n",
        "page.h5": b"<!DOCTYPE html><title>404</title>",
        "pointer.keras": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "model.pkl": pickle.dumps({"a": 1}),
        "phone.tflite": b"\x1c\x00\x00\x00TFL3" + b"\0" * 50,
        "weights.h5.gz": gzip.compress(b"x" * 100),
        "packed.ckpt": gzip.compress(b"x" * 100),
        "noise.checkpoint": np.random.default_rng(0).bytes(300),
        "cp.ckpt.index": b"\0" * 40,
        "cp.ckpt.data-00000-of-00001": b"\0" * 40,
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
    files.write_zip(tmp_path / "torch.pt", {"archive/data.pkl": b"x", "archive/version": b"3"})
    files.write_zip(tmp_path / "zip.keras", {"a.txt": b"x"})
    with h5py.File(tmp_path / "nothing.h5", "w"):
        pass
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"x")
    (tmp_path / "folder.h5").mkdir()
    os.mkfifo(tmp_path / "pipe.keras")
    (tmp_path / "link.h5").symlink_to("/etc/hostname")
    (tmp_path / "loop.h5").symlink_to(tmp_path / "loop.h5")
    run = look(tmp_path)
    assert [c.file for c in run.checkpoints] == ["epoch-1.keras", "epoch-2.h5"]
    told = {name: failure.problem for name, failure in failures(run).items()}
    words = {
        "empty.h5": "empty", "cut.h5": "truncated", "cut.keras": "truncated", "header.h5": "damaged",
        "text.keras": "text", "page.h5": "web page", "pointer.keras": "git-lfs", "model.pkl": "pickle",
        "phone.tflite": "TFLite", "packed.ckpt": "gzip", "noise.checkpoint": "not known", "cp.ckpt.index": "TensorFlow",
        "torch.pt": "PyTorch", "zip.keras": "zip", "nothing.h5": "HDF5", "saved": "SavedModel", "folder.h5": "folder",
        "pipe.keras": "regular", "link.h5": "link", "loop.h5": "link",
    }  # fmt: skip
    assert set(told) == set(words)
    for name, word in words.items():
        failure = failures(run)[name]
        assert word in failure.problem, f"{name}: {failure.problem}"
        assert failure.kind == "checkpoint" and failure.expected and failure.advice and failure.status == "failed"


def test_a_file_still_being_written_says_so(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    with h5py.File(tmp_path / "part", "w", libver="latest") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 4))
        file.flush()
        shutil.copy(tmp_path / "part", tmp_path / "epoch-3.h5")
    (tmp_path / "part").unlink()
    (failure,) = look(tmp_path).failures
    assert failure.name == "epoch-3.h5" and "written" in failure.problem + failure.received


def test_a_file_that_grows_is_waited_for_once_and_then_said_to_be_written(tmp_path: Path) -> None:
    whole = files.write_keras(tmp_path / "epoch-1.keras").read_bytes()
    for name in ("grows.keras", "finished.keras", "old.keras"):
        (tmp_path / name).write_bytes(whole[:700])
    os.utime(tmp_path / "old.keras", (1e9, 1e9))

    def write() -> None:
        time.sleep(0.5)
        files.write_keras(tmp_path / "finished.keras", 1)
        with (tmp_path / "grows.keras").open("ab") as file:
            file.write(whole[700:900])

    writer = threading.Thread(target=write)
    writer.start()
    start = time.monotonic()
    run = look(tmp_path)
    writer.join()
    assert time.monotonic() - start < 3
    told = failures(run)
    assert set(told) == {"grows.keras", "finished.keras", "old.keras"}
    assert "still being written" in told["grows.keras"].problem and "byte" in told["grows.keras"].received
    assert "truncated" in told["old.keras"].problem
    run = look(tmp_path)
    assert {c.file for c in run.checkpoints} == {"epoch-1.keras", "finished.keras"}


def test_a_checkpoint_changed_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "epoch-1.keras")
    (checkpoint,) = look(tmp_path).checkpoints
    assert read_whole(checkpoint, {}).stored.layers
    files.write_keras(path, 1)
    os.utime(path, ns=(checkpoint.modified + 10**6,) * 2)
    with pytest.raises(CheckpointError, match="changed while"):
        read_whole(checkpoint, {})


def test_what_is_too_large_is_refused_before_it_is_hashed(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    files.write_hdf5(tmp_path / "epoch-2.h5")
    os.truncate(tmp_path / "epoch-2.h5", FILE_LIMIT + 1)  # sparse: it takes no room
    start = time.monotonic()
    (failure,) = look(tmp_path).failures
    listed = valid_checkpoints.sharded(tmp_path, "m")
    os.truncate(tmp_path / "m_00001.weights.h5", FILE_LIMIT)  # too large with the other part only
    problem = examine(Found(listed, listed.name, "file", listed.stat().st_size), tmp_path).problem
    assert time.monotonic() - start < 3  # hashing takes 1 s a GiB, and looking again as long once more
    assert failure.name == "epoch-2.h5" and "4.0 GiB" in failure.problem and "4.0 GiB" in failure.expected
    assert problem is not None and "4.0 GiB" in problem.problem


def test_the_reader_is_told_the_size_of_all_files_of_a_checkpoint(tmp_path: Path) -> None:
    told: dict[str, int] = {}

    def call(function: Callable[..., Any], *args: Any, size: int = 0) -> Any:
        if function.__name__ == "examine":
            told[args[0].file] = size
        return function(*args)

    valid_checkpoints.sharded(tmp_path, "m")
    valid_checkpoints.unzipped(tmp_path, "folder")
    files.write_keras(tmp_path / "m.keras")
    for name, size in (("cp-1.index", 10), ("cp-1.data-00000-of-00001", 1000), ("cp-10.data-00000-of-00001", 7)):
        (tmp_path / name).write_bytes(b"\0" * size)
    find_run(RunConfig(path=tmp_path), tmp_path, call)
    assert told["cp-1.index"] == 1010
    assert told["folder"] == sum(part.stat().st_size for part in (tmp_path / "folder").iterdir())
    parts = [part for part in tmp_path.iterdir() if part.name.startswith(("m_0", "m.w"))]
    assert len(parts) == 3 and told["m.weights.json"] >= sum(part.stat().st_size for part in parts)
    told.clear()
    find_run(RunConfig(path=tmp_path / "folder"), tmp_path, call)
    assert told["folder"] == sum(part.stat().st_size for part in (tmp_path / "folder").iterdir())
