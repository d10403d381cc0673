"""What a file is that is no checkpoint: passed over silently, or named with what to do."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from reportgen.checkpoints.hdf5 import find_hdf5, is_group, is_hdf5, open_hdf5
from reportgen.checkpoints.walk import Found, folder_kind
from reportgen.checkpoints.zip_files import check_directory
from reportgen.errors import CheckpointError

OTHER_SUFFIXES = frozenset({
    ".csv", ".tsv", ".json", ".jsonl", ".txt", ".md", ".rst", ".log", ".out", ".err", ".yaml", ".yml", ".toml",
    ".ini", ".cfg", ".py", ".ipynb", ".sh", ".slurm", ".sub", ".html", ".htm", ".pdf", ".tex", ".bib", ".png",
    ".jpg", ".jpeg", ".gif", ".svg", ".tif", ".tiff", ".bmp", ".fits", ".fit", ".fz", ".npy", ".npz", ".dat",
    ".xml", ".lock", ".db", ".sqlite", ".mp4", ".parquet", ".feather", ".v2",
})  # fmt: skip
"""What a training run keeps beside its checkpoints; such files are not even opened."""

MODEL_SUFFIXES = frozenset({
    ".h5", ".hdf5", ".hdf", ".keras", ".ckpt", ".checkpoint", ".weights", ".model", ".pb", ".tflite", ".pt", ".pth",
    ".pkl", ".pickle", ".joblib", ".onnx", ".safetensors", ".index", ".tf",
})  # fmt: skip
"""Files of these names were meant to be checkpoints, whatever is in them."""

_WANTED = "a Keras checkpoint: .keras, or HDF5"
_CONTENTS: tuple[tuple[bytes, int, str, str], ...] = (
    (b"version https://git-lfs", 0, "a pointer of git-lfs, not the file itself", "Fetch it with git lfs pull."),
    (b"TFL3", 4, "a TFLite model", "TFLite cannot be turned back. Give the Keras model it was converted from."),
    (b"\x1f\x8b", 0, "compressed by gzip", "Unpack it with gunzip."),
    (b"BZh", 0, "compressed by bzip2", "Unpack it with bunzip2."),
    (b"\xfd7zXZ", 0, "compressed by xz", "Unpack it with unxz."),
)
"""(first bytes, their place, what it is, what to do)."""
_KERAS = frozenset({
    "layers", "_layer_checkpoint_dependencies", "vars", "optimizer", "model_weights", "optimizer_weights",
    "top_level_model_weights", "keras_version", "backend", "model_config", "training_config", "layer_names",
})  # fmt: skip
"""Groups and attributes at the root of HDF5 that Keras writes: with one of them, arrays are no images of the user's."""


def looks_meant(file: str) -> bool:
    """Return whether a file's name says that it is to be a checkpoint."""
    name = PurePosixPath(file).name.lower()
    return PurePosixPath(name).suffix in MODEL_SUFFIXES or name.startswith("highest_weight") or _is_aside(name)


def _is_aside(name: str) -> bool:
    """Return whether a name is that of data, or of the list of parts, of a checkpoint in several files."""
    return ".data-0" in name or name.endswith(".weights.json")


def refusal(found: Found, head: bytes) -> CheckpointError | None:
    """Return why an entry that no format recognises cannot be used, or None where it is simply something else."""
    meant = looks_meant(found.file)
    if found.kind == "model folder":
        return _refuse(folder_kind(found.path) or "a folder", "Save the model as one .keras or .h5 file.")
    if found.kind == "link":
        return _refuse("a link that leads elsewhere", "Copy the file itself into the run folder.") if meant else None
    if found.kind == "other":
        return _refuse("no regular file", "Leave it out with run.checkpoints.") if meant else None
    if not found.size:
        return _refuse("empty (0 byte)", "Writing it failed, or is not done yet. Delete it.") if meant else None
    for start, place, title, advice in _CONTENTS:
        if head[place:].startswith(start):
            return _refuse(title, advice) if meant or place else None
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and head[1:2]:
        return _pickle(found, meant)
    if head.startswith(b"PK\x03\x04"):
        return _zip(found.path, meant)
    if is_hdf5(head):
        return _hdf5(found, meant)
    if not meant:
        return None
    name = PurePosixPath(found.file).name
    if ".data-0" in name:
        if found.path.with_name(name.partition(".data-0")[0] + ".index").exists():
            return None  # told once, by its .index
        return _refuse("the data of a TensorFlow checkpoint without its .index", "Copy the .index file beside it.")
    if name.lower().endswith(".weights.json"):
        return _refuse("a list of parts that names none", "Copy it again with its parts, or leave it out.")
    if name.endswith(".index"):
        return _refuse("a damaged index of a TensorFlow checkpoint", "Copy it again, or leave it out.")
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return _refuse("a web page", "The download gave an error page. Fetch the file again.")
    if not set(head) & set(range(9)) and _is_text(head):
        return _refuse("a text file", "Leave it out with run.checkpoints, or rename it.")
    return _refuse(f"of a kind that is not known ({head[:8]!r} …)", "Leave it out with run.checkpoints.")


def _refuse(kind: str, advice: str) -> CheckpointError:
    """Return the error that names a kind of file."""
    return CheckpointError(f"cannot be used: {kind}", expected=_WANTED, received=kind, advice=advice)


def _pickle(found: Found, meant: bool) -> CheckpointError | None:
    """Return the error for a pickle; one that holds a history is none of ours."""
    if "hist" in found.file.lower() or (not meant and PurePosixPath(found.file).suffix):
        return None
    advice = "A pickle can run code and is never opened. Save the model as .keras."
    return _refuse("a Python pickle", advice)


def _zip(path: Path, meant: bool) -> CheckpointError | None:
    """Return the error for a zip file without a Keras model."""
    try:
        check_directory(path)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except CheckpointError:
        if meant:
            raise
        return None
    except (zipfile.BadZipFile, OSError, ValueError):
        return _refuse("a truncated or damaged zip file", "Copy it again, or wait until it is written.")
    if any(name.endswith("data.pkl") for name in names):
        return _refuse("a PyTorch file", "PyTorch files are pickles and are never opened. Give the Keras model.")
    return _refuse("a zip file without a Keras model inside", "Leave it out with run.checkpoints.") if meant else None


def _hdf5(found: Found, meant: bool) -> CheckpointError | None:
    """Return the error for an HDF5 file without Keras weights; our own files and arrays of images are passed over."""
    with open_hdf5(found.path) as file:
        inside = list(file)[:100]
        arrays = any(not is_group(find_hdf5(file, name)) for name in inside)
        keras = not _KERAS.isdisjoint(inside) or not _KERAS.isdisjoint(file.attrs)
        if "about" in file.attrs or (arrays and not keras and not found.file.endswith((".keras", ".weights.h5"))):
            return None
    advice = "Was it saved by something else than Keras? Leave it out with run.checkpoints."
    return _refuse("an HDF5 file without Keras' lists of layers", advice) if meant else None


def _is_text(head: bytes) -> bool:
    """Return whether bytes are text in UTF-8, the last character perhaps cut."""
    try:
        head[:-4].decode()
    except UnicodeDecodeError:
        return False
    return True
