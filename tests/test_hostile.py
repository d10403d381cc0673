"""Broken and hostile checkpoints: each is refused with a reason, quickly, and reads nothing outside its file.

Child processes and fuzzing come with the next issue; these are the attacks that a look at headers stops.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import checkpoint_files as files
from reportgen.checkpoints import read_checkpoint, read_graph
from reportgen.checkpoints.run import Checkpoint
from reportgen.errors import CheckpointError, printable


def read(path: Path, key: str) -> Any:
    """Read a file as the given format, whatever find_run would say of it."""
    stored = read_checkpoint(Checkpoint(path.name, path.name, path, key, None, path.stat().st_size, ""))
    read_graph(stored)
    return stored


def zipped(**members: bytes) -> Callable[[Path], None]:
    """Return what writes a `.keras` file with some members in place of its own."""

    def write(path: Path) -> None:
        files.write_keras(path)
        with zipfile.ZipFile(path) as archive:
            own = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in {**own, **{k.replace("__", "."): v for k, v in members.items()}}.items():
                if data:
                    archive.writestr(name, data)

    return write


def weights(edit: Callable[[h5py.File], None]) -> Callable[[Path], None]:
    """Return what writes a `.keras` file whose weights were tampered with."""

    def write(path: Path) -> None:
        data = io.BytesIO()
        files.write_v3(data)
        with h5py.File(data, "a") as file:
            edit(file)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", json.dumps(files.MODEL))
            archive.writestr("model.weights.h5", data.getvalue())

    return write


def configured(edit: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Path], None]:
    """Return what writes a `.keras` file whose layers were tampered with."""

    def write(path: Path) -> None:
        config = json.loads(json.dumps(files.MODEL))
        edit(config["config"]["layers"])
        files.write_keras(path, config=config)

    return write


def twice(path: Path) -> None:
    files.write_keras(path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")


def encrypted(path: Path) -> None:
    files.write_keras(path)
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            data[start + place] |= 1
    path.write_bytes(data)


def replaced(name: str, make: Callable[[h5py.File, str], Any]) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        del file[name]
        make(file, name)

    return edit


def external(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (3, 3, 1, 4), "f4", external=[("/etc/passwd", 0, 144)])


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((3, 3, 1, 4), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (3, 3, 1, 4))
    file.create_virtual_dataset(name, layout)


def bomb(shape: tuple[int, ...]) -> Callable[[h5py.File, str], Any]:
    return lambda file, name: file.create_dataset(name, shape, "f4", chunks=(1, *shape[1:]), compression="gzip")


def deep(file: h5py.File) -> None:
    for key in ("layers/conv2d", "layers/dense"):
        file[key]["again"] = file[key]  # a group inside itself
        file[key]["and_again"] = file["layers"]


def nested(count: int) -> dict[str, Any]:
    model = json.loads(json.dumps(files.MODEL))
    for i in range(count):
        model = {"class_name": "Sequential", "config": {"name": f"m{i}", "layers": [model]}}
    return model


KERNEL = "layers/conv2d/vars/0"
CIRCLE = {
    "class_name": "Functional", "config": {
        "name": "m", "input_layers": [["i", 0, 0]], "output_layers": [["a", 0, 0]], "layers": [
            {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 4]}, "inbound_nodes": []},
            {"class_name": "Add", "config": {"name": "a", "trainable": True},
             "inbound_nodes": [[["b", 0, 0, {}], ["i", 0, 0, {}]]]},
            {"class_name": "Add", "config": {"name": "b", "trainable": True},
             "inbound_nodes": [[["a", 0, 0, {}], ["i", 0, 0, {}]]]}]}}  # fmt: skip

REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "config named twice": (twice, "2 times"),
    "encrypted members": (encrypted, "encrypted"),
    "config of spaces": (zipped(config__json=b" " * 60_000_000), "unpacks"),
    "weights of zeros": (zipped(model__weights__h5=b"\0" * 300_000_000), "unpacks"),
    "config no JSON": (zipped(config__json=b"{'a': 1}"), "no JSON"),
    "config a list": (zipped(config__json=b"[1]"), "describes no model"),
    "config nested 100,000 deep": (zipped(config__json=b"[" * 100_000), "nested"),
    "no weights": (zipped(model__weights__h5=b""), "no model.weights.h5"),
    "an npz that is none": (zipped(model__weights__h5=b"", **{"model__weights__npz": b"x"}), "damaged npz of weights"),
    "weights no HDF5": (zipped(model__weights__h5=b"hello" * 100), "damaged"),
    "weights cut": (zipped(model__weights__h5=b"\x89HDF\r\n\x1a\n" + b"\0" * 99), "HDF5"),
    "external storage": (weights(replaced(KERNEL, external)), "another file"),
    "virtual dataset": (weights(replaced(KERNEL, virtual)), "another file"),
    "external link": (
        weights(replaced(KERNEL, lambda f, n: f.__setitem__(n, h5py.ExternalLink("/etc/x.h5", "a")))), "ExternalLink"
    ),
    "soft link to itself": (
        weights(replaced(KERNEL, lambda f, n: f.__setitem__(n, h5py.SoftLink("/" + n)))), "SoftLink"
    ),
    "4 TiB of nothing": (weights(replaced(KERNEL, bomb((2**20, 2**20)))), "4096.0 GiB"),
    "1 GiB of nothing": (weights(replaced(KERNEL, bomb((2**10, 2**18)))), "1.0 GiB"),
    "text for weights": (
        weights(replaced(KERNEL, lambda f, n: f.create_dataset(n, data=np.array([b"a"])))), "no plain numbers"
    ),
    "complex weights": (
        weights(replaced(KERNEL, lambda f, n: f.create_dataset(n, data=np.zeros(4, complex)))), "no plain numbers"
    ),
    "a group for an array": (weights(replaced(KERNEL, lambda f, n: f.create_group(n))), "no array"),
    "an empty dataspace": (
        weights(replaced(KERNEL, lambda f, n: f.create_dataset(n, data=h5py.Empty("f4")))), "empty dataspace"
    ),
    "6,000 layers": (
        configured(lambda ls: ls.extend({"class_name": "ReLU", "config": {"name": f"r{i}", "trainable": True}}
                                        for i in range(6000))), "6005 layers",
    ),
    "150 nested models": (lambda path: files.write_keras(path, config=nested(150)), "nested"),
    "two layers of one name": (configured(lambda ls: ls[2]["config"].update(name="conv_b")), "called conv_b"),
    "connections in a circle": (lambda path: files.write_keras(path, config=CIRCLE), "never comes"),
    "a layer that is none": (configured(lambda ls: ls.append(7)), "no layer"),
    "a text of 10 kB": (configured(lambda ls: ls[1]["config"].update(padding="v" * 10_000)), "overlong"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_attacks_and_breakage_on_keras_files_are_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    write, word = REFUSED[case]
    path = tmp_path / "m.keras"
    write(path)
    assert path.stat().st_size < 5_000_000
    start = time.process_time()
    with pytest.raises(CheckpointError) as caught:
        read(path, "keras")
    assert time.process_time() - start < 3
    assert word in str(caught.value), str(caught.value)
    assert "root:" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


LEGACY: dict[str, tuple[Callable[[h5py.File], Any], str]] = {
    "model_config a number": (lambda f: f.attrs.__setitem__("model_config", np.arange(3)), "text"),
    "model_config no JSON": (lambda f: f.attrs.__setitem__("model_config", "{"), "no JSON"),
    "no list of layers": (lambda f: f["model_weights"].attrs.__delitem__("layer_names"), "layer_names"),
    "no list of weights": (lambda f: f["model_weights/out"].attrs.__delitem__("weight_names"), "weight_names"),
    "a list of numbers": (lambda f: f["model_weights"].attrs.__setitem__("layer_names", np.arange(3)), "text"),
    "a layer that is not there": (lambda f: f.__delitem__("model_weights/out"), "no group for layer out"),
    "an array that is not there": (lambda f: f.__delitem__("model_weights/out/out/kernel:0"), "no array"),
    "a path out of the file": (
        lambda f: f["model_weights/out"].attrs.__setitem__("weight_names", np.array([b"../../../etc/passwd"])),
        "no array",
    ),
    "a name 30 groups deep": (
        lambda f: f["model_weights/out"].attrs.__setitem__("weight_names", np.array([b"a/" * 30 + b"b"])),
        "deep",
    ),
}


@pytest.mark.parametrize("case", LEGACY)
def test_attacks_and_breakage_on_hdf5_files_are_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    edit, word = LEGACY[case]
    path = files.write_hdf5(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        edit(file)
    with pytest.raises(CheckpointError) as caught:
        read(path, "hdf5")
    assert word in str(caught.value), str(caught.value)
    assert caught.value.where == "m.h5" and caught.value.advice


def test_names_with_paths_stay_inside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    zipped(**{"../../outside__txt": b"x", "/abs__txt": b"x"})(path)
    assert len(read(path, "keras").layers) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


def test_big_assets_are_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    zipped(**{f"assets/{i}": b"\0" * 20_000_000 for i in range(4)})(path)
    start = time.process_time()
    assert len(read(path, "keras").layers) == 3
    assert time.process_time() - start < 2


def test_groups_that_hold_themselves_and_many_others_end(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    weights(deep)(path)
    start = time.process_time()
    read(path, "keras")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/dense/vars/0"] = np.zeros((2, 2))
        file["layers/dense/self"] = file["layers"]
        file["layers/other"] = file["layers"]
    path = tmp_path / "w.h5"
    stored = read_checkpoint(Checkpoint("w", "w.h5", path, "weights", None, 1, ""))
    assert [layer.name for layer in stored.layers] == ["dense"]
    assert time.process_time() - start < 2


@pytest.mark.parametrize("key", ["keras", "hdf5"])
def test_a_file_cut_anywhere_is_refused(key: str, tmp_path: Path) -> None:
    whole = (files.write_keras if key == "keras" else files.write_hdf5)(tmp_path / "whole").read_bytes()
    for length in range(0, len(whole) - 1, 997):
        path = tmp_path / "m"
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            read(path, key)


def test_a_keras_file_with_any_byte_changed_is_refused_or_read_as_it_was(tmp_path: Path) -> None:
    """Byte flips in bare HDF5 can hang the HDF5 library itself; they belong into a process that can be ended."""
    whole = files.write_keras(tmp_path / "whole").read_bytes()
    expected = read(tmp_path / "whole", "keras")
    ends = {"read": 0, "refused": 0}
    for number, place in enumerate(range(0, len(whole), 61)):
        data = bytearray(whole)
        data[place] ^= 1 << number % 8
        (tmp_path / "m").write_bytes(data)
        try:
            got = read(tmp_path / "m", "keras")
        except CheckpointError as error:
            assert error.where == "m"
            ends["refused"] += 1
        else:
            for one, other in zip(got.layers, expected.layers, strict=True):
                for a, b in zip(one.variables, other.variables, strict=True):
                    np.testing.assert_array_equal(a.value, b.value)
            ends["read"] += 1
    assert ends["refused"] > 100 > ends["read"] > 0


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\u202eevil\x00$(rm)", "../../x", "n" * 5000, "a/b"])
def test_hostile_names_of_layers_are_kept_and_can_be_made_printable(name: str, tmp_path: Path) -> None:
    config = json.loads(json.dumps(files.MODEL))
    config["config"]["layers"][4]["config"]["name"] = name
    files.write_keras(tmp_path / "m.keras", config=config, named=False)
    stored = read(tmp_path / "m.keras", "keras")
    assert stored.layers[-1].name == name.replace("\0", "?")  # HDF5, and so the waist, holds no NUL
    assert len(printable(name)) <= 300 and "\u202e" not in printable(name) and "\x00" not in printable(name)
