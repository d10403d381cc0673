"""Ways to damage valid checkpoints; every one follows from a random generator alone."""

from __future__ import annotations

import copy
import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import bundles
from reportgen.checkpoints.table import read_table

Random = np.random.Generator


def mutate(valid: Path, target: Path, rng: Random) -> str:
    """Write a damaged copy of a folder in the place of `target`; return what was done to it."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(valid, target)
    listed = sorted(path for path in target.rglob("*") if path.is_file() and path.stat().st_size)
    path = listed[int(rng.integers(len(listed)))]
    kinds: list[Callable[[Path, Random], str]] = [of_bytes]
    if path.suffix == ".keras":
        kinds = [of_bytes, of_members, of_members]
    elif path.suffix == ".h5":
        kinds = [of_bytes, of_hdf5, of_hdf5]
    elif path.suffix == ".json":
        kinds = [of_bytes, of_json]
    elif path.suffix == ".index":
        kinds = [of_bytes, of_index, of_index]
    return kinds[int(rng.integers(len(kinds)))](path, rng)


def of_bytes(path: Path, rng: Random) -> str:
    """Damage a file as bytes."""
    name, data = damaged(path.read_bytes(), rng)
    path.write_bytes(data)
    return f"{path.suffix} {name}"


def damaged(data: bytes, rng: Random) -> tuple[str, bytes]:
    """Return bytes with some of them changed, taken out, put in or cut off."""
    held = bytearray(data)
    spot = int(rng.integers(len(held)))
    # Headers are a small part of a file, and where the damage is.
    spot = spot % 2048 if rng.random() < 0.3 else spot
    length = int(min(2 ** rng.integers(0, 12), len(held) - spot))
    way = str(rng.choice(["flip", "noise", "ones", "zeros", "cut", "insert", "delete", "move"]))
    if way == "flip":
        for place in rng.integers(0, len(held), int(rng.integers(1, 9))):
            held[place] ^= 1 << int(rng.integers(8))
    elif way in {"noise", "ones", "zeros"}:
        fill = {"noise": rng.bytes(length), "ones": b"\xff" * length, "zeros": bytes(length)}
        held[spot : spot + length] = fill[way]
    elif way == "cut":
        del held[spot:]
    elif way == "insert":
        held[spot:spot] = rng.bytes(length)
    elif way == "delete":
        del held[spot : spot + length]
    else:
        piece, other = bytes(held[spot : spot + length]), int(rng.integers(len(held)))
        held[other : other + len(piece)] = piece
    return way, bytes(held)


def of_members(path: Path, rng: Random) -> str:
    """Damage one member of a zip file, or the list of them; the checksums are right again."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = int(rng.integers(len(members)))
    name, data = members[place]
    way = str(rng.choice(["bytes", "content", "content", "content", "drop", "twice", "rename", "swap"]))
    if way == "bytes":
        members[place] = (name, damaged(data, rng)[1])
    elif way == "content":
        edit = edited_hdf5 if name.endswith(".h5") else edited_npz if name.endswith(".npz") else edited_json
        members[place] = (name, edit(data, rng))
    elif way == "drop":
        del members[place]
    elif way == "twice":
        members.append((name, damaged(data, rng)[1]))
    elif way == "rename":
        members[place] = (str(rng.choice(["../x", "config.json", "a" * 300, "x\0y"])), data)
    else:
        other = int(rng.integers(len(members)))
        members[place], members[other] = (name, members[other][1]), (members[other][0], data)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for member, content in members:
            packed = zipfile.ZIP_DEFLATED if rng.random() < 0.2 else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(member), content, packed)
    return f"zip {name} {way}"


def of_json(path: Path, rng: Random) -> str:
    path.write_bytes(edited_json(path.read_bytes(), rng))
    return f"json {path.name}"


def of_hdf5(path: Path, rng: Random) -> str:
    path.write_bytes(edited_hdf5(path.read_bytes(), rng))
    return f"hdf5 {path.name}"


def of_index(path: Path, rng: Random) -> str:
    """Damage entries of the index of a TensorFlow checkpoint; the checksums are right again."""
    entries = dict(read_table(path.read_bytes()))
    key = sorted(entries)[int(rng.integers(len(entries)))]
    way = str(rng.choice(["value", "value", "key", "drop", "swap"]))
    value = entries.pop(key)
    if way == "value":
        entries[key] = damaged(value, rng)[1] if value else rng.bytes(5)
    elif way == "key":
        entries[damaged(key, rng)[1] if key else b"x"] = value
    elif way == "swap" and entries:
        other = sorted(entries)[int(rng.integers(len(entries)))]
        entries[key], entries[other] = entries[other], value
    bundles.write_table(path, entries)
    return f"index {way}"


