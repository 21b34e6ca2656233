"""Rural micro base stations: poles in the valleys and on the ridges near unserved villages."""

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from ankang_coverage.planning.candidates import Candidates, locate, thin_out
from ankang_coverage.planning.programme import Target
from ankang_coverage.region import Region
from ankang_coverage.region.shares import MILLI
from ankang_coverage.sites import Network, equip, no_rejections
from ankang_coverage.sites.catalogue import antenna, radio_layer

REACH_M = 1_500.0
"""How far from the people it is for a pole may stand; about what a 10 m pole reaches."""
THINNING_M = 300.0
"""Two candidates nearer than this are one."""
FEWEST_PEOPLE = 10
"""Unserved people within reach that make a place worth a candidate."""


def micro_candidates(region: Region, unserved: NDArray[np.int64], target: Target) -> Candidates:
    """Place candidate poles near unserved people.

    Every local concentration of unserved people gives a valley candidate where they live and a
    ridge candidate on the highest ground within reach.

    Parameters
    ----------
    region
        Terrain and divisions.
    unserved
        (n_pixels,) unserved people [1/1000 person].
    target
        Height, radio layers and spacing of the poles.

    Returns
    -------
    Candidates
        Sites ``<target>-NNNNN`` of kind micro, equipped with the target's radio layers;
        ``source`` is ``candidate``.
    """
    people = unserved.reshape(region.geobox.shape) / MILLI
    valley, gathered = _concentrations(people, region.geobox.resolution.x)
    ridge = _highest_within(region.rasters["elevation_m"].to_numpy(), valley, region)
    pixels = np.concatenate([valley, ridge])
    reasons = np.repeat(["valley", "ridge"], [len(valley), len(ridge)])
    x_m, y_m = _centres(pixels, region)
    order = np.lexsort((pixels, -np.concatenate([gathered, gathered])))
    kept = order[thin_out(x_m[order], y_m[order], THINNING_M)]
    ids = [f"{target.id}-{n + 1:05d}" for n in range(len(kept))]
    sites = gpd.GeoDataFrame(
        {"status": "candidate", "kind": "micro", "source": "candidate"},
        index=pd.Index(ids, name="site"),
        geometry=gpd.points_from_xy(x_m[kept], y_m[kept]),
        crs=region.villages.crs,
    )
    place = locate(sites, region)
    sites.insert(0, "name", place["county_name"] + place["township_name"] + "-" + sites.index)
    cells = pd.concat(
        [
            equip(
                ids,
                layer,
                kind="micro",
                azimuths_deg=_azimuths_deg(layer),
                height_m=target.height_m,
            )
            for layer in target.radio_layers
        ]
    )
    return Candidates(
        network=Network(sites=sites, cells=cells, rejected=no_rejections()),
        reasons=pd.Series(reasons[kept], index=sites.index, name="reason"),
    )


def _azimuths_deg(layer: str) -> tuple[float, ...]:
    """Return one boresight for an omnidirectional antenna, two back to back for a panel."""
    is_omni = antenna(radio_layer(layer).antenna_for("micro")).kind == "omni"
    return (0.0,) if is_omni else (0.0, 180.0)


def _concentrations(
    people: NDArray[np.float64], pixel_m: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the pixels round which most unserved people live, and how many live there."""
    size = 2 * max(round(REACH_M / 2 / pixel_m), 1) + 1
    gathered = ndimage.uniform_filter(people, size, mode="constant") * size**2
    # The people themselves break the ties of a flat sum, so that its peak is on a dwelling.
    attraction = gathered + people
    peak = attraction == ndimage.maximum_filter(attraction, size)
    pixels = np.flatnonzero(peak & (gathered >= FEWEST_PEOPLE))
    return pixels, gathered.ravel()[pixels]


def _highest_within(
    elevation: NDArray[np.float32], around: NDArray[np.intp], region: Region
) -> NDArray[np.intp]:
    """Return the highest pixel within reach of each pixel; itself where the ground is unknown."""
    rows, columns = np.unravel_index(around, elevation.shape)
    reach = max(round(REACH_M / region.geobox.resolution.x), 1)
    offset = np.arange(-reach, reach + 1)
    down, across = np.meshgrid(offset, offset, indexing="ij")
    disc = np.hypot(down, across) <= reach
    down, across = down[disc], across[disc]
    highest = np.empty(len(around), np.intp)
    for i, (row, column) in enumerate(zip(rows, columns, strict=True)):
        r = np.clip(row + down, 0, elevation.shape[0] - 1)
        c = np.clip(column + across, 0, elevation.shape[1] - 1)
        heights = np.nan_to_num(elevation[r, c], nan=-np.inf)
        best = int(np.argmax(heights))
        known = np.isfinite(heights[best])
        highest[i] = r[best] * elevation.shape[1] + c[best] if known else around[i]
    return highest


def _centres(
    pixels: NDArray[np.intp], region: Region
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.unravel_index(pixels, region.geobox.shape)
    transform = region.geobox.transform
    x_m = transform.c + transform.a * (columns + 0.5)
    y_m = transform.f + transform.e * (rows + 0.5)
    return np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)
