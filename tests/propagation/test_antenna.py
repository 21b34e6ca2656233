import numpy as np
import pytest
from hypothesis import given, strategies as st

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation import (
    TR38901_ELEMENT,
    SectorPattern,
    array_gain,
    sector_gain,
)

MACRO = SectorPattern(
    gain_dbi=15.0,
    horizontal_beamwidth_deg=65.0,
    vertical_beamwidth_deg=15.0,
    front_to_back_db=25.0,
    side_lobe_suppression_db=20.0,
)
ROD = SectorPattern(
    gain_dbi=8.0,
    horizontal_beamwidth_deg=360.0,
    vertical_beamwidth_deg=17.0,
    front_to_back_db=0.0,
    side_lobe_suppression_db=15.0,
)


def rotated_gain(pattern, azimuth, elevation, boresight, mechanical, electrical):
    """The gain by matrices of rotation, one direction at a time."""
    east_of_north, up = np.radians(azimuth), np.radians(elevation)
    direction = np.array(
        [np.cos(up) * np.cos(east_of_north), np.cos(up) * np.sin(east_of_north), np.sin(up)]
    )
    b, m = np.radians(boresight), np.radians(mechanical)
    to_boresight = np.array([[np.cos(b), np.sin(b), 0], [-np.sin(b), np.cos(b), 0], [0, 0, 1]])
    tilt_down = np.array([[np.cos(m), 0, -np.sin(m)], [0, 1, 0], [np.sin(m), 0, np.cos(m)]])
    x, y, z = tilt_down @ to_boresight @ direction
    horizontal = np.degrees(np.arctan2(y, x))
    vertical = np.degrees(np.arctan2(z, np.hypot(x, y)))
    a_h = (
        0.0
        if pattern.omnidirectional
        else min(
            12 * (horizontal / pattern.horizontal_beamwidth_deg) ** 2, pattern.front_to_back_db
        )
    )
    a_v = min(
        12 * ((vertical + electrical) / pattern.vertical_beamwidth_deg) ** 2,
        pattern.side_lobe_suppression_db,
    )
    floor = (
        pattern.side_lobe_suppression_db if pattern.omnidirectional else pattern.front_to_back_db
    )
    return pattern.gain_dbi - min(a_h + a_v, floor)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("azimuth", "elevation", "tilts", "attenuation"),
    [
        (120.0, 0.0, (0, 0), 0.0),  # boresight
        (152.5, 0.0, (0, 0), 3.0),  # half the horizontal beamwidth
        (87.5, 0.0, (0, 0), 3.0),  # on either side
        (120.0, 7.5, (0, 0), 3.0),  # half the vertical beamwidth
        (152.5, -7.5, (0, 0), 6.0),  # both
        (300.0, 0.0, (0, 0), 25.0),  # behind: the front-to-back ratio
        (120.0, 60.0, (0, 0), 20.0),  # above: the side lobes
        (300.0, 60.0, (0, 0), 25.0),  # both floors together are one
        (120.0, -6.0, (0, 6), 0.0),  # electrical tilt: the lobe is below the horizon …
        (152.5, -6.0, (0, 6), 3.0),  # … at all azimuths
        (120.0, -6.0, (6, 0), 0.0),  # mechanical tilt: ahead the same
        (120.0, -10.0, (6, 4), 0.0),  # the two add up ahead
        (480.0, 0.0, (0, 0), 0.0),  # azimuths go round
        (-240.0, 0.0, (0, 0), 0.0),
    ],
)
def test_known_directions(azimuth, elevation, tilts, attenuation):
    gain = sector_gain(MACRO, azimuth, elevation, 120.0, *tilts)
    assert gain == pytest.approx(15.0 - attenuation, abs=1e-9)


def test_mechanical_downtilt_looks_up_behind():
    # A floor that is never reached shows the back lobe: it points 8° up, an electrical one down.
    open_floor = SectorPattern(15.0, 170.0, 15.0, 60.0, 30.0)
    elevations = np.linspace(-20.0, 20.0, 401)
    mechanical = sector_gain(open_floor, 180.0, elevations, 0.0, mechanical_tilt_deg=8.0)
    electrical = sector_gain(open_floor, 180.0, elevations, 0.0, electrical_tilt_deg=8.0)
    assert elevations[np.argmax(mechanical)] == pytest.approx(8.0, abs=1e-9)
    assert elevations[np.argmax(electrical)] == pytest.approx(-8.0, abs=1e-9)