def edited_npz(data: bytes, rng: Random) -> bytes:
    """Return an npz with one of its members damaged; the checksums are right again."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(members)[int(rng.integers(len(members)))]
    members[name] = damaged(members[name], rng)[1]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return held.getvalue()


ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 2.5, 10**9, 10**18, 10**40, -(2**63), float("nan"), float("inf"), "", "x", "\u202e\0",
    "n" * 3000, [], {}, [[]], [None], [1, 2, 3], {"class_name": "Lambda", "config": {}}, "Conv2D", "Sequential",
    "Functional", "Model", {"class_name": "__tuple__", "items": [10**6, 10**6]},
    {"class_name": "__keras_tensor__", "config": {}}, [10**6] * 4,
)  # fmt: skip
CLASSES = (
    "Conv2DTranspose", "Dense", "LSTM", "Bidirectional", "TimeDistributed", "MultiHeadAttention", "Embedding",
    "Reshape", "UpSampling2D", "RepeatVector", "Add", "Concatenate", "BatchNormalization", "Functional", "Sequential",
    "InputLayer", "ZeroPadding2D", "Lambda", "TFOpLambda", "GetItem", "SeparableConv2D", "Resizing", "RandomCrop",
    "PReLU",
)  # fmt: skip


def edited_json(data: bytes, rng: Random) -> bytes:
    """Return JSON with one to three of its values changed, taken out, repeated or nested."""
    value = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        value = _edited(value, rng)
    return json.dumps(value).encode()


def _edited(value: Any, rng: Random) -> Any:
    """Return a JSON value with one change somewhere in it."""
    spots: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        held = pending.pop()
        items = held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ()
        for key, item in items:
            spots.append((held, key))
            pending.append(item)
    if not spots:
        return ODD[int(rng.integers(len(ODD)))]
    held, key = spots[int(rng.integers(len(spots)))]
    way = int(rng.integers(7))
    if way <= 1:
        held[key] = copy.deepcopy(ODD[int(rng.integers(len(ODD)))])
    elif way == 2:
        del held[key]
    elif way == 3 and isinstance(held, list):
        held.extend(copy.deepcopy([held[key]] * int(rng.choice([1, 3, 50]))))
    elif way == 4:
        held[key] = [held[key]] if rng.random() < 0.5 else {"class_name": "Sequential", "config": held[key]}
    elif way == 5 and isinstance(held[key], int | float):
        held[key] = held[key] * int(rng.choice([-1, 2, 1000, 10**6, 10**12]))
    else:
        named = [held for held, key in spots if key == "class_name" and isinstance(held, dict)]
        if named:
            named[int(rng.integers(len(named)))]["class_name"] = str(rng.choice(CLASSES))
    return value


def edited_hdf5(data: bytes, rng: Random) -> bytes:
    """Return HDF5 with one attribute, array or group of it changed."""
    held = io.BytesIO(data)
    with h5py.File(held, "a") as file:
        found: list[str] = ["/"]
        file.visit(found.append)
        name = found[int(rng.integers(len(found)))]
        node = file[name]
        if len(node.attrs) and rng.random() < 0.7:
            _edit_attribute(node, rng)
        elif name != "/":
            _edit_node(file, name, rng)
    return held.getvalue()


def _edit_attribute(node: Any, rng: Random) -> None:
    """Change or take out an attribute."""
    key = str(rng.choice(sorted(node.attrs)))
    value = node.attrs[key]
    way = int(rng.integers(6))
    if key in {"model_config", "training_config"} and way < 5:
        node.attrs[key] = edited_json(value.encode() if isinstance(value, str) else bytes(value), rng)
    elif way == 0:
        del node.attrs[key]
    elif way == 1:
        node.attrs[key] = np.arange(int(rng.integers(1, 9)))
    elif way == 2:
        node.attrs[key] = "../../x\u202e"
    elif way == 3 and isinstance(value, np.ndarray) and value.size:
        node.attrs[key] = rng.permutation(np.concatenate([value, value[:1]]))
    elif way == 4 and isinstance(value, np.ndarray) and value.size:
        node.attrs[key] = value[:-1]
    else:
        node.attrs[key] = h5py.Empty("f4")


def _edit_node(file: h5py.File, name: str, rng: Random) -> None:
    """Change, take out or link an array or group."""
    node = file[name]
    way = int(rng.integers(7))
    shape = node.shape if isinstance(node, h5py.Dataset) else None
    if way == 6:
        file[f"{name}_again" if shape is not None else f"{name}/again"] = file["/"] if rng.random() < 0.5 else node
        return
    del file[name]
    if way == 0 or shape is None:
        file[name] = np.zeros(3, "f4")
    elif way == 1:
        file[name] = h5py.SoftLink("/" if rng.random() < 0.5 else f"/{name}")
    elif way == 2:
        file.create_dataset(name, (*shape, 2), "f4")
    elif way == 3:
        file[name] = np.full(shape, rng.choice(np.array([np.nan, np.inf, 3e38])), "f8")
    elif way == 4:
        file.create_dataset(name, (10**5, 10**5), "f4", chunks=(1, 10**5), compression="gzip")
    else:
        file[name] = np.zeros(shape, str(rng.choice(["S3", "c8", "i8", "?", "f2"])))
