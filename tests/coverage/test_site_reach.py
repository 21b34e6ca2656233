"""Reach of single sites against predictions with each of them, pixel by pixel."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest

import ankang_coverage
from ankang_coverage.coverage import Work, predict, site_reach
from ankang_coverage.coverage.loss.store import StoreWarning
from ankang_coverage.coverage.site_reach import reach
from ankang_coverage.propagation.measured_pattern import cosine_pattern
from ankang_coverage.sites.catalogue import MeasuredAntenna, builtin_catalogue

TERRAIN = ankang_coverage.Propagation(radius_m=6000.0, micro_radius_m=3000.0)
DISTANCE = ankang_coverage.Propagation(model="rma", radius_m=6000.0, micro_radius_m=3000.0)
VILLAGES = ((0.02, 0.1, 0.45, 0.9), (0.6, 0.3, 0.97, 0.7))
DOUBT_DB = 1e-3


def settings(rng, operator="", load=None):
    return {
        "azimuths_deg": rng.uniform(0, 360, 3),
        "height_m": float(rng.uniform(10, 50)),
        "mechanical_tilt_deg": float(rng.choice([0.0, 4.0])),
        "electrical_tilt_deg": 3.0,
        "load": load,
        "operator": operator,
    }


@pytest.fixture(scope="module")
def region(make_region):
    return make_region((270, 330), 90.0, villages=VILLAGES, holes=((0.3, 0.3, 0.35, 0.35),), seed=5)


def networks(make_network, region, layers, seed, *, load=None, operators=("",)):
    rng = np.random.default_rng(seed)

    def site(name, kind):
        x, y = rng.uniform(5, 325), rng.uniform(5, 265)
        on_air = [(layer, settings(rng, str(rng.choice(operators)), load)) for layer in layers]
        return (name, x, y, kind, on_air)

    standing = [site(f"S{n}", "macro") for n in range(5)]
    new = [site(f"C{n}", "micro" if n % 2 else "macro") for n in range(6)]
    # One right beside a tower, where another is the best server nearly everywhere.
    new[1] = (new[1][0], standing[0][1] + 3, standing[0][2] + 3, *new[1][3:])
    return make_network(region, standing), make_network(region, new)


CASES = {
    "terrain": {"rule": {}, "layers": ["lte-b8"], "propagation": TERRAIN, "seed": 1},
    "full load, strict": {
        "rule": {"sinr_threshold_db": 6.0, "rsrp_threshold_dbm": -100.0},
        "load": 1.0,
        "layers": ["lte-b8"],
        "propagation": DISTANCE,
        "seed": 2,
    },
    "two carriers, operators, indoors": {
        "rule": {"indoor": "traditional", "rsrp_threshold_dbm": -115.0},
        "layers": ["lte-b8", "lte-b3"],
        "operators": ("mobile", "unicom"),
        "propagation": DISTANCE,
        "seed": 3,
    },
    "RSRP alone": {
        "rule": {"sinr_threshold_db": None, "uplink_mbps": None, "edge_probability": 0.5},
        "layers": ["lte-b8"],
        "propagation": DISTANCE,
        "seed": 4,
    },
    "measured antennas": {
        "rule": {"rsrp_threshold_dbm": -100.0},
        "layers": ["lte-b8"],
        "propagation": TERRAIN,
        "seed": 5,
        "measured": True,
    },
}


def measured(network):
    """Give all cells of a network a measured antenna, which no built-in catalogue has."""
    pattern = cosine_pattern(17.0, 65.0, 10.0, electrical_tilt_deg=4.0)
    panel = MeasuredAntenna(id="panel", source="a test", kind="measured", pattern=pattern)
    cells = network.cells.assign(antenna="panel")
    return replace(network, cells=cells, catalogue=builtin_catalogue().with_entries(panel))


@pytest.mark.parametrize("case", CASES)
def test_reach_is_what_a_prediction_with_the_site_newly_covers(region, make_network, store, case):
    """Exactly: where the site serves after it is built, reach and the prediction agree.

    Where a standing cell of its carrier is stronger the phone stays there, and reach, which asks
    the site alone, may say more: so what is newly covered lies within reach, and what of reach
    is not covered after is served by a standing cell.
    """
    told = CASES[case]
    rule = ankang_coverage.service("4g").with_fields(**told["rule"])
    standing, new = networks(
        make_network, region, told["layers"], told["seed"],
        load=told.get("load"), operators=told.get("operators", ("",)),
    )  # fmt: skip
    if told.get("measured"):
        standing, new = measured(standing), measured(new)
    before = predict(region, standing, rule, propagation=told["propagation"], work=Work(store))
    found = dict(zip(new.sites.index, reach(before, new), strict=True))
    was_covered = before["covered"].to_numpy().ravel()
    tiles = np.isin(np.arange(270 * 330), _pixels_of_tiles(region))
    n_new = 0
    for site in new.sites.index:
        after = before.add(new.with_sites([site]))
        in_reach = np.zeros(270 * 330, bool)
        in_reach[found[site]] = True
        assert (np.diff(found[site]) > 0).all()
        covered = after["covered"].to_numpy().ravel()
        server = after["best_server"].to_numpy().ravel()
        own = (server >= 0) & (np.append(after.cells["site"].to_numpy(), "")[server] == site)
        sure = tiles & ~_in_doubt(after)
        assert (in_reach[own & sure] == covered[own & sure]).all()
        newly = covered & ~was_covered & sure
        assert in_reach[newly].all()
        beyond = in_reach & sure & ~covered
        assert not own[beyond].any()
        n_new += newly.sum()
        chosen = np.zeros(270 * 330, bool)
        chosen[::7] = True
        among = next(reach(before, new.with_sites([site]), among=chosen))
        assert np.array_equal(among, found[site][found[site] % 7 == 0])
    assert n_new > 300


def _in_doubt(coverage):
    """Where single precision may decide otherwise than double: at an edge of the rule."""
    rule = coverage.rule
    edges = [(coverage["rsrp_dbm"].to_numpy(), rule.rsrp_needed_dbm)]
    if rule.service.sinr_threshold_db is not None:
        edges.append((coverage["sinr_db"].to_numpy(), rule.service.sinr_threshold_db))
    if rule.service.uplink_mbps is not None:
        edges.append((coverage["uplink_margin_db"].to_numpy(), 0.0))
    return np.any([np.abs(value - edge) < DOUBT_DB for value, edge in edges], axis=0).ravel()


def _pixels_of_tiles(region):
    rows, columns = np.indices(region.geobox.shape)
    inside = np.zeros(region.geobox.shape, bool)
    t = region.geobox.transform
    for polygon in region.villages.geometry:
        west, south, east, north = polygon.bounds
        (left, top), (right, bottom) = ~t * (west, north), ~t * (east, south)
        inside |= (
            (rows // 256 >= top // 256) & (rows // 256 <= bottom // 256)
            & (columns // 256 >= left // 256) & (columns // 256 <= right // 256)
        )  # fmt: skip
    return np.flatnonzero(inside)


def test_sites_come_in_the_networks_order_and_one_that_hears_nothing_reaches_nothing(
    make_region, make_network, store
):
    region = make_region((80, 90), 90.0, holes=((0.0, 0.0, 0.3, 0.3),))
    rng = np.random.default_rng(0)
    on_air = [("lte-b8", settings(rng))]
    standing = make_network(region, [("S", 80.0, 70.0, "macro", on_air)])
    new = make_network(
        region,
        [
            ("B", 60.0, 60.0, "macro", on_air),
            ("HOLE", 5.0, 5.0, "macro", on_air),
            ("A", 45.0, 45.0, "macro", on_air),
        ],
    )
    before = predict(region, standing, "4g", propagation=TERRAIN, work=Work(store))
    found = list(reach(before, new))
    assert [len(pixels) > 0 for pixels in found] == [True, False, True]
    assert all(pixels.dtype == np.int32 for pixels in found)
    alone = [next(reach(before, new.with_sites([site]))) for site in new.sites.index]
    for one, other in zip(found, alone, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["loss", "tiles"])
@pytest.mark.parametrize("lose", ["remove", "damage"])
def test_what_the_store_has_lost_is_computed_again(make_region, make_network, store, kind, lose):
    region = make_region((80, 90), 90.0)
    on_air = [("lte-b8", settings(np.random.default_rng(0)))]
    standing = make_network(region, [("S", 80.0, 70.0, "macro", on_air)])
    new = make_network(region, [("A", 45.0, 45.0, "macro", on_air)])
    before = predict(region, standing, "4g", propagation=DISTANCE, work=Work(store))
    expected = next(reach(before, new))
    for file in store.folder.glob(f"{kind}/*/*.tif"):
        if lose == "remove":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-100])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert np.array_equal(next(reach(before, new)), expected)
    n_said = sum(issubclass(one.category, StoreWarning) for one in said)
    assert n_said == (lose == "damage")


@pytest.mark.parametrize("seed", range(4))
def test_pixels_are_the_same_when_unpacked(seed):
    rng = np.random.default_rng(seed)
    n_columns = int(rng.integers(1, 50))
    pixels = rng.integers(0, 40 * n_columns, rng.choice([0, 1, 7, 300])).astype(np.int32)
    packed = pickle.loads(pickle.dumps(site_reach.Covered.of(pixels, n_columns)))
    assert np.array_equal(packed.pixels(n_columns), np.unique(pixels))
    whole_disc = np.flatnonzero(np.hypot(*np.mgrid[-170:170, -170:170]) < 166).astype(np.int32)
    assert len(pickle.dumps(site_reach.Covered.of(whole_disc, 340))) < 15_000


def test_no_raster_travels_in_a_unit(region, make_network, store, monkeypatch):
    standing, new = networks(make_network, region, ["lte-b8", "lte-b3"], 6)
    before = predict(region, standing, "4g", propagation=DISTANCE, work=Work(store))
    sent = []
    original = site_reach.in_order

    def watched(work, units, executor):
        def told():
            for unit in units:
                sent.append(len(pickle.dumps((work, unit))))
                yield unit

        return original(work, told(), executor)

    monkeypatch.setattr(site_reach, "in_order", watched)
    list(reach(before, new))
    assert len(sent) == 1
    assert max(sent) < 30_000
