"""What changes from one coverage to another, by pixel, by people and by village."""

import pytest
from builders import predict

from ankang_coverage import service
from ankang_coverage.coverage import changed_villages, difference, people_changed
from ankang_coverage.errors import CatalogueError


@pytest.fixture(scope="module")
def change(small_region, small_network):
    """B goes off the air and A's n28 counts for nothing; C is new."""
    rule = service("4g").with_fields(rsrp_threshold_dbm=-86.0)
    before = predict(small_region, small_network.with_sites(["A", "B"]), rule)
    return before.difference(before.with_network(small_network.with_sites(["A", "C"])))


def test_it_is_what_the_functions_say_of_both(change, small_region):
    before, after = change.before, change.after
    assert change.to_dataset().identical(difference(before, after))
    assert change["change"].identical(difference(before, after)["change"])
    assert change.people().equals(people_changed(before, after, small_region))
    tables = [coverage.summarise()["villages"] for coverage in (before, after)]
    assert change.villages().equals(changed_villages(*tables))


def test_people_who_gain_and_lose_make_up_the_difference_of_the_summaries(change):
    people = change.people()
    assert people["people_gained"].sum() > 0
    assert people["people_lost"].sum() > 0
    net = people["people_gained"].sum() - people["people_lost"].sum()
    before, after = (
        coverage.summarise()["villages"]["people_covered"].sum()
        for coverage in (change.before, change.after)
    )
    assert net == pytest.approx(after - before, abs=1e-6)


def test_turned_round_gains_are_losses(change):
    back = change.after.difference(change.before)
    assert back.people()["people_gained"].equals(
        change.people()["people_lost"].rename("people_gained")
    )
    assert (back["change"] == -change["change"]).all()


def test_nothing_changes_from_a_coverage_to_itself(change):
    same = change.after.difference(change.after)
    assert not same.people()[["people_gained", "people_lost"]].to_numpy().any()
    assert same.villages().empty
    assert repr(same) == "Change(4g of small; 0 cells more, 0 less)"


def test_it_prints_how_many_cells_came_and_went(change):
    assert repr(change) == "Change(4g of small; 3 cells more, 3 less)"
    assert change._repr_html_() == f"<code>{change!r}</code>"


def test_coverages_by_different_rules_are_no_change(change, small_region, small_network):
    other = change.after.service.with_fields(rsrp_threshold_dbm=-100.0)
    strict = predict(small_region, small_network, other)
    with pytest.raises(CatalogueError, match="different rules"):
        change.before.difference(strict).to_dataset()