def test_mechanical_tilt_leaves_the_sides_level():
    # At right angles the horizon stays the antenna's equator: only the vertical lobe's share is 0.
    assert sector_gain(MACRO, 90.0, 0.0, 0.0, 10.0) == pytest.approx(15.0 - 12 * (90 / 65) ** 2)


directions = st.tuples(st.floats(-360.0, 720.0), st.floats(-90.0, 90.0))
settings = st.tuples(st.floats(0.0, 360.0), st.floats(-20.0, 20.0), st.floats(-10.0, 15.0))


@given(pattern=st.sampled_from([MACRO, ROD]), direction=directions, setting=settings)
def test_equals_matrices_of_rotation(pattern, direction, setting):
    gain = sector_gain(pattern, *direction, *setting)
    # Near the poles of the antenna azimuths are ill-conditioned; the floor hides most of it.
    assert gain == pytest.approx(rotated_gain(pattern, *direction, *setting), abs=1e-5)


@given(direction=directions, turn=st.floats(-360.0, 360.0), setting=settings)
def test_turning_mast_and_direction_together_changes_nothing(direction, turn, setting):
    azimuth, elevation = direction
    boresight, *tilts = setting
    here = sector_gain(MACRO, azimuth, elevation, boresight, *tilts)
    there = sector_gain(MACRO, azimuth + turn, elevation, boresight + turn, *tilts)
    assert there == pytest.approx(here, abs=1e-5)


def test_omnidirectional_is_the_same_all_round():
    azimuths = np.arange(0.0, 360.0, 7.0)
    np.testing.assert_allclose(sector_gain(ROD, azimuths, -8.5, 77.0), 5.0, atol=1e-12)
    np.testing.assert_allclose(sector_gain(ROD, azimuths, 60.0, 77.0), -7.0, atol=1e-12)


def test_vector_equals_scalars_and_broadcasts():
    rng = np.random.default_rng(1)
    azimuths, elevations = rng.uniform(0, 360, (1, 50)), rng.uniform(-15, 15, (1, 50))
    boresights, tilts = np.array([[0.0], [120.0], [240.0]]), np.array([[0.0], [3.0], [6.0]])
    gains = sector_gain(MACRO, azimuths, elevations, boresights, tilts, 4.0)
    assert gains.shape == (3, 50)
    assert gains.dtype == np.float64
    for sector in range(3):
        for pixel in range(50):
            single = sector_gain(
                MACRO,
                azimuths[0, pixel],
                elevations[0, pixel],
                boresights[sector, 0],
                tilts[sector, 0],
                4.0,
            )
            assert isinstance(single, np.float64)
            # A sector without mechanical tilt skips the rotation when alone.
            assert gains[sector, pixel] == pytest.approx(single, abs=1e-8)


