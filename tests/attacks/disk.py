"""What lies on the disk under the name of a checkpoint and is none: links, pipes, folders, other files, halves."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import socket
from pathlib import Path

import h5py
import numpy as np

import checkpoint_files as files
from attacks.attack import Attack, Place, refused, reported


class Payload:
    """A pickle of it makes the marker when it is opened."""

    def __init__(self, marker: Path) -> None:
        self.code = f"open({str(marker)!r}, 'w').close()"

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (self.code,)


def content(data: bytes) -> object:
    """Return what writes those bytes."""
    return lambda place: place.path.write_bytes(data)


def named_socket(place: Place) -> None:
    """Write a socket; its address must be short, so the folder is reached by its number."""
    folder = os.open(place.path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{folder}/{place.path.name}")
    finally:
        os.close(folder)


def link_outside(place: Place) -> None:
    """Write a link to a whole model that is not in the run folder."""
    target = place.foreign.with_name("outside.h5")
    files.write_hdf5(target, seed=90)
    place.path.symlink_to(target)


def sibling(place: Place) -> None:
    """Write a model and a link to it: it is told of once."""
    own = files.write_hdf5(place.beside("linked-to.h5"), seed=91)
    place.path.symlink_to(own.name)


def folder_of_links(place: Place) -> None:
    """Write an unzipped model whose members are links out of the run."""
    place.path.mkdir()
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (place.path / name).symlink_to(place.foreign)


def deep_folder(place: Place) -> None:
    """Write a checkpoint 60 folders deep."""
    path = place.path
    for _ in range(60):
        path = path / "d"
    path.mkdir(parents=True)
    files.write_hdf5(path / "unreachable.h5", seed=92)


def pytorch(place: Place) -> None:
    """Write a zip file as torch.save makes it, with a payload."""
    files.write_zip(place.path, {"archive/data.pkl": pickle.dumps(Payload(place.marker)), "archive/version": b"3"})


def npz(place: Place) -> None:
    """Write an npz file of pickled objects, with a payload."""
    data = io.BytesIO()
    np.savez(data, weights=np.array([Payload(place.marker)], dtype=object))
    place.path.write_bytes(data.getvalue())


def half(write: object, part: float) -> object:
    """Return what writes the first part of a file."""

    def cut(place: Place) -> None:
        write(place.path)
        data = place.path.read_bytes()
        place.path.write_bytes(data[: int(len(data) * part)])

    return cut


def writer_flag(place: Place) -> None:
    """Write HDF5 as it lies on the disk while a process is writing it."""
    files.write_hdf5(place.path)
    whole = place.path.read_bytes()
    with h5py.File(place.path, "w", libver="latest") as file:
        file.attrs["model_config"] = "{}"
        file["padding"] = np.frombuffer(whole, "u1")
        file.flush()
        data = place.path.read_bytes()
    place.path.write_bytes(data)


def flipped(place: Place) -> None:
    """Write a `.keras` file with 200 random bits turned over."""
    files.write_keras(place.path)
    data = bytearray(place.path.read_bytes())
    for spot in np.random.default_rng(0).integers(0, len(data), 200):
        data[spot] ^= 1 << int(spot) % 8
    place.path.write_bytes(data)


def damaged_header(place: Place) -> None:
    """Write HDF5 whose superblock is damaged behind its signature."""
    files.write_hdf5(place.path)
    data = bytearray(place.path.read_bytes())
    data[8:96] = b"\xff" * 88
    place.path.write_bytes(data)


def keras_named_hdf5(place: Place) -> None:
    files.write_keras(place.path, seed=93)


def hdf5_named_keras(place: Place) -> None:
    files.write_hdf5(place.path, seed=94)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"

ATTACKS: tuple[Attack, ...] = (
    refused("empty-file.h5", "empty", content(b"")),
    refused("plain-text.h5", "text file", content(b"epoch 1: loss 0.3\n" * 20)),
    refused("web-page.keras", "web page", content(b"<!DOCTYPE html><html><body>404 <script>alert(1)</script>")),
    refused("lfs-pointer.h5", "git-lfs", content(LFS)),
    refused("pickle-payload.h5", "pickle", lambda p: p.path.write_bytes(pickle.dumps(Payload(p.marker)))),
    refused(
        "pickle-old.keras", "pickle|text file|kind", lambda p: p.path.write_bytes(pickle.dumps(Payload(p.marker), 0))
    ),
    refused("pytorch-payload.h5", "PyTorch", pytorch),
    refused("npz-payload.keras", "zip file without", npz),
    refused("tflite.h5", "TFLite", content(b"\x1c\0\0\0TFL3" + bytes(200))),
    refused("gzip.h5", "gzip", content(gzip.compress(b"weights" * 50, mtime=0))),
    refused("noise.h5", "not known", content(np.random.default_rng(1).bytes(4000))),
    refused("folder.h5", "folder", lambda p: p.path.mkdir()),
    refused("folder-empty.keras", "folder", lambda p: p.path.mkdir()),
    refused("folder-of-links.keras", "folder|link", folder_of_links),
    Attack("deep-folder", deep_folder, ("passed over",)),
    refused("pipe.h5", "no regular file", lambda p: os.mkfifo(p.path)),
    refused("socket.keras", "no regular file", named_socket),
    refused("link-to-system-file.h5", "link", lambda p: p.path.symlink_to("/etc/passwd")),
    refused("link-to-foreign-text.keras", "link", lambda p: p.path.symlink_to(p.foreign)),
    refused("link-to-itself.keras", "link", lambda p: p.path.symlink_to(p.path.name)),
    refused("link-to-model-outside.h5", "link", link_outside),
    refused("link-to-device.h5", "link", lambda p: p.path.symlink_to("/dev/zero")),
    Attack("link-to-sibling.keras", sibling, ("passed over",)),
    refused("half-hdf5.h5", "truncated", half(files.write_hdf5, 0.5)),
    refused("half-zip.keras", "truncated|damaged", half(files.write_keras, 0.5)),
    refused("signature-alone.h5", "damaged|truncated", content(b"\x89HDF\r\n\x1a\n")),
    refused("damaged-header.h5", "damaged", damaged_header),
    refused("flipped-bits.keras", "damaged|truncated|zip file without", flipped),
    refused("writer-flag.h5", "still being written", writer_flag),
    reported("zip-named.h5", keras_named_hdf5),
    reported("hdf5-named.keras", hdf5_named_keras),
    reported("highest_weight", lambda p: files.write_hdf5(p.path, seed=95)),
)
