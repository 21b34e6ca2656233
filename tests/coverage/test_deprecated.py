"""Names of version 0.1 still give what their successors give, with a note."""

import numpy as np
import pytest
from builders import predict

from ankang_coverage.coverage import add_network, changed_windows, is_covered


@pytest.fixture(scope="module")
def first(small_region, small_network):
    return predict(small_region, small_network.with_sites(["A"]), "4g")


def test_add_network(first, small_region, small_network):
    more = small_network.with_sites(["B"])
    with pytest.warns(DeprecationWarning, match=r"use coverage\.add\(network\)") as said:
        grown = add_network(small_region, first, more)
    assert grown.to_dataset().identical(first.add(more).to_dataset())
    assert said[0].filename == __file__  # the line to change


def test_is_covered(first):
    with pytest.warns(DeprecationWarning, match=r"use coverage\.covered"):
        covered = is_covered(first)
    assert covered.dtype == bool
    assert np.array_equal(covered, first.covered)


def test_changed_windows(first, small_network):
    other = first.add(small_network.with_sites(["B"]))
    with pytest.warns(DeprecationWarning, match=r"use before\.changed_windows\(after\)"):
        assert changed_windows(first, other) == first.changed_windows(other) != []
