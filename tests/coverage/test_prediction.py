"""Whole coverages against a slow computation in double precision, and what must not matter."""

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import RMA, one_sector, predict, three_sites
from reference import Slow, read
from scipy.stats import norm

import ankang_coverage
from ankang_coverage import Work
from ankang_coverage.coverage.loss.store import StoreWarning
from ankang_coverage.errors import CatalogueError, NetworkError, RasterError, SettingsError

TOLERANCE = {
    "rsrp_dbm": 1e-4,
    "second_rsrp_dbm": 1e-4,
    "sinr_db": 1e-4,
    "rsrq_db": 1e-4,
    "uplink_margin_db": 1e-4,
    "coverage_probability": 3e-6,
    "obstacle_distance_m": 0.0,
}


def random_network(make_network, region, seed, layers, operators=("",)):
    """Macro and micro sites of many settings, a twin of the first, one site beyond the edge."""
    rng = np.random.default_rng(seed)
    rows, columns = region.geobox.shape
    sites = []
    for n in range(7):
        kind = "micro" if n % 3 == 2 else "macro"
        on_air = [
            (
                layer,
                {
                    "azimuths_deg": rng.uniform(0, 360, 1 if kind == "micro" else 3),
                    "height_m": float(rng.uniform(8, 60)),
                    "mechanical_tilt_deg": float(rng.choice([0.0, rng.uniform(-3, 10)])),
                    "electrical_tilt_deg": float(rng.uniform(0, 9)),
                    "load": float(rng.choice([0.0, 0.3, 0.8, 1.0])),
                    "operator": str(rng.choice(operators)),
                },
            )
            for layer in rng.choice(layers, min(2, len(layers)), replace=False)
        ]
        x, y = rng.uniform(-0.02, 1.02) * columns, rng.uniform(0.02, 0.98) * rows
        x = min(max(x, 1.0), columns - 1.5) if n else 0.3 * columns
        sites.append((f"S{n}", x, y, kind, on_air))
    sites.insert(4, ("TWIN", *sites[0][1:]))
    return make_network(region, sites)


def with_rule(service_id, **parts):
    return ankang_coverage.service(service_id).with_fields(**parts)


