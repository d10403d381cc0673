"""What training wrote down: the history as CSV, run.json, and the copy of the best checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

import checkpoint_files as files
from checkpoint_files import look
from reportgen.checkpoints import find_run, read_checkpoint
from reportgen.config.model import RunConfig
from reportgen.isolation import Children


def test_history_counts_from_one_and_keeps_the_last_row_of_an_epoch(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "training.csv").write_text(
        "epoch,loss,val_loss,note\n0,1.5,2.5,a\n1,1.0,,b\nepoch,loss,val_loss,note\n1,0.9,2.0,c\n2,0.5,nan,d\n"
    )
    history = look(tmp_path).history
    assert history is not None and history.file == "training.csv"
    assert history.epochs.tolist() == [1, 2, 3]
    assert list(history.columns) == ["loss", "val_loss"]
    assert history.columns["loss"].tolist() == [1.5, 0.9, 0.5]
    np.testing.assert_array_equal(history.columns["val_loss"], [2.5, 2.0, np.nan])


def test_history_that_counts_from_one_stays(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "h.csv").write_text("\ufeffepoch;acc\n1;0.5\n2;0.75\n", "utf-8")
    history = look(tmp_path).history
    assert history is not None and history.epochs.tolist() == [1, 2] and history.columns["acc"].tolist() == [0.5, 0.75]


def test_names_that_count_from_zero_are_counted_from_one_where_the_history_says_so(tmp_path: Path) -> None:
    for i in range(3):
        files.write_keras(tmp_path / f"epoch-{i}.keras", i)
    assert [c.epoch for c in look(tmp_path).checkpoints] == [0, 1, 2]
    (tmp_path / "history.csv").write_text("epoch,loss\n0,3\n1,2\n2,1\n")
    assert [c.epoch for c in look(tmp_path).checkpoints] == [1, 2, 3]
    (tmp_path / "history.csv").write_text("epoch,loss\n0,3\n1,2\n")  # epoch 0 is then the network before training
    assert [c.epoch for c in look(tmp_path).checkpoints] == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"step,loss\n1,2\n", "no column epoch"), (b"epoch,loss\n", "no row"),
        (b"epoch,\xff\xfe\n0,1\n", "cannot be read"), (None, "not there"),
    ],
)  # fmt: skip
def test_a_history_that_cannot_be_read_costs_only_itself(content: bytes | None, word: str, tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    if content is not None:
        (tmp_path / "mine.csv").write_bytes(content)
    run = look(tmp_path, history="mine.csv")
    assert run.history is None and len(run.checkpoints) == 1
    (failure,) = run.failures
    assert failure.kind == "history" and failure.name == "mine.csv" and word in failure.problem


def test_several_histories_must_be_chosen_from(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "a.csv").write_text("epoch,loss\n0,1\n")
    (tmp_path / "b.csv").write_text("epoch,loss\n0,1\n")
    (failure,) = look(tmp_path).failures
    assert failure.kind == "history" and "run.history" in failure.advice
    assert look(tmp_path, history="b.csv").failures == ()
    (tmp_path / "history.csv").write_text("epoch,loss\n0,7\n")
    history = look(tmp_path).history
    assert history is not None and history.columns["loss"].tolist() == [7]


def test_the_record_and_the_copy_of_the_best(tmp_path: Path) -> None:
    for i in (1, 2, 3):
        files.write_keras(tmp_path / f"epoch-{i:03}.keras", i)
    files.write_v3(tmp_path / "highest_weight.weights.h5", 2)
    shutil.copy(tmp_path / "epoch-003.keras", tmp_path / "final.keras")
    record = {"monitor": "val_loss", "best": {"epoch": 2, "file": "highest_weight.weights.h5"}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    run = look(tmp_path)
    assert [c.epoch for c in run.checkpoints] == [1, 2, 3] and run.failures == ()
    assert run.record == {
        **record, "copies": {"final.keras": "epoch-003.keras", "highest_weight.weights.h5": "epoch-002.keras"}
    }  # fmt: skip
    (tmp_path / "epoch-002.keras").unlink()
    assert [c.file for c in look(tmp_path).checkpoints][-1] == "highest_weight.weights.h5"


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_a_broken_record_costs_only_itself(text: str, tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "run.json").write_text(text)
    run = look(tmp_path)
    assert run.record == {} and [failure.name for failure in run.failures] == ["run.json"]


HOSTILE: dict[str, tuple[str, str]] = {
    "epoch of 1e300": ("epoch,loss\n1e300,1\n", "epoch that is none"),
    "epoch of 2^63 - 1": ("epoch,loss\n9223372036854775807,1\n", "epoch that is none"),
    "a cell without end": ("epoch,loss\n0," + "1" * 200_000 + "\n", "cannot be read"),
    "columns without end": ("epoch" + ",a" * 32_000 + "\n" + "1\n" * 500, "32,001 columns"),
    "rows without end": ("epoch" + ",a" * 900 + "\n" + "".join(f"{i}\n" for i in range(3000)), "too many numbers"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_history_made_to_do_harm_costs_only_itself_and_little_time(case: str, tmp_path: Path) -> None:
    text, word = HOSTILE[case]
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "history.csv").write_text(text)
    start = time.monotonic()
    run = look(tmp_path)
    assert time.monotonic() - start < 3
    assert run.history is None and len(run.checkpoints) == 1
    (failure,) = run.failures
    assert (failure.kind, failure.name) == ("history", "history.csv") and word in failure.problem


def test_rows_shorter_and_longer_than_the_header_and_other_ends_of_lines(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "history.csv").write_bytes(b"epoch,a,b\r\n2\r\n0,1\r\n1,2,3,4\r\n")
    history = look(tmp_path).history
    assert history is not None and history.epochs.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(history.columns["a"], [1, 2, np.nan])
    np.testing.assert_array_equal(history.columns["b"], [np.nan, 3, np.nan])


@pytest.mark.parametrize("name", ["x.csv", "history.csv", "run.json"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_pipes_are_not_waited_for_and_links_not_followed(kind: str, name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    files.write_keras(run / "epoch-1.keras")
    if kind == "pipe":
        os.mkfifo(run / name)
    else:
        foreign = tmp_path / "foreign"
        foreign.write_text('{"notes": "secret"}' if name == "run.json" else "epoch,secret\n0,1\n")
        (run / name).symlink_to(foreign)
    with Children() as children:
        found = find_run(RunConfig(path=run), tmp_path, children.reader.call)
    assert found.history is None and found.record == {} and len(found.checkpoints) == 1
    assert [f.kind for f in found.failures] == ["history"] * (name != "x.csv")  # any other CSV need not be a history
    assert all("link" in f.problem or "regular" in f.problem for f in found.failures)


def test_a_history_the_user_names_may_be_a_link_to_a_file_and_to_nothing_else(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "elsewhere").write_text("epoch,loss\n0,7\n")
    os.mkfifo(tmp_path / "pipe")
    for target in ("elsewhere", "pipe"):
        (tmp_path / f"to_{target}").symlink_to(tmp_path / target)
    history = look(tmp_path, history="to_elsewhere").history
    assert history is not None and history.file == "to_elsewhere" and history.columns["loss"].tolist() == [7]
    for name in ("to_pipe", "pipe"):
        (failure,) = look(tmp_path, history=name).failures
        assert (failure.kind, failure.name) == ("history", name) and "regular" in failure.problem


def test_a_record_is_judged_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    files.write_keras(tmp_path / "epoch-1.keras")
    (tmp_path / "run.json").touch()
    os.truncate(tmp_path / "run.json", 2**40)  # sparse
    (failure,) = look(tmp_path).failures
    assert failure.name == "run.json" and "at most 16.0 MiB" in failure.expected


def test_a_history_read_in_a_child_outlives_the_next_question(tmp_path: Path) -> None:
    """A child's arrays lie in memory that its next answer takes."""
    for i in (1, 2):
        files.write_keras(tmp_path / f"epoch-{i}.keras", i)
    (tmp_path / "history.csv").write_text("epoch,loss\n0,3\n1,2\n")
    with Children() as children:
        history = find_run(RunConfig(path=tmp_path), tmp_path, children.reader.call).history
        assert history is not None
        for checkpoint in look(tmp_path).checkpoints:
            children.reader.call(read_checkpoint, checkpoint, size=checkpoint.size)
        assert history.epochs.tolist() == [1, 2] and history.columns["loss"].tolist() == [3, 2]
