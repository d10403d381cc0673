"""The configuration: every mistake is told at once, with its place and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen.config import CHOOSE, Loaded, WrongConfig, load, resolved_yaml
from reportgen.config.model import SECTION_IDS, Config
from reportgen.config.probes import StepConfig

MINIMAL = "run: {path: run}\nprobes: {images: images/*.png}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder and three images; what is in them does not matter here."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "history.csv").write_text("epoch,loss\n")
    (tmp_path / "images").mkdir()
    for name in ("0030.png", "0060.png", "no.png"):
        (tmp_path / "images" / name).write_bytes(b"")
    return tmp_path


def loaded(folder: Path, text: str, *sets: str, **environ: str) -> Loaded:
    file = folder / "mine.yaml"
    file.write_text(text, "utf-8")
    return load(file, sets=sets, environ=environ)


def problems(folder: Path, text: str, *sets: str, **environ: str) -> list[str]:
    with pytest.raises(WrongConfig) as caught:
        loaded(folder, text, *sets, **environ)
    assert caught.value.exit_code == 2
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_the_shortest_file_has_every_default(folder: Path) -> None:
    config = loaded(folder, MINIMAL).config
    assert config == Config.model_validate({"run": {"path": "run"}, "probes": {"images": ["images/*.png"]}})
    assert config.probes.images == ("images/*.png",)
    assert tuple(section.id for section in config.sections) == SECTION_IDS


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = """\
run:
  path: rum
  mode: mn
