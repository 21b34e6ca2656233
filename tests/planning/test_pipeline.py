"""A plan is what greedy would choose by recomputing everything, and its tables say so."""

from dataclasses import replace

import numpy as np
import pytest
from builders import RULES, micro_programme, plan, predict, programme

from ankang_coverage.errors import PlanningError
from ankang_coverage.planning import Programme
from ankang_coverage.planning.demand import unserved_people
from ankang_coverage.planning.matrix import covering_matrix
from ankang_coverage.sites.catalogue import service


def test_coverage_after_is_that_of_the_whole_new_network(planned):
    for id_, rule in RULES.items():
        again = predict(planned.region, planned.network_after, rule)
        assert np.array_equal(
            again["rsrp_dbm"], planned.coverage_after[id_]["rsrp_dbm"], equal_nan=True
        )


def test_spacing_holds(planned):
    points = planned.chosen.query("programme == 'micro'").geometry
    x, y = points.x.to_numpy(), points.y.to_numpy()
    distance = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x))
    assert distance.min() >= 800.0


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
    candidates = planned.results[1].candidates.network
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


def test_a_plan_on_top_of_its_own_result_builds_elsewhere(planned, small_region):
    again = plan(small_region, planned.network_after, programme(supporting=1), rules=RULES)
    assert not set(again.chosen.index) & set(planned.chosen.index)
    dropped = again.results[1].candidates.dropped.set_index("id")["reason"]
    built = planned.chosen.index[planned.chosen["programme"] == "micro"]
    assert set(dropped[built]) == {"a site of this id stands already"}


def test_nobody_left_is_named(small_region, small_network):
    easy = {"4g": service("4g").model_copy(update={"rsrp_threshold_dbm": -140.0})}
    with pytest.raises(PlanningError, match="micro: nobody is left to cover"):
        plan(small_region, small_network, programme(), rules={**RULES, **easy})


def test_shares_of_counties_are_kept(small_region, small_network):
    shares = {"610901": (2, 2), "610902": (1, None)}
    asks = [
        {"county": code, "minimum": least, "maximum": most}
        for code, (least, most) in shares.items()
    ]
    result = plan(small_region, small_network, micro_programme(quotas=asks), rules=RULES)
    assert result.chosen["county"].value_counts().to_dict() == {"610901": 2, "610902": 1}
    told = result.results[0].explanation
    assert told.counties["sites"].to_dict() == {"610901": 2, "610902": 1}
    assert told.counties["people_gained"].sum() == pytest.approx(result.results[0].people_gained)
    assert {"quota 610901", "quota 610902", "minimum spacing"} == set(
        told.constraints["constraint"]
    )


def test_the_gap_is_proven_and_told_on_the_way(small_region, small_network):
    told = []
    result = plan(
        small_region,
        small_network,
        micro_programme(improve="swap"),
        rules=RULES,
        show_gap=lambda *figures: told.append(figures),
    ).results[0]
    assert result.selection.upper_bound >= result.selection.objective
    assert {label for label, *_ in told} == {"micro"}
    assert told[-1][2:] == (result.people_gained, result.gap)


def test_the_net_gain_is_what_the_tables_say_where_new_sites_interfere(small_region, small_network):
    """Where a smallest SINR is asked for, sites chosen together cover less than one by one."""
    strict = RULES["4g"].model_copy(update={"sinr_threshold_db": 3.0})
    result = plan(
        small_region, small_network, micro_programme(number=6), rules={**RULES, "4g": strict}
    )
    told, villages = result.results[0], result.villages
    change = villages["people_covered_4g_after"] - villages["people_covered_4g_before"]
    net = change[villages["kind"] == "village"].sum()
    assert told.people_gained_net == pytest.approx(net, abs=1e-6)
    assert told.explanation.counties["people_gained_net"].sum() == pytest.approx(net, abs=1e-6)
    assert told.people_gained_net < told.people_gained


