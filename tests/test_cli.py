"""The command line: what is printed where, and with which exit code a command ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from reportgen import __version__
from reportgen.cli.answer import EXIT_CODES
from reportgen.cli.commands import reportgen
from reportgen.cli.entry import exit_code_of
from reportgen.config.model import SECTION_IDS

HEAVY = ("tensorflow", "keras", "weasyprint", "matplotlib", "scipy", "skimage", "astropy")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, files that begin like checkpoints, and three images."""
    (tmp_path / "run").mkdir()
    for epoch in (1, 2):
        with h5py.File(tmp_path / "run" / f"epoch_{epoch}.h5", "w") as file:
            file["x"] = np.zeros(3)
    (tmp_path / "run" / "notes.txt").write_text("no checkpoint")
    (tmp_path / "images").mkdir()
    for name in "abc":
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "images" / "probes.csv").write_text("id,label\na,x\nb,y\nc,y\n")
    text = "run: {path: run}\nprobes: {images: images, catalogue: images/probes.csv}\n"
    (tmp_path / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("REPORTGEN_")]:
        monkeypatch.delenv(name)
    return tmp_path


def command(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REPORTGEN_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "reportgen", *words],
        cwd=cwd, env=clean | environ, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_check_tells_what_a_run_would_find(folder: Path) -> None:
    done = command("check", "mine.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "mine.yaml is in order",
        "  run       run: 2 files that look like a checkpoint in run",
        "  probes    3 image files, 3 rows in images/probes.csv",
        f"  sections  {', '.join(SECTION_IDS)}",
        "  archive   reports (will be made)",
    ]
    assert not (folder / "reports").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["check", "mine.yaml"],
        ["check", "mine.yaml", "--set", "sections.kernels.options={strongest: 3}"],
        ["config", "show", "mine.yaml"],
        ["--help"],
        ["--version"],
    ],
)
def test_cheap_commands_import_nothing_heavy(folder: Path, words: list[str]) -> None:
    code = (
        f"import sys\nfrom reportgen.cli import main\ntry:\n    main({words!r})\nexcept SystemExit as end:\n"
        f"    print([end.code, *(name for name in {HEAVY!r} if name in sys.modules)], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[0]", done.stderr


def cpu_of(*words: str, cwd: Path) -> float:
    """Return the CPU time of a command [s], its own and the system's."""
    code = (
        f"import resource, sys\nfrom reportgen.cli import main\ntry:\n    main({list(words)!r})\nexcept SystemExit:\n"
        "    used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "    print(used.ru_utime + used.ru_stime, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)
    return float(done.stderr.splitlines()[-1])


def test_check_takes_less_than_half_a_second_of_cpu(folder: Path) -> None:
    """One of twelve tries: other work on the machine makes it slower, nothing makes it faster."""
    assert any(cpu_of("check", "mine.yaml", cwd=folder) < 0.5 for _ in range(12))


def test_a_wrong_configuration_ends_with_2(folder: Path) -> None:
    done = command("check", "mine.yaml", "--set", "run.path=rum", "--set", "archve=x", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "--set archve: archve: unknown option; did you mean archive?",
        "--set run.path: run.path: no such file or folder: rum; did you mean run?",
        "error: mine.yaml: 2 errors in the configuration; nothing was started",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "mine.yaml", "--only", "kernel"], "--only: no section kernel in the configuration; did you mean ke"),
        (["run", "mine.yaml", "--formats", "odf"], "unknown format"),
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["render", "nowhere"], "there is no such report"),
        (["rum"], "No such command 'rum'"),
        (["check"], "Missing argument 'CONFIG'"),
        (["check", "mine.yaml", "--colour"], "No such option"),
        (["check", "mine.yaml", "--log-file", "no/log"], "the log cannot be written"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_ends_with_2(
    folder: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(words) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


def test_what_check_finds_beyond_the_configuration_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A column, a section's option and an archive that is a file: told together."""
    flags = {
        "probes.columns.label": "kind",
        "sections.kernels.options": "{strongst: 3}",
        "archive": "mine.yaml",
    }
    words = [word for key, value in flags.items() for word in ("--set", f"{key}={value}")]
    assert exit_code_of(["check", "mine.yaml", *words]) == 2
    printed = capsys.readouterr().err
    assert "3 errors" in printed
    assert "The catalogue has no column 'kind'" in printed
    assert "strongst" in printed
    assert "the archive must be a folder" in printed


def test_nothing_to_report_on_ends_with_4(folder: Path) -> None:
    done = command("check", "mine.yaml", "--set", "run.checkpoints=['*.txt']", cwd=folder)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no file here looks like a checkpoint" in done.stderr


def test_a_pattern_that_nothing_matches_is_told_as_such(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(["inspect", "fmt/a*"]) == 1
    assert "fmt/a*: there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["inspect", "no.keras", "--json"], ["config", "schema"], ["check", "mine.yaml"]])
def test_a_reader_that_has_gone_is_no_bug(folder: Path, words: list[str]) -> None:
    ends, theirs = os.pipe()
    os.close(ends)
    with os.fdopen(theirs, "wb") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "reportgen", *words],
            cwd=folder, stdout=gone, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == (1 if words[0] == "inspect" else 0), done.stderr
    assert "bug" not in done.stderr and "Broken" not in done.stderr


def test_a_bug_ends_with_70_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    """A section's options raise what no configuration should raise."""
    from reportgen import sections

    monkeypatch.delattr(sections, "check_options")
    words = ["check", "mine.yaml", "--set", "sections.kernels.options={strongest: 3}"]
    assert exit_code_of([*words, "--log-file", "log"]) == 70
    told = capsys.readouterr().err
    assert "This is a bug in reportgen" in told
    assert "Traceback" not in told
    last = json.loads((folder / "log").read_text().splitlines()[-1])
    assert last["level"] == "critical"
    assert "ImportError" in last["traceback"]
    assert exit_code_of([*words, "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_ends_with_130(folder: Path) -> None:
    """A pipe that nobody writes into stands for work that takes long."""
    os.mkfifo(folder / "slow.yaml")
    process = subprocess.Popen(
        [sys.executable, "-m", "reportgen", "check", "slow.yaml"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    with (folder / "slow.yaml").open("wb"):  # opens when the command does
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.strip() == "interrupted"


def test_json_is_one_line_on_stdout_whatever_happens(folder: Path) -> None:
    good = command("check", "mine.yaml", "--json", cwd=folder)
    told = json.loads(good.stdout)
    assert good.stdout.count("\n") == 1
    assert (told["command"], told["exit_code"], told["meaning"]) == ("check", 0, EXIT_CODES[0])
    assert told["probes"].startswith("3 image files")
    bad = command("check", "mine.yaml", "--json", "--set", "archve=x", cwd=folder)
    told = json.loads(bad.stdout)
    assert told["exit_code"] == bad.returncode == 2
    assert told["errors"] == ["--set archve: archve: unknown option; did you mean archive?"]
    usage = command("check", "--json", cwd=folder)
    assert json.loads(usage.stdout)["errors"] == ["Missing argument 'CONFIG'."]


def test_config_show_reads_back_and_says_what_set_each_option(folder: Path) -> None:
    shown = command("config", "show", "mine.yaml", cwd=folder)
    (folder / "again.yaml").write_text(shown.stdout)
    assert command("config", "show", "again.yaml", cwd=folder).stdout == shown.stdout
    assert str(folder) not in shown.stdout
    origin = command("config", "show", "mine.yaml", "--origin", cwd=folder, REPORTGEN_ARCHIVE="there").stdout
    assert "run.path: run  # mine.yaml:1\n" in origin
    assert "archive: there  # REPORTGEN_ARCHIVE\n" in origin
    assert "report.paper: A4  # default\n" in origin


def test_help_names_every_command_and_every_exit_code(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("reportgen")
    told = subprocess.check_output([script, "-h"], text=True)
    assert told == command("--help", cwd=tmp_path).stdout
    for name in reportgen.commands:
        assert re.search(rf"^  {name} +\S", told, re.M)
    for code, words in EXIT_CODES.items():
        assert f"{code:>5}  {words}" in told


def test_version_and_info(tmp_path: Path) -> None:
    assert command("--version", cwd=tmp_path).stdout == f"reportgen {__version__}\n"
    told = dict(line.split(None, 1) for line in command("info", cwd=tmp_path).stdout.splitlines())
    assert told["python"] == sys.version.split()[0]
    assert told["numpy"] == np.__version__


def test_schema_prints_the_shipped_schema(tmp_path: Path) -> None:
    shipped = Path(__file__).resolve().parents[1] / "configs" / "schema.json"
    assert command("config", "schema", cwd=tmp_path).stdout == shipped.read_text("utf-8")
