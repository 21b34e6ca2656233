"""Steps move prices towards a lower bound, and candidates are not looked at in vain."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from ankang_coverage.covering import Constraints, Floor, Problem, Quota, prices
from ankang_coverage.covering.prices import PriceSearch
from ankang_coverage.covering.relaxation import Relaxation, relax


def relaxation(**constraints: object) -> Relaxation:
    rng = np.random.default_rng(3)
    matrix = csr_array(rng.random((60, 400)) < 0.06)
    given = {"number": 10, **constraints}
    return relax(Problem.from_matrix(matrix, rng.integers(1, 99, 400), Constraints(**given)))


def test_a_price_rises_where_nobody_covers_and_falls_where_several_do() -> None:
    search = PriceSearch(relaxation(), None, None)
    first = search.prices.demand.copy()
    search.bound()
    chosen = search.fraction > 0
    covered = np.zeros(first.size)
    for row in np.flatnonzero(chosen):
        r = search.relaxation
        covered[r.indices[r.first[row] : r.last[row]]] += 1

    search.step(1000.0)

    change = search.prices.demand - first
    assert (change[covered == 0] > 0).all()
    assert (change[covered == 1] == 0).all()
    assert (change[covered > 1] < 0).all()


@pytest.mark.parametrize(
    "constraints",
    [
        {},
        {"costs": np.arange(60), "budget": 90},
        {"quotas": [Quota("a", range(30), 6), Quota("b", range(20, 50), 0, 4)]},
        {"floors": [Floor("f", range(200), 3000)]},
    ],
    ids=["number", "budget", "quotas", "floors"],
)
def test_looking_only_at_those_who_may_be_chosen_changes_no_bound(
    constraints: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bounds() -> list[float]:
        search = PriceSearch(relaxation(**constraints), None, None)
        found = []
        for _ in range(40):
            found.append(search.bound())
            search.step(0.05 * found[-1])
        return found

    at_few = bounds()
    monkeypatch.setattr(prices, "SLACK", 1e6)

    np.testing.assert_allclose(at_few, bounds(), rtol=1e-6)
