"""A plan that several tests look at."""

import pytest
from builders import RULES, plan, programme


@pytest.fixture(scope="session")
def planned(small_region, small_network):
    """One supporting site and three micro sites on the small region."""
    return plan(small_region, small_network, programme(), rules=RULES)
