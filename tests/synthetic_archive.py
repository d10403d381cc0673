"""An archive of many reports, manifests alone, made by code."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from reportgen.figures import png

VERDICTS = ("pass", "warn", "fail", "partial")


def write_archive(archive: Path, reports: int, runs: int, seed: int = 1) -> list[dict]:
    """Write the manifests of so many reports, spread over the runs, and return them, the oldest first."""
    rng = np.random.default_rng(seed)
    made = []
    pictures = [picture(rng) for _ in range(min(reports, 40))]
    for i in range(reports):
        run, day, clock = f"run-{i % runs:03d}", 1 + i // 3600 % 28, f"{i // 60 % 60:02d}{i % 60:02d}"
        epochs = list(range(1, 31))
        values = (1 / np.sqrt(epochs) + rng.normal(0, 0.03, 30)).round(5).tolist()
        best = int(np.argmin(values))
        files = {f"report.{kind}": {"sha256": "0" * 64, "size": 1} for kind in ("html", "pdf", "json")}
        pages = {f"extraction/epoch-{e:03d}.h5": {"sha256": f"{e:064x}", "size": 10**6} for e in epochs}
        manifest = {
            "schema": 1, "id": f"202601{day:02d}-12{clock}-{i:08x}", "run": run, "title": f"Training {i % runs}",
            "verdict": VERDICTS[i % 4], "banners": ["PARTIAL"] if i % 4 == 3 else [], "probes": "ab" * 32,
            "failures": [{}] * (i % 4 == 3), "files": files | pages, "inputs": {},
            "started": "2026-01-01T12:00:00+00:00",
            "summary": {
                "measured": 30, "checkpoints": 30, "monitor": "val_loss", "value": values[best], "best_epoch": best + 1,
                "best": f"epoch-{best + 1:03d}.keras", "score": None,
                "confusion": {"accuracy": round(float(rng.uniform(0.5, 1)), 4), "n": 64},
            },
            "course": {"name": "val_loss", "epochs": epochs, "values": values},
            "thumbnail": pictures[i % len(pictures)],
            "provenance": {"command": "reportgen run mine.yaml", "versions": {"reportgen": "0.1.0"}},
        }  # fmt: skip
        folder = archive / run / manifest["id"]
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
        made.append(manifest)
    return made


def picture(rng: np.random.Generator) -> str:
    """Return a blob on noise beside its negative, as large as a thumbnail."""
    y, x = np.mgrid[:48, :48]
    blob = np.exp(-((y - rng.uniform(16, 32)) ** 2 + (x - rng.uniform(16, 32)) ** 2) / rng.uniform(20, 120))
    grey = np.clip(255 * (0.8 * blob + rng.uniform(0, 0.2, blob.shape)), 0, 255).astype(np.uint8)
    return base64.b64encode(png(np.concatenate([grey, 255 - grey], axis=1)).data).decode()
