"""The command line: the main job in one call, mistakes in one line with exit code 2."""

import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ankang_coverage import __version__, cli
from ankang_coverage.covering import Selection
from ankang_coverage.errors import FileError
from ankang_coverage.terminal import Terminated, attended

PROFILE = ["profile", "--from", "109.0,32.7", "--to", "109.1,32.8", "--frequency"]
PROPAGATION = "[propagation]\nradius_m = 5000\n"
STUDY = """
[region]
builtin = "ankang"
resolution_m = 1000
[network]
file = "sites.csv"
[programme]
name = "p"
[[programme.targets]]
id = "micro"
kind = "micro"
number = 2
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
"""


def call(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "ankang_coverage", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    """The demo on a coarse grid, twice, with one worker and with three."""
    folder = tmp_path_factory.mktemp("demo")
    for out, workers, quiet in (("a", 1, ["--quiet"]), ("b", 3, [])):
        options = ["--out", out, "--resolution", 600, "--workers", workers, *quiet]
        done = call("demo", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder, done


def test_the_demo_chooses_what_the_programme_asks(demos):
    folder, done = demos
    chosen = pd.read_csv(folder / "a" / "chosen_sites.csv", dtype={"county": str})
    assert chosen.groupby("programme").size().to_dict() == {"micro-4g": 360, "supporting-5g": 518}
    assert "synthetic:" in done.stdout
    assert "outside the region's terrain" not in done.stdout
    for id_, gained in chosen.groupby("programme")["people_gained"]:
        told = next(line for line in done.stdout.splitlines() if line.startswith(id_))
        in_vain = int((gained == 0).sum())
        assert told.endswith(f"; {in_vain} of the {len(gained)} cover nobody new") == (in_vain > 1)
    figures = json.loads((folder / "a" / "summary.json").read_text("utf-8"))
    for result in figures["chosen"].values():
        assert result["people_gained"] > result["random_plans_median_people_gained"]
    before, after = (figures["services"]["4g"][state]["all"] for state in ("before", "after"))
    assert before["people"] == after["people"] == 2_493_436
    assert after["people_covered"] > before["people_covered"]


def test_the_same_command_gives_the_same_bytes_with_any_number_of_workers(demos):
    folder, _ = demos
    for file in sorted((folder / "a").glob("*")):
        if file.suffix in {".csv", ".tif"}:
            assert file.read_bytes() == (folder / "b" / file.name).read_bytes(), file.name


def test_a_log_gets_few_lines_of_progress(demos):
    _, done = demos
    lines = done.stderr.split("\n")
    assert len(lines) < 40
    for line in lines[:-1]:
        assert re.fullmatch(r"[\w +-]+: [\d,]+ (of [\d,]+, |in |s, )[^\r]*", line), line


def test_the_names_of_results_are_known_before_they_are_written(demos):
    folder, _ = demos
    for file in (folder / "a").iterdir():
        assert any(file.match(pattern) for pattern in cli.RESULT_FILES), file.name


def test_the_version_is_told(tmp_path):
    done = call("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"ankang-coverage {__version__}\n")


def test_sites_outside_the_terrain_are_told(tmp_path):
    study = STUDY.replace("1000", "2000").replace("[programme]", PROPAGATION + "[programme]")
    (tmp_path / "study.toml").write_text(study, "utf-8")
    (tmp_path / "sites.csv").write_text(
        "小区CGI,基站名称,经度,纬度,频段,挂高,方位角\n"
        "1-1,inside,109.02,32.69,B8,30,0\n1-2,outside,113.5,34.0,B8,30,0\n",
        "utf-8",
    )
    done = call("run", "study.toml", "--out", "o", "--store", "s", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sites outside the region's terrain, which reach nothing: 1 of 4g\n" in done.stdout


@pytest.mark.parametrize(
    ("gains", "says"),
    [
        ([5, 3], ""),
        ([5, 0], "; 1 of the 2 covers nobody new"),
        ([0, 0], "; 2 of the 2 cover nobody"),
    ],
)
def test_sites_that_gain_nobody_are_told(gains, says):
    selection = Selection(
        chosen=np.arange(2),
        gains=np.array(gains),
        objective=sum(gains),
        covered=np.ones(1, bool),
        stopped_by="number",
        n_forced=0,
    )
    told = cli._in_vain(SimpleNamespace(selection=selection))
    assert told.startswith(says)
    assert bool(told) == bool(says)


@pytest.fixture
def stopped(tmp_path, monkeypatch, capsys):
    """Run the demo, stopped where the name of a function says, and return code and last words."""

    def ended(where, error):
        def stop(*_, **__):
            raise error

        steps = {
            "ankang_coverage.scenario.run": lambda *_, **__: SimpleNamespace(results=()),
            "ankang_coverage.reporting.exports.write_plan": lambda *_, **__: {"a": 1, "b": 2},
            "ankang_coverage.cli._tell": lambda _: None,
        }
        for name, step in (steps | {where: stop}).items():
            monkeypatch.setattr(name, step)
        arguments = ["demo", "--out", str(tmp_path / "o"), "--store", str(tmp_path / "s")]
        code = attended(lambda: cli.app(args=arguments))
        return code, capsys.readouterr().err.replace(str(tmp_path / "o"), "o")

    return ended


@pytest.mark.parametrize(
    ("stop", "code", "says"),
    [(KeyboardInterrupt, 130, "interrupted"), (Terminated, 143, "terminated")],
)
def test_a_stop_is_told_with_what_has_become_of_the_work(stopped, stop, code, says):
    goes_on = "what is computed stays in the store, and the same command goes on from there"
    for where in ("scenario.run", "reporting.exports.write_plan"):
        assert stopped(f"ankang_coverage.{where}", stop()) == (code, f"{says}; {goes_on}\n")
    whole = f"{says}; the results are whole: 2 files in o\n"
    assert stopped("ankang_coverage.cli._tell", stop()) == (code, whole)


def test_a_stop_while_results_are_put_in_place_is_told_as_one_after_it(stopped):
    stop = KeyboardInterrupt()
    stop.add_note("all files were put in place in o")
    told = stopped("ankang_coverage.reporting.exports.write_plan", stop)
    assert told == (130, "interrupted; all files were put in place in o\n")


def test_results_are_whole_where_nothing_can_be_printed(stopped):
    told = stopped("ankang_coverage.cli._tell", FileError("cannot write to the standard output"))
    assert told == (
        2,
        "error: cannot write to the standard output; the results are whole: 2 files in o\n",
    )


def test_a_model_that_profile_does_not_use_is_named_and_the_height_is_the_studys(tmp_path):
    study = STUDY.replace(
        "[network]", '[propagation]\nmodel = "rma"\nterminal_height_m = 3\n[network]'
    )
    (tmp_path / "study.toml").write_text(study, "utf-8")
    asked = ["--from", "109.02,32.69", "--to", "109.05,32.72", "--frequency", 700]
    done = call("profile", *asked, "--study", "study.toml", "--out", "new/p.PNG", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "profile always uses P.1812, not rma of study.toml\n"
    assert "35 m → 3 m" in done.stdout
    assert (tmp_path / "new" / "p.PNG").exists()


def test_no_real_village_is_named_where_it_is_not(demos):
    folder, _ = demos
    villages = pd.read_csv(folder / "a" / "villages.csv", dtype={"code": str})
    assert len(villages) == 1924
    assert villages["name"].str.contains("·模拟村").all()
    assert villages["code"].str[9].eq("9").all()


def test_a_path_is_printed_by_component_and_drawn(tmp_path):
    places = ["--from", "109.02,32.69", "--to", "109.10,32.80"]
    done = call("profile", *places, "--frequency", 700, "--lang", "en", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ITU-R P.1812-8: 14.3")
    *parts, total, _ = (line.rsplit(":", 1) for line in done.stdout.splitlines()[1:])
    values = [float(value.removesuffix(" dB")) for _, value in parts]
    assert float(total[1].removesuffix(" dB")) == pytest.approx(sum(values), abs=0.3)
    assert (tmp_path / "profile.png").read_bytes().startswith(b"\x89PNG")


def test_a_pattern_file_that_is_not_there_ends_in_one_line_and_exit_code_2(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "antennas:\n- {id: panel, kind: measured, pattern_file: none.msi, source: a test}\n"
    )
    study = STUDY.replace('"sites.csv"', '"sites.csv"\ncatalogue = "own.yaml"')
    (tmp_path / "study.toml").write_text(study, "utf-8")
    done = call("run", "study.toml", "--out", "o", "--quiet", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: own.yaml, antenna panel: cannot read none.msi: there is no such file; correct the "
        "file, or its path in pattern_file, which begins at the folder of own.yaml\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "none.toml", "--out", "o"], "error: cannot read none.toml"),
        (["run", "bad.toml", "--out", "o"], "error: bad.toml: programme: Field required"),
        (["demo", "--out", "bad.toml"], "error: cannot make folder bad.toml: bad.toml is a file"),
        (["demo", "--lang", "fr"], "error: --lang 'fr' is none of zh, en"),
        (["demo", "--resolution", "1"], "--resolution"),
        (["fly"], "No such command"),
        (
            ["profile", "--from", "109", "--to", "109.1,32.8", "--frequency", "700"],
            "error: --from '109' is not LON,LAT",
        ),
        (
            ["profile", "--from", "32.7,109.0", "--to", "109.1,32.8", "--frequency", "700"],
            "are the two swapped",
        ),
        (
            [*PROFILE, "9e8"],
            "error: --frequency 9e+08: give megahertz, such as 900",
        ),
        ([*PROFILE, "0"], "error: --frequency 0: give megahertz, such as 900"),
        ([*PROFILE, "-5"], "error: --frequency -5: give megahertz"),
        ([*PROFILE, "nan"], "error: --frequency nan: give megahertz"),
        ([*PROFILE, "700", "--lang", "fr"], "error: --lang 'fr' is none of zh, en"),
        ([*PROFILE, "700", "--out", "."], "error: --out . is a folder: name a file in it"),
        ([*PROFILE, "700", "--out", "o/p.pdf"], "name a file that ends in .png"),
        (["demo", "--out", "full"], "error: cannot write full/map.html: it is a folder"),
        (["demo", "--out", "tif"], "error: cannot write tif/rsrp_4g.tif: it is a folder"),
        (["demo", "--store", "bad.toml"], "error: --store bad.toml is a file: name a folder"),
        (["demo", "--store", "bad.toml/s"], "bad.toml is a file: name a folder"),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_2(tmp_path, arguments, says):
    (tmp_path / "bad.toml").write_text(
        '[region]\nbuiltin = "ankang"\n[network]\nbuiltin = "ankang"\n', "utf-8"
    )
    (tmp_path / "full" / "map.html").mkdir(parents=True)
    (tmp_path / "tif" / "rsrp_4g.tif").mkdir(parents=True)
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    if done.stderr.startswith("error:"):
        assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()
