"""Members that are hostile, too deep or too many are refused before anything is made of them."""

from __future__ import annotations

import io
import json
import os
import pickle
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import checkpoint_files as files
from reportgen.checkpoints.formats import recognise
from reportgen.errors import CheckpointError, NetworkError
from reportgen.network import open_network
from test_formats import read
from test_formats_names import _configs, quantized

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5"),
]


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
def test_a_folder_with_a_link_in_the_place_of_a_member_is_refused(member: str, tmp_path: Path) -> None:
    files.write_keras(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        archive.extractall(tmp_path / "m")
    assert len(read(tmp_path / "m").layers) == 3
    (tmp_path / "m" / member).rename(tmp_path / "elsewhere")
    (tmp_path / "m" / member).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="link that leads elsewhere"):
        read(tmp_path / "m")
    (tmp_path / "m" / member).unlink()
    os.mkfifo(tmp_path / "m" / member)
    with pytest.raises(CheckpointError, match="no regular file"):
        read(tmp_path / "m")
    (tmp_path / "linked").symlink_to(tmp_path / "m")
    assert recognise(tmp_path / "linked", b"") is None


def npz_of(members: dict[str, Any], path: Path) -> Path:
    """Write a `.keras` file whose npz holds these dictionaries, pickled by NumPy."""
    data = io.BytesIO()
    np.savez(data, **members, allow_pickle=True)  # type: ignore[arg-type]
    return _with_npz(data.getvalue(), path)


def _with_npz(data: bytes, path: Path) -> Path:
    files.write_zip(path, {
        "metadata.json": b"{}", "config.json": json.dumps(files.MODEL).encode(), "model.weights.npz": data,
    })  # fmt: skip
    return path


