"""What the commands on an archive answer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from reportgen.archive.find import find_report, located
from reportgen.archive.store import folder_name, is_report
from reportgen.cli.answer import Answer
from reportgen.errors import ConfigError
from reportgen.places import is_url, named, url_of
from reportgen.remote import pull


def listing(archive: Path, run: str | None) -> Answer:
    """List the reports of an archive."""
    from reportgen.archive.index import listed

    pull(archive)
    rows, broken = listed(archive)
    rows = [row for row in rows if run is None or run in (row["run"], folder_name(row["run"]))]
    table: list[tuple[str, ...]] = [("report", "run", "verdict", "checkpoints", "best", "on the probes", "")]
    table += [tuple(_cells(row)) for row in rows]
    widths = [max(len(cells[i]) for cells in table) for i in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(cells, widths, strict=True)).rstrip() for cells in table]
    lines += [f"not readable: {place}: {problem}" for place, problem in broken]
    keys = ("id", "run", "title", "verdict", "banners", "probes", "made", "place", "summary", "files", "failures")
    data = {
        "archive": named(archive), "reports": [{key: row[key] for key in keys} for row in rows],
        "unreadable": [{"place": place, "problem": problem} for place, problem in broken],
    }  # fmt: skip
    return Answer(tuple(lines if rows or broken else [f"no report in {archive}"]), data, 1 if broken else 0)


def _cells(row: dict[str, Any]) -> Iterator[str]:
    from reportgen.templating import number, percent

    summary = row["summary"]
    yield from (row["id"], row["run"], row["verdict"])
    yield "–" if summary["checkpoints"] is None else f"{summary['measured']} of {summary['checkpoints']}"
    epoch = "" if summary["best_epoch"] is None else f", epoch {summary['best_epoch']}"
    yield f"{summary['monitor']} {number(summary['value'], 4)}{epoch}" if summary["monitor"] else "–"
    if row["accuracy"] is not None:
        yield f"{percent(row['accuracy'])} right of {row['scored']}"
    else:
        yield f"mean difference {number(row['difference'])}" if row["difference"] is not None else "–"
    yield ", ".join(row["banners"])


def shown(report: str, archive: Path) -> Answer:
    """Tell what a report says and what it is made of."""
    from reportgen.archive.manifest import read_manifest
    from reportgen.templating import size

    folder = find_report(report, archive)
    manifest = read_manifest(folder)
    provenance, summary = manifest.get("provenance", {}), manifest["summary"]
    dirty = ", with changes that were not committed" if provenance.get("dirty") else ""
    versions = provenance.get("versions", {})
    best = [str(summary.get("best", ""))]
    best += [f"{summary['monitor']} {summary.get('value')}"] if summary.get("monitor") else []
    kinds = {"inputs": "checkpoints", "probe_files": "probe files", "reports": "reports"}
    used = [name for name in ("reportgen", "keras", "tensorflow") if name in versions]
    rows = {
        "report": manifest["id"], "run": manifest["run"], "title": manifest["title"], "folder": str(folder),
        "verdict": ", ".join([manifest["verdict"], *manifest["banners"]]).strip(", "),
        "compares": " beside ".join(f"{s['run']} {s['id']}: {s['checkpoint']}" for s in manifest.get("sides", ())),
        "best": ", ".join(word for word in best if word), "made": str(manifest.get("started", "")),
        "drawn from": str(manifest.get("rendered_from", "")), "command": str(provenance.get("command", "")),
        "commit": f"{provenance.get('commit', '')}{dirty}" if provenance.get("commit") else "",
        "versions": ", ".join(f"{name} {versions[name]}" for name in used),
        "probe set": manifest["probes"],
        "inputs": ", ".join(f"{len(manifest[key])} {word}" for key, word in kinds.items() if manifest.get(key)),
        "files": f"{len(manifest['files'])}, {size(sum(f.get('size', 0) for f in manifest['files'].values()))}",
        "missing": ", ".join(str(failure.get("name", "")) for failure in manifest["failures"]),
    }  # fmt: skip
    lines = tuple(f"{title:<12}{words}" for title, words in rows.items() if words)
    return Answer(lines, {"folder": str(folder), "manifest": manifest})


def verified(report: str, archive: Path, *, inputs: bool) -> Answer:
    """Hold reports against their manifests."""
    from reportgen.archive.verify import verify

    place = located(report)
    if is_url(report) and not is_report(place):
        pull(place)
    found = verify(place if place.is_dir() and not is_report(place) else find_report(report, archive))
    lines: list[str] = []
    for one in found:
        counts = ", ".join(f"{count} {state}" for state, count in one.counts.items())
        lines.append(f"{'whole  ' if one.whole else 'DAMAGED'}  {one.folder}: {one.problem or f'files: {counts}'}")
        lines += [f"  {state:<12}{name}" for name, state in one.files.items() if state != "unchanged"]
        states = [state for _, _, state in one.inputs]
        told = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        lines += [f"  inputs: {told}"] if told else []
        lines += [f"  {state:<12}{kind} {name}" for kind, name, state in one.inputs if state != "unchanged"]
    bad = [one for one in found if not one.whole or (inputs and not one.repeatable)]
    lines.append(f"{len(found) - len(bad)} of {len(found)} as they should be")
    data = [
        {"folder": str(one.folder), "whole": one.whole, "problem": one.problem, "files": one.files,
         "inputs": [{"kind": kind, "name": name, "state": state} for kind, name, state in one.inputs]}
        for one in found
    ]  # fmt: skip
    return Answer(tuple(lines), {"reports": data}, 1 if bad else 0)


def indexed(archive: Path) -> Path:
    """Write the index of an archive anew."""
    from reportgen.archive.filing import bring_up_to_date

    pull(archive)
    bring_up_to_date(archive, anew=True)
    return archive / "index.html"


def exported(report: str, archive: Path, output: Path | None, license: str) -> Answer:
    """Pack a report."""
    from reportgen.archive.export import export

    folder = find_report(report, archive).resolve()
    target = output or Path(f"{folder.parent.name}-{folder.name}.zip")
    path = export(folder, target, license)
    return Answer((f"zip   {path}",), {"zip": str(path), "report": str(folder)})


def compared(
    reports: Sequence[str], archive: Path, checkpoints: str | None, formats: str | None, *, force: bool
) -> Answer:
    """Set two reports, or two checkpoints, beside each other."""
    from reportgen.archive.compare import Chosen, compare
    from reportgen.cli.progress import shown_progress
    from reportgen.cli.report import read_formats

    names = [word.strip() for word in (checkpoints or "").split(",") if word.strip()]
    sides = [Chosen(*_named(word, archive)) for word in reports]
    if len(sides) == 1 and len(names) == 2:
        sides *= 2
    if len(sides) != 2 or len(names) not in (0, 2):
        raise ConfigError(
            "two things are compared", where="compare", received=" ".join([*reports, checkpoints or ""]).strip(),
            expected="two reports, or one report and --checkpoints X,Y",
        )  # fmt: skip
    if names:
        sides = [Chosen(side.folder, name) for side, name in zip(sides, names, strict=True)]
    wanted = read_formats(formats) if formats is not None else None
    with shown_progress(click.get_current_context().color) as progress:
        made = compare(sides[0], sides[1], progress, wanted, force=force)
    files = {path.suffix.lstrip("."): _typed(path) for path in made.files}
    lines = [f"{kind:<6}{path}" for kind, path in files.items() if kind != "json"]
    lines += [f"note  {words}" for words in made.limits]
    data = {"folder": _typed(made.folder), "files": files, "new": made.new, "limits": list(made.limits)}
    return Answer(tuple(lines), data, 1 if made.failures else 0, made.failures, "missing from the comparison")


def _named(word: str, archive: Path) -> tuple[Path, str]:
    """Return report and checkpoint of `REPORT:CHECKPOINT`; a folder may have a colon in its name."""
    report, colon, checkpoint = word.rpartition(":")
    if is_report(Path(word)) or not colon or not report or checkpoint.startswith("//"):
        return find_report(word, archive), ""
    return find_report(report, archive), checkpoint


def _typed(path: Path) -> str:
    if url := url_of(path):
        return url
    full = path.absolute()
    return os.path.relpath(full) if full.is_relative_to(Path.cwd()) else str(path)
