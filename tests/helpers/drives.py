"""Drive tests that are made up, so that what is to be found is known.

All measurements are synthetic: the model's own signal, changed by known amounts, with shadowing
that is alike over some hundred metres and noise on top. Like a scanner, and unlike a phone, a
drive holds any cell of a place, not the strongest alone.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import ndimage

from ankang_coverage.coverage import Propagation
from ankang_coverage.coverage.calibration.measurements import Measurements, from_wgs84
from ankang_coverage.region import Source

RMA = Propagation(model="rma", radius_m=8000.0)
P1812 = Propagation(model="p1812", radius_m=8000.0)
SPM = Propagation(model="spm", radius_m=8000.0)
REFERENCE_M = 1000.0
"""Where the offset of a drive is what it says."""


def centres(geobox):
    """Return easting and northing of every pixel's centre."""
    rows, columns = geobox.shape
    t = geobox.transform
    x, y = t.c + t.a * (np.arange(columns) + 0.5), t.f + t.e * (np.arange(rows) + 0.5)
    return np.meshgrid(x, y)


def shadows(rng, shape, pixels):
    """Return shadowing of standard deviation 1 that is alike over some pixels."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape), pixels, mode="wrap")
    return field / field.std()


def drive(
    region,
    cells,
    *,
    seed=0,
    n=4000,
    offset_db=5.0,
    slope_db=4.0,
    class_db=None,
    shadow_db=5.0,
    shadow_pixels=1,
    noise_db=2.0,
    cell_db=None,
    weakest_dbm=-200.0,
    wild=0.0,
    datum="wgs84",
    cells_of=None,
):
    """Return a synthetic drive test: random pixels, of each any cell stronger than the weakest."""
    rng = np.random.default_rng(seed)
    x, y = centres(region.geobox)
    parts = []
    for id_, _, rsrp, distance, codes in cells:
        added = offset_db + slope_db * np.log10(distance / REFERENCE_M)
        for code, db in (class_db or {}).items():
            added = added + db * (codes == code)
        shadow = shadow_db * shadows(rng, rsrp.shape, shadow_pixels)
        of_cell = rsrp - added - shadow + (cell_db or {}).get(id_, 0.0)
        at = rng.integers(0, rsrp.size, n // len(cells))
        if cells_of is not None:
            at = cells_of(rng, id_, rsrp.shape, n // len(cells))
        power = of_cell.ravel()[at] + rng.normal(0.0, noise_db, len(at))
        astray = rng.random(len(at)) < wild
        power[astray] = rng.uniform(-125.0, -45.0, astray.sum())
        parts.append(
            pd.DataFrame({"rsrp_dbm": power, "cell": id_, "x": x.ravel()[at], "y": y.ravel()[at]})
        )
    table = pd.concat(parts, ignore_index=True)
    table = table[table["rsrp_dbm"] >= weakest_dbm]
    places = gpd.GeoSeries.from_xy(table.pop("x"), table.pop("y"), crs="EPSG:32649").to_crs(4326)
    longitude, latitude = from_wgs84(places.x.to_numpy(), places.y.to_numpy(), datum)
    points = gpd.GeoDataFrame(
        table, geometry=gpd.points_from_xy(longitude, latitude), crs="EPSG:4326"
    )
    return Measurements(points, sources=(Source("measurements", "synthetic", "drive of seed"),))


def value(calibration, term):
    """Return what was fitted for a term, with its standard error."""
    return calibration.terms().set_index("term").loc[term, ["value", "standard_error"]].tolist()


def at_1_km(calibration):
    """The fitted offset where the synthetic truth has its own, with its standard error."""
    correction = calibration.correction
    slope, slope_error = value(calibration, "distance slope")
    offset, offset_error = value(calibration, "offset")
    decades = np.log10(REFERENCE_M / correction.reference_distance_m)
    return offset + slope * decades, np.hypot(offset_error, slope_error * decades)


def phones(region, cells, *, seed, n, offset_db, slope_db, shadow_db, noise_db=0.5):
    """Return a synthetic crowd: each place's strongest cell; sites' shadows correlate by 0.5."""
    rng = np.random.default_rng(seed)
    shape = cells[0][2].shape
    common = shadows(rng, shape, 1)
    own = {site: shadows(rng, shape, 1) for _, site, *_ in cells}
    heard = np.stack(
        [
            rsrp
            - offset_db
            - slope_db * np.log10(distance / REFERENCE_M)
            + shadow_db * np.sqrt(0.5) * (common + own[site])
            for _, site, rsrp, distance, _ in cells
        ]
    )
    at = rng.choice(common.size, n, replace=False)
    best = heard.reshape(len(cells), -1)[:, at].argmax(axis=0)
    power = heard.reshape(len(cells), -1)[best, at] + rng.normal(0.0, noise_db, n)
    x, y = (c.ravel()[at] for c in centres(region.geobox))
    frame = {"rsrp_dbm": power, "cell": [cells[k][0] for k in best]}
    places = gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(x, y), crs="EPSG:32649")
    return Measurements(places, sources=(Source("measurements", "synthetic", "crowd of seed"),))
