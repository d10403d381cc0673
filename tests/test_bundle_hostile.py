"""TensorFlow checkpoints that are cut, damaged or hostile: each ends as read or refused, with the reason, quickly."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
from bundles import arrays, opened
from reportgen.checkpoints.bundle import recognise
from reportgen.checkpoints.object_graph import GRAPH_KEY
from reportgen.checkpoints.table import read_table
from reportgen.checkpoints.tensors import read_index, read_text
from reportgen.errors import CheckpointError


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The index of a small checkpoint with an object graph, nothing but a layer of two arrays in it."""
    import tensorflow as tf

    layer, model = tf.Module(), tf.Module()
    layer.kernel = tf.Variable(np.arange(12, dtype="f4").reshape(3, 4), name="kernel")
    layer.bias = tf.Variable(np.ones(4, "f4"), name="bias")
    model.dense = layer
    tf.train.Checkpoint(model=model).write(tmp_path / "c")
    return tmp_path / "c.index"


KERNEL = b"model/dense/kernel/.ATTRIBUTES/VARIABLE_VALUE"


def _outside(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].offset = 10_000


def _huge(entries: dict[bytes, Any]) -> None:
    for axis in entries[KERNEL].shape.dim:
        axis.size = 2**40


def _huge_and_consistent(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].shape.dim[0].size = 2**28
    entries[KERNEL].size = 2**28 * 16


def _negative(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].shape.dim[0].size = -3


def _twice(entries: dict[bytes, Any]) -> None:
    for number in range(100):
        other = entries[b"x/%03d/kernel" % number] = type(entries[KERNEL])()
        other.CopyFrom(entries[KERNEL])
    del entries[GRAPH_KEY.encode()]


def _shard(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].shard_id = 7


def _big_endian(entries: dict[bytes, Any]) -> None:
    entries[b""].endianness = 1


def _many_shards(entries: dict[bytes, Any]) -> None:
    entries[b""].num_shards = 2**31 - 1


def _checksum(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].crc32c ^= 1


def _text(entries: dict[bytes, Any]) -> None:
    entries[KERNEL].dtype = 8


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_outside, "outside its data file"), (_huge, "declares"), (_huge_and_consistent, "declares"),
        (_negative, "no possible shape"), (_twice, "the arrays take"), (_shard, "lies in data file 7"),
        (_big_endian, "big-endian"), (_many_shards, "2147483647 data files"), (_checksum, "the checksum of model"),
        (_text, "holds no plain numbers"),
    ],
)  # fmt: skip
def test_what_an_index_must_not_say(change: Any, told: str, small: Path) -> None:
    start = time.process_time()
    bundles.rewrite(small, lambda entries: None)
    assert len(arrays(opened(small))) == 2  # put together again it is as good as before
    bundles.rewrite(small, change)
    with pytest.raises(CheckpointError, match=told):
        opened(small)
    assert time.process_time() - start < 5


def test_a_compressed_index_and_a_graph_that_leads_nowhere(small: Path) -> None:
    raw = read_table(small.read_bytes())
    bundles.write_table(small, raw, kind=1)
    with pytest.raises(CheckpointError, match="compressed by snappy"):
        opened(small)
    bundles.write_table(small, {key: value for key, value in raw.items() if key != KERNEL})
    with pytest.raises(CheckpointError, match="no array at model/dense/kernel"):
        opened(small)


def test_what_is_cut_missing_or_leads_elsewhere(small: Path, tmp_path: Path) -> None:
    data = tmp_path / "c.data-00000-of-00001"
    index, whole = small.read_bytes(), data.read_bytes()
    for length in (5, len(index) // 2, len(index) - 1):
        small.write_bytes(index[:length])
        assert recognise(small, small.read_bytes()[:4096])
        with pytest.raises(CheckpointError, match="cut or damaged"):
            opened(small)
    small.write_bytes(index)
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="outside its data file"):
        opened(small)
    data.unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        opened(small)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "data").write_bytes(whole)
    data.symlink_to(elsewhere / "data")
    with pytest.raises(CheckpointError, match="a link that leads elsewhere"):
        opened(small)
    data.unlink()
    os.mkfifo(data)
    with pytest.raises(CheckpointError, match="no regular file"):
        opened(small)
    # The text file names the newest checkpoint, and may name anything: it is never read.
    data.unlink()
    data.write_bytes(whole)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/etc/passwd"\n')
    assert len(arrays(opened(small))) == 2


