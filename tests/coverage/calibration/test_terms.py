"""Terms: what is fitted for each class of land cover, and what a correction makes of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drives import P1812, RMA, drive, value

from ankang_coverage.coverage import HeldOut
from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.coverage.calibration.terms import FEWEST_CLASS_BINS, FEWEST_CLASS_BLOCKS, Terms
from ankang_coverage.propagation import MODELS


@pytest.mark.parametrize("propagation", [RMA, P1812], ids=lambda p: p.model)
def test_known_losses_by_class_are_found(small_region, air, fit, propagation):
    found = fit(
        drive(small_region, air(propagation), class_db={10: 6.0, 40: -1.0}, seed=3), propagation
    )
    by_code = {cover.code: cover.loss_db for cover in found.correction.land_cover}
    assert by_code[10] - by_code[40] == pytest.approx(7.0, abs=1.0)
    slope, error = value(found, "distance slope")
    assert abs(slope - 4.0) < 3.0 * error
    assert value(found, "class 10")[1] < 1.0


def test_a_class_with_few_bins_keeps_the_models_loss(small_region, air, network):
    cover = small_region.rasters["land_cover"].copy()
    cover[:2, :2] = 50
    region = replace(small_region, rasters=small_region.rasters.assign(land_cover=cover))
    found = calibrate(
        region,
        network,
        drive(region, air(RMA), seed=6),
        propagation=RMA,
        held_out=HeldOut(block_m=500.0),
        check_coordinates=False,
        serving_only=False,
    )
    assert [cover.code for cover in found.correction.land_cover] == [10, 40]


def bins_on(codes, n_blocks=10, **more):
    n = len(codes)
    return pd.DataFrame(
        {
            "block": np.arange(n) % n_blocks,
            "code": codes,
            "distance_m": np.geomspace(100.0, 10_000.0, n),
            "frequency_mhz": np.where(np.arange(n) % 2, 1840.0, 941.5),
            **more,
        }
    )


@pytest.mark.parametrize(
    ("n", "n_blocks", "codes"),
    [
        (FEWEST_CLASS_BINS, 10, (10, 40)),
        (FEWEST_CLASS_BINS - 1, 10, (10,)),
        (FEWEST_CLASS_BINS, FEWEST_CLASS_BLOCKS - 1, ()),
    ],
)
def test_a_class_has_a_term_where_enough_bins_lie_in_enough_blocks(n, n_blocks, codes):
    terms = Terms.of(bins_on([10] * 100 + [40] * n, n_blocks), MODELS["rma"])
    assert terms.codes == codes


def test_one_class_alone_is_the_offset():
    terms = Terms.of(bins_on([10] * 200), MODELS["rma"])
    assert terms.names == ("offset", "distance slope")
    assert np.isinf(terms.prior_sd[0])


def test_columns_are_what_one_unit_of_each_term_adds():
    own = [term.name for term in MODELS["spm"].terms]
    bins = bins_on([10, 40] * 100, **{name: np.arange(200.0) + n for n, name in enumerate(own)})
    terms = Terms.of(bins, MODELS["spm"])
    assert terms.names == ("offset", "distance slope", "class 10", "class 40", *own)
    columns = dict(zip(terms.names, terms.columns(bins).T, strict=True))
    assert set(columns["offset"]) == {1.0}
    assert columns["class 10"].tolist() == [1.0, 0.0] * 100
    assert columns["class 40"].tolist() == [0.0, 1.0] * 100
    for n, name in enumerate(own):
        assert columns[name].tolist() == list(range(n, n + 200))
    # In decades from the geometric mean of the distances.
    decades = np.log10(bins["distance_m"] / 1_000.0)
    assert columns["distance slope"] == pytest.approx(decades.to_numpy(), abs=1e-9)


def test_coefficients_make_the_correction_they_are_named_for():
    terms = Terms.of(bins_on([10, 40] * 100), MODELS["spm"])
    coefficients = np.arange(1.0, 1.0 + len(terms.names))
    found = terms.correction(coefficients)
    assert (found.offset_db, found.distance_slope_db) == (1.0, 2.0)
    assert [(cover.code, cover.loss_db) for cover in found.land_cover] == [(10, 3.0), (40, 4.0)]
    assert [(term.name, term.value) for term in found.terms] == [
        (term.name, 5.0 + n) for n, term in enumerate(MODELS["spm"].terms)
    ]
    assert found.frequencies_mhz == (941.5, 1840.0)
    assert (found.nearest_m, found.farthest_m) == pytest.approx((100.0, 10_000.0))
    assert found.reference_distance_m == pytest.approx(1_000.0)
