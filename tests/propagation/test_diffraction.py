"""P.526 against closed forms: Fresnel integrals, one edge, the Airy function's first root."""

import math

import numpy as np
import pytest
from scipy import special

from ankang_coverage.errors import OutOfRangeError
from ankang_coverage.propagation.diffraction import (
    bullington_loss,
    delta_bullington,
    first_term_loss,
    knife_edge_loss,
    smooth_earth_fit,
    smooth_surface,
    spherical_earth_loss,
)

RADIUS_KM = 8500.0


@pytest.mark.parametrize("nu", [-0.7, -0.3, 0.0, 0.5, 1.0, 2.4, 5.0, 20.0])
def test_knife_edge_is_the_fresnel_integral(nu):
    sine, cosine = special.fresnel(nu)
    exact = -20 * math.log10(abs((1 - cosine - sine) + 1j * (cosine - sine)) / 2)
    assert knife_edge_loss(nu) == pytest.approx(exact, abs=0.3)


def test_knife_edge_vanishes_below_the_ray_and_keeps_the_shape():
    loss = knife_edge_loss([[-5.0, -0.78], [0.0, 1.0]])
    assert loss.shape == (2, 2)
    assert loss[0].tolist() == [0.0, 0.0]
    assert np.all(np.diff(knife_edge_loss(np.linspace(-0.77, 30, 500))) > 0)


@pytest.mark.parametrize("edge_m", [60.0, 100.0, 400.0])
@pytest.mark.parametrize("at", [1, 3, 6])
def test_bullington_of_one_edge_is_that_edge(edge_m, at):
    distance = np.arange(9.0)
    height = np.zeros(9)
    height[at] = edge_m
    d1, d2 = distance[at], 8 - distance[at]
    above = edge_m + 500 / RADIUS_KM * d1 * d2 - 30.0
    nu = above * math.sqrt(2 * 8e3 / (0.2998 / 0.9 * d1 * 1e3 * d2 * 1e3))
    edge_loss = 6.9 + 20 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1) + nu - 0.1)
    expected = edge_loss + (1 - math.exp(-edge_loss / 6)) * (10 + 0.02 * 8)
    assert bullington_loss(distance, height, 30, 30, RADIUS_KM, 900) == pytest.approx(expected)


def test_bullington_where_the_ray_grazes_a_plane_slope():
    # Heights that follow the straight ray on a nearly flat earth: ν is zero everywhere.
    distance = np.linspace(0.0, 4.0, 9)
    loss = bullington_loss(distance, 10.0 * distance, 0.0, 40.0, 1e12, 900)
    edge = 6.9 + 20 * math.log10(math.sqrt(1.01) - 0.1)
    assert loss == pytest.approx(edge + (1 - math.exp(-edge / 6)) * 10.08, abs=1e-3)


def test_loss_is_the_same_both_ways():
    rng = np.random.default_rng(1)
    distance = np.cumsum(np.r_[0.0, rng.uniform(0.05, 0.2, 80)])
    height = rng.uniform(200, 500, 81)
    there = delta_bullington(distance, height, 600, 300, (250, 200), RADIUS_KM, 1800)
    back = delta_bullington(
        distance[-1] - distance[::-1], height[::-1], 300, 600, (200, 250), RADIUS_KM, 1800
    )
    assert back.loss_db == pytest.approx(there.loss_db)
    assert back.spherical_earth_db == pytest.approx(there.spherical_earth_db)


def test_first_term_falls_with_the_first_root_of_the_airy_function():
    # On a perfect conductor the field decays as exp(−√3/2 · a1 · X), X the normalised distance.
    root = -special.ai_zeros(1)[0][0]
    f, d = 3.0, np.array([300.0, 301.0])
    near, far = (first_term_loss(x, 10, 10, RADIUS_KM, f * 1e3, "horizontal") for x in d)
    normalised = 21.88 * (f / RADIUS_KM**2) ** (1 / 3) * d
    expected = 20 / math.log(10) * math.sqrt(3) / 2 * root * np.diff(normalised)[0]
    spreading = -10 * math.log10(d[1] / d[0])
    assert far - near == pytest.approx(expected + spreading, rel=1e-3)


