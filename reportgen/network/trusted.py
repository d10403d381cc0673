"""Files that their user vouches for, loaded by Keras itself: code in them may run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from reportgen.errors import NetworkError
from reportgen.network.engine import KerasLayer, start_tensorflow

SUFFIXES = {"keras": ".keras", "hdf5": ".h5"}
"""Key of FORMATS → the suffix by which alone Keras 3 tells formats."""


def load_trusted(source: Path | bytes, format: str) -> KerasLayer:
    """Return the model Keras makes of a file, or of its content, code in it included; for `run.trust: true` alone.

    `format` is a key of FORMATS. Raises NetworkError where Keras cannot load it.
    """
    suffix = SUFFIXES.get(format)
    if suffix is None:
        raise NetworkError(
            "Keras cannot load a network from this format", expected="a whole model: .keras or HDF5", received=format,
            advice="run.trust does not help here. Give run.model: your_file.py:build_model.",
        )  # fmt: skip
    start_tensorflow()
    import keras

    with tempfile.TemporaryDirectory(prefix="reportgen-") as folder:
        copy = Path(folder) / f"model{suffix}"
        try:
            if isinstance(source, bytes):
                copy.write_bytes(source)
            else:
                _share(source.resolve(), copy)
            return keras.saving.load_model(copy, compile=False, safe_mode=False)
        except Exception as error:  # whatever the code in the file raises
            raise NetworkError(
                "Keras cannot load the file either", expected=f"a model of Keras {keras.__version__}, or near it",
                received=f"{type(error).__name__}: {error}",
                advice="Its classes are not in the file. Give run.model: your_file.py:build_model.",
            ) from error  # fmt: skip


def _share(source: Path, copy: Path) -> None:
    """Give a file a second name; a copy where the disk cannot."""
    try:
        os.link(source, copy)
    except OSError:
        shutil.copyfile(source, copy)
