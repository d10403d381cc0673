"""Runs of any length and probe sets of any size, made from one trained checkpoint and a few pictures by code."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np


def write_checkpoints(source: Path, folder: Path, count: int) -> None:
    """Write `count` perturbed copies of a .keras file, `epoch-001.keras` and on, and a history that goes with them."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rng = np.random.default_rng(7)
    for epoch in range(1, count + 1):
        data = io.BytesIO(members["model.weights.h5"])
        with h5py.File(data, "r+") as file:
            _perturb(file, rng, 0.3 * (1 - epoch / (count + 1)))
        with zipfile.ZipFile(folder / f"epoch-{epoch:03d}.keras", "w") as archive:
            for name, content in {**members, "model.weights.h5": data.getvalue()}.items():
                archive.writestr(zipfile.ZipInfo(name), content)
    losses = [f"{e},{1 / e + 0.1:.4f},{1 / e + 0.2 + 0.001 * e:.4f}" for e in range(1, count + 1)]
    (folder / "history.csv").write_text("\n".join(["epoch,loss,val_loss", *losses]) + "\n")


def _perturb(group: h5py.Group, rng: np.random.Generator, size: float) -> None:
    """Add noise of `size` times their spread to all arrays of floats, below a group; moving variances stay positive."""
    for item in group.values():
        if isinstance(item, h5py.Group):
            _perturb(item, rng, size)
        elif item.dtype.kind == "f" and item.size:
            values = item[()]
            noisy = values + size * (values.std() or 0.01) * rng.standard_normal(values.shape).astype(values.dtype)
            item[...] = np.abs(noisy) if (values >= 0).all() else noisy


def write_probes(pictures: np.ndarray, labels: list[str], folder: Path, count: int) -> None:
    """Write `probes.npy` and `probes.csv`: pictures `(picture, y, x, band)` turned and with noise, `count` of them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    out = np.lib.format.open_memmap(folder / "probes.npy", "w+", np.float32, (count, *pictures.shape[1:]))
    rows = ["id,label,brightness"]
    for i in range(count):
        one = np.rot90(pictures[i % len(pictures)], i // len(pictures) % 4)
        scale = 1.0 if i < len(pictures) else float(rng.uniform(0.7, 1.4))
        noise = rng.standard_normal(one.shape, np.float32) * (0 if i < len(pictures) else one.std() * 0.02)
        out[i] = one * scale + noise
        rows.append(f"probe-{i:05d},{labels[i % len(labels)]},{scale:.4f}")
    out.flush()
    (folder / "probes.csv").write_text("\n".join(rows) + "\n")