def test_other_files_are_not_taken_for_an_index(tmp_path: Path) -> None:
    for number, data in enumerate((b"", b"text", bytes(100), json.dumps({"a": 1}).encode())):
        path = tmp_path / f"{number}.index"
        path.write_bytes(data)
        assert not recognise(path, data)


@pytest.mark.slow
def test_ten_thousand_flipped_bits_end_as_read_or_refused(small: Path, tmp_path: Path) -> None:
    good = arrays(opened(small))
    data = tmp_path / "c.data-00000-of-00001"
    rng = np.random.default_rng(11)
    read = 0
    for path in (small, data):
        whole = path.read_bytes()
        slowest = 0.0
        for _ in range(5000):
            place = rng.integers(len(whole) * 8)
            path.write_bytes(_flipped(whole, place))
            start = time.process_time()
            try:
                held = arrays(opened(small)) if recognise(small, small.read_bytes()[:4096]) else None
            except CheckpointError:
                held = None
            slowest = max(slowest, time.process_time() - start)
            if held is not None:  # what is read is what was written
                read += 1
                assert all(np.array_equal(held[key], value) for key, value in good.items())
        path.write_bytes(whole)
        assert slowest < 1
    assert read > 0  # unused bytes there are: the padding of the footer


def test_flipped_bits_behind_right_checksums_end_as_read_or_refused(small: Path) -> None:
    raw = read_table(small.read_bytes())
    rng = np.random.default_rng(12)
    refused = 0
    for _ in range(1000):
        key = list(raw)[rng.integers(len(raw))]
        changed = dict(raw)
        changed[key] = _flipped(raw[key], rng.integers(len(raw[key]) * 8))
        bundles.write_table(small, changed)
        try:
            opened(small)
        except CheckpointError:
            refused += 1
    assert refused > 250


def test_a_damaged_object_graph_ends_as_read_or_refused(small: Path) -> None:
    graph = read_text(read_index(small), GRAPH_KEY)
    rng = np.random.default_rng(13)
    ends = set()
    for _ in range(1000):
        bundles.plant_graph(small, _flipped(graph, rng.integers(len(graph) * 8)))
        try:
            ends.add(len(opened(small).layers))
        except CheckpointError:
            ends.add(-1)
    assert {-1, 1} <= ends


def test_a_graph_of_objects_that_lead_to_each_other_ends_quickly(small: Path, tmp_path: Path) -> None:
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    graph = trackable_object_graph_pb2.TrackableObjectGraph()
    kinds = dict.fromkeys(("chain", "tangle", "layers"), b"")
    for name in kinds:
        graph = trackable_object_graph_pb2.TrackableObjectGraph()
        count = 5000 if name == "chain" else 250
        for at in range(count):
            node = graph.nodes.add()
            following = [at + 1] if name == "chain" else range(count)
            for child in following:
                node.children.add(
                    node_id=child % count, local_name=f"layer-{child}" if name == "layers" else f"a{child}"
                )
        kinds[name] = graph.SerializeToString()
    for text in kinds.values():
        start = time.process_time()
        bundles.plant_graph(small, text)
        try:
            assert not opened(small).layers
        except CheckpointError as error:
            assert "tangled" in error.problem
        assert time.process_time() - start < 10


def _flipped(data: bytes, place: int) -> bytes:
    """Return bytes with one bit turned over."""
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_a_link_that_stays_in_the_folder_is_followed(small: Path, tmp_path: Path) -> None:
    data = tmp_path / "c.data-00000-of-00001"
    data.rename(tmp_path / "stored")
    data.symlink_to("stored")
    assert arrays(opened(small))["dense|kernel"].tolist() == np.arange(12.0).reshape(3, 4).tolist()
