"""A plan is what greedy would choose by recomputing everything, and its tables say so."""

from functools import partial

import numpy as np
import pytest

import ankang_coverage
from ankang_coverage.coverage import summarise_region
from ankang_coverage.errors import PlanningError
from ankang_coverage.planning import Programme
from ankang_coverage.planning.demand import unserved_people
from ankang_coverage.planning.targets.micro import micro_candidates
from ankang_coverage.sites.catalogue import service

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
predict = partial(ankang_coverage.predict, propagation=RMA)
plan = partial(ankang_coverage.plan, propagation=RMA)

RULES = {
    "4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -86.0}),
    "5g": service("5g").model_copy(update={"rsrp_threshold_dbm": -86.0}),
}


def programme(micro=3, supporting=1, spacing=800.0):
    return Programme(
        name="test",
        targets=(
            {
                "id": "supporting",
                "kind": "supporting",
                "number": supporting,
                "service": "5g",
                "radio_layers": ("nr-n28",),
                "minimum_spacing_m": 500,
            },
            {
                "id": "micro",
                "kind": "micro",
                "number": micro,
                "service": "4g",
                "radio_layers": ("lte-b8",),
                "minimum_spacing_m": spacing,
                "serves": ("village",),
            },
        ),
    )


@pytest.fixture(scope="module")
def planned(small_region, small_network):
    return plan(small_region, small_network, programme(), rules=RULES)


def test_numbers_and_order_are_as_asked(planned):
    assert planned.chosen.groupby("programme").size().to_dict() == {"supporting": 1, "micro": 3}
    for _, sites in planned.chosen.groupby("programme"):
        assert sites["order"].tolist() == list(range(1, len(sites) + 1))
        assert sites["people_gained"].is_monotonic_decreasing
        assert sites["people_gained_total"].to_numpy() == pytest.approx(
            sites["people_gained"].cumsum()
        )


def test_coverage_after_is_that_of_the_whole_new_network(planned):
    for id_, rule in RULES.items():
        again = predict(planned.region, planned.network_after, rule)
        assert np.array_equal(
            again["rsrp_dbm"], planned.coverage_after[id_]["rsrp_dbm"], equal_nan=True
        )


def test_people_gained_are_the_change_in_the_tables(planned):
    """The micro sites count 行政村 only; the table's change covers at least those."""
    villages = planned.villages
    gained = villages["people_covered_4g_after"] - villages["people_covered_4g_before"]
    rural = villages["kind"] == "village"
    total = planned.chosen.query("programme == 'micro'")["people_gained"].sum()
    assert gained[rural].sum() == pytest.approx(total, abs=1e-6)
    assert (gained >= 0).all()
    tables = summarise_region(planned.coverage_after["4g"], planned.region)
    for level, table in tables.items():
        after = getattr(planned, level)["people_covered_4g_after"]
        assert after.to_numpy() == pytest.approx(table["people_covered"].to_numpy())


def test_spacing_holds(planned):
    points = planned.chosen.query("programme == 'micro'").geometry
    x, y = points.x.to_numpy(), points.y.to_numpy()
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x))
    assert distance.min() >= 800.0


def test_the_choice_beats_chance(planned):
    for result in planned.results:
        assert result.people_gained >= max(result.random_people_gained) - 1e-9
        assert len(result.random_people_gained) == 20


def test_the_same_again_is_the_same(planned, small_region, small_network):
    again = plan(small_region, small_network, programme(), rules=RULES)
    assert again.chosen.equals(planned.chosen)
    assert again.villages.equals(planned.villages)
    assert [r.random_people_gained for r in again.results] == [
        r.random_people_gained for r in planned.results
    ]


def test_planned_sites_have_their_status(planned):
    status = planned.network_after.sites["status"]
    micro = planned.chosen.query("programme == 'micro'").index
    assert set(status[micro]) == {"planned"}
    assert set(planned.network.sites["status"]) == {"existing"}


def test_candidates_of_the_users_table_do_not_count_as_built(small_region, small_network):
    tried = type(small_network)(
        sites=small_network.sites.assign(status=["candidate", "existing", "planned"]),
        cells=small_network.cells,
        rejected=small_network.rejected,
    )
    built = plan(small_region, tried, programme(), rules=RULES).network
    assert built.sites.index.tolist() == ["B", "C"]


def test_each_choice_is_the_best_by_recomputing_everything(planned, small_region, small_network):
    """Predict the network with each candidate in turn: nobody adds more people than the chosen."""
    rule, target = RULES["4g"], planned.programme.targets[1]
    before = predict(small_region, small_network, rule)
    candidates = micro_candidates(
        small_region, unserved_people(small_region, before, target), target
    ).network
    built = small_network
    for _ in range(target.number):
        left = unserved_people(small_region, predict(small_region, built, rule), target).sum()
        gains = {}
        for site in candidates.sites.index.difference(built.sites.index):
            point = candidates.sites.geometry[site]
            chosen = candidates.sites.index.intersection(built.sites.index)
            if (candidates.sites.geometry[chosen].distance(point) < 800.0).any():
                continue
            grown = built.plus(candidates.with_sites([site]))
            still = unserved_people(small_region, predict(small_region, grown, rule), target).sum()
            gains[site] = (left - still) / 1000
        best = max(sorted(gains), key=gains.get)
        row = planned.chosen.query("programme == 'micro'").iloc[len(built.sites) - 3]
        assert row["people_gained"] == gains[best]
        assert row.name == best
        built = built.plus(candidates.with_sites([best]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"micro": 500}, r"micro asks for 500 sites, but only \d+ candidates"),
        ({"supporting": 3}, "supporting asks for 3 sites, but only 2 candidates"),
        ({"micro": 6, "spacing": 90_000.0}, "only 1 of 6 sites fit with a spacing of 90000 m"),
    ],
)
def test_what_cannot_be_planned_is_named(small_region, small_network, change, says):
    with pytest.raises(PlanningError, match=says):
        plan(small_region, small_network, programme(**change), rules=RULES)


def test_a_plan_on_top_of_its_own_result_needs_another_id(planned, small_region):
    with pytest.raises(PlanningError, match="target micro: its candidate micro-0.* another id"):
        plan(small_region, planned.network_after, programme(supporting=1), rules=RULES)


def test_nobody_left_is_named(small_region, small_network):
    easy = {"4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -140.0})}
    with pytest.raises(PlanningError, match="micro: nobody it is for"):
        plan(small_region, small_network, programme(), rules={**RULES, **easy})