SCENES = {
    "4g by distance, operators of their own": {
        "of": with_rule("4g"),
        "layers": ["lte-b8", "lte-b3", "lte-b41"],
        "operators": ("mobile", "unicom", "telecom"),
        "propagation": RMA,
        "seed": 1,
        "region": {
            "shape": (300, 560),
            "pixel_m": 100.0,
            "villages": ((0.02, 0.1, 0.4, 0.9), (0.93, 0.9, 0.99, 0.99)),
        },
    },
    "5g over terrain, shared": {
        "of": with_rule("5g"),
        "layers": ["nr-n78", "nr-n28", "nr-n1"],
        "asked": ["telecom"],
        "operators": ("telecom", "unicom", "mobile", ""),
        "seed": 2,
        "propagation": ankang_coverage.Propagation(radius_m=5_000.0, micro_radius_m=2_500.0),
        "region": {"shape": (270, 530), "pixel_m": 60.0, "holes": ((0.2, 0.2, 0.4, 0.5),)},
    },
    "indoors, coarse, everyone's": {
        "of": with_rule(
            "4g",
            indoor="traditional",
            uplink_mbps=None,
            edge_probability=0.5,
            rsrp_threshold_dbm=-118.0,
        ),
        "layers": ["lte-b8"],
        "operators": ("",),
        "seed": 3,
        "propagation": ankang_coverage.Propagation(model="delta-bullington", radius_m=15_000.0),
        "region": {"shape": (60, 300), "pixel_m": 300.0},
    },
    "one layer, no SINR asked": {
        "of": with_rule(
            "5g",
            id="n41",
            radio_layers=("nr-n41",),
            sinr_threshold_db=None,
            indoor="efficient",
            error_sigma_db=6.0,
            rsrp_threshold_dbm=-120.0,
        ),
        "layers": ["nr-n41"],
        "operators": ("mobile",),
        "seed": 4,
        "propagation": ankang_coverage.Propagation(model="free-space", radius_m=9_000.0),
        "region": {"shape": (257, 256), "pixel_m": 150.0, "villages": ((0.1, 0.1, 0.9, 0.9),)},
    },
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_coverage_equals_a_slow_computation_in_double_precision(
    make_region, make_network, store, scene
):
    told = SCENES[scene]
    region = make_region(**told["region"], seed=told["seed"])
    network = random_network(make_network, region, told["seed"], told["layers"], told["operators"])
    asked = told.get("asked")
    coverage = ankang_coverage.predict(
        region,
        network,
        told["of"],
        operators=asked,
        propagation=told["propagation"],
        work=Work(store),
    )
    slow = Slow(region, network, told["of"], told["propagation"], asked or ())
    assert_equal(coverage, slow)


def assert_equal(coverage, slow):
    """A coverage is the slow one's, but for pixels where two figures are too near to tell."""
    sure = ~slow.doubt
    assert sure.mean() > 0.99
    assert list(coverage["cell"].to_numpy()) == list(slow.cells.index)
    for name, expected in slow.figures.items():
        found = coverage[name].to_numpy()
        if found.dtype.kind != "f":
            assert np.array_equal(found[sure], expected[sure]), name
            continue
        assert np.array_equal(np.isnan(found[sure]), np.isnan(expected[sure])), name
        heard = sure & ~np.isnan(expected)
        error = np.abs(found[heard] - expected[heard])
        if name.endswith("mbps"):  # where SINR ends and blocks are whole, a rate jumps
            error = error / np.maximum(expected[heard], 0.1)
            assert np.quantile(error, 0.999) < 2e-5, name
        else:
            assert error.max() <= TOLERANCE[name], name
    heard = slow.figures["best_server"] >= 0
    assert 0.02 < slow.figures["covered"][heard].mean() < 0.98
    assert len(np.unique(slow.figures["best_server"][heard])) > 4


def test_a_cell_by_hand(make_region, make_network, store):
    """46 dBm over 1200 elements is 15.2 dBm; 15 dBi, 0.5 dB of feeder and 1 km of free space."""
    region = make_region((21, 21), 100.0)
    network = make_network(
        region, [("A", 10.5, 10.5, "macro", [("lte-b8", {"azimuths_deg": 90.0, "height_m": 1.5})])]
    )
    coverage = ankang_coverage.predict(
        region, network, "4g", work=Work(store),
        propagation=ankang_coverage.Propagation(model="free-space", radius_m=2000.0),
    )  # fmt: skip
    east = coverage.to_dataset().isel(y=10, x=20)
    re_power = 46.0 - 10 * math.log10(1200)  # 15.21 dBm
    loss = 32.45 + 20 * math.log10(941.5)  # P.525: 91.93 dB at 1 km
    rsrp = re_power + 15.0 - 0.5 - loss  # −62.2 dBm
    noise = -173.98 + 10 * math.log10(15e3) + 9.0  # −123.2 dBm
    assert float(east["rsrp_dbm"]) == pytest.approx(rsrp, abs=0.01)
    assert float(east["sinr_db"]) == pytest.approx(rsrp - noise, abs=0.02)
    # 4 elements of reference and 8 · 2 · 0.5 of data, noise far below: −10 log10 12
    assert float(east["rsrq_db"]) == pytest.approx(-10 * math.log10(12), abs=0.01)
    # Two layers at 64QAM: 50 · 168 · 1000 · 2 · 5.5547 · (1 − 0.221)
    assert float(east["downlink_mbps"]) == pytest.approx(72.69, rel=1e-3)
    assert float(east["uplink_mbps"]) == pytest.approx(50 * 0.168 * 5.5547 * 0.823, rel=1e-3)
    assert float(east["coverage_probability"]) == pytest.approx(1.0, abs=1e-6)
    assert int(east["best_server"]) == int(east["n_within_6_db"] - 1) == 0
    assert int(east["second_server"]) == -1
    assert np.isnan(float(east["second_rsrp_dbm"]))
    # Behind the sector 25 dB less, at the same distance.
    west = coverage.to_dataset().isel(y=10, x=0)
    assert float(west["rsrp_dbm"]) == pytest.approx(rsrp - 25.0, abs=0.01)


# Measured antennas --------------------------------------------------------------------------------

ROUND_ABOUT = np.radians(np.arange(360.0))
PANEL = {
    "kind": "measured",
    "gain_dbi": 16.25,
    "electrical_tilt_deg": 4.0,
    # No symmetry, lobes within them, and slopes no steeper than single precision follows.
    "cuts": (
        np.round(13 - 12 * np.cos(ROUND_ABOUT) - np.cos(5 * ROUND_ABOUT + 0.5), 2),
        np.round(13 - 12 * np.cos(ROUND_ABOUT - 0.07) - np.cos(7 * ROUND_ABOUT + 1.2), 2),
    ),
}
CATALOGUE_OF_ONES_OWN = """
antennas:
- {id: panel, kind: measured, pattern_file: panel.msi, source: a test}
"""


def read_panel(folder, panel=PANEL, header="NAME a panel"):
    """Write a pattern file and a catalogue by hand, and read them."""
    lines = [header, f"GAIN {panel['gain_dbi']} dBi",
             f"ELECTRICAL_TILT {panel['electrical_tilt_deg']}"]  # fmt: skip
    for section, cut in zip(("HORIZONTAL", "VERTICAL"), panel["cuts"], strict=True):
        lines += [f"{section} 360", *(f"{degree} {value:.2f}" for degree, value in enumerate(cut))]
    (folder / "panel.msi").write_text("\n".join(lines))
    (folder / "own.yaml").write_text(CATALOGUE_OF_ONES_OWN)
    return ankang_coverage.read_catalogue(folder / "own.yaml")


def equipped(network, catalogue, cells=slice(None)):
    """Give some cells of a network the panel."""
    antenna = network.cells["antenna"].to_numpy(object).copy()
    antenna[cells] = "panel"
    return replace(network, cells=network.cells.assign(antenna=antenna), catalogue=catalogue)


@pytest.mark.parametrize(
    ("seed", "propagation"), [(6, RMA), (7, ankang_coverage.Propagation(radius_m=5_000.0))]
)
def test_measured_antennas_equal_a_slow_computation_in_double_precision(
    make_region, make_network, store, tmp_path, seed, propagation
):
    """Two of three cells have the panel, the others sector and round antennas beside it."""
    region = make_region((270, 330), 60.0, seed=seed)
    network = random_network(make_network, region, seed, ["lte-b8", "lte-b3"])
    numbers = np.arange(len(network.cells))
    network = equipped(network, read_panel(tmp_path), numbers[numbers % 3 < 2])
    rule = with_rule("4g", rsrp_threshold_dbm=-100.0)
    coverage = ankang_coverage.predict(
        region, network, rule, propagation=propagation, work=Work(store)
    )
    slow = Slow(region, network, rule, propagation, antennas={"panel": PANEL})
    assert_equal(coverage, slow)
    served = coverage["best_server"].to_numpy()
    assert 0.1 < (np.append(coverage.cells["antenna"], "")[served] == "panel").mean() < 0.95


def test_a_coverage_keeps_the_cuts_of_its_antennas(
    make_region, make_network, store, tmp_path, written
):
    region = make_region((60, 70), 90.0)
    on_air = [("lte-b8", {"azimuths_deg": [0.0, 120.0], "height_m": 30.0})]
    both = make_network(
        region, [("A", 20.3, 20.1, "macro", on_air), ("B", 50.3, 40.1, "macro", on_air)]
    )
    catalogue = read_panel(tmp_path)
    for file in ("panel.msi", "own.yaml"):
        (tmp_path / file).unlink()
    both = equipped(both, catalogue)
    first = predict(region, both.with_sites(["A"]), "4g", work=Work(store))
    kept = first.catalogue.antenna("panel")
    assert kept == catalogue.antenna("panel")
    for name, cut in zip(("horizontal", "vertical"), PANEL["cuts"], strict=True):
        assert np.array_equal(getattr(kept.pattern, f"{name}_attenuation_db"), cut)
    assert "panel.msi" not in str(first.to_dataset().attrs)
    together = predict(region, both, "4g", work=Work(store))
    grown = first.add(both.with_sites(["B"]))
    assert grown.to_dataset().identical(together.to_dataset())
    # What the antenna is called changes no tile, what it radiates does.
    for keys in written.values():
        keys.clear()
    again = predict(
        region, equipped(both, read_panel(tmp_path, header="NAME other")), "4g", work=Work(store)
    )
    assert written == {"loss": [], "tiles": []}
    assert again.to_dataset().equals(together.to_dataset())
    level, through = PANEL["cuts"]
    dented = {**PANEL, "cuts": (level + 2.0 * (np.arange(360) == 180), through)}
    other = predict(region, equipped(both, read_panel(tmp_path, dented)), "4g", work=Work(store))
    assert (len(written["loss"]), len(written["tiles"])) == (0, 1)
    assert together.changed_windows(other)
    assert not other["rsrp_dbm"].equals(together["rsrp_dbm"])


@pytest.mark.parametrize("azimuths", [[0.0], [40.0, 160.0, 280.0]])
def test_a_sampled_sector_predicts_what_its_formula_does_but_for_the_sides(
    make_region, make_network, store, tmp_path, azimuths
):
    """Up to its floor the formula adds the whole vertical attenuation to the horizontal one.

    The cuts leave |φ|/180° of it out, and at the floor, from 94° on, add the rest that the formula
    does not: either is half of it at most. It is none straight ahead, where both are the cut.
    """
    region = make_region((60, 70), 90.0)
    settings = {"azimuths_deg": azimuths, "height_m": 30.0, "electrical_tilt_deg": 3.0}
    network = make_network(region, [("A", 30.3, 30.1, "macro", [("lte-b8", settings)])])
    sector = read("antennas.yaml")["macro-65-15dbi"]
    degrees = np.arange(360.0)
    off = np.minimum(degrees, 360.0 - degrees)
    level = np.minimum(12 * (off / 65.0) ** 2, sector["front_to_back_db"])
    through = np.minimum(
        12 * (off / sector["vertical_beamwidth_deg"]) ** 2, sector["side_lobe_suppression_db"]
    )
    through[91:270] = sector["front_to_back_db"]
    sampled = {**sector, "electrical_tilt_deg": 0.0, "cuts": (level, through)}
    own = equipped(network, read_panel(tmp_path, sampled))
    by_formula, by_cuts = (
        predict(region, one, "4g", work=Work(store))["rsrp_dbm"].to_numpy()
        for one in (network, own)
    )
    more = by_cuts - by_formula
    far = np.hypot(*np.mgrid[-30:30, -30:40]) > 25  # where elevations are below 1°
    width = sector["vertical_beamwidth_deg"]
    most = 12 * ((1.0 + 3.0) / width) ** 2
    # Chords of whole degrees under the parabolas, the digits of the file, and the floor's corner.
    chords, corner = 3 / 65.0**2 + 3 / width**2 + 0.01, 0.1
    assert np.nanmax(np.abs(more[far])) < 0.53 * most + chords + corner
    assert np.nanmax(np.abs(more[far])) > 0.1
    if azimuths == [0.0]:
        assert np.abs(more[:5, 30]).max() < most / 180.0 + chords


# What is read, and what is computed ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "n_losses", "n_tiles"),
    [
        ({"middle_x": 410.0}, 1, 1),  # moved within its tile
        ({"middle_x": 512.0}, 1, 2),  # moved to the edge of two
        ({"middle": one_sector(tilt=7.0)}, 0, 1),
        ({"middle": one_sector(azimuth=120.0)}, 0, 1),
        ({"middle": one_sector(load=1.0)}, 0, 1),
        ({"omit": ["MIDDLE"]}, 0, 0),
    ],
)
def test_a_change_costs_what_it_touches_and_gives_what_a_fresh_prediction_gives(
    wide, make_network, store, tmp_path, written, change, n_losses, n_tiles
):
    predict(wide, three_sites(make_network, wide), "4g", work=Work(store))
    for keys in written.values():
        keys.clear()
    changed = three_sites(make_network, wide, **change)
    found = predict(wide, changed, "4g", work=Work(store))
    assert (len(written["loss"]), len(written["tiles"])) == (n_losses, n_tiles)
    fresh = predict(wide, changed, "4g", work=Work(type(store)(tmp_path / "fresh")))
    assert found.to_dataset().identical(fresh.to_dataset())


