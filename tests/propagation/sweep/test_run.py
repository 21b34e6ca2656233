"""The sweep against P.1812 on its own profiles, traced profiles, geometry and itself."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

from ankang_coverage.errors import OutOfRangeError, RasterError
from ankang_coverage.propagation.p1812 import p1812_loss
from ankang_coverage.propagation.sweep import (
    Clutter,
    Mast,
    SweepFlag,
    Terrain,
    sweep,
    sweep_many,
    sweep_profile,
)

SIZE, RADIUS_M, LATITUDE = 221, 3000.0, 44.5
MIDDLE = Mast(110.3, 109.8, 25.0)
LINK = {"radius_m": RADIUS_M, "frequency_mhz": 900.0, "latitude_deg": LATITUDE}
HEIGHTS, CLEARINGS, TERMINALS = (
    [0.0, 5.0, 12.0, 20.0],
    [0.0, 40.0, 50.0, 80.0],
    [0.0, 3.0, 8.0, 15.0],
)


def patches(shape, block=10, seed=3):
    classes = np.random.default_rng(seed).integers(0, 4, np.array(shape) // block + 1)
    index = classes.repeat(block, 0).repeat(block, 1)[: shape[0], : shape[1]]
    return Clutter(index.astype(np.uint8), HEIGHTS, CLEARINGS, TERMINALS)


def srtm(shared):
    path = shared / "data" / "dem_formats" / "N44W072.hgt"
    return np.fromfile(path, ">i2").reshape(1201, 1201).astype(np.float32)


def made(kind):
    rng = np.random.default_rng(5)
    row, col = np.mgrid[:SIZE, :SIZE]
    grids = {
        "random": rng.uniform(0, 150, (SIZE, SIZE)),
        "hills": 3000 * gaussian_filter(rng.normal(size=(SIZE, SIZE)), 12),
        "cliffs": np.where((row // 17 + col // 23) % 2, 250.0, 0.0),
        "plain": np.full((SIZE, SIZE), 240.0),
        "meadow": 240.0 + rng.uniform(0, 1, (SIZE, SIZE)),
        "water": np.maximum(800 * gaussian_filter(rng.normal(size=(SIZE, SIZE)), 15), 0.0),
    }
    return grids[kind].astype(np.float32)


def errors_on_own_profiles(terrain, mast, count=120, **changes):
    """Differences to P.1812 on the profiles that the sweep used, for some pixels."""
    link = LINK | changes
    result = sweep(terrain, mast, **link)
    far = (result.flags[0] & (SweepFlag.COMPUTED | SweepFlag.SHORT_RANGE)) == SweepFlag.COMPUTED
    rng = np.random.default_rng(7)
    differences = []
    for row, col in rng.permutation(np.argwhere(far))[:count]:
        pixel = row + result.row_start, col + result.col_start
        profile = sweep_profile(terrain, mast, *pixel, radius_m=RADIUS_M)
        exact = p1812_loss(
            profile.distance_km,
            profile.ground_m,
            profile.clutter_height_m,
            frequency_mhz=link["frequency_mhz"],
            transmitter_height_m=mast.height_m,
            receiver_height_m=link.get("receiver_height_m", 1.5),
            latitude_deg=LATITUDE,
            polarisation=link.get("polarisation", "vertical"),
            time_percent=link.get("time_percent", 50.0),
            location_percent=link.get("location_percent", 50.0),
        ).lb_db
        if terrain.clutter is not None:
            exact += TERMINALS[terrain.clutter.class_index[pixel]]
        differences.append(result.loss_db[0, 0, row, col] - exact)
    return np.array(differences)


@pytest.mark.parametrize("kind", ["random", "hills", "cliffs", "plain", "meadow", "water"])
@pytest.mark.parametrize("frequency_mhz", [450.0, 1800.0, 6000.0])
@pytest.mark.parametrize("cluttered", [False, True])
def test_equals_p1812_on_its_own_profiles(kind, frequency_mhz, cluttered):
    clutter = patches((SIZE, SIZE)) if cluttered else None
    terrain = Terrain(made(kind), 30.0, clutter)
    differences = errors_on_own_profiles(terrain, MIDDLE, frequency_mhz=frequency_mhz)
    assert np.max(np.abs(differences)) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("place", ["peak", "gorge", "slope"])
def test_equals_p1812_in_real_mountains(shared, place):
    # The antenna is below the trees at its foot in some of these.
    elevation = srtm(shared)[300:521, 500:721].copy()
    inner = elevation[60:160, 60:160]
    index = {"peak": inner.argmax(), "gorge": inner.argmin(), "slope": 5050}[place]
    row, col = np.unravel_index(index, inner.shape)
    mast = Mast(row + 60.0, col + 60.4, 10.0)
    terrain = Terrain(elevation, 30.0, patches(elevation.shape))
    assert np.max(np.abs(errors_on_own_profiles(terrain, mast, count=400))) < 0.02


@pytest.mark.parametrize(
    "changes",
    [
        {"time_percent": 1.0},
        {"time_percent": 10.0},
        {"location_percent": 90.0},
        {"polarisation": "horizontal", "frequency_mhz": 450.0},
        {"receiver_height_m": 40.0},
    ],
)
def test_equals_p1812_in_other_conditions(changes):
    terrain = Terrain(made("hills"), 30.0, patches((SIZE, SIZE)))
    assert np.max(np.abs(errors_on_own_profiles(terrain, MIDDLE, **changes))) < 0.02


def test_equals_p1812_where_pixels_are_coarse():
    # Steps shorter than a pixel
    terrain = Terrain(zoom(made("hills"), 0.2, order=1), 250.0)
    result = sweep(
        terrain, Mast(22.0, 22.0, 30.0), radius_m=5000, frequency_mhz=900, latitude_deg=33
    )
    profile = sweep_profile(terrain, Mast(22.0, 22.0, 30.0), 30, 35, radius_m=5000)
    assert np.diff(profile.distance_km) == pytest.approx(250 / 3 / 1e3)
    exact = p1812_loss(
        profile.distance_km,
        profile.ground_m,
        frequency_mhz=900,
        transmitter_height_m=30,
        receiver_height_m=1.5,
        latitude_deg=33,
    ).lb_db
    place = 30 - result.row_start, 35 - result.col_start
    assert result.loss_db[0, 0][place] == pytest.approx(exact, abs=0.01)


def cleared(ground, clutter, back, clearing):
    """Clutter without a clearing's; a point just within shows what the ray to the edge shows."""
    kept, tops = np.where(back < clearing, 0.0, clutter), ground + clutter
    for i in range(2, len(back) - 1):
        if back[i] < clearing < back[i - 1]:
            share = (clearing - back[i]) / (back[i - 1] - back[i])
            edge = share * tops[i - 1] + (1.0 - share) * tops[i]
            ray = ground[-1] + (edge - ground[-1]) / clearing * back[i]
            kept[i] = max(ray - ground[i], 0.0)
    return kept