def test_plain_arrays_of_every_kind_come_out_of_an_npz_as_they_went_in(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = {
        str(number): value for number, value in enumerate([
            rng.normal(size=(3, 3, 1, 4)).astype("f4"), np.asfortranarray(rng.normal(size=(3, 5))),
            np.arange(6, dtype="i8")[::2], np.array(2.5, "f2"), np.array([True, False]), np.arange(4, dtype=">i2"),
            np.zeros((0, 3), "f4"), np.float32(7.0), rng.integers(-9, 9, (2, 2), "i1"),
        ])
    }  # fmt: skip
    stored = read(npz_of({"layers/conv2d": kinds, "__root__": {}}, tmp_path / "m.keras"))
    (layer,) = stored.layers
    assert layer.name == "conv_b"
    for variable in layer.variables:
        np.testing.assert_array_equal(variable.value, kinds[variable.name])
        assert variable.value.dtype == kinds[variable.name].dtype.newbyteorder("=")


class Evil:
    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.made = (function, args)

    def __reduce__(self) -> Any:
        return self.made


def npy(payload: bytes, header: str = "{'descr': '|O', 'fortran_order': False, 'shape': (), }") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload


HOSTILE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a call of os.system": (lambda p: npy(pickle.dumps(Evil(os.system, f"touch {p}"))), "name posix.system"),
    "a call of eval": (
        lambda p: npy(pickle.dumps({"0": Evil(eval, f"open({str(p)!r}, 'w')")}, 2)), "name __builtin__.eval"
    ),
    "the same in protocol 0": (lambda p: npy(pickle.dumps(Evil(os.system, f"touch {p}"), 0)), "name posix.system"),
    "an opcode for extensions": (lambda p: npy(b"\x80\x02\x82\x01."), "use EXT1"),
    "an instance": (lambda p: npy(b"(ios\nsystem\n."), "use INST"),
    "no dictionary": (lambda p: npy(pickle.dumps(np.arange(3), 4)), "not as Keras writes"),
    "a pickle that breaks off": (lambda p: npy(pickle.dumps({"0": np.arange(3)}, 4)[:-9]), "not as Keras writes"),
    "arrays that are none": (lambda p: npy(pickle.dumps(["a"] * 9, 4)), "not as Keras writes"),
    "a huge shape": (lambda p: npy(b"", "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999, 99999)}"),
                     "one dictionary"),
    "a header of code": (lambda p: npy(b"", "__import__('os').getcwd()"), "header"),
    "no npy": (lambda p: b"hello" * 9, "no npy"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_npz_is_refused_and_nothing_in_it_is_run(case: str, tmp_path: Path) -> None:
    make, word = HOSTILE[case]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("layers/conv2d.npy", make(tmp_path / "ran"))
    path = _with_npz(data.getvalue(), tmp_path / "m.keras")
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert word in str(caught.value), str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


def test_an_array_that_claims_more_than_its_bytes_is_refused(tmp_path: Path) -> None:
    path = npz_of({"layers/conv2d": {"0": np.zeros((7, 11), "f4")}}, tmp_path / "m.keras")
    damaged = path.read_bytes().replace(b"K\x07K\x0b\x86", b"K\x7fK\x7f\x86")
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        inner = archive.read("model.weights.npz")
    assert damaged != path.read_bytes() and b"K\x07K\x0b\x86" in inner
    with zipfile.ZipFile(io.BytesIO(inner)) as archive:
        member = archive.read("layers/conv2d.npy").replace(b"K\x07K\x0b\x86", b"K\x7fK\x7f\x86")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("layers/conv2d.npy", member)
    with pytest.raises(CheckpointError, match="not as Keras writes"):
        read(_with_npz(data.getvalue(), path))


def test_members_of_an_npz_are_limited_like_those_of_any_zip(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * 50_000_000)
    with pytest.raises(CheckpointError, match="unpacks"):
        read(_with_npz(data.getvalue(), tmp_path / "m.keras"))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.npy", npy(b""))
        archive.writestr("a.npy", npy(b""))
    with pytest.raises(CheckpointError, match="2 times"):
        read(_with_npz(data.getvalue(), tmp_path / "m.keras"))


@pytest.mark.parametrize("text", [b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 5_000_000])
def test_json_is_refused_by_its_depth_before_it_is_parsed(text: bytes, tmp_path: Path) -> None:
    config = json.dumps({**files.MODEL, "build_config": 7}).encode().replace(b"7}", text + b"}")
    files.write_zip(tmp_path / "m.keras", {"metadata.json": b"{}", "config.json": config, "model.weights.h5": b""})
    start = time.process_time()
    with pytest.raises(CheckpointError, match="nested too deeply"):
        read(tmp_path / "m.keras")
    assert time.process_time() - start < 2


def test_brackets_inside_strings_are_no_depth_and_no_string_hangs_the_search(tmp_path: Path) -> None:
    config = json.loads(json.dumps(files.MODEL))
    config["config"]["layers"][4]["config"]["name"] = 'a"\\' + "[{" * 300
    files.write_keras(tmp_path / "m.keras", config=config, named=False)
    assert read(tmp_path / "m.keras").layers[-1].name == 'a"\\' + "[{" * 300
    members = {"metadata.json": b"{}", "config.json": b'{"' + b'\\"' * 5_000_000, "model.weights.h5": b""}
    files.write_zip(tmp_path / "m.keras", members)
    start = time.process_time()
    with pytest.raises(CheckpointError, match="no JSON"):
        read(tmp_path / "m.keras")
    assert time.process_time() - start < 5


@pytest.mark.parametrize("nested", [False, True])
def test_20000_layers_are_counted_and_refused_at_once(nested: bool, tmp_path: Path) -> None:
    layers = [{"class_name": "ReLU", "config": {"name": f"r{i}", "trainable": True}} for i in range(20_000)]
    if nested:  # no single model has too many
        layers = [{"class_name": "Sequential", "config": {"name": f"m{i}", "layers": layers[i::5]}} for i in range(5)]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    for path in (
        files.write_keras(tmp_path / "m.keras", config=config),
        files.write_hdf5(tmp_path / "m.h5", 0, config),
    ):
        start = time.process_time()
        with pytest.raises(CheckpointError, match="layers"):
            read(path)
        # A second alone; more where the garbage collector walks what other tests left behind.
        assert time.process_time() - start < 5


def test_two_opaque_bytes_are_no_number_where_nothing_says_so(tmp_path: Path) -> None:
    path = files.write_hdf5(tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file["model_weights/out/out/bias:0"]
        file["model_weights/out/out/bias:0"] = np.zeros(1, "V2")
    with pytest.raises(CheckpointError, match="nothing says of what kind"):
        read(path)


def test_a_quantised_layer_of_another_size_than_its_arrays_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    quantized(_configs()["int8"]).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for old, new, word in (
        (b'"units": 7', b'"units": 2000000000', "2000000000"),
        (b'"QuantizedDTypePolicy", "config": {"mode": "int8"', b'"X", "config": {"mode": "gptq/4/128"', "gptq"),
        (b'"class_name": "AbsMaxQuantizer"', b'"class_name": "MyQuantizer"', "not built in"),
    ):
        changed = {**members, "config.json": members["config.json"].replace(old, new, 1)}
        assert changed != members
        files.write_zip(tmp_path / "n.keras", changed)
        stored = read(tmp_path / "n.keras")
        assert len(stored.layers) == 5
        with pytest.raises(NetworkError) as caught:
            open_network(stored, (20, 20, 2))
        assert word in str(caught.value)