def test_another_rule_computes_nothing(wide, make_network, store, written):
    network = three_sites(make_network, wide)
    loose = predict(wide, network, "4g", work=Work(store))
    for keys in written.values():
        keys.clear()
    rule = with_rule("4g", rsrp_threshold_dbm=-90.0, sinr_threshold_db=5.0, indoor="traditional")
    strict = predict(wide, network, rule, work=Work(store))
    assert written == {"loss": [], "tiles": []}
    assert 0 < strict.covered.sum() < loose.covered.sum()


@pytest.mark.parametrize("kinds", [("tiles",), ("loss",), ("tiles", "loss")])
def test_what_the_store_has_lost_is_computed_again(wide, make_network, store, written, kinds):
    network = three_sites(make_network, wide)
    expected = predict(wide, network, "4g", work=Work(store)).to_dataset().load()
    for kind in kinds:
        for n, file in enumerate(sorted(store.folder.glob(f"{kind}/*/*.tif"))):
            if n % 2:
                file.unlink()
            else:
                file.write_bytes(file.read_bytes()[:-100])
    for keys in written.values():
        keys.clear()
    with pytest.warns(StoreWarning, match="to be computed again"):
        found = predict(wide, network, "4g", work=Work(store)).to_dataset().load()
    assert found.identical(expected)
    assert len(written["tiles"]) == (3 if "tiles" in kinds else 0)
    assert len(written["loss"]) == (3 if "loss" in kinds else 0)
    assert store.verify() == []


