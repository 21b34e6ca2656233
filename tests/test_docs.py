"""What the documents show runs, what they name exists, and what exists is named."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
from builders import plan, predict

import ankang_coverage
from ankang_coverage.coverage import ClassLimits, summarise
from ankang_coverage.limits import Limits
from ankang_coverage.planning import Programme, Target
from ankang_coverage.planning.costs import UnitPrices
from ankang_coverage.planning.explanation import WHY
from ankang_coverage.planning.kinds import KINDS as TARGET_KINDS
from ankang_coverage.planning.rules import Construction, FloorRule, Objective, QuotaRule
from ankang_coverage.planning.sources import SOURCES
from ankang_coverage.planning.sources.settings import CandidateSettings
from ankang_coverage.propagation import MODELS
from ankang_coverage.region.divisions import KINDS
from ankang_coverage.reporting.outputs import OUTPUTS
from ankang_coverage.reporting.outputs.chosen_sites import chosen_table
from ankang_coverage.reporting.outputs.divisions import division_table
from ankang_coverage.reporting.outputs.explanations import explanation_tables
from ankang_coverage.scenario import (
    NetworkSettings,
    RegionSettings,
    Scenario,
    ServiceSettings,
)
from ankang_coverage.sites import builtin_schema, read_sites
from ankang_coverage.sites.catalogue import service

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
STATE = re.compile(r"_(4g|5g)_(before|after)$")


def _blocks(language):
    fenced = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        pytest.param(block, id=f"{document.name}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(fenced.findall(document.read_text("utf-8")))
    ]


def _stories():
    """The Python of each document: its blocks follow on each other. What is fenced as `py` needs
    what a test has not, such as a cluster."""
    blocks = {}
    for param in _blocks("python"):
        blocks.setdefault(param.id.rpartition("-")[0], []).append(*param.values)
    return [pytest.param(told, id=document) for document, told in blocks.items()]


@pytest.mark.parametrize("blocks", _stories())
def test_python_runs_as_written(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"block {number}", "exec"), names)


@pytest.mark.parametrize("block", _blocks("toml"))
def test_toml_is_a_scenario(block):
    Scenario.model_validate(tomllib.loads(block))


def test_both_readmes_show_python_and_toml():
    shown = {id_.id.split("-")[0] for id_ in (*_blocks("python"), *_blocks("toml"))}
    assert {"README.md", "README.zh"} <= shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_to_files(document):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = re.findall(r"^make ([a-z]+)|`make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE)
    assert {one or other for one, other in said} <= targets


def test_the_architecture_shows_every_module():
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    package = ROOT / "ankang_coverage"
    modules = {path.name for path in package.rglob("*.py") if not path.name.startswith("__")}
    told_together = {path.name for path in (package / "datasets").glob("*.py")}
    told_together |= {path.name for path in (package / "planning/kinds").glob("*.py")}
    told_together |= {"_ranges.py"}
    missing = [name for name in modules - told_together if name not in text]
    assert missing == []
    shown = set(re.findall(r"[a-z0-9_]+\.py\b", text))
    assert shown <= modules | {"__init__.py"}


# --- Nomenclature -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def named():
    text = (ROOT / "docs/nomenclature.md").read_text("utf-8")
    return set(re.findall(r"`([^`\n]+)`", text))


@pytest.fixture(scope="module")
def planned(small_region, small_network):
    target = Target(
        id="micro",
        kind="micro",
        number=2,
        service="4g",
        radio_layers=("lte-b8",),
        minimum_spacing_m=500,
    )
    rules = {"4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0})}
    return plan(small_region, small_network, Programme(targets=(target,)), rules=rules)


def test_every_column_is_named(named, planned, small_region, small_network):
    tables = [
        planned.chosen,
        chosen_table(planned),
        *(getattr(planned, level) for level in ("villages", "townships", "counties")),
        *(division_table(planned, level) for level in ("villages", "townships", "counties")),
        summarise(planned.coverage_before["4g"], small_region.villages),
        small_network.sites,
        small_network.cells.reset_index(),
        small_network.rejected,
        pd.DataFrame(planned.sources),
        *explanation_tables(planned).values(),
    ]
    columns = {STATE.sub("", column) for table in tables for column in table}
    assert columns - named == set()


def test_columns_of_a_table_that_was_read_are_named(named, tmp_path):
    table = tmp_path / "sites.csv"
    table.write_text("站名,经度,纬度,频段,方位角\n甲,109.0,32.7,B8,0\n", "utf-8")
    network = read_sites(table)
    assert {*network.sites, *network.cells} - named == set()


def test_every_figure_and_raster_is_named(named, small_region, small_network):
    figures = predict(small_region, small_network).to_dataset()
    names = {*figures, *figures.attrs, *figures.coords} - {"x", "y", "spatial_ref"}
    assert {*small_region.rasters, *names} - named == set()


def test_every_word_of_a_choice_is_named(named):
    kinds = {kind for level in KINDS.values() for kind in level}
    words = {word for about in builtin_schema() for word in about.words}
    assert {*kinds, *words, *MODELS} - named == set()
    assert {"covered", "partly", "not covered", "valley", "ridge"} <= named
    assert {*get_args(Construction), *SOURCES, *TARGET_KINDS, *WHY} - named == set()
    assert set(UnitPrices.model_fields) - named == set()


def test_tables_of_models_are_those_of_their_objects():
    physics = (ROOT / "docs/propagation.md").read_text("utf-8")
    names = (ROOT / "docs/nomenclature.md").read_text("utf-8")
    shown = re.findall(
        r"^\| `[a-z0-9-]+` \|.*\| (?:over terrain|by distance) \|.*$", physics, re.MULTILINE
    )
    assert shown == [f"| {' | '.join(model.documentation)} |" for model in MODELS.values()]
    for model in MODELS.values():
        assert f"| `{model.name}` | {model.title_zh} |" in names


def test_tables_of_kinds_sources_and_outputs_are_those_of_their_objects():
    rows = [
        f"| {' | '.join(part.documentation())} |"
        for part in (*TARGET_KINDS.values(), *SOURCES.values(), *OUTPUTS)
    ]
    text = (ROOT / "docs/planning.md").read_text("utf-8")
    shown = re.findall(r"^\| `.*\|$", text, re.MULTILINE)
    assert [row for row in shown if row in rows] == rows


def test_the_table_of_a_site_table_is_its_schema():
    names = (ROOT / "docs/nomenclature.md").read_text("utf-8")
    table = names.partition("### Sites and cells")[2].partition("####")[0]
    shown = re.findall(r"^\| `\w+` \|.*$", table, re.MULTILINE)
    assert shown == [f"| {' | '.join(about.documentation)} |" for about in builtin_schema()]


def test_every_key_of_a_scenario_is_named(named):
    models = (
        RegionSettings,
        NetworkSettings,
        ServiceSettings,
        ankang_coverage.Propagation,
        ClassLimits,
        CandidateSettings,
        FloorRule,
        Objective,
        QuotaRule,
        *TARGET_KINDS.values(),
        *SOURCES.values(),
    )
    keys = {key for model in (*models, Programme, Target) for key in model.model_fields}
    tables = {"region", "network", "propagation", "services", "classes", "programme"}
    keys |= set(Scenario.model_fields) - tables
    assert keys - named == set()
    for table in tables:
        assert any(name.startswith(f"[{table}") for name in named)


def test_the_limits_of_the_documentation_are_those_of_the_library():
    rows = re.findall(
        r"^\| `(\w+)` \| ([\w,]+) \|", (ROOT / "docs/security.md").read_text("utf-8"), re.MULTILINE
    )
    stated = {name: tomllib.loads(f"n = {value.replace(',', '')}")["n"] for name, value in rows}
    assert stated == Limits().model_dump()