def test_the_catalogue_of_the_network_is_used(small_region, small_network):
    """A service and a radio layer of one's own, which the built-in catalogue does not know."""
    known = small_network.catalogue
    layer = known.radio_layer("lte-b8").with_fields(id="lte-own", frequency_mhz=950.0)
    own = RULES["4g"].with_fields(id="own", radio_layers=("lte-own",))
    network = replace(small_network, catalogue=known.with_entries(layer, own))
    asks = {"service": "own", "radio_layers": ["lte-own"], "number": 1}
    poles = micro_programme(**asks).targets[0]
    towers = {**asks, "id": "towers", "kind": "supporting", "minimum_spacing_m": 0}
    result = plan(small_region, network, Programme(targets=(towers, poles)), rules=RULES)
    assert set(result.chosen["service"]) == {"own"}
    cells = result.network_after.cells
    assert set(cells.loc[cells["site"].isin(result.chosen.index), "radio_layer"]) >= {"lte-own"}
    assert result.results[1].people_gained > 0


def test_a_plan_locked_in_part_goes_on_from_there(planned, small_region, small_network):
    first = planned.chosen.query("programme == 'micro'")
    locked = first.iloc[[2]]  # not what greedy would begin with
    again = plan(small_region, small_network, programme(), rules=RULES, locked=locked)
    chosen = again.chosen.query("programme == 'micro'")
    assert chosen.index[0] == locked.index[0]
    assert len(chosen) == 3
    assert again.results[1].selection.n_forced == 1
    with pytest.raises(PlanningError, match="was chosen for target 'other'"):
        plan(
            small_region,
            small_network,
            programme(),
            rules=RULES,
            locked=locked.assign(programme="other"),
        )


def test_towers_that_an_earlier_target_builds_can_be_used(small_region, small_network):
    poles = programme(micro=2).targets[1]
    later = {
        "id": "5g-there",
        "kind": "supporting",
        "number": 4,
        "service": "5g",
        "radio_layers": ("nr-n28",),
        "minimum_spacing_m": 0,
        "towers_of": ("micro",),
    }
    result = plan(small_region, small_network, Programme(targets=(poles, later)), rules=RULES)
    built = result.chosen.query("programme == 'micro'").index
    assert set(result.chosen.query("programme == '5g-there'").index) == {"B", "C", *built}


def test_joint_targets_are_one_choice(small_region, small_network):
    targets = programme().targets
    whole = Programme(
        targets=[t.model_copy(update={"improve": "swap"}) for t in targets], order="joint"
    )
    result = plan(small_region, small_network, whole, rules=RULES)
    assert result.chosen.groupby("programme").size().to_dict() == {"supporting": 1, "micro": 3}
    joint = result.results[0].joint
    assert joint is result.results[1].joint
    gained = sum(one.people_gained for one in result.results)
    assert joint.objective == round(gained * 1000)


def test_an_interrupt_keeps_what_is_complete(small_region, small_network, monkeypatch):
    whole = covering_matrix

    def stopped_at_the_second(coverage, *rest, **options):
        if coverage.service.id == "4g":
            raise KeyboardInterrupt
        return whole(coverage, *rest, **options)

    monkeypatch.setattr("ankang_coverage.planning.pipeline.covering_matrix", stopped_at_the_second)
    result = plan(small_region, small_network, programme(), rules=RULES)
    assert result.interrupted
    assert [one.target.id for one in result.results] == ["supporting"]
    assert set(result.chosen["programme"]) == {"supporting"}


def test_villages_can_be_what_counts(small_region, small_network):
    result = plan(
        small_region,
        small_network,
        micro_programme(objectives=["villages", "people"], number=2),
        rules=RULES,
    ).results[0]
    assert result.selection.objective % 1000 == 0  # whole villages
    assert result.explanation.curve["people_gained_total"].iloc[-1] == result.people_gained


def test_only_services_that_are_asked_for_are_predicted(small_region, small_network):
    alone = plan(small_region, small_network, micro_programme(), rules={"4g": RULES["4g"]})
    assert list(alone.coverage_before) == ["4g"]
    assert not [column for column in alone.villages if "5g" in column]
    beside = plan(small_region, small_network, micro_programme(), rules=RULES)
    assert list(beside.coverage_before) == ["4g", "5g"]
    assert beside.chosen.equals(alone.chosen)