@pytest.mark.parametrize("model", ["p1812", "delta-bullington", "spm", "itm"])
def test_a_frequency_alone_has_the_bits_that_it_has_among_others(
    make_region, make_network, store, tmp_path, model
):
    """A run that was stopped between two frequencies of a mast goes on with one."""
    region = make_region((60, 70), 90.0, holes=((0.7, 0.7, 0.8, 0.8),))
    propagation = ankang_coverage.Propagation(model=model, radius_m=2500.0)
    on_air = [(layer, {"azimuths_deg": 0.0, "height_m": 30.0}) for layer in ("lte-b8", "lte-b3")]
    network = make_network(region, [("A", 33.3, 30.1, "macro", on_air)])
    settings = {"propagation": propagation}
    together = ankang_coverage.predict(region, network, "4g", work=Work(store), **settings)
    apart = type(store)(tmp_path / "apart")
    for layer in ("lte-b3", "lte-b8"):
        ankang_coverage.predict(
            region, network.with_radio_layers([layer]), "4g", work=Work(apart), **settings
        )
    one_by_one = ankang_coverage.predict(region, network, "4g", work=Work(apart), **settings)
    assert one_by_one.to_dataset().equals(together.to_dataset())
    names = [file.name for file in sorted(store.folder.glob("loss/*/*.tif"))]
    assert len(names) == 2
    for name in names:
        own = [folder / "loss" / name[:2] / name for folder in (store.folder, apart.folder)]
        assert own[0].read_bytes() == own[1].read_bytes()


