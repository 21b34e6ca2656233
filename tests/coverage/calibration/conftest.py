"""A network, its signal at every pixel, and a calibration with the settings of synthetic drives."""

import numpy as np
import pytest
from drives import RMA, centres

from ankang_coverage.coverage import HeldOut
from ankang_coverage.coverage.calibration.fit import calibrate
from ankang_coverage.coverage.loss.ground import Ground
from ankang_coverage.coverage.loss.path_loss import Mast, mast_losses
from ankang_coverage.propagation.antenna import sector_gain
from ankang_coverage.sites.catalogue import antenna, radio_layer


@pytest.fixture(scope="session")
def network(small_network):
    return small_network.with_radio_layers(["lte-b8"])


@pytest.fixture(scope="session")
def air(small_region, network):
    """RSRP, distance and land cover of every cell at every pixel, from public pieces."""
    ground = Ground.of(small_region)
    layer = radio_layer("lte-b8")
    codes = small_region.rasters["land_cover"].to_numpy()
    made = {}

    def of(propagation):
        if propagation in made:
            return made[propagation]
        cells = []
        for id_, cell in network.cells.iterrows():
            place = network.sites.geometry[cell["site"]]
            mast = Mast(place.x, place.y, cell["height_m"], propagation.radius_m)
            loss = mast_losses(ground, mast, [layer.frequency_mhz], propagation)[941.5]
            gain = sector_gain(
                antenna(cell["antenna"]).pattern,
                loss.azimuth_deg,
                loss.elevation_deg,
                cell["azimuth_deg"],
                cell["mechanical_tilt_deg"],
                cell["electrical_tilt_deg"],
            )
            power = cell["re_power_dbm"] - layer.feeder_loss_db - layer.body_loss_db
            x, y = centres(small_region.geobox)
            distance = np.hypot(x - place.x, y - place.y)
            cells.append((id_, cell["site"], power + gain - loss.loss_db, distance, codes))
        made[propagation] = cells
        return cells

    return of


@pytest.fixture(scope="session")
def fit(small_region, network):
    def of(measurements, propagation=RMA, **settings):
        own = {
            "held_out": HeldOut(block_m=500.0),
            "check_coordinates": False,
            "sensitivity_dbm": -150.0,
            "serving_only": False,
        }
        return calibrate(
            small_region, network, measurements, propagation=propagation, **{**own, **settings}
        )

    return of
