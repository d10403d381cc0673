"""What travels in the wheel: the package works from anywhere, templates, configurations and fonts included."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment of its own with the built wheel in it; only its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    purelib = sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})
    target = Path(purelib)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (target / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder, python


def call(installed, *words: str, **more):
    folder, python = installed
    return subprocess.run(
        [str(python), "-m", "reportgen", *words], cwd=folder, capture_output=True, text=True, timeout=600, **more
    )


def test_the_wheel_is_what_runs_and_holds_its_resources(installed):
    folder, python = installed
    code = (
        "import reportgen, reportgen.templating as t; print(reportgen.__file__); print(t.resource_folder('templates'))"
    )
    out = subprocess.run([str(python), "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert all(line.startswith(str(folder)) for line in out.split())


@pytest.mark.slow
def test_demo_init_run_and_render_work_from_the_wheel(installed):
    folder, python = installed
    # `reportgen demo` trains for longer; test_demo does that.
    code = "from pathlib import Path; from reportgen.demo import make_demo; make_demo(Path('demo'), encounters=5)"
    subprocess.run([str(python), "-c", code], cwd=folder, capture_output=True, check=True)
    made = call(installed, "run", "demo/classification.yaml", "--set", "report.formats=[html]")
    assert made.returncode == 0, made.stderr
    (report,) = (folder / "demo" / "reports" / "classification").iterdir()
    assert (report / "report.html").is_file()
    again = call(installed, "render", str(report), "--formats", "pdf")
    assert again.returncode == 0, again.stderr
    newest = max((folder / "demo" / "reports" / "classification").iterdir())
    assert (newest / "report.pdf").read_bytes().startswith(b"%PDF-1.7")
    started = call(installed, "init", "demo/runs/classification", "demo/probes/probes.npy", "-o", "mine.yaml")
    assert started.returncode == 0, started.stderr
    assert "CHOOSE" in (folder / "mine.yaml").read_text()
    check = call(installed, "check", "mine.yaml")
    assert check.returncode == 2 and "still to be chosen" in check.stderr
