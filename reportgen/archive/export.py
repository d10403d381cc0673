"""A report as one zip with RO-Crate metadata, for Zenodo and the like: the same report is the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from reportgen.archive.manifest import NAME, read_manifest
from reportgen.archive.verify import verify_report
from reportgen.disk import whole
from reportgen.errors import ArchiveError

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

METADATA = "ro-crate-metadata.json"
MEDIA = {
    ".html": "text/html", ".pdf": "application/pdf", ".json": "application/json", ".yaml": "application/yaml",
    ".h5": "application/x-hdf5", ".png": "image/png", ".sh": "application/x-sh", ".log": "text/plain",
}  # fmt: skip
WHEN = (1980, 1, 1, 0, 0, 0)
"""Time of every file in the zip: the earliest it can hold."""


def export(folder: Path, target: Path, license: str = "") -> Path:
    """Write a report as a zip; raise ArchiveError where the report is not what was filed, or the zip no crate."""
    verified = verify_report(folder)
    if not verified.whole:
        bad = [f"{name} is {state}" for name, state in verified.files.items() if state != "unchanged"]
        raise ArchiveError(
            "a report that is not what was filed is not exported", where=str(folder),
            expected="every file as the manifest says", received=verified.problem or "; ".join(bad[:5]),
            advice=f"See `reportgen verify {folder}`; draw it again with `reportgen render`.",
        )  # fmt: skip
    manifest = read_manifest(folder)
    names = sorted([*manifest["files"], NAME])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        _add(file, METADATA, metadata(folder, manifest, license).encode("utf-8"))
        for name in names:
            _add(file, name, (folder / name).read_bytes())
    _read_back(buffer.getvalue(), names)
    with whole(target) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return target


def metadata(folder: Path, manifest: Mapping[str, Any], license: str = "") -> str:
    """Return ro-crate-metadata.json of a report (RO-Crate, Soiland-Reyes et al. 2022, doi:10.3233/DS-210053)."""
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    when = str(manifest.get("started", ""))
    versions = manifest.get("provenance", {}).get("versions", {})
    crate.name = str(manifest["title"])
    crate.description = (
        f"Report {manifest['id']} of reportgen on the training run {manifest['run']}: weights, feature maps and "
        f"predictions of its checkpoints on probe set {str(manifest['probes'])[:12]}, with the extractions it can be "
        f"drawn from again. Verdict: {manifest['verdict'] or 'none'}."
    )
    # The package would take the time of the export; the report was made when it was made.
    crate.root_dataset["datePublished"] = when or "1980-01-01"
    crate.root_dataset["identifier"] = str(manifest["id"])
    crate.license = license or "No license was given."
    version = str(versions.get("reportgen", ""))
    software = crate.add(
        ContextEntity(crate, "#reportgen", {"@type": "SoftwareApplication", "name": "reportgen", "version": version})
    )
    results = [_describe(crate, folder, name, manifest) for name in sorted([*manifest["files"], NAME])]
    inputs = [
        crate.add(ContextEntity(crate, f"#input-{key}-{i}", {"@type": "CreativeWork", "name": name,
                  "identifier": f"sha256:{about['sha256']}"}))
        for key in ("inputs", "probe_files", "reports")
        for i, (name, about) in enumerate(sorted(manifest.get(key, {}).items()))
    ]  # fmt: skip
    properties = {"@type": "CreateAction", "name": str(manifest.get("provenance", {}).get("command", "reportgen"))}
    action = crate.add(ContextEntity(crate, "#made", properties | ({"startTime": when} if when else {})))
    action["instrument"], action["object"], action["result"] = software, inputs, results
    crate.root_dataset["mentions"] = action
    crate.root_dataset["mainEntity"] = next((r for r in results if r.id == "report.html"), results[0])
    content = crate.metadata.generate()
    content["@graph"] = sorted(content["@graph"], key=lambda entity: str(entity["@id"]))
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _describe(crate: ROCrate, folder: Path, name: str, manifest: Mapping[str, Any]) -> Any:
    about = manifest["files"].get(name, {})
    properties = {
        "name": name, "encodingFormat": MEDIA.get(Path(name).suffix, "application/octet-stream"),
        "contentSize": str((folder / name).stat().st_size),
    }  # fmt: skip
    return crate.add_file(folder / name, name, properties=properties | ({"sha256": about["sha256"]} if about else {}))


def _add(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    about = zipfile.ZipInfo(name, WHEN)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o644 << 16
    about.create_system = 3  # as on Linux, wherever it is made
    file.writestr(about, content)


def _read_back(content: bytes, names: list[str]) -> None:
    """Open the zip as others will; raise ArchiveError where a file of the report is missing in its metadata."""
    from rocrate.rocrate import ROCrate

    with TemporaryDirectory(prefix="reportgen-") as scratch:
        path = Path(scratch) / "crate.zip"
        path.write_bytes(content)
        try:
            known = {entity.id for entity in ROCrate(path).data_entities}
        except Exception as error:
            raise ArchiveError("the zip cannot be read back as an RO-Crate", received=str(error)) from error
        if lost := [name for name in names if name not in known]:
            raise ArchiveError("the RO-Crate does not know a file of the report", received=", ".join(lost[:5]))