@pytest.mark.parametrize("tilt", [0.0, 5.0])
def test_single_precision_stays_single_and_close(tilt):
    rng = np.random.default_rng(2)
    azimuths, elevations = rng.uniform(0, 360, 10_000), rng.uniform(-15, 15, 10_000)
    exact = sector_gain(MACRO, azimuths, elevations, 120.0, tilt, 3.0)
    single = sector_gain(
        MACRO, azimuths.astype(np.float32), elevations.astype(np.float32), 120.0, tilt, 3.0
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tilt", [0.0, 5.0])
@pytest.mark.parametrize("place", [0, 1])
def test_unknown_directions_stay_unknown(dtype, tilt, place):
    direction = [np.array([10.0, 20.0], dtype), np.array([1.0, 2.0], dtype)]
    direction[place][1] = np.nan
    gains = sector_gain(MACRO, *direction, 0.0, tilt)
    assert np.isfinite(gains[0])
    assert np.isnan(gains[1])


def test_inputs_are_left_alone():
    azimuths, elevations = np.array([350.0, 10.0]), np.array([1.0, -1.0])
    sector_gain(MACRO, azimuths, elevations, 120.0, 5.0, 3.0)
    assert azimuths.tolist() == [350.0, 10.0]
    assert elevations.tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("settings_", "name"),
    [
        ((np.nan,), "boresight_azimuth_deg"),
        ((0.0, 91.0), "mechanical_tilt_deg"),
        ((0.0, 0.0, np.nan), "electrical_tilt_deg"),
    ],
)
def test_refuses_impossible_settings(settings_, name):
    with pytest.raises(OutOfRangeError, match=name):
        sector_gain(MACRO, 0.0, 0.0, *settings_)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gain_dbi", np.nan),
        ("horizontal_beamwidth_deg", 0.0),
        ("horizontal_beamwidth_deg", 361.0),
        ("horizontal_beamwidth_deg", 360.0),  # all round, yet with a front and a back
        ("vertical_beamwidth_deg", -1.0),
        ("front_to_back_db", 0.0),
        ("side_lobe_suppression_db", -1.0),
    ],
)
def test_refuses_what_is_no_antenna(field, value):
    with pytest.raises(OutOfRangeError):
        SectorPattern(**vars(MACRO) | {field: value})


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (8, 1), (1, 4), (8, 8), (12, 8)])
def test_array_peak(rows, columns):
    expected = 8.0 + 10 * np.log10(rows * columns)
    assert array_gain(rows, columns, 30.0, 0.0, 30.0) == pytest.approx(expected, abs=1e-9)
    # Tilted as a whole the beam follows; steered electrically the element stays behind.
    assert array_gain(rows, columns, 30.0, -5.0, 30.0, 5.0) == pytest.approx(expected, abs=1e-6)
    off_element = 12 * (5 / 65) ** 2
    assert array_gain(rows, columns, 30.0, -5.0, 30.0, 0.0, 5.0) == pytest.approx(
        expected - off_element, abs=1e-9
    )


def test_single_element_is_the_element():
    azimuths, elevations = np.meshgrid(np.arange(0, 360, 15.0), np.arange(-90, 91, 15.0))
    np.testing.assert_allclose(
        array_gain(1, 1, azimuths, elevations, 40.0),
        sector_gain(TR38901_ELEMENT, azimuths, elevations, 40.0),
        atol=1e-9,
    )


def test_array_equals_the_sum_over_its_elements():
    rng = np.random.default_rng(3)
    azimuths, elevations = rng.uniform(-60, 60, 200), rng.uniform(-40, 40, 200)
    rows, columns, tilt, d_v, d_h = 6, 4, 7.0, 0.8, 0.5
    across, up = np.radians(azimuths), np.radians(elevations)
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    turns = d_v * row[..., None] * (np.sin(up) + np.sin(np.radians(tilt))) + d_h * column[
        ..., None
    ] * np.cos(up) * np.sin(across)
    power = np.abs(np.exp(2j * np.pi * turns).sum((0, 1))) ** 2 / (rows * columns)
    expected = sector_gain(TR38901_ELEMENT, azimuths, elevations, 0.0) + 10 * np.log10(power)
    gains = array_gain(
        rows,
        columns,
        azimuths,
        elevations,
        0.0,
        0.0,
        tilt,
        row_spacing_wavelengths=d_v,
        column_spacing_wavelengths=d_h,
    )
    np.testing.assert_allclose(gains, expected, atol=1e-6)


def test_array_at_a_grating_lobe():
    # Rows one wavelength apart radiate as strongly straight up as ahead; the element does not.
    ahead, above = array_gain(4, 1, 0.0, [0.0, 90.0], 0.0, row_spacing_wavelengths=1.0)
    assert ahead - above == pytest.approx(12 * (90 / 65) ** 2, abs=1e-6)


@pytest.mark.parametrize("counts", [(0, 1), (1, 0)])
def test_refuses_an_empty_array(counts):
    with pytest.raises(OutOfRangeError, match="n_rows|n_columns"):
        array_gain(*counts, 0.0, 0.0, 0.0)
