"""The command line: the main job in one call, mistakes in one line with exit code 2."""

import json
import subprocess
import sys

import pandas as pd
import pytest


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
    for out, workers in (("a", 1), ("b", 3)):
        done = call(
            "demo", "--out", out, "--resolution", 600, "--workers", workers, "--quiet", cwd=folder
        )
        assert done.returncode == 0, done.stderr
    return folder, done


def test_the_demo_chooses_what_the_programme_asks(demos):
    folder, done = demos
    chosen = pd.read_csv(folder / "a" / "chosen_sites.csv", dtype={"county": str})
    assert chosen.groupby("programme").size().to_dict() == {"micro-4g": 360, "supporting-5g": 518}
    assert "synthetic:" in done.stdout
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
    (tmp_path / "study.toml").write_text(
        '[region]\nbuiltin = "ankang"\nresolution_m = 1000\n'
        '[network]\nfile = "sites.csv"\ncatalogue = "own.yaml"\n[programme]\nname = "p"\n'
        '[[programme.targets]]\nid = "micro"\nkind = "micro"\nnumber = 2\nservice = "4g"\n'
        'radio_layers = ["lte-b8"]\nminimum_spacing_m = 500\n'
    )
    done = call("run", "study.toml", "--out", "o", "--quiet", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "error: own.yaml, antenna panel: antenna file none.msi cannot be read: No such file or "
        "directory; correct the file, or its path in pattern_file, which begins at the folder of "
        "own.yaml\n"
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
            ["profile", "--from", "109.0,32.7", "--to", "109.1,32.8", "--frequency", "7e8"],
            "error: frequency_mhz is 7e+08",
        ),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_2(tmp_path, arguments, says):
    (tmp_path / "bad.toml").write_text(
        '[region]\nbuiltin = "ankang"\n[network]\nbuiltin = "ankang"\n', "utf-8"
    )
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    if done.stderr.startswith("error:"):
        assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()