probes:
  images: [images/*.png, imges/0030.png, images/*.fits]
  catalogue: images
  resize: 100
  prepare:
    grey: sure
    steps:
      - scale: 2
        offset: 1
sections: [summary, kernel, summary]
report:
  formats: html
  papper: A4
"""
    assert problems(folder, text) == [
        "mine.yaml:2:9: run.path: no such file or folder: rum; did you mean run?",
        "mine.yaml:3:9: run.mode: expected one of auto, min or max; received mn; did you mean min?",
        "mine.yaml:5:26: probes.images[1]: no such file or folder: imges/0030.png; did you mean images/0030.png?",
        "mine.yaml:5:42: probes.images[2]: nothing matches images/*.fits; paths are relative to the configuration file",
        "mine.yaml:6:14: probes.catalogue: images is a folder, not a file",
        "mine.yaml:7:3: probes.resize: unknown option; did you mean probes.prepare.resize?",
        "mine.yaml:9:11: probes.prepare.grey: expected true or false; received sure",
        "mine.yaml:11:9: probes.prepare.steps[0]: a step is exactly one of scale, offset, clip, asinh, "
        "standardise, min_max, mean_std, keras; received ['scale', 'offset']",
        "mine.yaml:13:21: sections[1]: unknown section kernel; did you mean kernels?",
        "mine.yaml:13:29: sections[2]: section summary stands twice",
        "mine.yaml:15:12: report.formats: expected a list; received html; write [html]",
        "mine.yaml:16:3: report.papper: unknown option; did you mean paper?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "mine.yaml: the file is empty; see `reportgen init`"),
        ("# nothing\n", "mine.yaml: the file is empty; see `reportgen init`"),
        ("- a\n", "mine.yaml:1:1: expected options (key: value) at the top of the file"),
        ("run: [\n", "mine.yaml:2:1: not YAML: expected the node content, but found '<stream end>'"),
        ("run:\n\tpath: x\n", "mine.yaml:2:1: not YAML: a tab stands where YAML allows blanks only"),
        ("a: 1\n---\nb: 2\n", "mine.yaml:2:1: not YAML: but found another document"),
        ("a: " + "[" * 5000, "mine.yaml: not YAML: nested too deeply"),
    ],
)
def test_what_is_no_configuration_says_so(folder: Path, text: str, told: str) -> None:
    assert problems(folder, text) == [told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run: {path: run}\n", "mine.yaml:1:1: probes: required, and not there"),
        ("run:\nprobes: {images: images}", "mine.yaml:1:1: run.path: required, and not there"),
        (MINIMAL + "run: {path: run}\n", "mine.yaml:3:1: run: stands twice; the first is in line 1"),
        (
            MINIMAL + "task: &t {kind: auto}\nreport: {<<: *t}\n",
            "mine.yaml:4:10: report: merge keys (<<)",
        ),
        (MINIMAL + "archive: !!python/name:os.system x\n", "mine.yaml:3:10: archive: the tag tag:yaml.org"),
        (MINIMAL + "task: &t {output: *t}\n", "mine.yaml:3:7: task.output: an alias stands inside what"),
        (MINIMAL + "? [a]\n: b\n", "mine.yaml:3:3: a name of an option must be a word"),
        (MINIMAL + "report: {title: [1]}\n", "report.title: expected text; received a list"),
        (MINIMAL + "report: x\n", "mine.yaml:3:9: report: expected a group of options; received x"),
        (MINIMAL + "version: 2\n", "mine.yaml:3:10: version: expected 1; received 2"),
        ("run: {path: run}\nprobes: {images: [3, {}]}\n", "2:22: probes.images[1]: expected text; received"),
        ("run: {path: run}\nprobes: {images: 7}\n", "probes.images: expected a list or a group of options"),
    ],
)
def test_one_mistake_is_one_line(folder: Path, text: str, told: str) -> None:
    (folder / "3").write_text("")
    lines = problems(folder, text)
    assert len(lines) == 1
    assert told in lines[0]


def test_a_missing_file_and_a_foreign_encoding_are_told(folder: Path) -> None:
    with pytest.raises(WrongConfig, match=r"nowhere.yaml: no such file"):
        load(folder / "nowhere.yaml")
    with pytest.raises(WrongConfig, match=r"cannot be read: Is a directory"):
        load(folder)
    (folder / "latin.yaml").write_bytes("run:\n  name: é".encode("latin-1"))
    with pytest.raises(WrongConfig, match=r"latin.yaml:2: not UTF-8 text"):
        load(folder / "latin.yaml")


def test_aliases_of_aliases_do_not_eat_the_memory(folder: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert any("aliases multiply" in line for line in problems(folder, MINIMAL + bomb))


def test_a_file_longer_than_any_configuration_is_refused_unread(folder: Path) -> None:
    assert problems(folder, "#" * (1 << 20) + "\n") == ["mine.yaml: 1048577 bytes are no configuration file"]


def test_text_is_taken_as_it_was_written(folder: Path) -> None:
    """YAML reads 0030 as 24, no as False and 2020-04-07 as a date; a name is none of these."""
    text = "run: {path: run, name: 2020-04-07}\nprobes: {images: {no: images/no.png}, select: [0030, no, 1e3]}\n"
    config = loaded(folder, text + "task: {classes: [no, yes]}\n").config
    assert config.run.name == "2020-04-07"
    assert config.probes.select == ("0030", "no", "1e3")
    assert config.task.classes == ("no", "yes")
    assert config.probes.images == {"no": ("images/no.png",)}


def test_an_empty_group_is_its_defaults(folder: Path) -> None:
    text = "run: {path: run}\nprobes:\n  images: images\n  prepare:\n  #  resize: 3\ntask:\n"
    assert loaded(folder, text).config == loaded(folder, MINIMAL.replace("/*.png", "")).config


INPUTS = "run: {path: run}\nprobes: {images: images, catalogue: run/history.csv, inputs: {a: %s}}\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{}", "probes.inputs.a: an input is exactly one of image, images, column, columns, or prepare alone"),
        ("{image: true, column: x}", "or prepare alone; received ['image', 'column']"),
        ("{image: false}", "probes.inputs.a.image: expected True; received false"),
        ("{columns: [x], prepare: {resize: 3}}", "prepare does not go with columns"),
        ("{column: x, scale: 2}", "mean_std and scale are for columns"),
        ("{columns: [x, y], mean_std: [[1], [2]]}", "mean_std is two lists with a number a column"),
        ("{columns: [x], mean_std: [[1], [0]]}", "without 0 in the second"),
        ("{columns: [x], mean_std: [[1], [2]], scale: 2}", "mean_std or scale, not both"),
        ("{images: imges}", "probes.inputs.a.images: no such file or folder: imges; did you mean images?"),
        ("{image: true, presize: 2}", "probes.inputs.a.presize: unknown option"),
        ("{prepare: {resze: 2}}", "probes.inputs.a.prepare.resze: unknown option; did you mean resize?"),
    ],
)
def test_a_wrong_source_of_an_input_is_told(folder: Path, source: str, told: str) -> None:
    lines = problems(folder, INPUTS % source)
    assert len(lines) == 1
    assert told in lines[0]


def test_sources_of_inputs_read_back_and_columns_need_a_catalogue(folder: Path) -> None:
    text = INPUTS % "{images: {g: images, r: images}, prepare: {steps: [{scale: 2}]}}, 0030: {columns: [x], scale: 2}"
    first = loaded(folder, text)
    assert list(first.config.probes.inputs) == ["a", "0030"]
    assert loaded(folder, resolved_yaml(first.config)).config == first.config
    changed = loaded(folder, text, "probes.inputs.a.prepare.resize=5").config.probes.inputs["a"].prepare
    assert changed is not None and changed.resize == 5
    (line,) = problems(folder, text.replace("catalogue: run/history.csv, ", ""))
    assert "inputs.0030 is taken from the catalogue; set probes.catalogue" in line


def test_the_environment_lies_over_the_file_and_flags_over_both(folder: Path) -> None:
    text = MINIMAL + "archive: file\nreport: {paper: Letter, title: file}\n"
    result = loaded(
        folder,
        text,
        "archive=flag",
        "probes.prepare.steps=[{scale: 1e-3}]",
        "probes.prepare.steps.0.scale=4",
        "sections.4.title=Fourth",
        "sections.probes.title=Probes",
        REPORTGEN_ARCHIVE="variable",
        REPORTGEN_REPORT__TITLE="2020",
        REPORTGEN_PROBES__PREPARE__RESIZE="[50, 60]",
        HOME="/",
    )
    assert result.config.archive == Path("flag")
    assert result.config.report.title == "2020"
    assert result.config.report.paper == "Letter"
    assert result.config.probes.prepare.resize == (50, 60)
    assert result.config.probes.prepare.steps == (StepConfig(scale=4),)
    assert [section.title for section in result.config.sections if section.title] == ["Probes", "Fourth"]
    assert result.origins["archive"] == "--set archive"
    assert result.origins["report.title"] == "REPORTGEN_REPORT__TITLE"
    assert result.origins["report.paper"] == f"{folder}/mine.yaml:4"
    assert result.origins["report.notes"] == "default"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("archive", "--set archive: not of the form key.sub=value"),
        ("=x", "--set =x: not of the form key.sub=value"),
        ("run.nam=x", "--set run.nam: run.nam: unknown option; did you mean name?"),
        ("rum.name=x", "--set rum.name: rum: unknown option; did you mean run?"),
        ("archive.x=1", "--set archive.x: archive is not set: there is nothing inside to change"),
        ("run.path.x=1", "--set run.path.x: run.path is a value and has no options of its own"),
        ("probes.images.2=x", "--set probes.images.2: probes.images is a list of 1; count its items from 0"),
        (
            "sections.kernel.title=x",
            "--set sections.kernel.title: sections has no kernel; did you mean kernels?",
        ),
        (
            "sections.99.title=x",
            f"--set sections.99.title: sections is a list of {len(SECTION_IDS)}; count its items from 0",
        ),
        (
            "report.formats=[html, odf]",
            "--set report.formats: report.formats[1]: expected one of html, pdf or json",
        ),
        ("run.path=[", "--set run.path: not YAML"),
        ("archive=", "--set archive: archive: expected a path; received nothing"),
    ],
)
def test_a_wrong_flag_is_told(folder: Path, given: str, told: str) -> None:
    lines = problems(folder, MINIMAL.replace("images/*.png", "[images]"), given)
    assert len(lines) == 1
    assert lines[0].startswith(told)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("REPORTGEN_ARCHVE", "x", ": unknown environment variable; did you mean REPORTGEN_ARCHIVE?"),
        ("REPORTGEN_RUN__PATHS", "x", ": unknown environment variable; did you mean REPORTGEN_RUN__PATH?"),
        ("REPORTGEN_REPORT__PAPER", "A3", ": report.paper: expected one of A4 or Letter; received A3"),
        ("REPORTGEN_RUN__PATH", "nowhere", ": run.path: no such file or folder: nowhere"),
    ],
)
def test_a_wrong_variable_is_told(folder: Path, name: str, value: str, told: str) -> None:
    lines = problems(folder, MINIMAL, **{name: value})
    assert len(lines) == 1
    assert lines[0].startswith(name + told)


def test_what_is_still_to_be_chosen_is_an_error(folder: Path) -> None:
    text = MINIMAL.replace("*.png", f"*.png, prepare: {{grey: {CHOOSE}, steps: {CHOOSE}}}")
    assert [line.split(": ", 2)[1:] for line in problems(folder, text)] == [
        [f"probes.prepare.{name}", "still to be chosen: the comments above it say between what"]
        for name in ("grey", "steps")
    ]
