"""RSRP of whole pixels against a slow computation from the tables up, and what must not matter."""

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

import ankang_coverage
from ankang_coverage.coverage import add_network, is_covered
from ankang_coverage.errors import CatalogueError, NetworkError, RasterError

# By distance alone: fast, and every pixel can be computed again by hand.
RMA = ankang_coverage.Propagation(model="rma", radius_m=5000.0)
predict = partial(ankang_coverage.predict, propagation=RMA)

CATALOGUE = Path(ankang_coverage.__file__).parent / "sites" / "catalogue"


def read(name):
    return {entry["id"]: entry for entry in yaml.safe_load((CATALOGUE / name).read_text("utf-8"))}


def slow_rma_db(d, f_mhz, h_bs, h_ut=1.5, h=5.0, w=20.0):
    """3GPP TR 38.901 table 7.4.1-1 RMa, weighted by table 7.4.2-1, written out once more."""
    d = max(d, 10.0)
    f, c = f_mhz / 1000, 3e8
    d3 = math.hypot(d, h_bs - h_ut)
    d_bp = 2 * math.pi * h_bs * h_ut * f_mhz * 1e6 / c

    def pl1(x):
        return (
            20 * math.log10(40 * math.pi * x * f / 3)
            + min(0.03 * h**1.72, 10) * math.log10(x)
            - min(0.044 * h**1.72, 14.77)
            + 0.002 * math.log10(h) * x
        )

    los = (
        pl1(d3)
        if d <= d_bp
        else pl1(math.hypot(d_bp, h_bs - h_ut))
        + 40 * math.log10(d3 / math.hypot(d_bp, h_bs - h_ut))
    )
    nlos = (
        161.04
        - 7.1 * math.log10(w)
        + 7.5 * math.log10(h)
        - (24.37 - 3.7 * (h / h_bs) ** 2) * math.log10(h_bs)
        + (43.42 - 3.1 * math.log10(h_bs)) * (math.log10(d3) - 3)
        + 20 * math.log10(f)
        - (3.2 * math.log10(11.75 * h_ut) ** 2 - 4.97)
    )
    p = 1.0 if d <= 10 else math.exp(-(d - 10) / 1000)
    return p * los + (1 - p) * max(los, nlos)


def slow_gain_dbi(antenna, azimuth, elevation, boresight, mechanical, electrical):
    """Parabolas with floors, the antenna rotated by its mechanical tilt with plain matrices."""
    a, e, t = (math.radians(v) for v in (azimuth - boresight, elevation, mechanical))
    x, y, z = math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)
    x, z = x * math.cos(t) - z * math.sin(t), x * math.sin(t) + z * math.cos(t)
    phi, theta = math.degrees(math.atan2(y, x)), math.degrees(math.asin(max(-1, min(1, z))))
    sector = antenna["horizontal_beamwidth_deg"] < 360
    back = antenna["front_to_back_db"]
    a_h = min(12 * (phi / antenna["horizontal_beamwidth_deg"]) ** 2, back) if sector else 0.0
    a_v = min(
        12 * ((theta + electrical) / antenna["vertical_beamwidth_deg"]) ** 2,
        antenna["side_lobe_suppression_db"],
    )
    return antenna["gain_dbi"] - (min(a_h + a_v, back) if sector else a_v)


def slow_rsrp(region, network, layer_ids, row, column):
    """Strongest RSRP at a pixel centre and the cell it comes from, one cell after the other."""
    antennas, layers = read("antennas.yaml"), read("radio_layers.yaml")
    t = region.geobox.transform
    x, y = t.c + t.a * (column + 0.5), t.f + t.e * (row + 0.5)
    best = (-math.inf, None)
    for cell_id, cell in network.cells.iterrows():
        if cell.radio_layer not in layer_ids:
            continue
        layer, mast = layers[cell.radio_layer], network.sites.geometry[cell.site]
        d = math.hypot(x - mast.x, y - mast.y)
        if d > 5000:
            continue
        gain = slow_gain_dbi(
            antennas[layer["antenna"]],
            math.degrees(math.atan2(x - mast.x, y - mast.y)),
            -math.degrees(math.atan2(cell.height_m - 1.5, d)),
            cell.azimuth_deg,
            cell.mechanical_tilt_deg,
            cell.electrical_tilt_deg,
        )
        power = (
            layer["power_dbm"]
            - 10 * math.log10(12 * layer["n_resource_blocks"])
            - 10 * math.log10(layer["ports"])
            - layer["feeder_loss_db"]
            - layer["body_loss_db"]
        )
        rsrp = power + gain - slow_rma_db(d, layer["frequency_mhz"], cell.height_m)
        best = max(best, (rsrp, cell_id), key=lambda pair: pair[0])
    return best


@pytest.mark.parametrize("of", ["4g", "5g", "lte-b8"])
def test_whole_pixels_equal_a_slow_computation_from_the_tables_up(small_region, small_network, of):
    coverage = predict(small_region, small_network, of)
    layer_ids = coverage.attrs["radio_layers"]
    rng = np.random.default_rng(3)
    for row, column in rng.integers(0, 60, (150, 2)):
        rsrp, cell = slow_rsrp(small_region, small_network, layer_ids, row, column)
        found = float(coverage["rsrp_dbm"][row, column])
        server = int(coverage["best_server"][row, column])
        if cell is None:
            assert math.isnan(found)
            assert server == -1
        else:
            assert found == pytest.approx(rsrp, abs=0.01)
            assert str(coverage["cell"].to_numpy()[server]) == cell


def test_threads_do_not_change_a_bit(small_region, small_network):
    alone = predict(small_region, small_network, "4g")
    with ThreadPoolExecutor(8) as many:
        shared = predict(small_region, small_network, "4g", executor=many)
    assert alone.identical(shared)


def test_adding_sites_equals_predicting_all_at_once(small_region, small_network):
    first, rest = small_network.with_sites(["B"]), small_network.with_sites(["A", "C"])
    together = predict(small_region, first.plus(rest), "4g")
    grown = add_network(small_region, predict(small_region, first, "4g"), rest)
    assert together.identical(grown)


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
    assert coverage.attrs["rsrp_threshold_dbm"] == -110.0
    covered = is_covered(coverage)
    assert np.array_equal(covered, coverage["rsrp_dbm"].to_numpy() >= -110.0)
    stricter = ankang_coverage.service("4g").model_copy(update={"rsrp_threshold_dbm": -80.0})
    assert is_covered(predict(small_region, small_network, stricter)).sum() < covered.sum()


def test_no_cells_means_no_signal(small_region, small_network):
    coverage = predict(small_region, small_network.with_sites([]), "4g")
    assert np.isnan(coverage["rsrp_dbm"]).all()
    assert (coverage["best_server"] == -1).all()
    assert coverage.attrs["terrain"] == "none"


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
        add_network(small_region, coverage, small_network)


def test_propagation_settings_refuse_nonsense():
    for key, wrong in {
        "model": "magic",
        "radius_m": 0,
        "terminal_height_m": 50,
        "radios_m": 1,
    }.items():
        with pytest.raises(ValidationError, match=key):
            ankang_coverage.Propagation(**{key: wrong})
