"""COST 231-Hata against the formula of the COST 231 final report, section 4.4.1."""

import numpy as np
import pytest

from ankang_coverage.propagation.models.by_distance import Paths
from ankang_coverage.propagation.models.cost231_hata import Cost231Hata


@pytest.mark.parametrize(("mhz", "mast_m", "phone_m"), [(1800.0, 30.0, 1.5), (2000.0, 120.0, 3.0)])
def test_the_loss_is_that_of_a_medium_sized_city(mhz, mast_m, phone_m):
    km = np.array([1.0, 3.0, 12.0])
    log_f, log_h = np.log10(mhz), np.log10(mast_m)
    phone_db = (1.1 * log_f - 0.7) * phone_m - (1.56 * log_f - 0.8)
    expected = 46.3 + 33.9 * log_f - 13.82 * log_h - phone_db
    expected = expected + (44.9 - 6.55 * log_h) * np.log10(km)
    found = Cost231Hata().loss_db(Paths(km * 1e3, mhz, mast_m, phone_m))
    assert found == pytest.approx(expected, abs=1e-9)
