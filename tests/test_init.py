"""reportgen init: what it finds, what it guesses, and what it leaves to the user."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.io import fits
from PIL import Image

from reportgen.cli.entry import exit_code_of
from reportgen.config import CHOOSE, WrongConfig, load

Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    """Return a function that saves a small Keras network as the checkpoint of a run; the current folder is empty."""
    import keras

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("REPORTGEN_")]:
        monkeypatch.delenv(name)

    def saved(
        shape: tuple[int | None, ...], *layers: keras.Layer, loss: str | None, name: str = "epoch_01.keras"
    ) -> Path:
        model = keras.Sequential([keras.Input(shape), *layers])
        if loss:
            model.compile("adam", loss)
        (tmp_path / "runs" / "mine").mkdir(parents=True, exist_ok=True)
        model.save(tmp_path / "runs" / "mine" / name)
        return Path("runs/mine")

    return saved


def dense(units: int, activation: str) -> list:
    from keras import layers

    return [layers.Flatten(), layers.Dense(units, activation)]


def pictures(folder: str, *names: str, shape: tuple[int, ...] = (20, 30, 3)) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    for name in names:
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(f"{folder}/{name}.png")


def written(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[dict, str, dict]:
    """Run init and return the options of its file, the text of its file, and what it told."""
    assert exit_code_of(["init", *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    text = Path(told["file"]).read_text("utf-8")
    return yaml.safe_load(text), text, told


def open_choices(file: str) -> set[str]:
    """Return the options that `check` says are still to be chosen; it must have no other complaint."""
    with pytest.raises(WrongConfig) as caught:
        load(Path(file))
    assert all("still to be chosen" in problem.words for problem in caught.value.problems)
    return {problem.key for problem in caught.value.problems}


def test_what_files_say_is_guessed_and_scaling_is_not(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    run = save((20, 30, 3), *dense(1, "sigmoid"), loss="binary_crossentropy")
    save((20, 30, 3), *dense(1, "sigmoid"), loss="binary_crossentropy", name="epoch_02.keras")
    (run / "history.csv").write_text("epoch,loss,val_loss\n0,0.5,0.6\n1,0.4,0.5\n")
    pictures("images", "a", "b", "c")
    Path("images/table.csv").write_text("galaxy,kind,score,note\na,merger,0.9,x\nb,isolated,0.1,y\nc,merger,0.8,z\n")
    values, text, told = written(str(run), "images", "-o", "configs/mine.yaml", capsys=capsys)
    assert values["run"]["path"] == "../runs/mine"
    assert values["probes"]["images"] == "../images"
    assert values["probes"]["catalogue"] == "../images/table.csv"
    assert values["probes"]["columns"] == {"id": "galaxy", "label": "kind", "target": "score"}
    assert values["probes"]["prepare"] == {"bands": ["R", "G", "B"], "steps": CHOOSE}
    assert values["task"] == {"kind": "binary", "classes": CHOOSE}
    assert "# 2 checkpoints, in this order: epoch_01.keras … epoch_02.keras" in text
    assert "# history.csv, with loss, val_loss" in text
    assert "# epoch_02.keras: input 20 × 30 × 3, output 1 × sigmoid, loss binary_crossentropy" in text
    assert "# 3 files; 20 × 30 pixels, 3 bands, uint8 from 0 to 255" in text
    assert "#   classes: [isolated, merger]" in text
    assert "#   classes: [merger, isolated]" in text
    assert open_choices("configs/mine.yaml") == {"probes.prepare.steps", "task.classes"}
    assert [guess.split(":")[0] for guess in told["guessed"]] == [
        "probes.catalogue", "probes.columns.id", "probes.columns.label", "probes.columns.target",
        "probes.prepare.bands", "task.kind",
    ]  # fmt: skip
    assert len(told["choose"]) == 2


def test_a_chosen_file_passes(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line shown as an option, put in place of CHOOSE, is right."""
    run = save((10, 10, 1), *dense(1, "sigmoid"), loss="mse")
    pictures("images", "a", "b")
    _, text, _ = written(str(run), "images", capsys=capsys)
    assert open_choices("mine.yaml") == {f"probes.prepare.{name}" for name in ("resize", "method", "bands", "steps")}
    taken, options, lines = 0, [], []
    for line in text.splitlines():
        if line.strip().startswith("#   "):
            options.append(line.split("#   ", 1)[1])
        elif line.endswith(f": {CHOOSE}"):
            lines.append(line[: len(line) - len(line.lstrip())] + options[0])
            options, taken = [], taken + 1
        else:
            lines.append(line)
    assert taken == 4
    Path("chosen.yaml").write_text("\n".join(lines), "utf-8")
    config = load(Path("chosen.yaml")).config
    assert config.probes.prepare.resize == (10, 10)
    assert config.probes.prepare.method == "nearest"
    assert config.probes.prepare.grey is True
    assert config.task.kind == "regression"
    assert exit_code_of(["check", "chosen.yaml"]) == 0


