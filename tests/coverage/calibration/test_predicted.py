"""A calibration sees the same signal as a prediction: the same losses, cells and kernel."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from ankang_coverage.coverage import HeldOut, Measurements, Propagation, Work, calibrate, predict
from ankang_coverage.coverage.calibration.predicted import BinPredictor
from ankang_coverage.coverage.predictor import Predictor

SETTINGS = {
    "by distance": Propagation(model="rma", radius_m=8000.0),
    "over terrain": Propagation(model="p1812", radius_m=8000.0),
}


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS)
def propagation(request):
    return request.param


@pytest.fixture
def served(small_region, small_network, store, propagation):
    """A coverage, and a bin of the best server for each of its pixels."""
    network = small_network.with_radio_layers(["lte-b8"])
    work = Work(store)
    coverage = predict(small_region, network, "lte-b8", propagation=propagation, work=work)
    server = coverage.best_server.to_numpy()
    row, column = np.nonzero(server >= 0)
    bins = pd.DataFrame(
        {"cell": coverage.cells.index[server[row, column]], "row": row, "column": column}
    )
    return coverage, bins


def test_the_prediction_at_a_bin_is_that_of_the_coverage(served):
    coverage, bins = served
    found = BinPredictor(coverage.predictor, coverage.network).predict(bins)
    rsrp = coverage.rsrp_dbm.to_numpy()[bins["row"], bins["column"]]
    assert (found["reason"] == "").all()
    assert np.array_equal(found["predicted_dbm"].to_numpy(np.float32), rsrp)
    obstacle = coverage.obstacle_distance_m.to_numpy()[bins["row"], bins["column"]]
    assert np.array_equal(found["in_sight"].to_numpy(), obstacle == 0.0)


def test_the_strongest_rival_is_that_of_the_coverage_without_the_bins_site(served):
    coverage, bins = served
    of_bins = BinPredictor(coverage.predictor, coverage.network)
    bins = bins.join(of_bins.predict(bins)).iloc[::37].reset_index(drop=True)
    leads = of_bins.leads_db(bins)["lead_1"].to_numpy()
    site = coverage.cells["site"].loc[bins["cell"]].to_numpy()
    for own in np.unique(site):
        rest = coverage.network.with_cells(coverage.network.cells["site"] != own)
        rivals = coverage.with_network(rest).rsrp_dbm.to_numpy()
        here = bins[site == own]
        rival = rivals[here["row"], here["column"]].astype(np.float64)
        lead = here["predicted_dbm"].to_numpy() - rival
        assert np.array_equal(leads[site == own], np.where(np.isnan(rival), np.inf, lead))


def test_the_residual_of_a_calibration_is_measured_minus_predicted(
    served, small_region, propagation
):
    """One measurement a pixel: the errors before are those of `coverage.rsrp_dbm`, to the bit."""
    coverage, bins = served
    bins = bins.iloc[::7]
    rsrp = coverage.rsrp_dbm.to_numpy()[bins["row"], bins["column"]].astype(np.float64)
    measured = rsrp + np.random.default_rng(4).normal(-3.0, 2.0, len(bins)).clip(-9.0, 3.0)
    x, y = (coverage.rsrp_dbm[name].to_numpy() for name in ("x", "y"))
    places = gpd.points_from_xy(x[bins["column"]], y[bins["row"]], crs="EPSG:32649")
    table = gpd.GeoDataFrame(
        {"rsrp_dbm": measured, "cell": bins["cell"].to_numpy(str)}, geometry=places
    )
    found = calibrate(
        small_region,
        coverage.network,
        Measurements(table.to_crs("EPSG:4326")),
        propagation=propagation,
        held_out=HeldOut(block_m=500.0),
        sensitivity_dbm=-300.0,
        serving_only=False,
        check_coordinates=False,
        work=coverage.work,
    )
    assert found.n_bins == len(bins)
    error = found.errors[0]
    assert error.mean_before_db == pytest.approx(np.mean(rsrp - measured), rel=1e-12)
    assert error.sd_before_db == pytest.approx(np.std(rsrp - measured, ddof=1), rel=1e-12)


def test_a_calibration_computes_no_path_loss_that_a_prediction_has_left(
    served, small_region, monkeypatch
):
    coverage, bins = served

    def computed(*_):
        raise AssertionError("a path loss was computed again")

    again = Predictor(small_region, coverage.propagation, coverage.work)
    monkeypatch.setattr("ankang_coverage.coverage.loss.masts.mast_losses", computed)
    assert len(BinPredictor(again, coverage.network).predict(bins)) == len(bins)
