"""How values print: one line, and a small escaped table in a notebook."""

from dataclasses import replace

import pytest

import ankang_coverage as ac

MOST_CHARACTERS = 20_000


@pytest.fixture(scope="module")
def values(small_region, small_network):
    programme = ac.Programme(
        targets=(
            ac.MicroTarget(
                id="micro",
                number=2,
                service="4g",
                radio_layers=("lte-b8",),
                minimum_spacing_m=500,
            ),
        )
    )
    plan = ac.plan(
        replace(small_region, name="<b>&"),
        small_network,
        programme,
        rules={"4g": ac.service("4g").with_fields(rsrp_threshold_dbm=-86.0)},
        propagation=ac.Propagation(model="rma", radius_m=5000.0),
    )
    (result,) = plan.results
    coverage = plan.coverage_before["4g"]
    change = coverage.difference(plan.coverage_after["4g"])
    return {
        "Region": plan.region,
        "Network": plan.network,
        "Catalogue": plan.network.catalogue,
        "Coverage": coverage,
        "Change": change,
        "Candidates": result.candidates,
        "Explanation": result.explanation,
        "TargetResult": result,
        "Plan": plan,
        "Comparison": ac.compare(plan, plan),
    }


def test_values_print_as_one_short_line(values):
    for name, value in values.items():
        text = repr(value)
        assert text.startswith(f"{name}(")
        assert "\n" not in text
        assert len(text) < 1500, name


def test_values_are_small_escaped_tables_in_a_notebook(values):
    for name, value in values.items():
        page = value._repr_html_()
        assert len(page) < MOST_CHARACTERS, name
        assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in values["Region"]._repr_html_()


def test_a_plan_says_what_it_gains_and_how_good_it_is(values):
    text = repr(values["Plan"])
    result = values["TargetResult"]
    assert f"2 of {result.n_candidates} candidates, at most" in text
    assert f"people gained {result.people_gained:,.0f}" in text
    assert "4g covers" in text