def test_a_network_that_scales_by_itself_is_not_asked_about(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    from keras import layers

    run = save((20, 30, 3), layers.Rescaling(1 / 255), *dense(4, "softmax"), loss="categorical_crossentropy")
    pictures("images", "a")
    values, text, _ = written(str(run), "images/*.png", capsys=capsys)
    assert values["probes"]["prepare"]["steps"] == []
    assert "# guessed: the network begins with Rescaling" in text
    assert values["task"] == {"kind": "classes"}
    assert exit_code_of(["check", "mine.yaml"]) == 0


def test_a_flat_input_offers_the_shapes_it_may_have(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    """2400 numbers of 20 × 30 pixels: 40 × 60 in their proportions; a square they do not make."""
    from keras import layers

    run = save((2400,), layers.Dense(1, "sigmoid"), loss=None)
    pictures("images", "a", shape=(20, 30))
    values, text, _ = written(str(run), "images", capsys=capsys)
    assert values["probes"]["prepare"]["flatten"] is True
    assert "#   resize: [40, 60]" in text
    assert values["task"]["kind"] == CHOOSE


def test_fits_with_a_galaxy_an_hdu_is_recognised(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    from keras import layers

    run = save((None, None, 1), layers.GlobalAveragePooling2D(), *dense(1, "linear"), loss="mae")
    Path("images").mkdir()
    images = [fits.ImageHDU(np.ones(shape, np.float32)) for shape in ((8, 9), (12, 7))]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto("images/g.fits")
    values, text, _ = written(str(run), "images/g.fits", capsys=capsys)
    assert values["probes"]["fits"] == {"hdus": "galaxies"}
    assert "#   resize: [8, 9]" in text
    assert "steps: [{asinh: 0.1}]" in text


def test_weights_alone_leave_everything_open(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    run = save((8, 8, 1), *dense(1, "sigmoid"), loss=None)
    keras.saving.load_model(run / "epoch_01.keras").save_weights(run / "late.weights.h5")
    (run / "epoch_01.keras").unlink()
    pictures("images", "a", shape=(8, 8))
    values, text, _ = written(str(run), "images", capsys=capsys)
    assert "weights alone" in text
    assert values["task"]["kind"] == values["probes"]["prepare"]["steps"] == CHOOSE


def test_what_a_shell_made_of_a_pattern_becomes_one_again(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    run = save((20, 30, 3), *dense(1, "sigmoid"), loss="mse")
    pictures("images", "01_model", "02_model", "03_model", "01_init")
    files = sorted(str(file) for file in Path("images").glob("*_model.png"))
    values, _, _ = written(str(run), *files, capsys=capsys)
    assert values["probes"]["images"] == "images/*_model.png"
    values, _, _ = written(str(run), *files[:2], "--force", capsys=capsys)
    assert values["probes"]["images"] == files[:2]


def test_one_folder_a_class_is_found(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    run = save((20, 30, 3), *dense(1, "sigmoid"), loss="mse")
    pictures("images/merger", "a")
    pictures("images/isolated", "b")
    values, text, _ = written(str(run), "images", capsys=capsys)
    assert values["probes"]["images"] == "images/*/*"
    assert "# 2 files" in text


def test_names_out_of_files_stay_comments(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    """A line break in the name of a column must not become an option."""
    run = save((20, 30, 3), *dense(1, "sigmoid"), loss="mse")
    pictures("images", "a", "b")
    Path("images/t.csv").write_text('id,"x\narchive: elsewhere"\na,1\nb,2\n')
    values, text, _ = written(str(run), "images", capsys=capsys)
    assert values["archive"] == "reports"
    assert "x archive: elsewhere" in text


def test_nothing_is_overwritten_or_made_up(save: Save, capsys: pytest.CaptureFixture[str]) -> None:
    run = save((20, 30, 3), *dense(1, "sigmoid"), loss="mse")
    pictures("images", "a")
    Path("mine.yaml").write_text("precious")
    assert exit_code_of(["init", str(run), "images"]) == 2
    assert "already there" in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == "precious"
    assert exit_code_of(["init", str(run), "nowhere/*.png", "-o", "new.yaml"]) == 2
    assert exit_code_of(["init", "images", "images", "-o", "new.yaml"]) == 4
    assert exit_code_of(["init", "nowhere", "images", "-o", "new.yaml"]) == 2
    assert not Path("new.yaml").exists()
    assert exit_code_of(["init", str(run), "images", "--force"]) == 0
    assert "version: 1" in Path("mine.yaml").read_text()


def test_the_teams_run(team_data: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A Keras 2.3 network with a mean squared error is a regression, whatever its sigmoid looks like."""
    monkeypatch.chdir(tmp_path)
    checkpoint = team_data / "s20team2/checkpoints/2020-04-07_atm4wCurModel_conv12-12-12.h5"
    images = team_data / "s20team2/images/*_model.png"
    values, text, _ = written(str(checkpoint), str(images), "-o", "team.yaml", capsys=capsys)
    assert values["task"] == {"kind": "regression"}
    assert "# 32 files; 800 × 1200 pixels, 1 band, uint8 from 0 to 255" in text
    assert "input 100 × 100 × 1, output 1 × sigmoid, loss mean_squared_error" in text
    assert open_choices("team.yaml") == {f"probes.prepare.{name}" for name in ("resize", "method", "steps")}
