"""Checkpoints of several files or in an npz: `.keras` folders, weights in parts, pickled arrays; broken or hostile."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

import checkpoint_files as files
import valid_checkpoints as valid
from attacks.attack import Attack, Place, refused, reported
from attacks.disk import Payload


def folder(edit: Callable[[Path, Place], object]) -> Callable[[Place], None]:
    """Return what writes an unzipped model and tampers with it."""

    def write(place: Place) -> None:
        edit(valid.unzipped(place.path.parent, place.path.name), place)

    return write


def replaced(member: str, make: Callable[[Path, Place], object]) -> Callable[[Place], None]:
    """Return what writes an unzipped model in which another thing has the place of one member."""

    def edit(path: Path, place: Place) -> None:
        (path / member).unlink()
        make(path / member, place)

    return folder(edit)


def crowded(path: Path, place: Place) -> None:
    """Put 20,000 files beside the members."""
    for number in range(20_000):
        (path / f"x{number}").touch()


def sparse(path: Path, place: Place) -> None:
    """Let the weights say they have 5 GiB."""
    os.truncate(path / "model.weights.h5", 5 * 2**30)


def parts(edit: Callable[[Place, list[Path]], object]) -> Callable[[Place], None]:
    """Return what writes weights in two parts, of which the list or the parts were tampered with."""

    def write(place: Place) -> None:
        name = place.path.name.removesuffix(".weights.json")
        valid.sharded(place.path.parent, name)
        edit(place, sorted(place.path.parent.glob(f"{name}_*.weights.h5")))

    return write


def listing(*names: str) -> Callable[[Place], None]:
    """Return what writes a list of parts that names those."""

    def write(place: Place) -> None:
        listed = {f"/layers/conv2d_{i}/vars": name for i, name in enumerate(names)}
        place.path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": listed}))

    return write


def part_a_link(place: Place, found: list[Path]) -> None:
    """Let one part be a link to another model's weights outside."""
    outside = place.foreign.with_name("outside.h5")
    files.write_hdf5(outside, seed=90)
    found[0].unlink()
    found[0].symlink_to(outside)


def part_twice(place: Place, found: list[Path]) -> None:
    """Put arrays of one part into the other as well."""
    with h5py.File(found[0]) as source, h5py.File(found[1], "a") as target:
        for layer in source["layers"]:
            source.copy(f"layers/{layer}", target["layers"])


def part_cut(place: Place, found: list[Path]) -> None:
    found[0].write_bytes(found[0].read_bytes()[:500])


def npz(groups: dict[str, object]) -> Callable[[Place], None]:
    """Return what writes a `.keras` file whose weights are an npz with those groups."""

    def write(place: Place) -> None:
        files.write_zip(place.path, {**valid.npz_members(), "model.weights.npz": valid.npz_of(groups)})

    return write


def npz_of_code(place: Place) -> None:
    """Write an npz one of whose arrays is code that makes the marker."""
    npz({"layers/conv2d": {"0": Payload(place.marker)}})(place)


def npz_in_pieces(place: Place) -> None:
    """Write an npz that ends in the middle."""
    whole = valid.npz_of({"layers/conv2d": {"0": np.ones(4, "f4")}})
    files.write_zip(place.path, {**valid.npz_members(), "model.weights.npz": whole[: len(whole) // 2]})


def deep_pickle(place: Place) -> None:
    """Write an npz whose pickle is a tuple in a tuple, 900,000 times."""
    data = b"\x80\x03)" + b"\x85" * 900_000 + b"."
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data
    inner = place.beside("inner.npz")
    files.write_zip(inner, {"layers/conv2d.npy": npy})
    files.write_zip(place.path, {**valid.npz_members(), "model.weights.npz": inner.read_bytes()})
    inner.unlink()


MIB_OF_ONES = np.ones(2**18, "f4")
OUTSIDE = "names a part that is no file beside it"

ATTACKS: tuple[Attack, ...] = (
    reported("folder-whole", folder(lambda path, place: None)),
    reported("folder-named.keras", folder(lambda path, place: None)),
    refused(
        "folder-weights-a-link", "link", replaced("model.weights.h5", lambda p, place: p.symlink_to(place.foreign))
    ),
    refused("folder-config-a-pipe", "no regular file", replaced("config.json", lambda p, place: os.mkfifo(p))),
    refused("folder-config-a-folder", "no regular file", replaced("config.json", lambda p, place: p.mkdir())),
    refused("folder-config-nested", "nested", replaced("config.json", lambda p, place: p.write_bytes(b"[" * 100_000))),
    refused("folder-config-long", "MiB", replaced("config.json", lambda p, place: p.write_bytes(b" " * 2**25))),
    refused("folder-crowded", "far too many files", folder(crowded)),
    refused("folder-sparse", "GiB", folder(sparse)),
    refused("parts-outside.weights.json", OUTSIDE, listing("../outside.weights.h5", "/etc/x.weights.h5")),
    refused("parts-of-a-drive.weights.json", OUTSIDE, listing("c:x.weights.h5", "a\\b.weights.h5")),
    refused("parts-text.weights.json", "names none", listing("../../foreign.txt", "/etc/passwd")),
    refused("parts-missing.weights.json", "there is no not-there", listing("not-there_00000.weights.h5")),
    refused("parts-itself.weights.json", "names none", listing("parts-itself.weights.json")),
    refused("parts-thousands.weights.json", "5000 parts", listing(*(f"p{n}.weights.h5" for n in range(5000)))),
    refused("parts-a-link.weights.json", "link", parts(part_a_link)),
    refused("parts-twice.weights.json", "in one part|and in", parts(part_twice)),
    refused("parts-cut.weights.json", "truncated|damaged", parts(part_cut)),
    refused("npz-code.keras", "never run", npz_of_code),
    refused(
        "npz-one-array-often.keras", "arrays of", npz({"layers/conv2d": {str(n): MIB_OF_ONES for n in range(600)}})
    ),
    refused("npz-cut.keras", "damaged npz", npz_in_pieces),
    refused("npz-deep.keras", "not as Keras writes them", deep_pickle),
    refused("npz-texts.keras", "not as Keras writes them", npz({"layers/conv2d": {"0": "x" * 10**6}})),
    refused("npz-many-groups.keras", "members", npz({f"g{n}": {} for n in range(12_000)})),
)
