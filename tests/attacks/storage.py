"""Attacks on HDF5: numbers that lie elsewhere, or are fewer than said; groups without end."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

import checkpoint_files as files
from attacks.attack import Attack, Place, refused, reported
from attacks.zips import members_of

Edit = Callable[[h5py.File, Place], object]
KERNEL, LEGACY = "layers/conv2d/vars/0", "model_weights/conv_b/conv_b/kernel:0"


def in_keras(edit: Edit, seed: int = 0, **options: Any) -> Callable[[Place], None]:
    """Return what writes a `.keras` file with its weights edited."""

    def write(place: Place) -> None:
        data = io.BytesIO()
        files.write_v3(data, seed)
        with h5py.File(data, "a", **options) as file:
            edit(file, place)
        files.write_zip(place.path, {**members_of(), "model.weights.h5": data.getvalue()})

    return write


def in_weights(edit: Edit, seed: int = 0, **options: Any) -> Callable[[Place], None]:
    """Return what writes a `.weights.h5` file, edited."""

    def write(place: Place) -> None:
        files.write_v3(place.path, seed)
        with h5py.File(place.path, "a", **options) as file:
            edit(file, place)

    return write


def in_hdf5(edit: Edit, seed: int = 0, config: Any = files.MODEL) -> Callable[[Place], None]:
    """Return what writes a whole-model HDF5 file, edited."""

    def write(place: Place) -> None:
        files.write_hdf5(place.path, seed, config)
        with h5py.File(place.path, "a") as file:
            edit(file, place)

    return write


def replaced(name: str, make: Callable[[h5py.File, str, Place], object]) -> Edit:
    """Return the edit that puts something in the place of an array."""

    def edit(file: h5py.File, place: Place) -> None:
        del file[name]
        make(file, name, place)

    return edit


def external(file: h5py.File, name: str, place: Place) -> None:
    file.create_dataset(name, (3, 3, 1, 4), "f4", external=[(str(place.foreign), 0, 144)])


def virtual(file: h5py.File, name: str, place: Place) -> None:
    layout = h5py.VirtualLayout((3, 3, 1, 4), "f4")
    layout[:] = h5py.VirtualSource(str(place.foreign), "x", (3, 3, 1, 4))
    file.create_virtual_dataset(name, layout)


def declared(*shape: int) -> Callable[[h5py.File, str, Place], object]:
    """Return what makes an array of that shape of which nothing is stored."""
    return lambda file, name, place: file.create_dataset(name, shape, "f4", chunks=(1, *shape[1:]), compression="gzip")


def link(target: str | None, outside: bool = False) -> Callable[[h5py.File, str, Place], object]:
    """Return what makes a soft link, to itself for None, or a link into the foreign file."""

    def make(file: h5py.File, name: str, place: Place) -> None:
        file[name] = h5py.ExternalLink(str(place.foreign), "/x") if outside else h5py.SoftLink(target or f"/{name}")

    return make


def stored_zeros(file: h5py.File, name: str, place: Place) -> None:
    """Store 1.5 GiB of zeros, really there, in chunks that were packed once."""
    made = file.create_dataset(name, (384, 2**20), "f4", chunks=(4, 2**20), compression="gzip")
    packed = zlib.compress(bytes(16 * 2**20), 9)
    for row in range(0, 384, 4):
        made.id.write_direct_chunk((row, 0), packed)


def packed_twice(file: h5py.File, name: str, place: Place) -> None:
    """Store chunks that are packed less than 100 times, each the same: the zip file packs them again."""
    file["noise"] = np.random.default_rng(4).integers(0, 255, 200_000, "u1")
    made = file.create_dataset(name, (15360, 2**15), "f4", chunks=(16, 2**15), compression="gzip")
    packed = zlib.compress(np.random.default_rng(2).bytes(24000) + bytes(2 * 2**20 - 24000), 9)
    for row in range(0, 15360, 16):
        made.id.write_direct_chunk((row, 0), packed)


def large_chunk(file: h5py.File, name: str, place: Place) -> None:
    """Store ten numbers in a chunk that unpacks to 3 GiB."""
    made = file.create_dataset(name, (10,), "f4", chunks=(3 * 2**28,), maxshape=(None,), compression="gzip")
    made.id.write_direct_chunk((0,), zlib.compress(bytes(2**20), 9))


def swelling_chunk(file: h5py.File, name: str, place: Place) -> None:
    """Store 1 MiB whose only chunk unpacks to 512 MiB all the same."""
    made = file.create_dataset(name, (2**18,), "f4", chunks=(2**18,), compression="gzip")
    packer, block = zlib.compressobj(9), bytes(2**20)
    packed = b"".join(packer.compress(block) for _ in range(512)) + packer.flush()
    made.id.write_direct_chunk((0,), packed)


def cycles(file: h5py.File, place: Place) -> None:
    """Link groups into themselves and into each other."""
    for key in ("layers/conv2d", "layers/dense"):
        file[key]["again"] = file[key]
        file[key]["and_again"] = file["layers"]


def undescribed_cycles(file: h5py.File, place: Place) -> None:
    file["layers/conv2d/self"] = file["layers"]
    file["layers/other"] = file["layers"]


def many_groups(parent: str, count: int = 60_000) -> Edit:
    """Return the edit that adds empty groups."""

    def edit(file: h5py.File, place: Place) -> None:
        group = file.require_group(parent)
        for number in range(count):
            h5py.h5g.create(group.id, f"g{number}".encode())

    return edit


def nested_groups(parent: str, count: int = 3000) -> Edit:
    """Return the edit that adds groups inside groups."""

    def edit(file: h5py.File, place: Place) -> None:
        group = file.require_group(parent).id
        for _ in range(count):
            group = h5py.h5g.create(group, b"g")

    return edit


def attribute(where: str, name: str, value: Any) -> Edit:
    def edit(file: h5py.File, place: Place) -> None:
        if value is None:
            del file[where].attrs[name]
        else:
            file[where].attrs[name] = value

    return edit


def repeated_names(file: h5py.File, place: Place) -> None:
    """List one array half a million times, in pieces as Keras does."""
    attrs = file["model_weights/out"].attrs
    del attrs["weight_names"]
    for number in range(100):
        attrs[f"weight_names{number}"] = np.array([b"out/kernel:0"] * 5000)


def values(value: Any) -> Edit:
    """Return the edit that stores other numbers for the first kernel."""
    return replaced(KERNEL, lambda file, name, place: file.create_dataset(name, data=value))


def long_config(file: h5py.File, place: Place) -> None:
    file.attrs["model_config"] = json.dumps(files.MODEL) + " " * 80_000_000


WEIGHT_NAMES = "model_weights/out"

ATTACKS: tuple[Attack, ...] = (
    refused("external-storage.keras", "another file", in_keras(replaced(KERNEL, external))),
    refused("external-storage.h5", "another file", in_hdf5(replaced(LEGACY, external))),
    refused("external-storage.weights.h5", "another file", in_weights(replaced(KERNEL, external))),
    refused("virtual-dataset.keras", "another file", in_keras(replaced(KERNEL, virtual))),
    refused("virtual-dataset.h5", "another file", in_hdf5(replaced(LEGACY, virtual))),
    refused("external-link.keras", "another place", in_keras(replaced(KERNEL, link(None, outside=True)))),
    refused("external-link.h5", "another place", in_hdf5(replaced("model_weights/out", link(None, outside=True)))),
    refused("external-link-layers.weights.h5", "another place", in_weights(
        lambda f, p: (f.move("layers", "moved"), f.__setitem__("layers", h5py.ExternalLink(str(p.foreign), "/"))))),
    refused("soft-link-to-itself.keras", "another place", in_keras(replaced(KERNEL, link(None)))),
    refused("soft-link-up.h5", "another place", in_hdf5(replaced(LEGACY, link("/model_weights/out")))),
    refused("shape-four-tebibyte.keras", "4096.0 GiB", in_keras(replaced(KERNEL, declared(2**20, 2**20)))),
    refused("shape-four-tebibyte.h5", "4096.0 GiB", in_hdf5(replaced(LEGACY, declared(2**20, 2**20)))),
    refused("shape-three-gibibyte.h5", "3.0 GiB", in_hdf5(replaced(LEGACY, declared(3 * 2**10, 2**18)))),
    refused("shape-three-gibibyte.weights.h5", "3.0 GiB", in_weights(replaced(KERNEL, declared(3 * 2**10, 2**18)))),
    refused("stored-zeros.h5", "1.5 GiB", in_hdf5(replaced(LEGACY, stored_zeros))),
    refused("packed-twice.keras", "the arrays take 1.9 GiB", lambda p: (
        in_keras(replaced(KERNEL, packed_twice))(p), repack(p))),
    refused("large-chunk.h5", "chunk|pieces", in_hdf5(replaced(LEGACY, large_chunk))),
    refused("swelling-chunk.h5", "unpack", in_hdf5(replaced(LEGACY, swelling_chunk))),
    Attack("group-cycles.keras", in_keras(cycles, 111), ("reported", "weights only"), "conv_b"),
    Attack("group-cycles.weights.h5", in_weights(undescribed_cycles, 112), ("reported", "weights only"), "weights"),
    reported("sixty-thousand-groups.keras", in_keras(many_groups("layers"), 113, libver="latest")),
    reported("sixty-thousand-groups.h5", in_hdf5(many_groups("model_weights", 20_000), 114)),
    refused("sixty-thousand-groups.weights.h5", "groups", in_weights(many_groups("layers"), libver="latest")),
    refused("nested-groups.weights.h5", "deep", in_weights(nested_groups("layers/conv2d"))),
    reported("nested-groups.keras", in_keras(nested_groups("layers/unknown"), 115)),
    refused("config-eighty-megabyte.h5", "model_config is", in_hdf5(long_config)),
    refused("config-numbers.h5", "text", in_hdf5(attribute("/", "model_config", np.arange(3)))),
    refused("config-cut.h5", "no JSON", in_hdf5(attribute("/", "model_config", '{"class_name": "Seq'))),
    refused("no-layer-names.h5", "layer_names", in_hdf5(attribute("model_weights", "layer_names", None))),
    refused("no-weight-names.h5", "weight_names", in_hdf5(attribute(WEIGHT_NAMES, "weight_names", None))),
    refused("weight-names-numbers.h5", "text", in_hdf5(attribute(WEIGHT_NAMES, "weight_names", np.arange(3)))),
    refused("weight-names-a-number.h5", "list|text", in_hdf5(attribute(WEIGHT_NAMES, "weight_names", 3))),
    refused("weight-names-outside.h5", "no array", in_hdf5(
        attribute(WEIGHT_NAMES, "weight_names", np.array([b"../../../etc/passwd"])))),
    refused("weight-names-repeated.h5", "lists .* names", in_hdf5(repeated_names)),
    refused("array-of-text.h5", "no plain numbers", in_hdf5(replaced(
        LEGACY, lambda f, n, p: f.create_dataset(n, data=np.array([b"a"]))))),
    refused("array-complex.keras", "no plain numbers", in_keras(values(np.zeros((3, 3, 1, 4), complex)))),
    refused("array-object-reference.keras", "no plain numbers", in_keras(replaced(
        KERNEL, lambda f, n, p: f.create_dataset(n, data=f["layers"].ref, dtype=h5py.ref_dtype)))),
    refused("array-a-group.keras", "no array", in_keras(replaced(KERNEL, lambda f, n, p: f.create_group(n)))),
    refused("array-no-space.keras", "empty dataspace", in_keras(values(h5py.Empty("f4")))),
    Attack("kernel-one-row-short.keras", in_keras(values(np.ones((2, 3, 1, 4), "f4"))), ("weights only",),
           "conv_b.*3, 3"),
    Attack("bias-of-nothing.keras", in_keras(replaced(
        "layers/dense/vars/1", lambda f, n, p: f.create_dataset(n, data=np.zeros(0, "f4")))), ("weights only",), "out"),
    Attack("one-array-too-many.keras", in_keras(lambda f, p: f.create_dataset("layers/dense/vars/2", data=[1.0])),
           ("weights only",), "out has 3 arrays"),
    reported("weights-nan.keras", in_keras(values(np.full((3, 3, 1, 4), np.nan, "f4")))),
    reported("weights-infinite.keras", in_keras(values(np.full((3, 3, 1, 4), -np.inf, "f4")))),
    reported("weights-largest.keras", in_keras(values(np.full((3, 3, 1, 4), 3e38, "f4")))),
    reported("weights-double-huge.keras", in_keras(values(np.full((3, 3, 1, 4), 1e300)))),
)  # fmt: skip


def repack(place: Place) -> None:
    """Deflate the members of a `.keras` file."""
    import zipfile

    with zipfile.ZipFile(place.path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(place.path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)
