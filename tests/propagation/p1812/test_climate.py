from ankang_coverage.propagation.p1812 import beta0


def test_beta0_of_high_latitudes_follows_its_own_branch():
    assert beta0(75.0, 100.0, 100.0) < beta0(70.0, 100.0, 100.0) < beta0(30.0, 100.0, 100.0)
    assert beta0(-30.0, 50.0, 50.0) == beta0(30.0, 50.0, 50.0)