def test_sites_on_unknown_ground_are_counted_and_heard_nowhere(make_region, make_network, store):
    region = make_region((60, 60), 100.0, holes=((0.4, 0.4, 0.6, 0.6),))
    network = make_network(
        region,
        [("IN", 30.2, 30.2, "macro", one_sector()), ("OUT", 10.2, 10.2, "macro", one_sector())],
    )
    coverage = ankang_coverage.predict(
        region,
        network,
        "4g",
        work=Work(store),
        propagation=ankang_coverage.Propagation(radius_m=3000.0),
    )
    assert coverage.counts["n_off_terrain"] == 1
    assert coverage.counts["n_without_terrain"] > 0
    served = coverage["best_server"].to_numpy()
    assert set(np.unique(served)) == {-1, 1}
    assert (served[25:35, 25:35] == -1).all()


# What must not matter, and what is refused --------------------------------------------------------


def test_equal_cells_go_to_the_lower(small_region, small_network):
    site = small_network.with_sites(["B"]).with_radio_layers(["lte-b8"])
    twin = site.plus(
        type(site)(
            sites=site.sites.rename({"B": "Z"}),
            cells=site.cells.assign(site="Z").rename(index=lambda cell: cell.replace("B-", "Z-")),
            rejected=site.rejected,
        )
    )
    coverage = predict(small_region, twin, "4g")
    served = coverage["best_server"].to_numpy()
    assert served.max() == 2  # none of the twin's cells 3, 4, 5


