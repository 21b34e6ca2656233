"""A programme from TOML, and what is wrong with the wrong ones."""

import pytest
from builders import micro_target

from ankang_coverage.errors import FileError, ScenarioError, SettingsError
from ankang_coverage.planning import Programme

GOOD = """
[programme]
name = "p"
[[programme.targets]]
id = "micro"
kind = "micro"
number = 3
service = "4g"
radio_layers = ["lte-b8"]
minimum_spacing_m = 500
title_zh = "微站"
"""


def read(tmp_path, text):
    path = tmp_path / "programme.toml"
    path.write_text(text, "utf-8")
    return Programme.from_toml(path)


def test_a_programme_is_read(tmp_path):
    programme = read(tmp_path, GOOD)
    assert programme.targets[0].number == 3
    assert programme.targets[0].title("zh") == "微站"
    assert programme.targets[0].title("en") == "micro"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("number", "nubmer", r": targets\.micro\.nubmer: unknown key; did you mean number\?$"),
        ("number", "wheels", r"wheels: unknown key; remove it or correct its spelling$"),
        (
            "number",
            "candidates = {costz = 1}\nobjectives = [{peopel = 1}]\nnumber",
            r"micro\.objectives\.1\.peopel: .*mean people\?; .*candidates\.costz: .*mean costs\?$",
        ),
        (
            "number = 3",
            "number = 0",
            r"targets\.micro\.number: Input should be greater.* 1, not 0$",
        ),
        ('id = "micro"', "", r": targets\.1\.id: Field required$"),
        (
            '["lte-b8"]',
            '"lte-b8"',
            r"targets\.micro\.radio_layers: Input should be a list, not 'lte-b8'$",
        ),
        ('["lte-b8"]', "[]", r"radio_layers: List should have at least 1 item, not 0$"),
        (
            "number = 3",
            "number = 3\ncandidates = 3",
            r"micro\.candidates: Input should be a table, not 3$",
        ),
        (
            "number = 3",
            'number = 3\ncandidates.sources = ["own"]\ncandidates.own = 3',
            r"candidates\.own: Input should be a path, not 3$",
        ),
        (
            'kind = "micro"',
            'kind = "macro"',
            r"targets\.micro: kind 'macro' is unknown: choose one of micro, supporting$",
        ),
        (
            "number = 3",
            "number = 3\ncandidates.high_points = 3\ncandidates.sources = ['people']",
            r"micro\.candidates: high_points needs 'high points' in sources$",
        ),
        (GOOD, "[program]", r"has no table \[programme\]"),
        ("number = 3", "number = true", "number: Input should be a valid integer, not true"),
        ("number = 3", 'number = "3"', "number: Input should be a valid integer, not '3'"),
        ("number = 3", "number = 3\nheight_m = inf", "height_m: Input should be a finite number"),
        ("number = 3", "number = 3\ntime_limit_s = 1e300", "time_limit_s: Input should be less"),
        ("number = 3", f"budget_yuan = {10**18}", "budget_yuan: Input should be less"),
        ('id = "micro"', 'id = "../x"', r": targets\.1\.id: String should match"),
    ],
)
def test_mistakes_are_named_with_their_key(tmp_path, old, new, says):
    with pytest.raises((ScenarioError, FileError), match=says):
        read(tmp_path, GOOD.replace(old, new))


def test_a_target_twice_is_named(tmp_path):
    twice = GOOD + GOOD[GOOD.index("[[") :]
    with pytest.raises(ScenarioError, match="target id 'micro' occurs twice"):
        read(tmp_path, twice)


def test_files_that_are_no_toml_are_named(tmp_path):
    with pytest.raises(FileError, match=r"cannot read .*none\.toml"):
        Programme.from_toml(tmp_path / "none.toml")
    with pytest.raises(FileError, match=r"cannot read .* as TOML \(.*line 1"):
        read(tmp_path, "a = = 1")
    (tmp_path / "gbk.toml").write_bytes("name = '安康'".encode("gbk"))
    with pytest.raises(FileError, match="not UTF-8"):
        Programme.from_toml(tmp_path / "gbk.toml")


def test_many_forced_sites_are_checked_at_once(tmp_path):
    ids = [f"s{n}" for n in range(40_000)]
    with pytest.raises(ScenarioError, match="number is 3, but 40000 sites are forced"):
        read(
            tmp_path, GOOD.replace("number = 3", f"number = 3\nforced = {ids}\nexclusive = [{ids}]")
        )


@pytest.mark.parametrize(
    ("programme", "says"),
    [
        ({"targets": [micro_target()], "budget_yuan": 5}, "budget_yuan of a programme needs order"),
        (
            {
                "targets": [micro_target(), micro_target(id="u", improve="greedy")],
                "order": "joint",
            },
            "targets that choose jointly have one improve",
        ),
        (
            {"targets": [micro_target(budget_yuan=5), micro_target(id="u")], "order": "joint"},
            "target t chooses jointly: give the programme budget_yuan",
        ),
        (
            {"targets": [micro_target(kind="supporting", towers_of=["u"]), micro_target(id="u")]},
            "needs the sites of 'u', which must be an earlier target",
        ),
    ],
)
def test_targets_that_do_not_go_together_are_named(programme, says):
    with pytest.raises(SettingsError, match=says):
        Programme(**programme)
