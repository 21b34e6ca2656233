"""Why a pixel is not covered: one case per reason, and which goes before which."""

import numpy as np
import pytest
import xarray as xr
from builders import HandmadeCoverage
from odc.geo.xr import xr_coords

from ankang_coverage.coverage.zonal.reasons import REASONS, Demands, why_not
from ankang_coverage.errors import RasterError

# Φ⁻¹ from tables of the normal law.
SIGMAS = {0.5: 0.0, 0.75: 0.6744897501960817, 0.9: 1.2815515655446004, 0.95: 1.6448536269514722}

RULE = {
    "id": "4g",
    "source": "made by hand for tests",
    "radio_layers": ["lte-b8"],
    "rsrp_threshold_dbm": -110.0,
    "edge_probability": 0.75,
    "sinr_threshold_db": -3.0,
    "uplink_mbps": 1.0,
}
WEAK, STRONG = -104.7, -104.5  # either side of −110 + 0.6745 · 8 = −104.604
NOTHING = np.nan

# covered, RSRP, obstacle, SINR, margin of the uplink, terrain known; reason
PIXELS = [
    (True, STRONG, 0.0, 5.0, 3.0, True, "covered"),
    (True, WEAK, 900.0, -9.0, -3.0, False, "covered"),  # the rule has the last word
    (False, NOTHING, NOTHING, NOTHING, NOTHING, False, "no_terrain_data"),
    (False, NOTHING, NOTHING, NOTHING, NOTHING, True, "beyond_range"),
    (False, WEAK, 900.0, 5.0, 3.0, True, "blocked_by_terrain"),
    (False, WEAK, 0.0, 5.0, 3.0, True, "too_weak"),
    (False, WEAK, NOTHING, 5.0, 3.0, True, "too_weak"),  # the model looks at no terrain
    (False, STRONG, 0.0, -3.1, 3.0, True, "interference"),
    (False, STRONG, 0.0, 5.0, -0.1, True, "uplink_fails"),
    # Several parts fail: the first to be mended.
    (False, WEAK, 900.0, -9.0, -3.0, True, "blocked_by_terrain"),
    (False, WEAK, 0.0, -9.0, -3.0, True, "too_weak"),
    (False, STRONG, 900.0, -9.0, -3.0, True, "interference"),
    (False, STRONG, 900.0, 5.0, -3.0, True, "uplink_fails"),
    # Nothing fails by these figures: rounding at the threshold itself.
    (False, STRONG, 0.0, 5.0, 3.0, True, "too_weak"),
]
VARIABLES = ("covered", "rsrp_dbm", "obstacle_distance_m", "sinr_db", "uplink_margin_db")


def scene(small_region, pixels, rule=RULE):
    """The first pixels of the small region's grid as given; the rest covered."""
    shape = small_region.geobox.shape
    types = (np.bool_, *[np.float32] * 4, np.bool_)
    arrays = [np.ones(shape, dtype) for dtype in types]
    for place, pixel in enumerate(pixels):
        for array, value in zip(arrays, pixel[:6], strict=True):
            array.flat[place] = value
    *figures, known = arrays
    rasters = small_region.rasters.copy(deep=True)
    rasters["elevation_m"] = rasters["elevation_m"].where(known)
    region = type(small_region)(
        name="pixels",
        counties=small_region.counties,
        townships=small_region.townships,
        villages=small_region.villages,
        rasters=rasters,
    )
    figures = xr.Dataset(
        {
            name: (("y", "x"), values, {"grid_mapping": "spatial_ref"})
            for name, values in zip(VARIABLES, figures, strict=True)
        },
        coords=xr_coords(small_region.geobox),
    )
    return region, HandmadeCoverage(figures, rule)


def reasons(region, coverage, n):
    return [REASONS[value] for value in why_not(coverage, region).to_numpy().ravel()[:n]]


def test_every_reason(small_region):
    region, coverage = scene(small_region, PIXELS)
    assert reasons(region, coverage, len(PIXELS)) == [pixel[-1] for pixel in PIXELS]


def test_tiles_change_nothing(small_region):
    region, coverage = scene(small_region, PIXELS)
    assert why_not(coverage.chunk({"y": 7, "x": 11}), region).equals(why_not(coverage, region))


def test_flags_are_declared(small_region):
    region, coverage = scene(small_region, PIXELS)
    result = why_not(coverage, region)
    assert result.dtype == np.uint8
    assert result.attrs["flag_values"].tolist() == list(range(7))
    assert result.attrs["flag_values"].dtype == result.dtype
    assert tuple(result.attrs["flag_meanings"].split()) == REASONS
    assert result.odc.geobox == region.geobox


@pytest.mark.parametrize(("probability", "sigmas"), SIGMAS.items())
def test_the_margin_follows_the_probability(small_region, probability, sigmas):
    rule = RULE | {"edge_probability": probability}
    _, coverage = scene(small_region, [], rule)
    assert Demands.of(coverage.rule).needed_dbm == pytest.approx(-110 + 8 * sigmas, abs=1e-9)


def test_what_a_rule_leaves_out_is_neither_asked_nor_read(small_region):
    rule = RULE | {"sinr_threshold_db": None, "uplink_mbps": None, "edge_probability": 0.5}
    pixels = [
        (False, -110.1, 0.0, -30.0, -30.0, True),
        (False, -110.1, 70.0, -30.0, -30.0, True),
        (True, -109.9, 0.0, -30.0, -30.0, True),
    ]
    region, coverage = scene(small_region, pixels, rule)
    without = coverage.drop_vars(["sinr_db", "uplink_margin_db"])
    assert reasons(region, without, 3) == ["too_weak", "blocked_by_terrain", "covered"]


def test_a_model_without_terrain_does_not_miss_it(small_region):
    region, coverage = scene(small_region, PIXELS)
    assert "no_terrain_data" not in reasons(region, coverage.over("none"), len(PIXELS))


def test_wrong_input_is_named(small_region):
    region, coverage = scene(small_region, PIXELS)
    with pytest.raises(RasterError, match="no variable 'sinr_db'"):
        why_not(coverage.drop_vars("sinr_db"), region)
    with pytest.raises(RasterError, match="has no grid"):
        why_not(coverage.drop_attrs(), region)
    with pytest.raises(RasterError, match="40 × 60 pixels"):
        why_not(coverage.isel(y=slice(40)), region)