def traced(terrain, mast, row, col):
    """Profile on the straight line to a pixel's centre, sampled every 30 m, and its loss."""
    distance = math.hypot(row - mast.row, col - mast.col) * terrain.pixel_size_m
    n = max(round(distance / 30.0), 2)
    part = np.linspace(0.0, 1.0, n + 1)
    rows, cols = mast.row + (row - mast.row) * part, mast.col + (col - mast.col) * part
    ground = map_coordinates(terrain.elevation_m.astype(float), [rows, cols], order=1)
    clutter, terminal = np.zeros(n + 1), 0.0
    if terrain.clutter is not None:
        index = terrain.clutter.class_index
        clutter = np.array(HEIGHTS)[index[np.rint(rows).astype(int), np.rint(cols).astype(int)]]
        clutter = cleared(ground, clutter, (1.0 - part) * distance, CLEARINGS[index[row, col]])
        terminal = TERMINALS[index[row, col]]
    return (
        terminal
        + p1812_loss(
            part * distance / 1e3,
            ground,
            clutter,
            frequency_mhz=900.0,
            transmitter_height_m=mast.height_m,
            receiver_height_m=1.5,
            latitude_deg=LATITUDE,
        ).lb_db
    )


@pytest.mark.slow
@pytest.mark.parametrize(("finer", "cluttered"), [(1, False), (3, False), (3, True)])
def test_close_to_profiles_traced_pixel_by_pixel(shared, finer, cluttered):
    # The tile as it is, as if its pixels were 30 m, and at its true size resampled to 30 m
    side = 481 // finer
    elevation = zoom(srtm(shared)[400 : 400 + side, 400 : 400 + side], finer, order=1)
    terrain = Terrain(elevation, 30.0, patches(elevation.shape) if cluttered else None)
    mast = Mast(elevation.shape[0] // 2 + 0.3, elevation.shape[1] // 2 - 0.7, 30.0)
    result = sweep(terrain, mast, radius_m=6500, frequency_mhz=900, latitude_deg=LATITUDE)
    far = (result.flags[0] & SweepFlag.SHORT_RANGE) == 0
    pixels = np.argwhere(far & np.isfinite(result.loss_db[0, 0]))
    differences = np.array(
        [
            result.loss_db[0, 0, row, col]
            - traced(terrain, mast, row + result.row_start, col + result.col_start)
            for row, col in np.random.default_rng(9).permutation(pixels)[:700]
        ]
    )
    assert abs(differences.mean()) < 0.1
    assert np.sqrt(np.mean(differences**2)) < (2.0 if cluttered else 1.0)


def test_same_scene_at_other_resolutions():
    fine = gaussian_filter(np.random.default_rng(4).normal(size=(661, 661)), 25) * 4000
    classes = (gaussian_filter(np.random.default_rng(6).normal(size=(661, 661)), 12) > 0.01) * 3
    medians = []
    for every in (1, 3, 9):
        elevation = np.ascontiguousarray(fine[::every, ::every], dtype=np.float32)
        index = np.ascontiguousarray(classes[::every, ::every], dtype=np.uint8)
        terrain = Terrain(elevation, 10.0 * every, Clutter(index, HEIGHTS, CLEARINGS, TERMINALS))
        middle = (elevation.shape[0] - 1) / 2
        result = sweep(terrain, Mast(middle, middle, 30.0), **LINK)
        medians.append(np.nanmedian(result.loss_db))
    assert np.ptp(medians) < 2.0


def test_same_bits_for_any_number_of_threads():
    terrain = Terrain(made("hills"), 30.0, patches((SIZE, SIZE)))
    masts = [Mast(60.0 + 12.5 * i, 150.0 - 9.25 * i, 15.0) for i in range(8)]
    options = {**LINK, "radius_m": 2000.0}
    alone = [sweep(terrain, mast, **options) for mast in masts]
    for threads in (2, 8):
        with ThreadPoolExecutor(threads) as executor:
            together = sweep_many(terrain, masts, executor=executor, **options)
        for one, other in zip(alone, together, strict=True):
            for name in ("loss_db", "launch_elevation_deg", "obstacle_distance_m", "flags"):
                assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    by_default = sweep_many(terrain, masts[:2], **options)
    assert by_default[1].loss_db.tobytes() == alone[1].loss_db.tobytes()


def test_frequencies_and_heights_in_one_pass_equal_single_ones():
    terrain = Terrain(made("hills"), 30.0, patches((SIZE, SIZE)))
    frequencies, heights = [700.0, 3500.0], [1.5, 10.0, 30.0]
    together = sweep(
        terrain, MIDDLE, **(LINK | {"frequency_mhz": frequencies}), receiver_height_m=heights
    )
    assert together.loss_db.shape[:2] == (2, 3)
    for q, frequency in enumerate(frequencies):
        for r, height in enumerate(heights):
            single = sweep(
                terrain, MIDDLE, **(LINK | {"frequency_mhz": frequency}), receiver_height_m=height
            )
            assert np.array_equal(single.loss_db[0, 0], together.loss_db[q, r], equal_nan=True)
            assert np.array_equal(single.flags[0], together.flags[r])


def test_terminal_loss_may_differ_by_frequency():
    clutter = patches((SIZE, SIZE))
    by_band = Clutter(
        clutter.class_index, HEIGHTS, CLEARINGS, [TERMINALS, [2 * x for x in TERMINALS]]
    )
    both = sweep(
        Terrain(made("hills"), 30.0, by_band), MIDDLE, **(LINK | {"frequency_mhz": [900.0, 900.0]})
    )
    classes = clutter.class_index[both.window]
    extra = both.loss_db[1, 0] - both.loss_db[0, 0]
    known = np.isfinite(extra)
    assert extra[known] == pytest.approx(np.array(TERMINALS)[classes[known]], abs=1e-4)


def test_every_pixel_within_the_radius_is_computed_once_and_no_other():
    mast = Mast(40.2, 170.7, 20.0)
    result = sweep(Terrain(made("hills"), 30.0), mast, **LINK)
    rows, cols = (np.arange(part.start, part.stop) for part in result.window)
    away = np.hypot(rows[:, None] - mast.row, cols[None, :] - mast.col) * 30.0
    inside = away <= RADIUS_M
    assert np.array_equal(np.isfinite(result.loss_db[0, 0]), inside)
    assert np.array_equal((result.flags[0] & SweepFlag.COMPUTED) > 0, inside)
    assert np.array_equal(result.flags[0] == SweepFlag.BEYOND_RADIUS, ~inside)
    # The window ends where the grid does
    assert result.row_start == 0
    assert cols[-1] == SIZE - 1


def test_wall_on_a_plain():
    elevation = np.zeros((SIZE, SIZE), np.float32)
    elevation[:, 150] = 60.0
    mast = Mast(110.0, 110.0, 20.0)
    result = sweep(Terrain(elevation, 30.0), mast, **LINK)
    row = 110 - result.row_start
    in_sight = (result.flags[0, row] & SweepFlag.IN_SIGHT) > 0
    before, behind = 140 - result.col_start, 190 - result.col_start
    assert in_sight[before]
    assert not in_sight[behind]
    assert result.obstacle_distance_m[0, row, before] == 0.0
    assert result.obstacle_distance_m[0, row, behind] == pytest.approx(1200.0, abs=1e-3)
    radius_m = 6371e3 * 157 / 117
    climb = math.degrees(math.atan(40 / 1200 - 1200 / (2 * radius_m)))
    assert result.launch_elevation_deg[0, row, behind] == pytest.approx(climb, abs=1e-3)
    # The radial is up to half a pixel beside the row at the rim, and so a little off the top.
    # Where the ray over the wall's top comes down to the pixel at 2,400 m
    bulge = 1200 * 1200 / (2 * radius_m)
    needed = 20 + 2 * (40 + bulge)
    assert result.required_height_m[row, behind] == pytest.approx(needed, abs=0.05)
    seen = sweep(
        Terrain(elevation, 30.0), mast, **LINK, receiver_height_m=[needed - 0.1, needed + 0.1]
    )
    assert (seen.flags[:, row, behind] & SweepFlag.IN_SIGHT > 0).tolist() == [False, True]


def test_obstacle_and_launch_elevation_are_those_of_the_profile():
    terrain = Terrain(made("hills"), 30.0, patches((SIZE, SIZE)))
    result = sweep(terrain, MIDDLE, **LINK)
    blocked = np.argwhere(result.obstacle_distance_m[0] > 0)
    curvature = 117 / 157 / (2 * 6371.0)
    for row, col in np.random.default_rng(8).permutation(blocked)[:40]:
        profile = sweep_profile(
            terrain, MIDDLE, row + result.row_start, col + result.col_start, radius_m=RADIUS_M
        )
        d = profile.distance_km[1:-1]
        over = (profile.ground_m + profile.clutter_height_m)[1:-1]
        slope = (over - profile.ground_m[0] - 25.0) / 1e3 / d - curvature * d
        highest = int(np.argmax(slope))
        assert result.obstacle_distance_m[0, row, col] == pytest.approx(1e3 * d[highest], rel=1e-5)
        assert result.launch_elevation_deg[0, row, col] == pytest.approx(
            math.degrees(math.atan(slope[highest])), abs=2e-3
        )


def test_a_hidden_pixel_is_served_over_the_tops_of_what_hides_it():
    """A belt of trees 20 m high on a plain: the ray from 5 m climbs to their tops at 600 m."""
    trees = np.zeros((SIZE, SIZE), np.uint8)
    trees[:, 130:] = 1
    trees[:, 134:] = 0
    belt = Clutter(trees, [0.0, 20.0], [0.0, 0.0], [0.0, 0.0])
    mast = Mast(110.0, 110.0, 5.0)
    result = sweep(Terrain(np.zeros((SIZE, SIZE), np.float32), 30.0, belt), mast, **LINK)
    place = 0, 110 - result.row_start, 190 - result.col_start
    assert result.obstacle_distance_m[place] == pytest.approx(600.0, abs=1e-3)
    sagitta = 117 / 157 / (2 * 6371e3) * 600.0
    climb = math.degrees(math.atan(15.0 / 600.0 - sagitta))
    assert result.launch_elevation_deg[place] == pytest.approx(climb, abs=1e-3)


@pytest.mark.parametrize("pixel_m", [30.0, 90.0])
def test_a_loss_does_not_hang_on_a_point_at_the_edge_of_the_clearing(pixel_m):
    """A clearing that ends just before a sample, on it or just behind it gives about one loss.

    Were the point to count or not, single pixels would differ by 28 dB.
    """
    clutter = patches((SIZE, SIZE))
    losses = []
    for clearing in (89.99, 90.0, 90.01):
        own = Clutter(clutter.class_index, HEIGHTS, [clearing] * 4, TERMINALS)
        terrain = Terrain(made("hills"), pixel_m, own)
        losses.append(sweep(terrain, MIDDLE, **LINK | {"radius_m": 100 * pixel_m}).loss_db)
    for near in (losses[0], losses[2]):
        difference = near - losses[1]
        assert np.nanmax(np.abs(difference)) < 1.0
        assert np.sqrt(np.nanmean(difference**2)) < 0.05


def test_short_range_is_free_space_and_joins_without_a_step():
    terrain = Terrain(np.zeros((201, 201), np.float32), 5.0, patches((201, 201)))
    mast = Mast(100.0, 100.0, 12.0)
    result = sweep(terrain, mast, radius_m=600, frequency_mhz=2600, latitude_deg=LATITUDE)
    index = terrain.clutter.class_index[result.window]
    bare = result.loss_db[0, 0] - np.array(TERMINALS)[index]
    rows, cols = (np.arange(part.start, part.stop) for part in result.window)
    away = np.hypot(rows[:, None] - 100, cols[None, :] - 100) * 5.0
    near = (away > 20) & (away < 247)
    steps = np.rint(away[near] / 5) * 5e-3
    expected = 92.4 + 20 * np.log10(2.6) + 10 * np.log10(steps**2 + 0.0105**2)
    assert bare[near] == pytest.approx(expected, abs=1e-3)
    flagged = (result.flags[0] & SweepFlag.SHORT_RANGE) > 0
    assert np.all(flagged[away < 497])
    assert not np.any(flagged[(away > 503) & (away <= 600)])
    assert np.isfinite(bare[100, 100])
    plain = sweep(
        Terrain(np.zeros((201, 201), np.float32), 5.0),
        mast,
        radius_m=600,
        frequency_mhz=2600,
        latitude_deg=LATITUDE,
    )
    along = plain.loss_db[0, 0, 100 - plain.row_start, 100 - plain.col_start + 20 :]
    assert np.max(np.abs(np.diff(along[np.isfinite(along)]))) < 0.5


def test_unknown_heights_are_marked_and_what_lies_behind_is_flagged():
    elevation = made("hills")
    elevation[100:121, 150:155] = np.nan
    result = sweep(Terrain(elevation, 30.0), Mast(110.0, 110.0, 25.0), **LINK)
    flags = result.flags[0]

    def flag(row, col):
        return SweepFlag(int(flags[row - result.row_start, col - result.col_start]))

    assert flag(110, 152) & SweepFlag.NO_DATA
    assert np.isnan(result.loss_db[0, 0, 110 - result.row_start, 152 - result.col_start])
    assert flag(110, 180) & SweepFlag.ACROSS_NO_DATA
    assert flag(110, 180) & SweepFlag.COMPUTED
    assert not flag(110, 130) & SweepFlag.ACROSS_NO_DATA
    assert not flag(110, 60) & SweepFlag.ACROSS_NO_DATA
    known = np.isfinite(elevation[result.window])
    computed = (flags & SweepFlag.COMPUTED) > 0
    assert not np.any(computed & ~known)
    profile = sweep_profile(
        Terrain(elevation, 30.0), Mast(110.0, 110.0, 25.0), 110, 180, radius_m=RADIUS_M
    )
    assert profile.crosses_no_data


def test_delta_bullington_and_free_space_alone():
    terrain = Terrain(made("hills"), 30.0)
    diffraction = sweep(terrain, MIDDLE, **LINK, model="delta-bullington")
    free = sweep(terrain, MIDDLE, **LINK, model="free-space")
    profile = sweep_profile(terrain, MIDDLE, 150, 160, radius_m=RADIUS_M)
    exact = p1812_loss(
        profile.distance_km,
        profile.ground_m,
        frequency_mhz=900.0,
        transmitter_height_m=25.0,
        receiver_height_m=1.5,
        latitude_deg=LATITUDE,
    )
    place = 0, 0, 150 - free.row_start, 160 - free.col_start
    assert diffraction.loss_db[place] == pytest.approx(exact.lbd50_db, abs=0.01)
    assert free.loss_db[place] == pytest.approx(exact.lbfs_db, abs=1e-3)


def test_higher_receivers_lose_less_and_clutter_costs():
    terrain = Terrain(made("hills"), 30.0)
    result = sweep(terrain, MIDDLE, **LINK, receiver_height_m=[1.5, 5.0, 20.0])
    assert np.all(np.diff(np.nanmedian(result.loss_db[0], axis=(1, 2))) < 0)
    covered = sweep(Terrain(made("hills"), 30.0, patches((SIZE, SIZE))), MIDDLE, **LINK)
    assert np.nanmedian(covered.loss_db) > np.nanmedian(result.loss_db[0, 0]) + 5.0


def test_inputs_are_left_alone_and_may_be_any_view():
    elevation, clutter = made("hills"), patches((SIZE, SIZE))
    before = elevation.tobytes(), clutter.class_index.tobytes()
    result = sweep(Terrain(elevation, 30.0, clutter), MIDDLE, **LINK)
    assert before == (elevation.tobytes(), clutter.class_index.tobytes())
    assert elevation.flags.writeable
    other = np.asfortranarray(elevation, dtype=np.float64)
    other.flags.writeable = False
    again = sweep(Terrain(other, 30.0, clutter), MIDDLE, **LINK)
    assert again.loss_db.tobytes() == result.loss_db.tobytes()


@pytest.mark.parametrize(
    ("mast", "changes", "error", "message"),
    [
        (Mast(-1.0, 5.0, 20.0), {}, RasterError, "row -1, column 5 is outside the elevation"),
        (Mast(5.0, 221.0, 20.0), {}, RasterError, "outside the elevation data of 221 × 221"),
        (Mast(100.0, 100.0, 0.5), {}, OutOfRangeError, "transmitter_height_m is 0.5.*P.1812"),
        (MIDDLE, {"frequency_mhz": 7000.0}, OutOfRangeError, "frequency_mhz is 7000.*P.1812"),
        (MIDDLE, {"frequency_mhz": []}, OutOfRangeError, "frequency_mhz has the shape"),
        (MIDDLE, {"receiver_height_m": 0.0}, OutOfRangeError, "receiver_height_m is 0"),
        (MIDDLE, {"time_percent": 80.0}, OutOfRangeError, "time_percent is 80"),
        (MIDDLE, {"location_percent": 100.0}, OutOfRangeError, "location_percent is 100"),
        (MIDDLE, {"radius_m": 0.0}, OutOfRangeError, "radius_m is 0"),
        (MIDDLE, {"radius_m": 200_000.0}, OutOfRangeError, "coarser grid"),
        (MIDDLE, {"model": "hata"}, OutOfRangeError, "model is 'hata' but must be one of p1812"),
        (MIDDLE, {"polarisation": "both"}, OutOfRangeError, "polarisation is 'both'"),
        (MIDDLE, {"latitude_deg": math.nan}, OutOfRangeError, "latitude_deg"),
    ],
)
def test_wrong_input_is_refused(mast, changes, error, message):
    with pytest.raises(error, match=message):
        sweep(Terrain(made("plain"), 30.0), mast, **(LINK | changes))


def test_mast_on_unknown_ground_is_refused():
    elevation = made("plain")
    elevation[108:113, 108:113] = np.nan
    with pytest.raises(RasterError, match="stands where the elevation is unknown"):
        sweep(Terrain(elevation, 30.0), MIDDLE, **LINK)


def test_clutter_on_a_surface_model_is_refused_with_the_reason():
    terrain = Terrain(made("plain"), 30.0, patches((SIZE, SIZE)), kind="dsm")
    with pytest.raises(RasterError, match="count trees and buildings twice"):
        sweep(terrain, MIDDLE, **LINK)
    flat = Clutter(terrain.clutter.class_index, [0.0] * 4, CLEARINGS, TERMINALS)
    surface = Terrain(made("plain"), 30.0, flat, kind="dsm")
    assert np.nanmax(sweep(surface, MIDDLE, **LINK).loss_db) > 100.0


@pytest.mark.parametrize(
    ("clutter", "message"),
    [
        (Clutter(np.zeros((5, 5), np.uint8), [0.0], [0.0], [0.0]), "shape .5, 5. but elevation_m"),
        (Clutter(np.full((SIZE, SIZE), 4, np.uint8), HEIGHTS, CLEARINGS, TERMINALS), "holds 4"),
        (Clutter(np.zeros((SIZE, SIZE), np.uint8), HEIGHTS, [0.0], TERMINALS), "one of each"),
        (
            Clutter(np.zeros((SIZE, SIZE), np.uint8), HEIGHTS, CLEARINGS, [TERMINALS] * 2),
            r"shape \(2, 4\) for 1 frequencies",
        ),
        (
            Clutter(np.zeros((SIZE, SIZE), np.uint8), [-1.0], [0.0], [0.0]),
            "height_m of the land-cover table is -1",
        ),
    ],
)
def test_wrong_land_cover_is_refused(clutter, message):
    with pytest.raises((RasterError, OutOfRangeError), match=message):
        sweep(Terrain(made("plain"), 30.0, clutter), MIDDLE, **LINK)


def test_profile_of_a_pixel_that_has_none_is_refused():
    terrain = Terrain(made("plain"), 30.0)
    with pytest.raises(RasterError, match="beyond the sweep's radius"):
        sweep_profile(terrain, MIDDLE, 0, 0, radius_m=RADIUS_M)
    with pytest.raises(RasterError, match="beyond the sweep's radius"):
        sweep_profile(terrain, MIDDLE, -1, 110, radius_m=6000.0)


def test_a_profile_needs_no_losses_but_takes_those_of_several_frequencies():
    one = patches((SIZE, SIZE))
    two = Clutter(one.class_index, HEIGHTS, CLEARINGS, [TERMINALS, TERMINALS])
    profiles = [
        sweep_profile(Terrain(made("hills"), 30.0, clutter), MIDDLE, 90, 140, radius_m=RADIUS_M)
        for clutter in (one, two)
    ]
    assert np.array_equal(profiles[0].clutter_height_m, profiles[1].clutter_height_m)