def test_a_layer_is_judged_by_its_service(small_region, small_network):
    coverage = predict(small_region, small_network, "lte-b8")
    assert coverage.service.rsrp_threshold_dbm == -110.0
    covered = coverage.covered.to_numpy()
    needed = np.float32(-110.0 + norm.ppf(0.75) * 8.0)
    assert np.array_equal(
        covered,
        (coverage["rsrp_dbm"].to_numpy() >= needed)
        & (coverage["sinr_db"].to_numpy() >= -3.0)
        & (coverage["uplink_margin_db"].to_numpy() >= 0.0),
    )
    stricter = ankang_coverage.service("4g").model_copy(update={"rsrp_threshold_dbm": -80.0})
    assert predict(small_region, small_network, stricter).covered.sum() < covered.sum()


def test_no_cells_means_no_signal(small_region, small_network):
    coverage = predict(small_region, small_network.with_sites([]), "4g")
    assert np.isnan(coverage["rsrp_dbm"]).all()
    assert (coverage["best_server"] == -1).all()
    assert coverage.terrain == "none"


def test_wrong_input_is_named(small_region, small_network):
    with pytest.raises(CatalogueError, match="6g"):
        predict(small_region, small_network, "6g")
    elsewhere = type(small_network)(
        sites=small_network.sites.to_crs(4326),
        cells=small_network.cells,
        rejected=small_network.rejected,
    )
    with pytest.raises(RasterError, match=r"sites are in EPSG:4326.*to_crs\('EPSG:32649'\)"):
        predict(small_region, elsewhere, "4g")
    coverage = predict(small_region, small_network, "4g")
    with pytest.raises(NetworkError, match="'A-lte-b8-1' is in this coverage already"):
        coverage.add(small_network)


def test_propagation_settings_refuse_nonsense():
    for key, wrong in {
        "model": "magic",
        "radius_m": 0,
        "terminal_height_m": 50,
        "radios_m": 1,
    }.items():
        with pytest.raises(SettingsError, match=key):
            ankang_coverage.Propagation(**{key: wrong})
