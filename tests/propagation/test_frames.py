"""Shares of time and of resource elements, counted by hand."""

import pytest

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import lte_downlink_overhead, tdd_shares


@pytest.mark.parametrize(
    ("pattern", "down", "up"),
    [
        ("DDDDDDDSUU 6:4:4", 104 / 140, 32 / 140),  # 5 ms, as at 2.6 GHz
        ("DDDSUDDSUU 10:2:2", 90 / 140, 46 / 140),  # two periods of 2.5 ms, as at 3.5 GHz
        ("DSUDD 10:4:0", 52 / 70, 14 / 70),  # LTE configuration 2, special subframe 7
    ],
)
def test_shares_of_time_by_hand(pattern, down, up):
    assert tdd_shares(pattern) == pytest.approx((down, up))


@pytest.mark.parametrize(
    "pattern", ["", "DSUDD", "DSXDD 10:2:2", "DDDD 10:2:2", "DSU 10:2:3", "DSU 10:4", "DSU a:b:c"]
)
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(OutOfRangeError, match="write slots and the symbols"):
        tdd_shares(pattern)


@pytest.mark.parametrize("ports", [1, 2, 4])
def test_downlink_overhead_counts_the_elements_of_ts_36211(ports):
    # Reference signals of the normal prefix: ports 0 and 1 in symbols 0 and 4 of a slot, ports 2
    # and 3 in symbol 1, two elements each; control in symbols 0 and 1 of the first slot.
    symbols = {port: (0, 4, 7, 11) if port < 2 else (1, 8) for port in range(ports)}
    outside = sum(2 for where in symbols.values() for symbol in where if symbol > 1)
    taken = (24 + outside) / 168 + 528 / (168 * 10 * 50)
    assert lte_downlink_overhead(50, ports) == pytest.approx(taken)