def test_spherical_earth_is_continuous_at_the_horizon_and_zero_when_clear():
    horizon = math.sqrt(2 * RADIUS_KM) * (math.sqrt(0.03) + math.sqrt(0.01))
    within, beyond = (
        spherical_earth_loss(horizon * factor, 30, 10, RADIUS_KM, 900)
        for factor in (1 - 1e-9, 1 + 1e-9)
    )
    assert within == pytest.approx(beyond, abs=1e-4)
    assert spherical_earth_loss(1.0, 300, 200, RADIUS_KM, 3000) == 0.0


def test_sea_and_polarisation_matter_where_they_should():
    def loss(polarisation, sea):
        return first_term_loss(100, 20, 20, RADIUS_KM, 100, polarisation, sea)

    assert loss("vertical", 1.0) < loss("vertical", 0.0) < loss("horizontal", 0.0)
    mixed = loss("vertical", 0.25)
    assert mixed == pytest.approx(0.25 * loss("vertical", 1) + 0.75 * loss("vertical", 0))


def test_smooth_earth_fit_is_the_least_squares_line_of_the_ground():
    rng = np.random.default_rng(2)
    distance = np.cumsum(np.r_[0.0, rng.uniform(0.1, 1.0, 30)])
    ground = rng.uniform(0, 300, 31)
    fine = np.linspace(0, distance[-1], 200_001)
    slope, start = np.polyfit(fine, np.interp(fine, distance, ground), 1)
    assert smooth_earth_fit(distance, ground) == pytest.approx(
        (start, start + slope * distance[-1]), abs=1e-2
    )


def test_smooth_surface_stays_under_the_ground_and_below_obstacles():
    distance = np.linspace(0, 10, 101)
    ground = 100 + 200 * np.exp(-((distance - 4) ** 2))
    under = smooth_surface(distance, ground, 130, 110)
    fitted = smooth_earth_fit(distance, ground)
    assert under[0] < min(fitted[0], ground[0])
    assert under[1] <= ground[-1]


@pytest.mark.parametrize(
    ("distance", "height", "message"),
    [
        ([0.0], [5.0], "1 point"),
        ([0.0, 1.0], [5.0, 5.0], "2 point"),
        ([0, 1, 1], [5, 5, 5], "1 at point 2 .* must increase"),
        ([0, 2, 1], [5, 5, 5], "at point 2"),
        ([1, 2, 3], [5, 5, 5], "from 0 at the transmitter"),
        ([0, 1, 2], [5, math.nan, 5], "height_m is nan at point 1"),
        ([0, math.nan, 2], [5, 5, 5], "distance_km is nan at point 1"),
        ([0, 1, 2], [5, 5], "height_m has 2 value"),
    ],
)
def test_what_is_not_a_profile_is_refused(distance, height, message):
    with pytest.raises(OutOfRangeError, match=message):
        bullington_loss(distance, height, 30, 30, RADIUS_KM, 900)


def test_unknown_polarisation_is_refused():
    with pytest.raises(OutOfRangeError, match="'circular' but must be one of horizontal"):
        spherical_earth_loss(10, 30, 10, RADIUS_KM, 900, "circular")


def test_a_knife_edge_nowhere_has_no_loss():
    assert np.isnan(knife_edge_loss(np.nan))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: spherical_earth_loss(0.0, 10.0, 10.0, 8500.0, 900.0), "distance_km is 0"),
        (lambda: spherical_earth_loss(50.0, 0.0, 10.0, 8500.0, 900.0), "transmitter_height_m is 0"),
        (lambda: first_term_loss(50.0, 10.0, -1.0, 8500.0, 900.0), "receiver_height_m is -1"),
        (lambda: first_term_loss(50.0, 10.0, 1.0, 8500.0, 900.0, "vertical", 2.0), "sea_fraction"),
        (
            lambda: bullington_loss([0, 5, 10], [0, 100, 0], 50, 50, 8500, -900),
            "frequency_mhz is -900",
        ),
        (
            lambda: bullington_loss([0, 5, 10], [0, 100, 0], np.nan, 50, 8500, 900),
            "transmitter_m is not a number",
        ),
    ],
)
def test_what_makes_no_path_is_refused(call, message):
    with pytest.raises(OutOfRangeError, match=message):
        call()
